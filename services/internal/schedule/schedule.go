// Package schedule places pieces of work in time: when each is now expected, by
// its plan, its milestones and what it depends on.
//
// It is pure, and shared by the slice that decides about initiatives and by the
// one that reports on them, so that both say the same date. Start at Schedule.
package schedule

import (
	"cmp"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// Work is what is placed. Dates are unset where there are none.
type Work struct {
	Name       string
	Start, End calendar.Date // as planned
	Started    calendar.Date // in fact
	// Ended is the day on which it was completed or cancelled.
	Ended      calendar.Date
	Cancelled  bool
	After      []After
	Milestones []Milestone
}

// After says that work starts after other work ends, a number of days later.
type After struct {
	Name    string
	LagDays int
}

// Milestone is a step of work, and what is said about it.
type Milestone struct {
	Name, Title                string
	Planned, Forecast, Reached calendar.Date
	Pushed                     int // how often its forecast was moved to a later day
}

// Placed is where work is now expected.
type Placed struct {
	Start, End calendar.Date
	SlipDays   int  // of the end, against the plan; never below 0
	Critical   bool // of a chain of two or more: a day later here is a day later at the chain's end
	Milestones []Expected
}

// Expected is a milestone with its expected date.
type Expected struct {
	Milestone
	Expected calendar.Date
	Overdue  bool // not reached, and its promised date is past
}

// Schedule places work in time as of a day, and passes what slips on to what
// depends on it. The milestones of each are in order of the expected date.
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
func Schedule(list []Work, asOf calendar.Date) map[string]Placed {
	byName := map[string]Work{}
	for _, w := range list {
		byName[w.Name] = w
	}
	out := map[string]Placed{}
	order := inOrder(byName)
	for _, name := range order {
		out[name] = place(byName[name], asOf, out, byName)
	}
	markCritical(order, byName, out)
	return out
}

// inOrder lists work after those they depend on; by name otherwise.
func inOrder(byName map[string]Work) []string {
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
		for _, d := range byName[name].After {
			visit(d.Name)
		}
		state[name] = done
		out = append(out, name)
	}
	for _, name := range names {
		visit(name)
	}
	return out
}

func place(w Work, asOf calendar.Date, placed map[string]Placed, byName map[string]Work) Placed {
	over := !w.Ended.IsZero()
	s := Placed{Start: w.Start, End: w.End}
	switch {
	case !w.Started.IsZero():
		s.Start = w.Started
	case !w.Cancelled:
		s.Start = calendar.Later(w.Start, asOf)
		for _, d := range w.After {
			before, known := placed[d.Name]
			if known && !byName[d.Name].Cancelled {
				s.Start = calendar.Later(s.Start, before.End.AddDays(d.LagDays))
			}
		}
		s.End = s.Start.AddDays(w.End.Sub(w.Start))
	}
	shift := 0
	if w.Started.IsZero() {
		shift = max(0, s.Start.Sub(w.Start))
	}
	for _, m := range w.Milestones {
		x := Expected{Milestone: m}
		promised := m.Planned
		if !m.Forecast.IsZero() {
			promised = m.Forecast
		}
		switch {
		case !m.Reached.IsZero():
			x.Expected = m.Reached
		case over:
			x.Expected = promised
		case !m.Forecast.IsZero():
			x.Expected, x.Overdue = calendar.Later(promised, asOf), promised.Before(asOf)
		default:
			x.Expected, x.Overdue = calendar.Later(promised.AddDays(shift), asOf), promised.Before(asOf)
		}
		s.Milestones = append(s.Milestones, x)
		if !over {
			s.End = calendar.Later(s.End, x.Expected)
		}
	}
	slices.SortStableFunc(s.Milestones, func(a, b Expected) int {
		return cmp.Or(a.Expected.Compare(b.Expected), a.Planned.Compare(b.Planned))
	})
	if over {
		s.End = w.Ended
	} else {
		s.End = calendar.Later(s.End, asOf)
	}
	if !w.Cancelled {
		s.SlipDays = max(0, s.End.Sub(w.End))
	}
	return s
}

// markCritical runs the backward pass: work is critical if no day lies
// between it and the last end of its group along some chain.
func markCritical(order []string, byName map[string]Work, out map[string]Placed) {
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
		if size[group[name]] > 1 && !byName[name].Cancelled && !s.End.Before(latest[name]) {
			s.Critical = true
			out[name] = s
		}
		start := latest[name].AddDays(-s.End.Sub(s.Start))
		for _, d := range byName[name].After {
			if before, known := latest[d.Name]; known {
				latest[d.Name] = calendar.Earlier(before, start.AddDays(-d.LagDays))
			}
		}
	}
}

// groups numbers the work that is connected by dependencies.
func groups(order []string, byName map[string]Work) map[string]int {
	group := map[string]int{}
	for i, name := range order {
		group[name] = i
	}
	for changed := true; changed; {
		changed = false
		for _, name := range order {
			for _, d := range byName[name].After {
				other, known := group[d.Name]
				if known && other != group[name] {
					low := min(other, group[name])
					group[name], group[d.Name], changed = low, low, true
				}
			}
		}
	}
	return group
}
