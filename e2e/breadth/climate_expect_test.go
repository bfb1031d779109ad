package breadth_test

import (
	"math"
	"time"
)

// expect is the comparison of a pledge at the end of a day, by the emissions of
// its state.
func (p pledge) expect(asOf time.Time, emissions map[int]float64) expectation {
	e := expectation{status: "no_data", direction: "decrease", scoreToo: true}
	// The latest year that is over and measured; from the due date on the due
	// year itself, or the latest before it until that is measured.
	latest := 0
	for y := range emissions {
		if !yearEnd(y).After(asOf) && y > latest {
			latest = y
		}
	}
	over := !asOf.Before(yearEnd(p.due))
	judged, decided := latest, false
	if over {
		if _, ok := emissions[p.due]; ok {
			judged, decided = p.due, true
		} else if judged >= p.due {
			panic("a gap before the last measured year")
		}
	}
	v := emissions[judged]
	e.actual, e.period = is(v), yearEnd(judged).Format("2006")
	b, ok := emissions[p.base]
	if !ok || yearEnd(p.base).After(asOf) {
		return e // where the path leads is not known
	}
	g := b * (1 - float64(p.percent)/100)
	e.baseline, e.target = is(b), is(g)
	e.now, e.expected = is(p.path(b, g, asOf)), is(p.path(b, g, yearEnd(judged)))
	e.gap = is(v - g)
	e.drift = is(v - *e.expected)
	scale := b - g
	if scale > 0 {
		e.progress = is((b - v) / (b - g))
		e.score = is(math.Min(1, math.Max(0, *e.progress)))
	} else {
		scale = g
	}
	e.share = is(*e.drift / scale)
	met := *e.gap <= 1e-9*math.Max(v, g)
	if decided {
		e.status = map[bool]string{true: "achieved", false: "missed"}[met]
		return e
	}
	switch {
	case met:
		e.status = "achieved"
	case *e.share <= .05+1e-9:
		e.status = "on_track"
	case *e.share <= .15+1e-9:
		e.status = "at_risk"
	default:
		e.status = "off_track"
	}
	var awaiting time.Time
	if over {
		awaiting = reported(p.due)
	}
	e.aged(asOf, awaiting, reported(judged+1))
	return e
}

// reported is the day by which a year's value should be there.
func reported(year int) time.Time {
	return yearEnd(year).AddDate(0, 0, half(days(yearEnd(year), yearEnd(year+1))))
}

// path is what was expected on a day: a straight line from the last day of the
// base year to the last day of the due year.
func (p pledge) path(b, g float64, d time.Time) float64 {
	switch from, to := yearEnd(p.base), yearEnd(p.due); {
	case !d.After(from):
		return b
	case !d.Before(to):
		return g
	default:
		return b + (g-b)*float64(days(from, d))/float64(days(from, to))
	}
}

// summaries are the roll-ups of the states and of the whole.
func (c *climate) summaries(expected map[string]expectation) (byState map[string]rolled, all rolled) {
	parts, statuses := map[string][]part{}, map[string][]string{}
	for _, p := range c.pledges {
		e := expected[p.name]
		parts[p.state] = append(parts[p.state], e.asPart(1))
		statuses[p.state] = append(statuses[p.state], e.status)
	}
	byState = map[string]rolled{}
	var above []part
	var every []string
	for state := range parts {
		r := roll(parts[state], .75, .4)
		r.count(statuses[state]...)
		byState[state] = r
		above = append(above, r.asPart(1))
		every = append(every, statuses[state]...)
	}
	all = roll(above, .75, .4)
	all.count(every...)
	return byState, all
}
