package gap

import (
	"math"

	"setpoint.dev/services/internal/calendar"
)

// band is a range to stay in, one of its bounds may be open.
type band struct {
	lower, upper *float64
	tolerance    float64
}

// newBand takes the declared tolerance, or by default a tenth of the width, a
// twentieth of the bound if it is one-sided.
func newBand(lower, upper *float64, tolerance float64) band {
	k := band{lower: lower, upper: upper, tolerance: tolerance}
	if tolerance > 0 {
		return k
	}
	switch {
	case lower != nil && upper != nil:
		k.tolerance = 0.1 * math.Abs(*upper-*lower)
	case lower != nil:
		k.tolerance = 0.05 * math.Abs(*lower)
	case upper != nil:
		k.tolerance = 0.05 * math.Abs(*upper)
	}
	return k
}

func (k band) declared() bool { return k.lower != nil || k.upper != nil }

// gap is how far v lies outside, 0 inside.
func (k band) gap(v float64) float64 {
	g := 0.0
	if k.lower != nil {
		g = max(g, *k.lower-v)
	}
	if k.upper != nil {
		g = max(g, v-*k.upper)
	}
	return g
}

// margin is how far v lies within the nearer bound, negative outside.
func (k band) margin(v float64) float64 {
	m := math.Inf(1)
	if k.lower != nil {
		m = min(m, v-*k.lower)
	}
	if k.upper != nil {
		m = min(m, *k.upper-v)
	}
	return m
}

// size is the largest number that a gap is a difference of.
func (k band) size(v float64) float64 {
	v = math.Abs(v)
	if k.lower != nil {
		v = max(v, math.Abs(*k.lower))
	}
	if k.upper != nil {
		v = max(v, math.Abs(*k.upper))
	}
	return v
}

func (k band) status(v float64) Status {
	switch g, size := k.gap(v), k.size(v); {
	case reached(g, 0, size, 0):
		return OnTrack
	case reached(g, k.tolerance, size, 0):
		return AtRisk
	}
	return OffTrack
}

// score is 1 inside and falls to 0 at three tolerances outside.
func (k band) score(v float64) float64 {
	g := k.gap(v)
	switch {
	case g <= 0:
		return 1
	case k.tolerance <= 0:
		return 0
	}
	return max(0, 1-g/(3*k.tolerance))
}

// compareBand fills the differences at the judged value and gives its status.
func (c *comparison) compareBand(k band, v float64) Status {
	r := c.r
	r.Gap, r.Score = c.num(k.gap(v)), c.num(k.score(v))
	status := k.status(v)
	if r.Gap == nil {
		return NoData
	}
	if c.explain {
		c.input("lower", k.lower)
		c.input("upper", k.upper)
		c.input("tolerance", k.tolerance)
		c.input("gap", r.Gap)
	}
	if c.policy.Score == LevelScore {
		return c.levelStatus()
	}
	if c.policy.Score == GaugeScore {
		return c.gauged(-k.margin(v), k.tolerance, *r.Gap <= epsilon*k.size(v))
	}
	if c.explain {
		c.say("%s: inside the range is on track, up to the tolerance %s outside it at risk, else off track.", title(status), c.number(k.tolerance))
	}
	return status
}

func (c *comparison) maintain() {
	r, m := c.r, c.sp.Maintain
	k := newBand(m.Lower, m.Upper, c.sp.Tolerance)
	r.Due = calendar.Earlier(m.To, c.sp.Due)
	if m.Lower != nil {
		r.Lower = c.num(*m.Lower)
	}
	if m.Upper != nil {
		r.Upper = c.num(*m.Upper)
	}
	if !k.declared() {
		c.say("No data: the range to stay in has no bounds.")
		return
	}
	end := r.Due
	over := !end.IsZero() && !c.asOf.Before(end)
	var judged span
	var has, decided bool
	var deadline calendar.Date
	if over {
		last := c.s.k.Span(end, c.s.cadence)
		if judged = c.s.over(last); judged.complete() {
			has, decided = true, true
		} else {
			deadline = c.s.dueBy(last)
			has = c.s.latestBefore(last.Start, &judged)
		}
	} else {
		judged, has = c.s.last, c.s.hasLast
	}
	if has {
		c.actual(&judged)
	}
	switch {
	case c.asOf.Before(m.From):
		r.Status = NotStarted
		c.say("Not started: the range counts from %s.", m.From)
		return
	case !has || judged.End.Before(m.From):
		c.say("No data: no closed period since the range counts has a value.")
		if over {
			r.Conditions = append(r.Conditions, "FinalPending")
		}
		return
	}
	status := c.compareBand(k, judged.value)
	if status == NoData {
		return
	}
	if decided {
		r.Status = final(reached(*r.Gap, k.tolerance, k.size(judged.value), 0))
		c.say("%s: the last period's value decides for good; within the tolerance is achieved.", title(r.Status))
		return
	}
	if c.incomparable(judged.End) {
		return
	}
	c.settle(status, deadline, c.freshUntil(&judged))
}
