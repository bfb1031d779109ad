// Package rpc is the gap slice's door: it reads a portfolio, has it evaluated,
// and gives the result as a message or a document.
package rpc

import (
	"context"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/gap/reconcile"
	"setpoint.dev/services/gap/report"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
)

// Service implements GapService.
type Service struct {
	record   *record.Record
	now      func() time.Time
	watching watching
	reviews  reconcile.ReviewsFunc
}

var _ gapv1connect.GapServiceHandler = (*Service)(nil)

// New returns the service to mount; now is the clock that says what today is, and
// reviews reads what policies that are about reviews look at.
func New(rec *record.Record, now func() time.Time, reviews reconcile.ReviewsFunc) rpc.Service {
	s := &Service{record: rec, now: now, watching: newWatching(), reviews: reviews}
	return s.service()
}

func (s *Service) service() rpc.Service {
	return rpc.Service{
		Name: gapv1connect.GapServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return gapv1connect.NewGapServiceHandler(s, opts...)
		},
	}
}

// query is what Evaluate and Report have in common.
type query struct {
	strategy, asOf, policy string
	original, forecast     bool
	apart                  bool            // nothing about several targets together
	forecastOf             map[string]bool // nil means all
	snapshot               rpc.Moment
}

// head is what a document says of the organization, and the policy that judged.
type head struct {
	organization string
	epoch        int // erasures
	rules        gap.Policy
	said         map[string]report.Said // the last notes of check-ins, by target
}

// evaluate answers a query.
func (s *Service) evaluate(ctx context.Context, q query) (p gap.Portfolio, r gap.Result, about head, err error) {
	who, err := principal.From(ctx)
	if err != nil {
		return p, r, about, err
	}
	snapshot, err := rpc.Snapshot(who.Org, q.snapshot)
	if err != nil {
		return p, r, about, err
	}
	var asOf calendar.Date
	if q.asOf != "" {
		if asOf, err = calendar.ParseDate(q.asOf); err != nil {
			return p, r, about, fault.Wrap(err, fault.Invalid, "gap.as_of", "asOf is not a date").WithHint("YYYY-MM-DD")
		}
	}
	var words map[string]record.Word
	var rules policy.Rules
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		if asOf.IsZero() {
			asOf = record.Today(v, who.Org, at, s.now())
		}
		if rules, err = portfolio.Rules(v, who.Org, q.policy, at, asOf); err != nil {
			return err
		}
		if q.strategy != "" {
			found, err := v.Resource(who.Org, "Strategy", q.strategy, at)
			if err != nil {
				return err
			}
			if found == nil {
				return fault.New(fault.NotFound, "gap.strategy_unknown", "strategy: there is no strategy %.64q", q.strategy).
					WithHint("%s", resource.Suggest(q.strategy, record.NewSet(v, who.Org, at).Names("Strategy")))
			}
		}
		about.organization = record.OrganizationTitle(v, who.Org, at)
		// Who is erased is erased from the past, too: the newest count.
		erased, err := v.Erasures(who.Org)
		if err != nil {
			return err
		}
		about.epoch = len(erased)
		if p, err = portfolio.Load(v, who.Org, at, asOf); err != nil {
			return err
		}
		words, err = wordsOn(v, who.Org, at, asOf)
		return err
	})
	if err != nil {
		return p, r, about, err
	}
	about.rules = rules.Policy
	if about.said, err = lastNotes(words); err != nil {
		return p, r, about, err
	}
	r = gap.Evaluate(p, asOf, rules.Policy, gap.Options{Explain: true, OriginalTargets: q.original, Strategy: q.strategy, Forecast: q.forecast, ForecastOf: q.forecastOf, Apart: q.apart})
	err = attach(&r, words)
	return p, r, about, err
}

// Evaluate implements GapService.
func (s *Service) Evaluate(ctx context.Context, req *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
	p, r, about, err := s.evaluate(ctx, query{
		strategy: req.GetStrategy(), asOf: req.GetAsOf(), policy: req.GetPolicy(),
		original: req.GetOriginalTargets(), forecast: !req.GetWithoutForecasts(), snapshot: req,
	})
	if err != nil {
		return nil, err
	}
	res := response(p, r)
	res.ErasureEpoch = int32(about.epoch)
	if req.GetWithCalibration() {
		c, err := s.calibration(ctx, p, r, about)
		if err != nil {
			return nil, err
		}
		res.Calibration = calibrationMessage(c)
	}
	return res, nil
}

var contentTypes = map[string]string{
	"md":   "text/markdown; charset=utf-8",
	"html": "text/html; charset=utf-8",
	"json": "application/json",
	"csv":  "text/csv; charset=utf-8; header=present",
	"pdf":  "application/pdf",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// Report implements GapService.
func (s *Service) Report(ctx context.Context, req *gapv1.ReportRequest) (*gapv1.ReportResponse, error) {
	q := query{
		strategy: req.GetStrategy(), asOf: req.GetAsOf(), policy: req.GetPolicy(),
		original: req.GetOriginalTargets(), forecast: true, apart: true, snapshot: req,
	}
	p, r, about, err := s.evaluate(ctx, q)
	if err != nil {
		return nil, err
	}
	opts := report.Options{
		Strategy: req.GetStrategy(), Organization: about.organization, OriginalTargets: req.GetOriginalTargets(),
		ErasureEpoch: about.epoch, Audience: req.GetAudience(), Said: about.said,
	}
	held, err := s.reviewedBy(ctx, r)
	if err != nil {
		return nil, err
	}
	switch {
	case req.GetSince() != "":
		opts.Before, err = s.before(ctx, q, req.GetSince(), r)
	case held.revision > 0:
		opts.Before = &report.Before{Label: held.label}
		err = s.compareWith(ctx, q, opts.Before, held.asOf, int64(held.revision), r)
	}
	if err != nil {
		return nil, err
	}
	d := report.Build(p, r, opts)
	if d.Calibration, err = s.calibration(ctx, p, r, about); err != nil {
		return nil, err
	}
	d = d.Frozen()
	format := req.GetFormat()
	if format == "" {
		format = "md"
	}
	// The hash takes about as long as a rendering, which waits for it only at its
	// end.
	var beside sync.WaitGroup
	beside.Go(func() { d.SHA256() })
	defer beside.Wait()
	res := &gapv1.ReportResponse{
		ContentType: contentTypes[format], AsOf: r.AsOf.String(), Revision: int64(r.Revision), ErasureEpoch: int32(about.epoch),
	}
	switch format {
	case "html":
		res.Content = report.HTML(d)
	case "json":
		res.Content = report.JSON(d)
	case "csv":
		res.Content = report.CSV(d)
	case "pdf":
		res.Content, res.Warnings, err = report.PDF(d)
	case "xlsx":
		res.Content, err = report.XLSX(d)
	default:
		res.Content = report.Markdown(d)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "gap.report", "the report could not be written as %s", format)
	}
	res.Sha256 = d.SHA256()
	return res, nil
}
