package gap

import "setpoint.dev/services/internal/calendar"

// Initiative is work meant to close gaps, as a comparison sees it.
type Initiative struct {
	Name, Title, Owner, Stage string
	Start, End                calendar.Date // as planned
	ExpectedEnd               calendar.Date // as its milestones now say; unset if nobody computed it
	Milestones                []InitiativeMilestone
	Contributions             []Contribution
	Programs                  []Program
	Revision                  uint64
}

// InitiativeMilestone is a step of an initiative; Reached is unset until it is.
type InitiativeMilestone struct{ Planned, Reached calendar.Date }

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

// Program is a change program of an initiative.
type Program struct {
	Name, Title, Framework string
	Audiences              []ProgramAudience
	Readiness              *float64 // of the whole; nil if unknown
}

// ProgramAudience is whom a program asks something of. Weight is size × impact;
// Readiness nil if it was not measured, or may not be shown.
type ProgramAudience struct {
	Name      string
	Weight    float64
	Readiness *float64
}

// InProgress tells whether the initiative is expected to deliver what it
// promises: approved, and neither given up nor at its end.
func (i Initiative) InProgress() bool {
	return i.Stage == "approved" || i.Stage == "active" || i.Stage == "paused"
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
