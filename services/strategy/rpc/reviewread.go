package rpc

import (
	"cmp"
	"context"
	"slices"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/strategy"
)

// fewOccurrences is how many are listed where nobody says.
const fewOccurrences = 20

// at answers a read: with a view, the revision, and the day that is asked about.
func (s *Service) at(ctx context.Context, req rpc.Moment, day string, f func(v record.View, org string, at uint64, asOf calendar.Date) error) error {
	p, err := principal.From(ctx)
	if err != nil {
		return err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return err
	}
	var asOf calendar.Date
	if day != "" {
		if asOf, err = calendar.ParseDate(day); err != nil {
			return fault.Wrap(err, fault.Invalid, "strategy.as_of", "asOf: not a date").WithHint("YYYY-MM-DD")
		}
	}
	return s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		if asOf.IsZero() {
			asOf = record.Today(v, p.Org, at, s.runner.Now())
		}
		return f(v, p.Org, at, asOf)
	})
}

// ListReviews implements StrategyService.
func (s *Service) ListReviews(ctx context.Context, req *strategyv1.ListReviewsRequest) (*strategyv1.ListReviewsResponse, error) {
	res := &strategyv1.ListReviewsResponse{}
	err := s.at(ctx, req, req.GetAsOf(), func(v record.View, org string, at uint64, asOf calendar.Date) error {
		res.Revision, res.AsOf, res.Reviews = int64(at), asOf.String(), nil
		if err := ownerKnown(v, org, at, req.GetOwner()); err != nil {
			return err
		}
		list, err := reviewsAt(v, org, at, asOf, "")
		if err != nil {
			return err
		}
		l := ledger{v: v, org: org, at: at, asOf: asOf}
		if err := l.owners(); err != nil {
			return err
		}
		for _, x := range list {
			if o := req.GetOwner(); o != "" && o != x.spec.GetOwner() && !slices.Contains(x.spec.GetParticipants(), o) {
				continue
			}
			e := x.entry(asOf, l.out.Above)
			if status := e.GetNext().GetStatus(); req.GetDue() && (e.GetNext() == nil || status == strategy.Upcoming) {
				continue
			}
			res.Reviews = append(res.Reviews, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// What is overdue for longest comes first, then what is due first.
	slices.SortStableFunc(res.Reviews, func(a, b *strategyv1.ReviewEntry) int {
		rank := func(e *strategyv1.ReviewEntry) string { return cmp.Or(e.GetMissedSince(), e.GetNext().GetDue(), "~") }
		return cmp.Or(strings.Compare(rank(a), rank(b)), strings.Compare(a.GetName(), b.GetName()))
	})
	return res, nil
}

func (x *standingReview) entry(asOf calendar.Date, above map[string]string) *strategyv1.ReviewEntry {
	e := &strategyv1.ReviewEntry{Name: x.Name, Spec: x.spec, Revision: int64(x.From)}
	if o := x.rhythm.Next(x.states, asOf); !o.IsZero() {
		e.Next = x.message(o)
	}
	var last calendar.Period
	for name, state := range x.states {
		e.Revision = max(e.Revision, int64(x.revisions[name]))
		if p, err := x.rhythm.Find(name); err == nil && state.GetStage() == strategy.Closed && (last.IsZero() || p.Start.After(last.Start)) {
			last = p
		}
		for _, d := range state.GetDecisions() {
			if d.GetStatus() != "open" {
				continue
			}
			e.OpenDecisions++
			if d.GetDue() < asOf.String() {
				e.OverdueDecisions++
			}
		}
	}
	if !last.IsZero() {
		e.Last = x.message(x.rhythm.On(last, x.states[last.Name], asOf))
	}
	if d, ok := x.duty(asOf); ok && d.Due.Before(asOf) {
		e.Missed, e.MissedSince = int32(d.Missing), d.Due.String()
		e.EscalatedTo = strategy.EscalatedTo(above, d.Owner, asOf.Sub(d.Due))
	}
	return e
}

// duty is what its owner owes, if anything.
func (x *standingReview) duty(asOf calendar.Date) (strategy.Duty, bool) {
	return strategy.LedgerReview{Name: x.Name, Owner: x.spec.GetOwner(), Rhythm: x.rhythm, States: x.states}.Owed(asOf)
}

func (x *standingReview) message(o strategy.Occurrence) *strategyv1.Occurrence {
	return &strategyv1.Occurrence{
		Period: o.Name, Start: o.Start.String(), End: o.End.String(), Due: o.Due.String(), Status: o.Status, DaysOverdue: int32(o.Overdue),
		State: o.State, Revision: int64(x.revisions[o.Name]),
	}
}

// GetReview implements StrategyService.
func (s *Service) GetReview(ctx context.Context, req *strategyv1.GetReviewRequest) (*strategyv1.GetReviewResponse, error) {
	res := &strategyv1.GetReviewResponse{}
	err := s.at(ctx, req, req.GetAsOf(), func(v record.View, org string, at uint64, asOf calendar.Date) error {
		res.Revision, res.AsOf, res.Occurrences = int64(at), asOf.String(), nil
		x, err := reviewAt(v, org, at, asOf, req.GetReview())
		if err != nil {
			return err
		}
		l := ledger{v: v, org: org, at: at, asOf: asOf}
		if err := l.owners(); err != nil {
			return err
		}
		res.Review = x.entry(asOf, l.out.Above)
		if req.GetPeriod() == "" {
			limit := cmp.Or(int(req.GetLimit()), fewOccurrences)
			for _, o := range x.rhythm.All(x.states, asOf, limit) {
				res.Occurrences = append(res.Occurrences, x.message(o))
			}
			return nil
		}
		p, err := x.rhythm.Find(req.GetPeriod())
		if err != nil {
			return err
		}
		res.Occurrences = []*strategyv1.Occurrence{x.message(x.rhythm.On(p, x.states[p.Name], asOf))}
		told, err := s.runner.Story(ctx, occurrenceSubject(org, x.ID, p.Name), at, strategy.Acts())
		if err != nil {
			return err
		}
		for _, t := range told {
			act := rpc.Act(t)
			act.Summary, act.Note = strategy.ReviewInWords(t.Event)
			res.Acts = append(res.Acts, act)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// GetPack implements StrategyService.
func (s *Service) GetPack(ctx context.Context, req *strategyv1.GetPackRequest) (*strategyv1.GetPackResponse, error) {
	res := &strategyv1.GetPackResponse{}
	err := s.at(ctx, req, "", func(v record.View, org string, at uint64, asOf calendar.Date) error {
		res.Revision = int64(at)
		x, err := reviewAt(v, org, at, asOf, req.GetReview())
		if err != nil {
			return err
		}
		res.Period = req.GetPeriod()
		if res.Period == "" {
			pick := newest("has a pack", func(o *strategy.OccurrenceState) bool { return o.GetPack() != nil })
			if res.Period, err = pick(x, asOf); err != nil {
				return err
			}
		}
		p, err := x.rhythm.Find(res.GetPeriod())
		if err != nil {
			return err
		}
		res.Period = p.Name
		if res.Pack = x.states[p.Name].GetPack(); res.Pack == nil {
			return fault.New(fault.NotFound, "strategy.review_without_pack", "the review of %s has no pack", p.Name).WithHint("setpoint review describe %s says which have", x.Name)
		}
		if s.pack == nil {
			return fault.New(fault.Unavailable, "strategy.no_packs", "this process evaluates nothing")
		}
		day, err := calendar.ParseDate(res.Pack.GetAsOf())
		if err != nil {
			return err
		}
		again, content, err := s.pack(v, org, uint64(res.Pack.GetRevision()), day, res.Pack.GetScope(), res.Pack.GetPolicy())
		if err != nil {
			return err
		}
		res.Content, res.Sha256, res.Same = content, again.GetSha256(), again.GetSha256() == res.Pack.GetSha256()
		if !res.Same {
			res.Hint = "this version of setpoint evaluates otherwise than the one that locked it"
			if again.GetEvaluator() == res.Pack.GetEvaluator() {
				res.Hint = "this version of setpoint writes the content otherwise than the one that locked it, or the log is not the one it was: setpoint doctor checks it"
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// ListDecisions implements StrategyService.
func (s *Service) ListDecisions(ctx context.Context, req *strategyv1.ListDecisionsRequest) (*strategyv1.ListDecisionsResponse, error) {
	res := &strategyv1.ListDecisionsResponse{}
	ends := map[string]calendar.Date{}
	err := s.at(ctx, req, req.GetAsOf(), func(v record.View, org string, at uint64, asOf calendar.Date) error {
		res.Revision, res.AsOf, res.Decisions = int64(at), asOf.String(), nil
		list, err := reviewsAt(v, org, at, asOf, "")
		if err == nil && req.GetReview() != "" && !slices.ContainsFunc(list, func(x *standingReview) bool { return x.Name == req.GetReview() }) {
			err = record.Unknown(v, org, "Review", req.GetReview())
		}
		if err == nil {
			err = ownerKnown(v, org, at, req.GetOwner())
		}
		if err != nil {
			return err
		}
		for _, x := range list {
			if req.GetReview() != "" && x.Name != req.GetReview() {
				continue
			}
			for period, state := range x.states {
				if p, err := x.rhythm.Calendar.Parse(period); err == nil {
					ends[x.Name+" "+period] = p.End
				}
				for _, d := range state.GetDecisions() {
					if req.GetOwner() != "" && d.GetOwner() != req.GetOwner() || req.GetOpen() && d.GetStatus() != "open" {
						continue
					}
					res.Decisions = append(res.Decisions, &strategyv1.DecisionEntry{
						Review: x.Name, Period: period, Decision: d, Revision: int64(x.revisions[period]),
						Overdue: d.GetStatus() == "open" && d.GetDue() < asOf.String(),
					})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(res.Decisions, func(a, b *strategyv1.DecisionEntry) int {
		return cmp.Or(ends[b.GetReview()+" "+b.GetPeriod()].Compare(ends[a.GetReview()+" "+a.GetPeriod()]), strings.Compare(a.GetReview(), b.GetReview()),
			cmp.Compare(len(a.GetDecision().GetId()), len(b.GetDecision().GetId())), strings.Compare(a.GetDecision().GetId(), b.GetDecision().GetId()))
	})
	return res, nil
}
