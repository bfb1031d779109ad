package initiative

import (
	"cmp"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// Plan is one initiative as a schedule sees it.
type Plan struct {
	Name  string
	Spec  *Spec
	State *State
}

// Scheduled is where an initiative is now expected.
type Scheduled struct {
	Start, End calendar.Date
	SlipDays   int  // of the end, against the plan; never below 0
	Critical   bool // of a chain of two or more: a day later here is a day later at the chain's end
	Milestones []ScheduledMilestone
}

// ScheduledMilestone is in order of the expected date.
type ScheduledMilestone struct {
	Name, Title                          string
	Planned, Forecast, Reached, Expected calendar.Date
	Overdue                              bool // not reached, and its promised date is past
	Pushed                               int
}

// Schedule places initiatives in time as of a day, and passes what slips on to
// what depends on it.
//
// A milestone that is reached has its date. One that is not is expected at its
// forecast, else at its planned date moved by as many days as the start of its
// initiative, but never before asOf. An initiative that has not started does so
// at its planned start, not before asOf, and not before each predecessor's
// expected end plus the lag. It ends as long after its start as planned, or, once
// it has started, as planned; and not before its last milestone. This is the
// critical path method's forward pass (Kelley and Walker, 1959); the backward
// pass within each connected group gives the slack, and none of it means
// critical. A cancelled initiative holds nobody up. Names in a cycle, which
// declaring refuses, are placed as if they depended on nothing.
func Schedule(plans []Plan, asOf calendar.Date) map[string]Scheduled {
	byName := map[string]Plan{}
	for _, p := range plans {
		byName[p.Name] = p
	}
	out := map[string]Scheduled{}
	order := inOrder(byName)
	for _, name := range order {
		out[name] = place(byName[name], asOf, out, byName)
	}
	markCritical(order, byName, out)
	return out
}

// inOrder lists initiatives after those they depend on; by name otherwise.
func inOrder(byName map[string]Plan) []string {
	var names, out []string
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		if _, known := byName[name]; !known || state[name] != 0 {
			return
		}
		state[name] = visiting
		for _, d := range byName[name].Spec.GetDependsOn() {
			visit(d.GetInitiative())
		}
		state[name] = done
		out = append(out, name)
	}
	for _, name := range names {
		visit(name)
	}
	return out
}

func place(p Plan, asOf calendar.Date, placed map[string]Scheduled, byName map[string]Plan) Scheduled {
	plannedStart, plannedEnd := parse(p.Spec.GetStart()), parse(p.Spec.GetEnd())
	stage := stage(p.State)
	s := Scheduled{Start: plannedStart, End: plannedEnd}
	switch started := parse(p.State.GetStarted()); {
	case !started.IsZero():
		s.Start = started
	case stage != Cancelled:
		s.Start = calendar.Later(plannedStart, asOf)
		for _, d := range p.Spec.GetDependsOn() {
			before, known := placed[d.GetInitiative()]
			if known && stageOf(byName, d.GetInitiative()) != Cancelled {
				s.Start = calendar.Later(s.Start, before.End.AddDays(int(d.GetLagDays())))
			}
		}
		s.End = s.Start.AddDays(plannedEnd.Sub(plannedStart))
	}
	shift := 0
	if p.State.GetStarted() == "" {
		shift = max(0, s.Start.Sub(plannedStart))
	}
	for _, m := range p.Spec.GetMilestones() {
		x := ScheduledMilestone{Name: m.GetName(), Title: m.GetTitle(), Planned: parse(m.GetPlanned())}
		if have := findMilestone(p.State, m.GetName()); have != nil {
			x.Forecast, x.Reached, x.Pushed = parse(have.GetForecast()), parse(have.GetReached()), int(have.GetPushed())
		}
		promised := x.Planned
		if !x.Forecast.IsZero() {
			promised = x.Forecast
		}
		switch over := stage == Completed || stage == Cancelled; {
		case !x.Reached.IsZero():
			x.Expected = x.Reached
		case over:
			x.Expected = promised
		case !x.Forecast.IsZero():
			x.Expected, x.Overdue = calendar.Later(promised, asOf), promised.Before(asOf)
		default:
			x.Expected, x.Overdue = calendar.Later(promised.AddDays(shift), asOf), promised.Before(asOf)
		}
		s.Milestones = append(s.Milestones, x)
		if stage != Completed && stage != Cancelled {
			s.End = calendar.Later(s.End, x.Expected)
		}
	}
	slices.SortStableFunc(s.Milestones, func(a, b ScheduledMilestone) int {
		return cmp.Or(a.Expected.Compare(b.Expected), a.Planned.Compare(b.Planned))
	})
	switch stage {
	case Completed, Cancelled:
		s.End = parse(p.State.GetSince())
	default:
		s.End = calendar.Later(s.End, asOf)
	}
	if stage != Cancelled {
		s.SlipDays = max(0, s.End.Sub(plannedEnd))
	}
	return s
}

// markCritical runs the backward pass: an initiative is critical if no day lies
// between it and the last end of its group along some chain.
func markCritical(order []string, byName map[string]Plan, out map[string]Scheduled) {
	group := groups(order, byName)
	last := map[int]calendar.Date{}
	size := map[int]int{}
	for _, name := range order {
		g := group[name]
		last[g] = calendar.Later(last[g], out[name].End)
		size[g]++
	}
	latest := map[string]calendar.Date{}
	for _, name := range order {
		latest[name] = last[group[name]]
	}
	for i := len(order) - 1; i >= 0; i-- {
		name := order[i]
		s := out[name]
		if size[group[name]] > 1 && stageOf(byName, name) != Cancelled && !s.End.Before(latest[name]) {
			s.Critical = true
			out[name] = s
		}
		start := latest[name].AddDays(-s.End.Sub(s.Start))
		for _, d := range byName[name].Spec.GetDependsOn() {
			if before, known := latest[d.GetInitiative()]; known {
				latest[d.GetInitiative()] = calendar.Earlier(before, start.AddDays(-int(d.GetLagDays())))
			}
		}
	}
}

// groups numbers the initiatives that are connected by dependencies.
func groups(order []string, byName map[string]Plan) map[string]int {
	group := map[string]int{}
	for i, name := range order {
		group[name] = i
	}
	for changed := true; changed; {
		changed = false
		for _, name := range order {
			for _, d := range byName[name].Spec.GetDependsOn() {
				other, known := group[d.GetInitiative()]
				if known && other != group[name] {
					low := min(other, group[name])
					group[name], group[d.GetInitiative()], changed = low, low, true
				}
			}
		}
	}
	return group
}

func stageOf(byName map[string]Plan, name string) string { return stage(byName[name].State) }

// parse reads a date that was checked when it was written; empty is the zero
// Date.
func parse(s string) calendar.Date {
	d, _ := calendar.ParseDate(s)
	return d
}
