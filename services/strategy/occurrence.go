package strategy

import (
	"fmt"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// OccurrenceState is what became of one occurrence; nil while nothing did.
type OccurrenceState = strategyv1.OccurrenceState

// The stages of an occurrence: those that acts lead to, and those that the
// calendar alone does.
const (
	Opened  = "open"
	Locked  = "locked"
	Closed  = "closed"
	Skipped = "skipped"

	Upcoming = "upcoming" // its period has not ended
	DueNow   = "due"      // it is in time
	Overdue  = "overdue"  // it is not any more
	Missed   = "missed"   // and another one has come due since
)

// Rhythm is when a review is held: once for each period, after it has ended. It
// is derived from cadence and calendar alone, so that nothing has to be scheduled.
type Rhythm struct {
	Calendar calendar.Calendar
	Every    calendar.Cadence
	Within   int // days after the end of a period within which it is in time
	// First and Last bound the periods; Last is unset for a review without end.
	First, Last calendar.Date
}

// Occurrence is one time that a review is held, as it stands on a day.
type Occurrence struct {
	calendar.Period
	Due      calendar.Date // the last day on which it is in time
	Status   string
	Overdue  int // days past due of one that is not over; 0: in time
	State    *OccurrenceState
	Revision uint64 // of the state
}

// Has tells whether a period has a review.
func (r Rhythm) Has(p calendar.Period) bool {
	return !p.IsZero() && p.Cadence == r.Every && !p.End.Before(r.First) && (r.Last.IsZero() || !p.Start.After(r.Last))
}

// DueOf is the last day on which the review of a period is in time.
func (r Rhythm) DueOf(p calendar.Period) calendar.Date { return p.End.AddDays(r.Within) }

// Latest is the last period that has ended by a day and has a review; a zero one
// if there is none.
func (r Rhythm) Latest(asOf calendar.Date) calendar.Period {
	if !r.Every.Valid() {
		return calendar.Period{}
	}
	p := r.Calendar.PeriodOf(asOf, r.Every)
	if p.End.After(asOf) {
		p = r.Calendar.Prev(p)
	}
	if !r.Last.IsZero() && p.Start.After(r.Last) {
		p = r.Calendar.PeriodOf(r.Last, r.Every)
	}
	if !r.Has(p) {
		return calendar.Period{}
	}
	return p
}

// Coming is the first period that has a review and has not ended before a day; a
// zero one if there is none any more.
func (r Rhythm) Coming(asOf calendar.Date) calendar.Period {
	if !r.Every.Valid() {
		return calendar.Period{}
	}
	p := r.Calendar.PeriodOf(calendar.Later(asOf, r.First), r.Every)
	if !r.Has(p) {
		return calendar.Period{}
	}
	return p
}

// Find is the period of a name, or an Invalid fault that says what is legal.
func (r Rhythm) Find(name string) (calendar.Period, error) {
	p, err := r.Calendar.Parse(strings.ToUpper(name))
	if err != nil {
		return p, fault.Wrap(err, fault.Invalid, "strategy.review_period", "period").WithHint("%s", r.legal())
	}
	if p.Cadence != r.Every {
		return p, fault.New(fault.Invalid, "strategy.review_period", "period: %s is a %s period, the review is %s", p.Name, p.Cadence, r.Every).
			WithHint("%s", r.legal())
	}
	// A quarter has two names where the fiscal year does not start in January.
	q := r.Calendar.PeriodOf(p.End, r.Every)
	if !q.Same(p) {
		return p, fault.New(fault.Invalid, "strategy.review_period", "period: %s is none of the review's calendar; %s ends on %s", p.Name, q.Name, q.End).
			WithHint("%s", r.legal())
	}
	p = q
	if !r.Has(p) {
		return p, fault.New(fault.Invalid, "strategy.review_period", "period: there is no review of %s: it is before the first or after the last one", p.Name).
			WithHint("%s", r.legal())
	}
	return p, nil
}

func (r Rhythm) legal() string {
	if !r.Every.Valid() {
		return ""
	}
	first := r.Calendar.PeriodOf(r.First, r.Every).Name
	if r.Last.IsZero() {
		return fmt.Sprintf("one from %s on", first)
	}
	return fmt.Sprintf("one from %s to %s", first, r.Calendar.PeriodOf(r.Last, r.Every).Name)
}

// Over tells whether nothing is to be done any more: it was held, or skipped.
func Over(s *OccurrenceState) bool { return s.GetStage() == Closed || s.GetStage() == Skipped }

// On is the occurrence of a period as it stands at the end of a day; s is what had
// become of it by then.
func (r Rhythm) On(p calendar.Period, s *OccurrenceState, asOf calendar.Date) Occurrence {
	o := Occurrence{Period: p, Due: r.DueOf(p), State: s}
	if !Over(s) {
		o.Overdue = max(0, asOf.Sub(o.Due))
	}
	switch latest := r.Latest(asOf); {
	case s.GetStage() != "":
		o.Status = s.GetStage()
	case asOf.Before(p.End):
		o.Status = Upcoming
	case !asOf.After(o.Due):
		o.Status = DueNow
	case latest.Start.After(p.Start):
		o.Status = Missed
	default:
		o.Status = Overdue
	}
	return o
}

// Debt is what is owed of a review: the occurrences in a row that are not over,
// counted back from the latest whose period has ended. What was missed before one
// that was held, or skipped, is no debt any more; it stays visible as missed.
type Debt struct {
	Latest calendar.Period // the one to hold
	Owed   int             // how many in a row; 0: nothing is owed
	Late   int             // how many of them are past due
	Since  calendar.Date   // when the first of them was due
}

// DebtOn is what is owed at the end of a day; over tells of a period whether
// nothing is to be done for it any more.
func (r Rhythm) DebtOn(over func(period string) bool, asOf calendar.Date) Debt {
	d := Debt{Latest: r.Latest(asOf)}
	for p := d.Latest; r.Has(p) && !over(p.Name); p = r.Calendar.Prev(p) {
		d.Owed++
		d.Since = r.DueOf(p)
		if d.Since.Before(asOf) {
			d.Late++
		}
	}
	return d
}

// Next is the occurrence to look at on a day: one that is open, else the one that
// is due or overdue, else the one to come; a zero one if there is none any more.
// states are what had become of occurrences by then, by period.
func (r Rhythm) Next(states map[string]*OccurrenceState, asOf calendar.Date) Occurrence {
	var begun calendar.Period
	for name, s := range states {
		if p, err := r.Find(name); err == nil && !Over(s) && (begun.IsZero() || p.Start.After(begun.Start)) {
			begun = p
		}
	}
	for _, p := range []calendar.Period{begun, r.Latest(asOf), r.Coming(asOf)} {
		if !p.IsZero() && !Over(states[p.Name]) {
			return r.On(p, states[p.Name], asOf)
		}
	}
	p := r.Coming(asOf)
	for !p.IsZero() && Over(states[p.Name]) {
		if p = r.Calendar.Next(p); !r.Has(p) {
			p = calendar.Period{}
		}
	}
	if p.IsZero() {
		return Occurrence{}
	}
	return r.On(p, states[p.Name], asOf)
}

// All are the occurrences up to a day, the newest first, at most limit: the one
// that is running, those whose periods have ended, and any that something was done
// about before its time.
func (r Rhythm) All(states map[string]*OccurrenceState, asOf calendar.Date, limit int) []Occurrence {
	var out []Occurrence
	p := r.Coming(asOf)
	if p.IsZero() {
		p = r.Latest(asOf)
	}
	for next := r.step(p, r.Calendar.Next); !next.IsZero() && states[next.Name] != nil; next = r.step(next, r.Calendar.Next) {
		p = next // skipped in advance
	}
	for ; !p.IsZero() && len(out) < limit; p = r.step(p, r.Calendar.Prev) {
		out = append(out, r.On(p, states[p.Name], asOf))
	}
	return out
}

func (r Rhythm) step(p calendar.Period, to func(calendar.Period) calendar.Period) calendar.Period {
	if p.IsZero() {
		return p
	}
	if p = to(p); !r.Has(p) {
		return calendar.Period{}
	}
	return p
}
