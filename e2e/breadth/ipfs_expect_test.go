package breadth_test

import (
	"time"
)

// expect is the score of a key result at the end of a day, by the bands
// [0, .4) [.4, .7) [.7, 1]. wanted is what the score is to be in the end.
func (k keyResult) expect(asOf time.Time, wanted float64) expectation {
	e := expectation{status: "no_data", direction: "increase", baseline: is(0), target: is(1), now: is(k.path(asOf)), scoreToo: true}
	var v *float64
	var at time.Time
	over := !asOf.Before(k.end)
	switch {
	case over && k.final != nil:
		v, at = k.final, k.end
	case k.mid != nil && !asOf.Before(k.midDay()):
		v, at = k.mid, k.midDay()
	}
	if asOf.Before(k.start) {
		e.status = "not_started"
		return e
	}
	if v == nil {
		e.pending = over
		return e
	}
	e.actual, e.period = v, at.Format("2006-01")
	e.expected = is(k.path(at))
	e.gap, e.drift, e.share = is(1-*v), is(*e.expected-*v), is(*e.expected-*v)
	e.progress, e.score = v, v
	if over && k.final != nil {
		e.status = map[bool]string{true: "achieved", false: "missed"}[*v >= wanted-1e-9]
		return e
	}
	switch {
	case *v >= 1-1e-9:
		e.status = "achieved"
	case *v >= .7-1e-9:
		e.status = "on_track"
	case *v >= .4-1e-9:
		e.status = "at_risk"
	default:
		e.status = "off_track"
	}
	// The month after the quarter's last may be half over before that is late.
	next := k.end.AddDate(0, 0, half(day(k.end.Year(), int(k.end.Month())+2, 0).Day()))
	var awaiting time.Time
	if over {
		awaiting = next
	}
	e.aged(asOf, awaiting, next)
	return e
}

// path is linear through the quarter.
func (k keyResult) path(d time.Time) float64 {
	switch {
	case !d.After(k.start):
		return 0
	case !d.Before(k.end):
		return 1
	}
	return float64(days(k.start, d)) / float64(days(k.start, k.end))
}

// asScore is a key result as a part of its objective: it counts with its score.
func (e expectation) asScore(weight float64) part {
	return part{status: e.status, weight: weight, known: 1, score: e.score, progress: e.progress}
}

// summaries are the scores of objectives and quarters.
func (o *okrs) summaries(expected map[string]expectation) (goals, quarters map[string]rolled) {
	parts, statuses := map[string][]part{}, map[string][]string{}
	for _, k := range o.results {
		e := expected[k.name]
		parts[k.objective] = append(parts[k.objective], e.asScore(k.weight))
		statuses[k.objective] = append(statuses[k.objective], e.status)
	}
	goals, quarters = map[string]rolled{}, map[string]rolled{}
	for i := len(o.goals) - 1; i >= 0; i-- { // the parts of an objective come after it
		g := o.goals[i]
		r := roll(parts[g.name], .7, .4)
		r.count(statuses[g.name]...)
		goals[g.name] = r
		above := g.parent
		if above == "" {
			above = g.strategy
		}
		parts[above] = append(parts[above], r.asPart(1))
		statuses[above] = append(statuses[above], statuses[g.name]...)
	}
	for _, q := range o.quarters {
		r := roll(parts[q.name], .7, .4)
		r.count(statuses[q.name]...)
		quarters[q.name] = r
	}
	return goals, quarters
}
