package gap

import (
	"github.com/shopspring/decimal"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/schedule"
)

// Initiative is work meant to close gaps, as a comparison sees it.
type Initiative struct {
	Name, Title, Owner, Stage string
	Objective                 string        // named by itself; "" is that of its first contribution's target
	Start, End                calendar.Date // as planned
	Started                   calendar.Date // the first day it was active
	Since                     calendar.Date // of its stage
	Milestones                []InitiativeMilestone
	After                     []schedule.After // what it starts after
	Contributions             []Contribution
	Programs                  []Program
	Money                     Money
	Capacity                  *float64 // what it takes; nil where nothing is said
	Revision                  uint64
}

// InitiativeMilestone is a step of an initiative; Reached is unset until it is.
type InitiativeMilestone struct {
	Name, Title                string
	Planned, Forecast, Reached calendar.Date
	Pushed                     int
}

// Money is what an initiative may cost and has cost, nil where nothing is said,
// all in one currency.
type Money struct {
	Currency                  string
	Budget, Spent, Completion *decimal.Decimal
}

// Action is a corrective action: what somebody promised to do about a target or
// an initiative. Closed is unset while it is open.
type Action struct {
	ID, Title, Target, Initiative, Owner, Policy string
	Opened, Due, Closed                          calendar.Date
}

// Overdue tells whether the action should have been done by the end of a day.
func (a Action) Overdue(asOf calendar.Date) bool { return a.Closed.IsZero() && a.Due.Before(asOf) }

// Contribution is what an initiative is expected to add to a target's metric, in
// the direction that is better, at the end of its ramp.
type Contribution struct {
	Target             string
	Likely             float64  // the median
	Low, High          *float64 // 10th and 90th percentile; nil: as likely
	RampStart, RampEnd calendar.Date
	PeopleDependent    float64  // d, 0 to 1
	Delivery           *float64 // probability; nil: by the milestones
	Basis              string
}

// Program is a change program of an initiative, or of none.
type Program struct {
	Name, Title, Framework string
	Initiative             string
	Start, End             calendar.Date
	Audiences              []ProgramAudience // those that are part of another one of the program left out
	Basis                  ReadinessBasis
	Readiness              *float64 // by its stages or forces; nil if unknown, or surveyed
	Stages                 []ProgramStage
	Driving, Restraining   int   // strengths of its forces, summed
	Wave                   *Wave // the newest closed one; nil if there is none
	Revision               uint64
}

// ReadinessBasis says what the readiness of a program rests on.
type ReadinessBasis string

// The bases.
const (
	BySurvey ReadinessBasis = "survey"
	ByForces ReadinessBasis = "forces"
	ByStages ReadinessBasis = "stages"
)

// ProgramAudience is whom a program asks something of. Weight is size × impact;
// Readiness nil if it was not measured, or may not be shown.
type ProgramAudience struct {
	Name, Title string
	Size        int
	Weight      float64
	Readiness   *float64
	Respondents *int // nil if not surveyed, or not to be shown
}

// ProgramStage is where a program stands with a stage of its framework.
type ProgramStage struct{ Name, Title, Status string }

// Wave is what may be shown of a closed wave: of everybody asked.
type Wave struct {
	Name                 string
	Closed               calendar.Date
	Invited, Respondents *int      // nil where not to be shown
	Barriers             []Barrier // by element, in order; nil where not to be shown
	NoBarrier, Unknown   int       // people; only beside Barriers
}

// Barrier counts the people whose barrier point is an element.
type Barrier struct {
	Element, Title string
	People         int
}

// ReadinessOf is how ready the people of the program are as a whole: by its
// stages or forces, or the mean over its audiences by weight. It is nil if that,
// or any audience, is unknown.
func (p Program) ReadinessOf() *float64 {
	if p.Basis != BySurvey {
		return p.Readiness
	}
	r, _ := Initiative{Programs: []Program{p}}.Readiness()
	return r
}

// InProgress tells whether the initiative is expected to deliver what it
// promises: approved, and neither given up nor at its end.
func (i Initiative) InProgress() bool {
	return i.Stage == "approved" || i.Stage == "active" || i.Stage == "paused"
}

// Schedule places initiatives in time as of a day; see package schedule.
func Schedule(list []Initiative, asOf calendar.Date) map[string]schedule.Placed {
	work := make([]schedule.Work, 0, len(list))
	for _, i := range list {
		w := schedule.Work{Name: i.Name, Start: i.Start, End: i.End, Started: i.Started, Cancelled: i.Stage == "cancelled", After: i.After}
		if w.Cancelled || i.Stage == "completed" {
			w.Ended = i.Since
		}
		for _, m := range i.Milestones {
			w.Milestones = append(w.Milestones, schedule.Milestone(m))
		}
		work = append(work, w)
	}
	return schedule.Schedule(work, asOf)
}

// Delivery is the probability that the initiative delivers, by the milestones
// due by the end of a day: (on time + 1.4)/(due + 2) (heuristic: the mean of a
// Beta(1.4, 0.6) that has seen them).
func (i Initiative) Delivery(asOf calendar.Date) float64 {
	due, onTime := 0.0, 0.0
	for _, m := range i.Milestones {
		if m.Planned.After(asOf) {
			continue
		}
		due++
		if !m.Reached.IsZero() && !m.Reached.After(m.Planned) {
			onTime++
		}
	}
	return (onTime + 1.4) / (due + 2)
}

// Readiness is how ready the people are whom the initiative's programs ask
// something of: the mean over audiences, by weight, of the least that a program
// of theirs found. It is nil if an audience is unmeasured; asked is false if
// there is no program.
func (i Initiative) Readiness() (readiness *float64, asked bool) {
	type one struct {
		weight float64
		least  *float64
	}
	var names []string
	all := map[string]*one{}
	for _, p := range i.Programs {
		for _, a := range p.Audiences {
			x := all[a.Name]
			switch {
			case x == nil:
				names = append(names, a.Name)
				all[a.Name] = &one{a.Weight, a.Readiness}
			case a.Readiness == nil || x.least == nil:
				x.least = nil
			case *a.Readiness < *x.least:
				x.least = a.Readiness
			}
		}
	}
	if len(names) == 0 {
		return nil, false
	}
	total, weight := 0.0, 0.0
	for _, name := range names {
		x := all[name]
		if x.least == nil {
			return nil, true
		}
		total += x.weight * *x.least
		weight += x.weight
	}
	if weight <= 0 {
		return nil, true
	}
	r := total / weight
	return &r, true
}

// Adoption is 0.15 + 0.78 × readiness (heuristic).
func Adoption(readiness float64) float64 { return 0.15 + 0.78*readiness }
