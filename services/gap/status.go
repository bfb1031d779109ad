package gap

import (
	"math"

	"setpoint.dev/services/internal/calendar"
)

// ε makes thresholds inclusive whatever the last bit of a quotient is.
const epsilon = 1e-9

// reached reports whether a shortfall is at most the tolerance, where both
// are differences of numbers as large as a and b.
func reached(shortfall, tolerance, a, b float64) bool {
	return shortfall <= tolerance+epsilon*math.Max(math.Abs(a), math.Abs(b))
}

// judge turns a shortfall into a status. scale is R; 0 means there is none,
// and then any shortfall beyond the tolerance is off track.
func (p *Policy) judge(shortfall, tolerance, scale, size float64) Status {
	if !(scale > 0) || !finite(scale) {
		if reached(shortfall, tolerance, size, 0) {
			return OnTrack
		}
		return OffTrack
	}
	on, risk := p.thresholds(tolerance, scale)
	switch share := shortfall / scale; {
	case share <= on+epsilon:
		return OnTrack
	case share <= risk+epsilon:
		return AtRisk
	}
	return OffTrack
}

// thresholds are the greatest shares that are on track and at risk.
func (p *Policy) thresholds(tolerance, scale float64) (on, risk float64) {
	return math.Max(p.OnTrack, tolerance/scale), math.Max(p.AtRisk, p.AtRiskTolerances*tolerance/scale)
}

// judgeMet is judge for what has no way to go: it is met or it is not.
func (p *Policy) judgeMet(met bool, shortfall, tolerance, scale float64) Status {
	switch {
	case met:
		return OnTrack
	case !(scale > 0) || !finite(scale):
		return OffTrack
	}
	if _, risk := p.thresholds(tolerance, scale); shortfall/scale <= risk+epsilon {
		return AtRisk
	}
	return OffTrack
}

// final turns the verdict on the last value into one for good.
func final(met bool) Status {
	if met {
		return Achieved
	}
	return Missed
}

// settle applies to a status what time does to it: while the value that
// decides for good is awaited, and when data grows old.
//
// deadline is the day by which the deciding value should be there, unset if
// the end has not come; freshUntil is the last day on which the data is fresh.
func (c *comparison) settle(verdict Status, deadline, freshUntil calendar.Date) {
	r := c.r
	r.Status = verdict
	pending := !deadline.IsZero()
	if pending {
		r.Conditions = append(r.Conditions, "FinalPending")
		if c.explain {
			c.input("final value due by", deadline.String())
		}
		if c.asOf.After(deadline) {
			r.Status = NoData
			r.Stale, r.LastKnownStatus = true, verdict
			c.say("No data: the value that decides for good was due by %s and has not arrived; last known: %s.", deadline, words(verdict))
			return
		}
		c.say("The value that decides for good is awaited until %s; until then the last status stays.", deadline)
	}
	if c.explain && !freshUntil.IsZero() {
		c.input("fresh until", freshUntil.String())
	}
	if freshUntil.IsZero() || !c.asOf.After(freshUntil) {
		return
	}
	r.Stale, r.LastKnownStatus = true, verdict
	if verdict.Green() {
		r.Status = NoData
		c.say("Stale: the next value was due by %s, so what was %s is not known any more.", freshUntil, words(verdict))
	} else {
		c.say("Stale: the next value was due by %s; a status that is not green stays.", freshUntil)
	}
}

// incomparable reports, and explains, that the value at a was measured by
// another method than the one the target was declared for.
func (c *comparison) incomparable(a calendar.Date) bool {
	b, broken := c.s.breakBetween(a, c.asOf)
	if !broken || c.sp.Effective.Before(b.Date) {
		return false
	}
	r := c.r
	r.Conditions = append(r.Conditions, "MethodChanged")
	r.Gap, r.Expected, r.Drift, r.Share, r.Progress, r.Score = nil, nil, nil, nil, nil, nil
	c.say("No data: the method changed on %s (%s), and the target was declared for the new one; the last value is from before.", b.Date, b.Reason)
	return true
}

func words(s Status) string {
	switch s {
	case NotStarted:
		return "not started"
	case NoData:
		return "no data"
	case OnTrack:
		return "on track"
	case AtRisk:
		return "at risk"
	case OffTrack:
		return "off track"
	}
	return string(s)
}
