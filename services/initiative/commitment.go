package initiative

import (
	"cmp"
	"slices"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/schedule"
)

// Commitments compares the milestones of two pictures of the same
// organization: as they stood when a period began, and now. A milestone is
// committed to the date of its forecast, else of its plan.
//
// Kept counts those that stand at the same day or an earlier one, and those
// that were reached by the day committed to; Total those that were committed
// to, and not yet reached, when the period began.
func Commitments(before, now []Plan) (list []*initiativev1.Commitment, kept, total int) {
	type key struct{ initiative, milestone string }
	collect := func(plans []Plan) map[key]schedule.Expected {
		out := map[key]schedule.Expected{}
		for _, p := range plans {
			if stage(p.State) == Cancelled {
				continue
			}
			for _, m := range p.Spec.GetMilestones() {
				x := schedule.Expected{Expected: parse(m.GetPlanned())}
				if have := findMilestone(p.State, m.GetName()); have != nil {
					x.Reached = parse(have.GetReached())
					if f := parse(have.GetForecast()); !f.IsZero() {
						x.Expected = f
					}
				}
				out[key{p.Name, m.GetName()}] = x
			}
		}
		return out
	}
	old, present := collect(before), collect(now)
	add := func(k key, change string, was, is schedule.Expected) {
		c := &initiativev1.Commitment{Initiative: k.initiative, Milestone: k.milestone, Change: change}
		if !was.Expected.IsZero() {
			c.Before = was.Expected.String()
		}
		end := is.Expected
		if !is.Reached.IsZero() {
			end = is.Reached
		}
		if !end.IsZero() {
			c.Now = end.String()
			if !was.Expected.IsZero() {
				c.Days = int32(end.Sub(was.Expected))
			}
		}
		list = append(list, c)
	}
	for k, was := range old {
		if !was.Reached.IsZero() {
			continue
		}
		total++
		is, still := present[k]
		switch {
		case !still:
			add(k, "dropped", was, schedule.Expected{})
		case !is.Reached.IsZero():
			if !is.Reached.After(was.Expected) {
				kept++
			}
			add(k, "reached", was, is)
		case is.Expected.After(was.Expected):
			add(k, "pushed", was, is)
		case is.Expected.Before(was.Expected):
			kept++
			add(k, "pulled", was, is)
		default:
			kept++
			add(k, "kept", was, is)
		}
	}
	for k, is := range present {
		if _, known := old[k]; !known {
			add(k, "added", schedule.Expected{}, is)
		}
	}
	slices.SortFunc(list, func(a, b *initiativev1.Commitment) int {
		return cmp.Or(cmp.Compare(a.GetInitiative(), b.GetInitiative()), cmp.Compare(a.GetMilestone(), b.GetMilestone()))
	})
	return list, kept, total
}
