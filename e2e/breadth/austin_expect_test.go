package breadth_test

import (
	"fmt"
	"math"
	"time"
)

// A fiscal year is named by the year it ends in.
func fiscalEnd(year int) time.Time { return day(year, 9, 30) }

// fiscalDue is the day by which a fiscal year's value should be there.
func fiscalDue(year int) time.Time {
	return fiscalEnd(year).AddDate(0, 0, half(days(fiscalEnd(year), fiscalEnd(year+1))))
}

// inForce is what the measure's target is on a day: the amended one from the
// amendment on, the first declared one before.
func (m *measure) inForce(asOf time.Time) map[int]float64 {
	first := m.targets(false)
	if len(first) == 0 || (m.changed() && !asOf.Before(day(2016, 4, 1))) {
		return m.targets(true)
	}
	return first
}

// declared says whether the measure has a target at all.
func (m *measure) declared() bool { return len(m.targets(false))+len(m.targets(true)) > 0 }

// expect is the comparison of the measure at the end of a day.
func (m *measure) expect(asOf time.Time, targets map[int]float64) expectation {
	e := expectation{status: "no_data", direction: map[float64]string{+1: "increase", -1: "decrease"}[m.sign]}
	var years []int // with a target
	for _, y := range []int{2015, 2016} {
		if _, ok := targets[y]; ok {
			years = append(years, y)
		}
	}
	last := years[len(years)-1]
	if !asOf.After(fiscalEnd(years[0] - 1)) { // the first of them has not begun
		e.status, e.period, e.target = "not_started", fiscal(years[0]), is(targets[years[0]])
		return e
	}
	// The latest year that is over and has target and value is judged.
	judged, waiting := 0, 0
	for i := len(years) - 1; i >= 0 && judged == 0; i-- {
		if y := years[i]; !fiscalEnd(y).After(asOf) {
			if _, ok := m.actual[y]; ok {
				judged = y
			} else {
				waiting = y
			}
		}
	}
	if judged == 0 {
		// What is shown is the setpoint that waits, the earliest first.
		shown := waiting
		if shown == 0 {
			shown = years[0]
		}
		e.period, e.target = fiscal(shown), is(targets[shown])
		e.pending = waiting == last
		return e
	}
	v, g := m.actual[judged], targets[judged]
	e.period, e.actual, e.target = fiscal(judged), is(v), is(g)
	if m.sign == 0 {
		return e // shown, not judged
	}
	gap := m.sign * (g - v)
	met := gap <= 1e-9*math.Max(math.Abs(g), math.Abs(v))
	e.gap = is(gap)
	switch {
	case g != 0:
		e.share = is(gap / math.Abs(g))
	}
	switch {
	case met:
		e.status = "on_track"
	case e.share != nil && *e.share <= .15+1e-9:
		e.status = "at_risk"
	default:
		e.status = "off_track"
	}
	if judged == last {
		if asOf.After(fiscalDue(last)) {
			e.status = map[bool]string{true: "achieved", false: "missed"}[met]
		} else {
			e.pending = true
		}
		return e
	}
	var awaiting time.Time
	if !asOf.Before(fiscalEnd(last)) {
		awaiting = fiscalDue(last)
	}
	e.aged(asOf, awaiting, fiscalDue(2016)) // the next value after FY2015's
	return e
}

func fiscal(year int) string { return fmt.Sprintf("FY%d", year) }

// summaries are the roll-ups of the programs and of the whole.
func (c *city) summaries(asOf time.Time, expected map[string]expectation) (programs map[string]rolled, all rolled) {
	parts, statuses := map[string][]part{}, map[string][]string{}
	for i := range c.measures {
		m := &c.measures[i]
		if e, ok := expected[m.name]; ok {
			parts[m.objective] = append(parts[m.objective], e.asPart(m.weight))
			statuses[m.objective] = append(statuses[m.objective], e.status)
		}
	}
	programs = map[string]rolled{}
	var above []part
	var every []string
	for name := range c.programs {
		r := roll(parts[name], .75, .4)
		r.count(statuses[name]...)
		programs[name] = r
		above = append(above, r.asPart(1))
		every = append(every, statuses[name]...)
	}
	all = roll(above, .75, .4)
	all.count(every...)
	return programs, all
}
