package rpc

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/internal/schedule"
	"setpoint.dev/services/strategy"
)

// PackFunc evaluates what a review looks at, at the end of a day, with what a view
// has on record at a revision: what there is to know of the pack, and its content.
// Evaluating is another slice's work, as for StatusFunc.
type PackFunc func(v record.View, org string, at uint64, day calendar.Date, scope *strategyv1.ReviewScope, policy string) (*strategyv1.ReviewPack, []byte, error)

func occurrenceSubject(org, review, period string) eventlog.Subject {
	return subject(org, strategy.OccurrenceToken, review+"~"+strings.ToLower(period))
}

// standingReview is a review with what had become of its occurrences at a revision, by the
// end of a day.
type standingReview struct {
	*record.Resource
	spec      *strategy.ReviewSpec
	rhythm    strategy.Rhythm
	states    map[string]*strategy.OccurrenceState // by period
	revisions map[string]uint64
}

// reviewsAt reads reviews; name limits to one.
func reviewsAt(v record.View, org string, at uint64, asOf calendar.Date, name string) ([]*standingReview, error) {
	versions, err := v.Versions(org, "Review", at)
	if err != nil {
		return nil, err
	}
	set := record.NewSet(v, org, at)
	var out []*standingReview
	byID := map[string]*standingReview{}
	declared := map[string]calendar.Date{}
	for _, r := range versions {
		// By id and then oldest first: the first one says from when it counts, the
		// last one what it is.
		if _, seen := declared[r.ID]; !seen {
			declared[r.ID], _ = calendar.ParseDate(r.Effective)
		}
		x := byID[r.ID]
		if x == nil {
			x = &standingReview{states: map[string]*strategy.OccurrenceState{}, revisions: map[string]uint64{}}
			byID[r.ID] = x
			out = append(out, x)
		}
		x.Resource, x.spec = r, r.Spec.(*strategy.ReviewSpec)
	}
	out = slices.DeleteFunc(out, func(x *standingReview) bool { return name != "" && x.Name != name })
	for _, x := range out {
		x.rhythm = strategy.RhythmOf(x.spec, declared[x.ID], set)
	}
	if err := set.Err(); err != nil || len(out) == 0 {
		return nil, err
	}
	err = v.States(org, "strategy", strategy.OccurrenceToken, at, func(have record.State) error {
		id, _ := record.Parted(have.ID)
		x := byID[id]
		if x == nil || name != "" && x.Name != name {
			return nil
		}
		state := &strategy.OccurrenceState{}
		if err := have.Into(state); err != nil {
			return err
		}
		if state = schedule.OccurrenceOn(state, asOf); state != nil {
			x.states[state.GetPeriod()], x.revisions[state.GetPeriod()] = state, have.From
		}
		return nil
	})
	slices.SortFunc(out, func(a, b *standingReview) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

func reviewAt(v record.View, org string, at uint64, asOf calendar.Date, name string) (*standingReview, error) {
	list, err := reviewsAt(v, org, at, asOf, name)
	if err == nil && len(list) == 0 {
		err = record.Unknown(v, org, "Review", name)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// reviewAct is what every act on an occurrence has in common.
type reviewAct interface {
	proto.Message
	GetRequestId() string
	GetExpectedRevision() int64
	GetManager() string
	GetReview() string
	GetPeriod() string
}

// deciding is what a command of an occurrence is made from.
type deciding struct {
	v      record.View
	org    string
	review *standingReview
	period calendar.Period
	today  calendar.Date
}

// choose is the period that an act without one is about.
type choose func(*standingReview, calendar.Date) (string, error)

// current is the occurrence to act on: one that is open, else the one that is due,
// else the one to come.
func current(x *standingReview, today calendar.Date) (string, error) {
	o := x.rhythm.Next(x.states, today)
	if o.IsZero() {
		return "", fault.New(fault.Rule, "strategy.review_over", "review %q has no occurrence any more", x.Name).WithHint("name a period, or declare another end")
	}
	return o.Name, nil
}

// begun is the occurrence to open or close: that of current, unless it is still to
// come; then the latest, of which it is then said that it is so already.
func begun(x *standingReview, today calendar.Date) (string, error) {
	if o := x.rhythm.Next(x.states, today); o.IsZero() || o.Start.After(today) {
		if p := x.rhythm.Latest(today); !p.IsZero() {
			return p.Name, nil
		}
	}
	return current(x, today)
}

// ending is the occurrence to close. One that needs a pack was opened before.
func ending(x *standingReview, today calendar.Date) (string, error) {
	if o := x.rhythm.Next(x.states, today); o.State == nil && o.Status == strategy.Upcoming && !x.spec.GetWithoutPack() {
		if p := x.rhythm.Latest(today); !p.IsZero() {
			return p.Name, nil
		}
	}
	return begun(x, today)
}

// newest is the newest occurrence for which something holds.
func newest(what string, holds func(*strategy.OccurrenceState) bool) choose {
	return func(x *standingReview, _ calendar.Date) (string, error) {
		var best calendar.Period
		for name, s := range x.states {
			if p, err := x.rhythm.Find(name); err == nil && holds(s) && (best.IsZero() || p.Start.After(best.Start)) {
				best = p
			}
		}
		if best.IsZero() {
			return "", fault.New(fault.Rule, "strategy.review_none", "review %q has no occurrence that %s", x.Name, what).WithHint("name the period: setpoint review describe %s", x.Name)
		}
		return best.Name, nil
	}
}

// actOnReview carries out a command on an occurrence.
func (s *Service) actOnReview(ctx context.Context, req reviewAct, pick choose, command func(deciding) (strategy.ReviewCommand, error)) (period string, out runner.Outcome, event proto.Message, err error) {
	p, err := principal.From(ctx)
	if err != nil {
		return "", out, nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return "", out, nil, err
	}
	id, err := s.runner.Identify(ctx, p.Org, "Review", req.GetReview())
	if err != nil {
		return "", out, nil, err
	}
	// Which occurrence is meant has to be known before anything is decided on it, and
	// follows from what was done a moment ago.
	if period = req.GetPeriod(); period == "" {
		if err := s.runner.CatchUp(ctx); err != nil {
			return "", out, nil, err
		}
	}
	err = s.record.Decide(ctx, func(v record.View) error {
		today := record.Today(v, p.Org, v.Revision(), s.runner.Now())
		x, err := reviewAt(v, p.Org, v.Revision(), today, req.GetReview())
		if err != nil {
			return err
		}
		if period == "" {
			if period, err = pick(x, today); err != nil {
				return err
			}
		}
		found, err := x.rhythm.Find(period)
		period = found.Name
		return err
	})
	if err != nil {
		return period, out, nil, err
	}
	on := occurrenceSubject(p.Org, id, period)
	out, err = s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: []eventlog.Subject{on},
	}, func(v record.View) ([]runner.Write, error) {
		today := record.Today(v, p.Org, v.Revision(), s.runner.Now())
		x, err := reviewAt(v, p.Org, v.Revision(), today, req.GetReview())
		if err != nil {
			return nil, err
		}
		if period == "" {
			return nil, fault.New(fault.Rule, "strategy.review_over", "review %q has no such occurrence", x.Name)
		}
		found, err := x.rhythm.Find(period)
		if err != nil {
			return nil, err
		}
		// All that is on record counts, also what has a later day: an act is decided
		// on what was done.
		var state *strategy.OccurrenceState
		have, err := v.State(p.Org, on.Service, on.Kind, on.ID, v.Revision())
		if err != nil {
			return nil, err
		}
		stands := uint64(0)
		if have != nil {
			state, stands = &strategy.OccurrenceState{}, have.From
			if err := have.Into(state); err != nil {
				return nil, err
			}
		}
		if err := s.runner.Expect(ctx, on, uint64(req.GetExpectedRevision()), stands); err != nil {
			return nil, err
		}
		c, err := command(deciding{v, p.Org, x, found, today})
		if err != nil {
			return nil, err
		}
		event, err = strategy.DecideReview(strategy.Held{Review: id, Period: found, Today: today, NeedsPack: !x.spec.GetWithoutPack()}, state, c)
		if err != nil || event == nil {
			return nil, err
		}
		typ, payload, err := strategy.Acts().Encode(event)
		if err != nil {
			return nil, err
		}
		after, err := proto.MarshalOptions{Deterministic: true}.Marshal(strategy.EvolveReview(id, state, event))
		return []runner.Write{{
			Subject: on, Events: []eventlog.Event{{Type: typ, Payload: payload}}, Effective: today.String(), State: after,
		}}, err
	})
	return period, out, event, err
}

// OpenReview implements StrategyService.
func (s *Service) OpenReview(ctx context.Context, req *strategyv1.OpenReviewRequest) (*strategyv1.OpenReviewResponse, error) {
	period, out, _, err := s.actOnReview(ctx, req, begun, func(deciding) (strategy.ReviewCommand, error) {
		return strategy.OpenReview{At: req.GetAt(), Note: req.GetNote()}, nil
	})
	if err != nil {
		return nil, err
	}
	return &strategyv1.OpenReviewResponse{Revision: int64(out.Revision), Changed: out.Wrote, Period: period}, nil
}

// LockReview implements StrategyService.
func (s *Service) LockReview(ctx context.Context, req *strategyv1.LockReviewRequest) (*strategyv1.LockReviewResponse, error) {
	// What the pack shows is all that was recorded before.
	if err := s.runner.CatchUp(ctx); err != nil {
		return nil, err
	}
	var pack *strategyv1.ReviewPack
	period, out, _, err := s.actOnReview(ctx, req, newest("is open", func(o *strategy.OccurrenceState) bool {
		return o.GetStage() == strategy.Opened || o.GetStage() == strategy.Locked
	}), func(d deciding) (_ strategy.ReviewCommand, err error) {
		day := calendar.Earlier(d.period.End, d.today)
		if req.GetAsOf() != "" {
			if day, err = calendar.ParseDate(req.GetAsOf()); err != nil {
				return nil, fault.Wrap(err, fault.Invalid, "strategy.as_of", "asOf: not a date").WithHint("YYYY-MM-DD")
			}
			if day.After(d.today) {
				return nil, fault.New(fault.Invalid, "strategy.as_of", "asOf: %s is still to come, today is %s", day, d.today)
			}
		}
		if s.pack == nil {
			return nil, fault.New(fault.Unavailable, "strategy.no_packs", "this process evaluates nothing")
		}
		pack, _, err = s.pack(d.v, d.org, d.v.Revision(), day, d.review.spec.GetScope(), d.review.spec.GetPolicy())
		if err != nil {
			return nil, err
		}
		pack.KnownAt = rpc.Instant(s.runner.Now())
		return strategy.LockReview{Pack: pack}, nil
	})
	if err != nil {
		return nil, err
	}
	res := &strategyv1.LockReviewResponse{Revision: int64(out.Revision), Changed: out.Wrote, Period: period, Pack: pack}
	if !out.Wrote || out.Replayed != nil {
		// The one that is locked, not the one that would be.
		err = s.record.View(ctx, func(v record.View) error {
			p, err := principal.From(ctx)
			if err != nil {
				return err
			}
			x, err := reviewAt(v, p.Org, v.Revision(), calendar.MustParse("2199-12-31"), req.GetReview())
			if err == nil {
				res.Pack = x.states[period].GetPack()
			}
			return err
		})
	}
	return res, err
}

// RecordDecision implements StrategyService.
func (s *Service) RecordDecision(ctx context.Context, req *strategyv1.RecordDecisionRequest) (*strategyv1.RecordDecisionResponse, error) {
	period, out, event, err := s.actOnReview(ctx, req, newest("is open or locked", func(o *strategy.OccurrenceState) bool {
		return o.GetStage() == strategy.Opened || o.GetStage() == strategy.Locked
	}), func(d deciding) (strategy.ReviewCommand, error) {
		for _, x := range []struct {
			field, kind string
			names       []string
		}{{"targets", "Target", req.GetTargets()}, {"initiatives", "Initiative", req.GetInitiatives()}} {
			for _, name := range x.names {
				r, err := d.v.Resource(d.org, x.kind, name, d.v.Revision())
				if err == nil && r == nil {
					err = record.Unknown(d.v, d.org, x.kind, name)
				}
				if err != nil {
					return nil, err
				}
			}
		}
		if unit, is := strings.CutPrefix(req.GetOwner(), "unit/"); is && unit != "" {
			r, err := d.v.Resource(d.org, "Unit", unit, d.v.Revision())
			if err == nil && r == nil {
				err = record.Unknown(d.v, d.org, "Unit", unit)
			}
			if err != nil {
				return nil, err
			}
		}
		return strategy.RecordDecision{
			Title: req.GetTitle(), Owner: req.GetOwner(), Due: req.GetDue(), Targets: req.GetTargets(), Initiatives: req.GetInitiatives(), Note: req.GetNote(),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	res := &strategyv1.RecordDecisionResponse{Revision: int64(out.Revision), Changed: out.Wrote, Period: period}
	if e, ok := event.(*strategyv1.DecisionRecorded); ok {
		res.Decision = e.GetDecision().GetId()
	}
	return res, nil
}

// SettleDecision implements StrategyService.
func (s *Service) SettleDecision(ctx context.Context, req *strategyv1.SettleDecisionRequest) (*strategyv1.SettleDecisionResponse, error) {
	period, out, _, err := s.actOnReview(ctx, req, newest("has such a decision", func(o *strategy.OccurrenceState) bool {
		return slices.ContainsFunc(o.GetDecisions(), func(d *strategyv1.ReviewDecision) bool { return d.GetId() == req.GetDecision() })
	}), func(deciding) (strategy.ReviewCommand, error) {
		return strategy.SettleDecision{ID: req.GetDecision(), Outcome: req.GetOutcome(), At: req.GetAt(), Evidence: req.GetEvidence()}, nil
	})
	if err != nil {
		return nil, err
	}
	return &strategyv1.SettleDecisionResponse{Revision: int64(out.Revision), Changed: out.Wrote, Period: period}, nil
}

// CloseReview implements StrategyService.
func (s *Service) CloseReview(ctx context.Context, req *strategyv1.CloseReviewRequest) (*strategyv1.CloseReviewResponse, error) {
	period, out, _, err := s.actOnReview(ctx, req, ending, func(deciding) (strategy.ReviewCommand, error) {
		return strategy.CloseReview{At: req.GetAt(), Note: req.GetNote()}, nil
	})
	if err != nil {
		return nil, err
	}
	return &strategyv1.CloseReviewResponse{Revision: int64(out.Revision), Changed: out.Wrote, Period: period}, nil
}

// SkipReview implements StrategyService.
func (s *Service) SkipReview(ctx context.Context, req *strategyv1.SkipReviewRequest) (*strategyv1.SkipReviewResponse, error) {
	period, out, _, err := s.actOnReview(ctx, req, current, func(deciding) (strategy.ReviewCommand, error) {
		return strategy.SkipReview{Reason: req.GetReason()}, nil
	})
	if err != nil {
		return nil, err
	}
	return &strategyv1.SkipReviewResponse{Revision: int64(out.Revision), Changed: out.Wrote, Period: period}, nil
}
