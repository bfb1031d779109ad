package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// mostDays bounds how many days a replay evaluates.
const mostDays = 1100

// Replay says what a policy would have done on each day from since to until, had
// it been declared. It begins without memory, and writes nothing. Each day is
// evaluated as it was known at its end; with hindsight, with all that is known at
// the view's revision.
func Replay(v record.View, org, name string, spec *policy.Spec, revision uint64, since, until calendar.Date, hindsight bool, reviews ReviewsFunc) (*gapv1.TestPolicyResponse, error) {
	switch days := until.Sub(since) + 1; {
	case days < 1:
		return nil, fault.New(fault.Invalid, "gap.replay_days", "since: %s is after the last day, %s", since, until).
			WithHint("a replay goes from since to until, which is today unless it is given")
	case days > mostDays:
		return nil, fault.New(fault.Invalid, "gap.replay_days", "since: there are %d days from %s to %s", days, since, until).
			WithHint("at most %d days can be replayed: begin on %s, or give until, %s at the latest", mostDays, until.AddDays(1-mostDays), since.AddDays(mostDays-1))
	}
	ready, err := policy.Prepare(name, revision, spec)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "gap.expression", "the policy cannot be tested")
	}
	out := &gapv1.TestPolicyResponse{Revision: int64(v.Revision())}
	if len(ready.Reactions) == 0 {
		out.Hints = append(out.Hints, "the policy has no reactions: it would have done nothing")
	}
	// Forecasts of every day take long, and are made if something rests on them.
	asks := slices.ContainsFunc(spec.GetReactions(), func(r *gapv1.Reaction) bool {
		return strings.Contains(r.GetWhen(), "condition."+condition.ForecastAttains)
	})
	reviewed := reviews != nil && ready.Asks(policy.Review)
	rolledUp := ready.Asks(policy.Objective) || ready.Asks(policy.Strategy) || ready.Asks(policy.Unit)
	sets := map[key]known{}
	zone := record.Location(v, org, v.Revision())
	var p *picture
	empty := 0
	for day := since; !day.After(until); day = day.AddDays(1) {
		at := v.Revision()
		if !hindsight {
			next := day.AddDays(1)
			end := time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, zone).Add(-time.Nanosecond)
			if at, err = v.RevisionAt(end); err != nil {
				return nil, err
			}
		}
		out.Days++
		if at == 0 {
			empty++
			continue
		}
		// What is done stands as it did on the day, so that only values and targets
		// could be used again; reading is what takes the time.
		q := &picture{org: org, at: at, zone: zone, day: day, unforecast: !asks}
		if p != nil && p.at == at && len(p.portfolio.Initiatives)+len(p.portfolio.Actions) == 0 {
			q = p
			q.day = day
			if q.rules, err = portfolio.Rules(v, org, "", at, day); err != nil {
				return nil, err
			}
		} else {
			if q.portfolio, err = portfolio.Load(v, org, at, day); err != nil {
				return nil, err
			}
			if err := q.prepare(v); err != nil {
				return nil, err
			}
			if rolledUp {
				if err := q.above.index(v, q); err != nil {
					return nil, err
				}
			}
		}
		p = q
		p.sets = sets
		p.policies = []policy.Ready{ready}
		// What is open now was not opened by what is tried.
		p.promised = nil
		if name == "default" && spec.GetEvaluation() != nil {
			p.rules = policy.Of(name, revision, spec)
		}
		if reviewed {
			if p.reviews, err = reviews(v, org, at, day); err != nil {
				return nil, err
			}
		}
		noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone)
		if len(p.portfolio.Targets) == 0 && len(p.reviews) == 0 {
			empty++
		}
		try := func(k key, next func(*condition.Set) ([]proto.Message, *condition.Set)) {
			events, set := next(sets[k].set)
			sets[k] = known{set: set}
			out.Firings = append(out.Firings, tested(day, events)...)
		}
		for _, o := range p.observed(nil, noon) {
			id := p.ids[o.Result.Name]
			try(key{condition.Aggregate, id}, func(s *condition.Set) ([]proto.Message, *condition.Set) { return p.next(s, o, id) })
		}
		if rolledUp {
			for _, t := range p.rolledUp(nil, noon) {
				try(keyOf(t.of), t.next)
			}
		}
		for _, o := range p.reviews {
			o.Day, o.Instant, o.Revision = day, noon.UTC().Format(time.RFC3339), at
			try(key{condition.ReviewAggregate, o.ID}, func(s *condition.Set) ([]proto.Message, *condition.Set) { return p.nextOfReview(s, o) })
		}
	}
	if empty > 0 && !hindsight {
		out.Hints = append(out.Hints, hintOf(empty))
	}
	slices.SortStableFunc(out.Firings, func(a, b *gapv1.TestedFiring) int {
		if a.GetDay() != b.GetDay() {
			return strings.Compare(a.GetDay(), b.GetDay())
		}
		return strings.Compare(a.GetTarget()+a.GetReview()+a.GetName(), b.GetTarget()+b.GetReview()+b.GetName())
	})
	return out, nil
}

// tested are the firings among events.
func tested(day calendar.Date, events []proto.Message) (out []*gapv1.TestedFiring) {
	for _, e := range events {
		f := &gapv1.TestedFiring{Day: day.String()}
		switch e := e.(type) {
		case *gapv1.ReactionFired:
			f.What, f.Cause, f.Effects = "fired", e.GetCause(), e.GetEffects()
		case *gapv1.Escalated:
			f.What, f.Cause, f.Effects = "escalated", e.GetCause(), []*gapv1.Effect{{Kind: "escalate", Owner: e.GetTo()}}
		default:
			continue
		}
		f.Target, f.Review, f.Kind, f.Name = f.Cause.GetTarget(), f.Cause.GetReview(), f.Cause.GetKind(), f.Cause.GetName()
		out = append(out, f)
	}
	return out
}

// hintOf says why days show nothing.
func hintOf(days int) string {
	return fmt.Sprintf("on %d days nothing was on record yet; --hindsight evaluates them with what is known now", days)
}
