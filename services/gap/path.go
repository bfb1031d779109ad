package gap

import (
	"math"

	"setpoint.dev/services/internal/calendar"
)

// aim is a path's setpoint made ready: what it leads from and to.
type aim struct {
	b, g       float64
	hasB, hasG bool
	dir        Direction
	scale      float64 // R; 0: none
	track      track
	baseline   span // where b comes from, if from the metric
}

// aimOf resolves baseline, final value and direction of a path. at is the day
// of the value to be judged: a baseline of the metric from before a change of
// method does not count for it.
func (c *comparison) aimOf(a *aim, sp *Setpoint, at calendar.Date, note bool) {
	a.dir = sp.Direction
	if base := sp.Baseline; base != nil && base.Value != nil {
		a.b, a.hasB = *base.Value, true
	} else if base != nil && c.s.total != nil {
		a.hasB = true // nothing has been added up at the start
	} else if base != nil {
		p, why, ok := c.s.at(base.Date)
		if ok {
			if k, broken := c.s.breakBetween(p.End, at); broken {
				ok = false
				if note {
					c.say("The method changed on %s (%s), so the metric's value at the baseline date %s cannot be compared and there is no baseline.", k.Date, k.Reason, base.Date)
				}
			}
		} else if note {
			c.say("The baseline is not known: the metric has no value at %s.", base.Date)
		}
		if ok {
			a.b, a.hasB, a.baseline = p.value, true, p
			if note {
				c.input("baseline taken from", why)
				c.restOn(&p)
			}
		}
	}
	a.g, a.hasG = finalValue(sp, a.b, a.hasB)
	if a.dir == Undirected && a.hasB && a.hasG {
		a.dir = sign(a.g - a.b)
	}
	if !a.hasG {
		return
	}
	if s := float64(a.dir); a.hasB && s*(a.g-a.b) > 0 {
		a.scale = s * (a.g - a.b)
	} else if a.g != 0 {
		a.scale = math.Abs(a.g)
	} else {
		a.scale = sp.Scale
	}
	if !finite(a.scale) {
		a.scale = 0
	}
	a.track.load(sp, a.b, a.hasB, a.g)
}

// finalValue is g: declared, relative to the baseline, or the OKR level that
// stands for the target.
func finalValue(sp *Setpoint, b float64, hasB bool) (float64, bool) {
	switch {
	case sp.Value != nil:
		return *sp.Value, finite(*sp.Value)
	case sp.ChangeFromBaseline != nil:
		g := b * (1 + *sp.ChangeFromBaseline)
		return g, hasB && finite(g)
	case sp.Levels != nil:
		for _, l := range []*float64{sp.Levels.Target, sp.Levels.Stretch, sp.Levels.Commit} {
			if l != nil {
				return *l, finite(*l)
			}
		}
	}
	return 0, false
}

func (c *comparison) path() {
	r, sp := c.r, c.sp
	if sp.Due.IsZero() {
		c.say("No data: the target declares no date by which it is due.")
		return
	}
	// The due period's value decides for good. Until the due date the latest
	// value counts, after it the latest from before the due period.
	var judged span
	var has, decided bool
	var deadline calendar.Date
	if c.asOf.Before(sp.Due) {
		judged, has = c.s.last, c.s.hasLast
	} else {
		duePeriod := c.s.k.Span(sp.Due, c.s.cadence)
		if judged = c.s.over(duePeriod); judged.complete() {
			has, decided = true, true
		} else {
			deadline = c.s.dueBy(duePeriod)
			has = c.s.latestBefore(duePeriod.Start, &judged)
		}
	}
	at := c.asOf
	if has {
		at = judged.End
	}
	var a aim
	c.aimOf(&a, sp, at, true)
	r.Direction = a.dir
	if a.hasB {
		r.Baseline = c.num(a.b)
	}
	if a.hasG {
		r.Target = c.num(a.g)
		if v, ok := a.track.at(c.asOf); ok {
			r.ExpectedNow = c.num(v)
		}
		r.TargetDrift = c.targetDrift(&a)
	}
	c.inputsOfAim(&a)
	if has {
		c.actual(&judged)
	}
	switch {
	case !a.hasG && c.asOf.Before(sp.begins()):
		r.Status = NotStarted
		c.say("Not started: the path begins on %s; the value to reach is known then.", sp.begins())
		return
	case !a.hasG:
		c.say("No data: the value to reach is not known.")
		return
	case a.dir == Undirected:
		c.say("No data: neither the target nor its baseline says whether the value is to rise or to fall.")
		return
	}
	if has {
		c.measure(&a, &judged)
	}
	switch {
	case c.asOf.Before(a.track.t0):
		r.Status = NotStarted
		c.say("Not started: the path begins on %s.", a.track.t0)
		return
	case !has:
		c.say("No data: no closed period has a value yet.")
		if !deadline.IsZero() {
			r.Conditions = append(r.Conditions, "FinalPending")
		}
		return
	case r.Gap == nil:
		c.say("No data: the numbers are too large to be compared.")
		return
	case !decided && c.incomparable(judged.End):
		return
	}
	if decided {
		r.Status = c.pathVerdict(&a)
		return
	}
	status := c.pathStatus(&a)
	if status == NoData {
		return
	}
	c.settle(status, deadline, c.freshUntil(&judged))
}

// measure fills the differences of a path at the judged value.
func (c *comparison) measure(a *aim, judged *span) {
	r, s, v := c.r, float64(a.dir), judged.value
	gap := s * (a.g - v)
	r.Gap = c.num(gap)
	if x, ok := a.track.at(judged.End); ok {
		r.Expected = c.num(x)
		r.Drift = c.num(s * (x - v))
		if r.Drift != nil && a.scale > 0 {
			r.Share = c.num(*r.Drift / a.scale)
		}
	} else if c.sp.Baseline == nil && a.scale > 0 && r.Gap != nil {
		r.Share = c.num(gap / a.scale)
	}
	if a.hasB && s*(a.g-a.b) > 0 {
		if r.Progress = c.num((v - a.b) / (a.g - a.b)); r.Progress != nil {
			r.Score = c.num(clamp(*r.Progress))
		}
	}
	if c.policy.Score == LevelScore {
		if score, ok := c.policy.levelScore(c.sp.Levels, a, v); ok {
			r.Score = c.num(score)
		}
	}
	c.input("gap", r.Gap)
	c.input("drift", r.Drift)
	c.input("share", r.Share)
}

// pathVerdict is the status for good, by the due period's value.
func (c *comparison) pathVerdict(a *aim) Status {
	r := c.r
	if c.policy.Score == LevelScore {
		return c.levelVerdict()
	}
	met := reached(*r.Gap, c.sp.Tolerance, a.g, *r.Actual)
	if c.policy.Score == GaugeScore {
		r.Score = c.num(c.policy.Gauge.at(*r.Gap, c.redFlag(a), met))
	}
	status := final(met)
	if c.explain {
		c.say("%s: the due period's value decides for good; it is achieved if the gap is at most the tolerance %s.", title(status), c.number(c.sp.Tolerance))
	}
	return status
}

// pathStatus is the status on the way.
func (c *comparison) pathStatus(a *aim) Status {
	r, p := c.r, c.policy
	atGoal := reached(*r.Gap, 0, a.g, *r.Actual)
	if p.Score == LevelScore {
		return c.levelStatus()
	}
	if atGoal {
		if p.Score == GaugeScore {
			c.r.Score = c.num(p.Gauge.at(*r.Gap, c.redFlag(a), true))
		}
		c.say("Achieved: the value is at or past the final value before it is due; this is not for good.")
		return Achieved
	}
	shortfall, of, x := r.Drift, "drift", a.g
	if p.Basis == OnFinal || (r.Drift == nil && c.sp.Baseline == nil) {
		shortfall, of = r.Gap, "gap"
	} else if r.Expected != nil {
		x = *r.Expected
	}
	if shortfall == nil {
		c.say("No data: %s.", a.unexpected())
		return NoData
	}
	if p.Score == GaugeScore {
		return c.gauged(*r.Gap, c.redFlag(a), reached(*r.Gap, c.sp.Tolerance, a.g, *r.Actual))
	}
	scale := p.scaleOf(x, a, c.sp.Scale)
	status := p.judge(*shortfall, c.sp.Tolerance, scale, max(math.Abs(a.g), math.Abs(*r.Actual)))
	if !c.explain {
		return status
	}
	what := "the scale " + c.number(scale)
	if p.Share == OfTarget {
		what = "the size of the value compared with, " + c.number(scale)
		c.input("compared with", x)
	}
	if scale > 0 {
		on, risk := p.thresholds(c.sp.Tolerance, scale)
		c.input("on track up to", on)
		c.input("at risk up to", risk)
		c.say("%s: the %s is %s of %s; on track up to %s, at risk up to %s, else off track.",
			title(status), of, percent(*shortfall/scale), what, percent(on), percent(risk))
	} else {
		c.say("%s: there is no scale to take a share of, so any %s beyond the tolerance %s is off track.", title(status), of, c.number(c.sp.Tolerance))
	}
	return status
}

// unexpected says why no value is expected at the date of the actual.
func (a *aim) unexpected() string {
	if a.track.shape == Exponential && a.track.begun {
		return "an exponential path needs a begin and a final value of the same sign, neither of them zero"
	}
	return "without a baseline no value is expected at the date of the actual"
}

// targetDrift is s(g first declared − g now); a percentage of the baseline is
// taken of today's baseline, so that restating it is no drift.
func (c *comparison) targetDrift(a *aim) *float64 {
	first := c.t.FirstDeclared()
	if first == c.sp {
		return c.num(0)
	}
	b, hasB := a.b, a.hasB
	if first.ChangeFromBaseline != nil && c.sp.ChangeFromBaseline == nil {
		var was aim
		c.aimOf(&was, first, c.asOf, false)
		b, hasB = was.b, was.hasB
	}
	g, ok := finalValue(first, b, hasB)
	if !ok || a.dir == Undirected || first.form() != PathForm {
		return nil
	}
	return c.num(float64(a.dir) * (g - a.g))
}

func (c *comparison) inputsOfAim(a *aim) {
	if !c.explain {
		return
	}
	sp, r := c.sp, c.r
	c.input("baseline", r.Baseline)
	if sp.Baseline != nil {
		c.input("baseline date", sp.Baseline.Date.String())
	}
	c.input("target", r.Target)
	c.input("due", sp.Due.String())
	c.input("trajectory", string(shapeName(sp.Trajectory.Shape)))
	if sp.Trajectory.Start != nil {
		c.input("path begins", sp.Trajectory.Start.Date.String())
	}
	c.input("tolerance", sp.Tolerance)
	if a.scale > 0 {
		c.input("scale", a.scale)
	}
}

func shapeName(s Shape) Shape {
	if s == "" {
		return Linear
	}
	return s
}

// begins is the day a path starts, unset if it does not say.
func (sp *Setpoint) begins() calendar.Date {
	switch {
	case sp.Trajectory.Start != nil:
		return sp.Trajectory.Start.Date
	case sp.Baseline != nil:
		return sp.Baseline.Date
	}
	return calendar.Date{}
}
