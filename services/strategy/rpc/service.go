// Package rpc is the strategy slice's door: it turns requests into commands,
// reads what the decision needs from the record, and hands what was decided to
// the runner.
package rpc

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/strategy"
)

// perEnvelope bounds how many values one envelope packs.
const perEnvelope = 5000

// Service implements StrategyService.
type Service struct {
	runner *runner.Runner
	record *record.Record
	kinds  *resource.Registry
	status StatusFunc
	pack   PackFunc
}

var _ strategyv1connect.StrategyServiceHandler = (*Service)(nil)

// StatusFunc computes the status of a target at the end of a day, with what a
// view has on record and values that are only supposed. Computing is another slice's work: whoever puts the
// process together has the function.
type StatusFunc func(v record.View, org, target string, day calendar.Date, supposed ...record.Observation) (string, error)

// New returns the service to mount. status says which check-ins need a note;
// without it, none does. pack evaluates what reviews look at; without it, none is
// locked.
func New(r *runner.Runner, rec *record.Record, kinds *resource.Registry, status StatusFunc, pack PackFunc) rpc.Service {
	s := &Service{runner: r, record: rec, kinds: kinds, status: status, pack: pack}
	return rpc.Service{
		Name: strategyv1connect.StrategyServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return strategyv1connect.NewStrategyServiceHandler(s, opts...)
		},
	}
}

// RecordObservations implements StrategyService.
func (s *Service) RecordObservations(ctx context.Context, req *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
	return s.observe(ctx, observation{
		requestID: req.GetRequestId(), expected: uint64(req.GetExpectedRevision()),
		values: req.GetObservations(), correct: req.GetCorrect(),
		manager: req.GetManager(), reason: req.GetReason(), digest: req,
	})
}

// CorrectObservation implements StrategyService.
func (s *Service) CorrectObservation(ctx context.Context, req *strategyv1.CorrectObservationRequest) (*strategyv1.CorrectObservationResponse, error) {
	res, err := s.observe(ctx, observation{
		requestID: req.GetRequestId(), expected: uint64(req.GetExpectedRevision()),
		values: []*strategyv1.Observation{req.GetObservation()}, correct: true, mustExist: true,
		manager: req.GetManager(), reason: req.GetReason(), digest: req,
	})
	if err != nil {
		return nil, err
	}
	return &strategyv1.CorrectObservationResponse{Revision: res.GetRevision(), Corrected: res.GetCorrected() > 0}, nil
}

type observation struct {
	requestID, manager, reason string
	expected                   uint64
	values                     []*strategyv1.Observation
	correct, mustExist         bool
	digest                     proto.Message
}

func (s *Service) observe(ctx context.Context, c observation) (*strategyv1.RecordObservationsResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	d, err := runner.Digest(c.digest)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, o := range c.values {
		names[o.GetMetric()] = true
	}
	metrics := make([]string, 0, len(names))
	for n := range names {
		metrics = append(metrics, n)
	}
	sort.Strings(metrics)
	guards, err := s.guards(ctx, p.Org, "Metric", "observation", metrics)
	if err != nil {
		return nil, err
	}
	res := &strategyv1.RecordObservationsResponse{}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: c.requestID, Digest: d, Principal: p.ID,
		Manager: orAPI(c.manager), Reason: c.reason, Guards: guards,
	}, func(v record.View) ([]runner.Write, error) {
		return decide(v, p.Org, c, s.runner.Now(), res)
	})
	if err != nil {
		return nil, s.tellWhatCameBetween(ctx, err, c.expected)
	}
	if r := out.Replayed; r != nil {
		res = &strategyv1.RecordObservationsResponse{Recorded: int32(r.Recorded), Corrected: int32(r.Corrected)}
	}
	res.Revision = int64(out.Revision)
	res.Unchanged = int32(len(c.values)) - res.GetRecorded() - res.GetCorrected()
	return res, nil
}

// guards are the subjects of what is known about resources. A resource that
// the record does not know may have been declared a moment ago: then the
// record first catches up with the declarations.
func (s *Service) guards(ctx context.Context, org, kind, token string, names []string) ([]eventlog.Subject, error) {
	out, err := s.known(ctx, org, kind, token, names)
	if err != nil || len(out) == len(names) {
		return out, err
	}
	if err := s.runner.Reach(ctx, eventlog.DeclarationGuard(org), 0); err != nil {
		return nil, err
	}
	return s.known(ctx, org, kind, token, names)
}

func (s *Service) known(ctx context.Context, org, kind, token string, names []string) (out []eventlog.Subject, err error) {
	err = s.record.Decide(ctx, func(v record.View) error {
		out = nil
		for _, name := range names {
			r, err := v.Resource(org, kind, name, v.Revision())
			if err != nil {
				return err
			}
			if r != nil {
				out = append(out, subject(org, token, r.ID))
			}
		}
		return nil
	})
	return out, err
}

func subject(org, token, id string) eventlog.Subject {
	return eventlog.Subject{Org: org, Service: "strategy", Kind: token, ID: id}
}

// decide reads what the decision rests on and turns it into writes, one
// envelope for each metric.
func decide(v record.View, org string, c observation, now time.Time, res *strategyv1.RecordObservationsResponse) ([]runner.Write, error) {
	res.Recorded, res.Corrected, res.Warnings = 0, 0, nil
	wrong := fault.New(fault.Invalid, "strategy.observations_invalid", "nothing was recorded: the observations are not valid")
	set := record.NewSet(v, org, v.Revision())
	byMetric := map[string][]strategy.Observation{}
	metrics := map[string]*record.Resource{}
	var order []string
	for i, o := range c.values {
		name := o.GetMetric()
		m, seen := metrics[name]
		if !seen {
			var err error
			if m, err = v.Resource(org, "Metric", name, v.Revision()); err != nil {
				return nil, err
			}
			metrics[name] = m
			order = append(order, name)
		}
		if m == nil {
			wrong.Places = append(wrong.Places, fault.Place{
				Field: fmt.Sprintf("observations[%d].metric", i), Reason: "strategy.metric_unknown",
				Message: fmt.Sprintf("there is no metric %q", name), Hint: resource.Suggest(name, set.Names("Metric")),
			})
			continue
		}
		at, err := strategy.ObservedAt(o.GetObservedAt(), strategy.Calendar(m.Spec.(*strategyv1.MetricSpec), set))
		if err != nil {
			var hint string
			if f, ok := err.(*fault.Error); ok {
				hint = f.Hint
			}
			wrong.Places = append(wrong.Places, fault.Place{
				Field: fmt.Sprintf("observations[%d].observedAt", i), Reason: fault.ReasonOf(err), Message: err.Error(), Hint: hint,
			})
			continue
		}
		byMetric[name] = append(byMetric[name], strategy.Observation{
			Identity: strategy.Identity{At: at, Source: o.GetSource()},
			Observed: strategy.Observed{Value: o.GetValue(), Note: o.GetNote()}, Index: i,
		})
	}
	var writes []runner.Write
	for _, name := range order {
		m := metrics[name]
		if m == nil {
			continue
		}
		values := byMetric[name]
		on := map[strategy.Identity]strategy.Observed{}
		newest := uint64(0)
		var beside []strategy.Beside
		stands, err := standingOf(v, org, m.ID, values)
		if err != nil {
			return nil, err
		}
		for _, o := range values {
			have, others, err := stands.find(record.ObservationKey{At: o.At, Source: o.Source})
			if err != nil {
				return nil, err
			}
			if have == nil && len(others) > 0 {
				beside = append(beside, strategy.Beside{Identity: o.Identity, Others: others})
			}
			if have != nil {
				on[o.Identity] = strategy.Observed{Value: have.Value, Note: have.Note}
				newest = max(newest, have.From)
			} else if c.mustExist {
				return nil, fault.New(fault.NotFound, "strategy.observation_unknown",
					"metric %q has no value at %s to correct", name, o.At).WithHint("record it first")
			}
		}
		if c.expected != 0 && newest > c.expected {
			return nil, changed(subject(org, "observation", m.ID), newest, "strategy.observations_changed",
				"metric %q has newer observations: expected_revision is %d, they stand at %d", name, c.expected, newest)
		}
		wrong.Places = append(wrong.Places, strategy.Within(m.Spec.(*strategyv1.MetricSpec).GetBounds(), values)...)
		wrong.Places = append(wrong.Places, strategy.Recordable(m.Spec.(*strategyv1.MetricSpec), values)...)
		recorded, corrected, faults := strategy.Observe(on, values, c.correct)
		wrong.Places = append(wrong.Places, faults...)
		res.Recorded += int32(len(recorded))
		res.Corrected += int32(len(corrected))
		if w := strategy.Surprise(name, beside, c.correct); w != "" {
			res.Warnings = append(res.Warnings, w)
		}
		if news := slices.Concat(recorded, corrected); mayBeAhead(news, now) {
			spec := m.Spec.(*strategyv1.MetricSpec)
			if w := strategy.StillToCome(name, spec, strategy.Calendar(spec, set), news, record.Today(v, org, v.Revision(), now)); w != "" {
				res.Warnings = append(res.Warnings, w)
			}
		}
		events, err := encode(recorded, corrected)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 {
			writes = append(writes, runner.Write{Subject: subject(org, "observation", m.ID), Events: events})
		}
	}
	if len(wrong.Places) > 0 {
		sort.SliceStable(wrong.Places, func(i, j int) bool { return index(wrong.Places[i]) < index(wrong.Places[j]) })
		several := map[int]bool{} // one may break more than one rule
		for _, p := range wrong.Places {
			several[index(p)] = true
		}
		wrong.Message = fmt.Sprintf("nothing was recorded: %d of %d observations are not valid", len(several), len(c.values))
		return nil, wrong
	}
	return writes, nil
}

// mayBeAhead is the look at values that costs nothing: whether it is tomorrow for
// one of them, wherever the organization is.
func mayBeAhead(values []strategy.Observation, now time.Time) bool {
	earliest := now.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	return slices.ContainsFunc(values, func(o strategy.Observation) bool { return o.At > earliest })
}

// index is the observation a place names.
func index(p fault.Place) int {
	var i int
	_, _ = fmt.Sscanf(p.Field, "observations[%d]", &i)
	return i
}

// encode packs values into events, so that no event grows without bound.
func encode(recorded, corrected []strategy.Observation) ([]eventlog.Event, error) {
	var out []eventlog.Event
	for _, part := range []struct {
		typ    string
		values []*strategyv1.ObservedValue
	}{
		{record.ObservationsRecorded, strategy.Values(recorded)},
		{record.ObservationsCorrected, strategy.Values(corrected)},
	} {
		for len(part.values) > 0 {
			n := min(perEnvelope, len(part.values))
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&strategyv1.ObservationsRecorded{Values: part.values[:n]})
			if err != nil {
				return nil, err
			}
			out = append(out, eventlog.Event{Type: part.typ, Payload: b})
			part.values = part.values[n:]
		}
	}
	return out, nil
}

// ListObservations implements StrategyService.
func (s *Service) ListObservations(ctx context.Context, req *strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	page, err := rpc.PageOf(p.Org, req, 1000, 2)
	if err != nil {
		return nil, err
	}
	var after record.ObservationKey
	if page.After != nil {
		after = record.ObservationKey{At: page.After[0], Source: page.After[1]}
	}
	res := &strategyv1.ListObservationsResponse{}
	err = s.record.At(ctx, page.Snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		m, err := v.Resource(p.Org, "Metric", req.GetMetric(), at)
		if err != nil {
			return err
		}
		if m == nil {
			return fault.New(fault.NotFound, "strategy.metric_unknown", "there is no metric %q", req.GetMetric()).
				WithHint("%s", resource.Suggest(req.GetMetric(), record.NewSet(v, p.Org, at).Names("Metric")))
		}
		list, err := v.Observations(p.Org, m.ID, at, after, page.Size+1)
		if err != nil {
			return err
		}
		if len(list) > page.Size {
			list = list[:page.Size]
			last := list[page.Size-1]
			res.NextPageToken = rpc.NextPage(at, last.At, last.Source)
		}
		for _, o := range list {
			res.Observations = append(res.Observations, &strategyv1.Observation{
				Metric: m.Name, ObservedAt: o.At, Value: &o.Value, Source: o.Source, Note: o.Note,
				Revision: int64(o.From), Corrections: int32(o.Corrections), Recorded: rpc.Instant(o.Recorded),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

func orAPI(manager string) string {
	if manager == "" {
		return "api"
	}
	return manager
}
