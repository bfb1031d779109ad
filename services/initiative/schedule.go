package initiative

import (
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/schedule"
)

// Plan is one initiative with what its acts made of it.
type Plan struct {
	Name  string
	Spec  *Spec
	State *State
}

// Scheduled is where an initiative is now expected.
type Scheduled = schedule.Placed

// Schedule places initiatives in time as of a day, and passes what slips on to
// what depends on it; see package schedule for how.
func Schedule(plans []Plan, asOf calendar.Date) map[string]Scheduled {
	var list []schedule.Work
	for _, p := range plans {
		w := schedule.Work{
			Name: p.Name, Start: parse(p.Spec.GetStart()), End: parse(p.Spec.GetEnd()), Started: parse(p.State.GetStarted()),
		}
		switch stage(p.State) {
		case Cancelled:
			w.Cancelled, w.Ended = true, parse(p.State.GetSince())
		case Completed:
			w.Ended = parse(p.State.GetSince())
		}
		for _, d := range p.Spec.GetDependsOn() {
			w.After = append(w.After, schedule.After{Name: d.GetInitiative(), LagDays: int(d.GetLagDays())})
		}
		for _, m := range p.Spec.GetMilestones() {
			x := schedule.Milestone{Name: m.GetName(), Title: m.GetTitle(), Planned: parse(m.GetPlanned())}
			if have := findMilestone(p.State, m.GetName()); have != nil {
				x.Forecast, x.Reached, x.Pushed = parse(have.GetForecast()), parse(have.GetReached()), int(have.GetPushed())
			}
			w.Milestones = append(w.Milestones, x)
		}
		list = append(list, w)
	}
	return schedule.Schedule(list, asOf)
}

// parse reads a date that was checked when it was written; empty is the zero
// Date.
func parse(s string) calendar.Date {
	d, _ := calendar.ParseDate(s)
	return d
}
