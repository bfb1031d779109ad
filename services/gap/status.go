package gap

import "setpoint.dev/services/internal/calendar"

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

// freshUntil is the last day on which a judged value is fresh: the day by
// which the next should be there.
func (c *comparison) freshUntil(judged *span) calendar.Date {
	if c.s.hasLast && c.s.last.End == judged.End {
		return c.s.nextDue
	}
	return c.s.dueAfter(judged.Period)
}
