package strategy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

// EscalateAfter is how many days each owner has before what is overdue is shown
// to the one above: a house rule, a week for each step.
const EscalateAfter = 7

// The kinds of duties.
const (
	DutyValue     = "value"     // a metric's value of a closed period
	DutyCheckIn   = "check-in"  // the check-in of a period that a target asks for
	DutyRequested = "requested" // a check-in that somebody or a policy asked for
	DutyAction    = "action"    // a corrective action
	DutyReview    = "review"    // a review that was not held
	DutyDecision  = "decision"  // what a review decided
)

// Ledger is what duties are told from. Everything in it has happened by the day
// that is asked about. Owners are unit/NAME or person/ID; an empty one is nobody.
type Ledger struct {
	Metrics []LedgerMetric
	Targets []LedgerTarget
	Actions []LedgerAction
	Reviews []LedgerReview
	Above   map[string]string // an owner and the one it answers to
}

// LedgerMetric is a metric whose values are observed; no ratio, which is computed.
type LedgerMetric struct {
	Name, Unit, Owner string
	Calendar          calendar.Calendar
	Every             calendar.Cadence // how often values arrive
	LagDays           int              // < 0: half the next period, as for staleness
	Since             calendar.Date    // declared; counts where there is no value
	LastAt            calendar.Date    // unset: no value
	Last              float64
	Waiting           []int // indices of the targets that rest on it
}

// LedgerTarget is a target with what was said about it.
type LedgerTarget struct {
	Name, Owner string
	Calendar    calendar.Calendar
	Every       calendar.Cadence // of check-ins; empty: none by itself
	Since       calendar.Date    // from which check-ins are owed
	End         calendar.Date    // its last day; unset: open
	Done        bool             // a milestone that is reached
	Told        []Told
	Requests    []*strategyv1.CheckInRequested
}

// LedgerAction is a corrective action that is open.
type LedgerAction struct {
	ID, Title, Target, Owner string
	Due                      calendar.Date
}

// LedgerReview is a review with what had become of its occurrences, by period.
type LedgerReview struct {
	Name, Owner string
	Rhythm      Rhythm
	States      map[string]*OccurrenceState
}

// mostPeriods is how many periods without a value a duty names.
const mostPeriods = 60

// Duty is one thing that somebody owes.
type Duty struct {
	Kind, Name, What   string
	Period             string // the first that lacks its value or its check-in
	Due                calendar.Date
	Overdue            int // days past due; 0: not overdue
	Owner, EscalatedTo string
	LastAt             calendar.Date // of a value
	Last               float64
	Unit               string
	Missing            int      // how many closed periods lack a value, or their review
	Periods            []string // those without a value, the oldest first, at most mostPeriods
	Targets            []string
	Policy             string
}

// Owed lists what is due and overdue at the end of a day: the overdue ones first,
// then by the day they are due. It is pure.
//
// A value is owed for each closed period after the last one that has a value, as
// long as a target waits for it; the first of them is named. It is overdue after
// the reporting lag, exactly when statuses become stale. A check-in is owed for
// the running period, until its last day, and stays owed for the one before it.
// A review is owed for the latest period that has ended, and is overdue since the
// first in the row that was not held, so that it escalates also where another one
// comes due each day.
//
// Each week overdue moves a duty one step up, from a person to their unit and
// from a unit to the one above.
func Owed(l Ledger, asOf calendar.Date) []Duty {
	var out []Duty
	for _, m := range l.Metrics {
		if d, ok := m.owed(l.Targets, asOf); ok {
			out = append(out, d)
		}
	}
	for _, t := range l.Targets {
		out = append(append(out, t.checkIns(asOf)...), t.requested(asOf)...)
	}
	for _, a := range l.Actions {
		d := Duty{Kind: DutyAction, Name: a.ID, What: a.Title, Due: a.Due, Owner: a.Owner}
		if a.Target != "" {
			d.Targets = []string{a.Target}
		}
		out = append(out, d)
	}
	for _, r := range l.Reviews {
		if d, ok := r.Owed(asOf); ok {
			out = append(out, d)
		}
		out = append(out, r.decisions()...)
	}
	for i := range out {
		d := &out[i]
		d.Overdue = max(0, asOf.Sub(d.Due))
		d.EscalatedTo = EscalatedTo(l.Above, d.Owner, d.Overdue)
	}
	slices.SortStableFunc(out, func(a, b Duty) int {
		return cmp.Or(cmp.Compare(btoi(a.Overdue == 0), btoi(b.Overdue == 0)), a.Due.Compare(b.Due),
			strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.Period, b.Period))
	})
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// EscalatedTo is who answers for what its owner owes after days overdue; empty
// where it stays with the owner. Nothing is above the top.
func EscalatedTo(above map[string]string, owner string, overdue int) string {
	at, seen := owner, map[string]bool{owner: true}
	for steps := overdue / EscalateAfter; steps > 0 && above[at] != "" && !seen[above[at]]; steps-- {
		at = above[at]
		seen[at] = true
	}
	if at == owner {
		return ""
	}
	return at
}

func (m LedgerMetric) owed(targets []LedgerTarget, asOf calendar.Date) (Duty, bool) {
	var first calendar.Period
	switch {
	case !m.LastAt.IsZero():
		first = m.Calendar.Next(m.Calendar.PeriodOf(m.LastAt, m.Every))
	case !m.Since.IsZero():
		first = m.Calendar.PeriodOf(m.Since, m.Every)
	}
	if first.IsZero() || first.End.After(asOf) {
		return Duty{}, false
	}
	d := Duty{Kind: DutyValue, Name: m.Name, Period: first.Name, Owner: m.Owner, LastAt: m.LastAt, Last: m.Last, Unit: m.Unit}
	var until calendar.Date
	open := false
	for _, i := range m.Waiting {
		t := targets[i]
		if t.Done || !t.End.IsZero() && t.End.Before(first.Start) {
			continue
		}
		d.Targets = append(d.Targets, t.Name)
		d.Owner = cmp.Or(d.Owner, t.Owner)
		open = open || t.End.IsZero()
		until = calendar.Later(until, t.End)
	}
	if len(d.Targets) == 0 {
		return Duty{}, false
	}
	slices.Sort(d.Targets)
	d.Targets = slices.Compact(d.Targets)
	for p := first; !p.End.After(asOf) && (open || !p.Start.After(until)); p = m.Calendar.Next(p) {
		if d.Missing++; d.Missing <= mostPeriods {
			d.Periods = append(d.Periods, p.Name)
		}
	}
	d.Due = first.End.AddDays(m.lag(first))
	d.What = "the value of " + first.Name
	if d.Missing > 1 {
		d.What += fmt.Sprintf(" and of %d more", d.Missing-1)
	}
	return d, true
}

func (m LedgerMetric) lag(p calendar.Period) int {
	if m.LagDays >= 0 {
		return m.LagDays
	}
	return (m.Calendar.Span(p.End.AddDays(1), m.Every).Days() + 1) / 2
}

// checkIns are those of the running period and of the one before it. One about a
// day of a later period does not stand for an earlier one.
func (t LedgerTarget) checkIns(asOf calendar.Date) (out []Duty) {
	if !t.Every.Valid() || t.Done {
		return nil
	}
	running := t.Calendar.PeriodOf(asOf, t.Every)
	for _, p := range []calendar.Period{t.Calendar.Prev(running), running} {
		// Who begins in the middle of a period owes from the next one on, but for
		// the running one, which there is still time for.
		if p.End.Before(asOf) && p.Start.Before(t.Since) || t.Since.After(asOf) || !t.End.IsZero() && p.Start.After(t.End) {
			continue
		}
		if slices.ContainsFunc(t.Told, func(c Told) bool { return c.At >= p.Start.String() && c.At <= p.End.String() }) {
			continue
		}
		out = append(out, Duty{
			Kind: DutyCheckIn, Name: t.Name, What: "the check-in of " + p.Name, Period: p.Name, Due: p.End, Owner: t.Owner, Targets: []string{t.Name},
		})
	}
	return out
}

func (t LedgerTarget) requested(asOf calendar.Date) (out []Duty) {
	for _, r := range t.Requests {
		due, err := calendar.ParseDate(r.GetDue())
		if err != nil || r.GetAt() > asOf.String() || Answered(r, t.Told) {
			continue
		}
		out = append(out, Duty{
			Kind: DutyRequested, Name: t.Name, What: r.GetReason(), Due: due, Owner: t.Owner, Targets: []string{t.Name}, Policy: r.GetPolicy(),
		})
	}
	return out
}

// Owed is the review that has come due, if its owner owes one.
func (r LedgerReview) Owed(asOf calendar.Date) (Duty, bool) {
	debt := r.Rhythm.DebtOn(func(period string) bool { return Over(r.States[period]) }, asOf)
	if debt.Owed == 0 {
		return Duty{}, false
	}
	p := debt.Latest
	d := Duty{Kind: DutyReview, Name: r.Name, What: "hold the review of " + p.Name, Period: p.Name, Due: debt.Since, Owner: r.Owner, Missing: debt.Late}
	if s := r.States[p.Name]; s != nil {
		d.What = fmt.Sprintf("close the review of %s, open since %s", p.Name, s.GetOpened())
	}
	if n := debt.Owed - 1; n > 0 {
		d.What += fmt.Sprintf("; %d before it in a row not held", n)
	}
	return d, true
}

// decisions are those that nobody has settled.
func (r LedgerReview) decisions() (out []Duty) {
	for _, period := range slices.Sorted(maps.Keys(r.States)) {
		for _, d := range r.States[period].GetDecisions() {
			due, err := calendar.ParseDate(d.GetDue())
			if err != nil || d.GetStatus() != "open" {
				continue
			}
			out = append(out, Duty{
				Kind: DutyDecision, Name: r.Name + "/" + period + "/" + d.GetId(), What: d.GetTitle(), Period: period, Due: due, Owner: d.GetOwner(),
				Targets: d.GetTargets(),
			})
		}
	}
	return out
}

// Ends is the last day of a target that is read with a calendar; unset for one
// without end.
func Ends(s *strategyv1.TargetSpec, k calendar.Calendar) calendar.Date {
	if m := s.GetMaintain(); m != nil {
		d, _ := calendar.ParseDate(m.GetTo())
		return d
	}
	var last calendar.Date
	for _, p := range s.GetPeriods() {
		if x, err := k.Parse(p.GetPeriod()); err == nil {
			last = calendar.Later(last, x.End)
		}
	}
	if due, err := calendar.ParseDate(s.GetDue()); err == nil {
		last = calendar.Later(last, due)
	}
	return last
}
