package gap

import "setpoint.dev/services/internal/calendar"

// milestone compares the day something is done, or is forecast to be done,
// with the day it is due. Its metric is 0 until done and 1 from then on; being
// done is an event, so it counts at once and not at the end of a period.
func (c *comparison) milestone() {
	r, m, due := c.r, c.sp.Milestone, c.sp.Due
	r.Direction = Increase
	r.Target = c.num(1)
	if due.IsZero() {
		c.say("No data: the milestone declares no date by which it is due.")
		return
	}
	obs := c.s.obs
	last := len(obs) - 1
	if last >= 0 {
		o := &obs[last]
		r.Actual, r.ActualAt = c.num(o.Value), o.At
		r.Gap, r.Progress, r.Score = c.num(1-o.Value), c.num(o.Value), c.num(clamp(o.Value))
		c.rest(o.Revision)
	}
	c.input("due", due.String())
	if !m.Forecast.IsZero() {
		c.input("forecast", m.Forecast.String())
	}
	if last >= 0 && obs[last].Value >= 1-epsilon {
		// Done on the first of the latest run of values that say so.
		first := last
		for first > 0 && obs[first-1].Value >= 1-epsilon {
			first--
		}
		done := obs[first].At
		r.Status = final(!done.After(due))
		if c.explain {
			c.input("done", done.String())
			c.say("%s: done on %s, due on %s.", title(r.Status), done, due)
		}
		return
	}
	if begin := c.begin(); c.asOf.Before(begin) {
		r.Status = NotStarted
		c.say("Not started: it begins on %s.", begin)
		return
	}
	if last >= 0 && !c.asOf.Before(due) && !obs[last].At.Before(due) {
		r.Status = Missed
		c.say("Missed: it was not done on %s, and it was due on %s.", obs[last].At, due)
		return
	}
	var deadline calendar.Date
	if !c.asOf.Before(due) {
		deadline = c.reportBy(due)
	}
	if m.Forecast.IsZero() {
		c.say("No data: it is not done, and nobody has said when it will be.")
		if !deadline.IsZero() {
			r.Conditions = append(r.Conditions, "FinalPending")
		}
		return
	}
	c.settle(c.forecastStatus(m.Forecast), deadline, c.reportBy(m.Forecast))
}

// forecastStatus is on track if the forecast is not after the due date, at
// risk if it is late by up to the policy's share of the time from the
// begin (the day it was declared for, without one) to the due date, else off track.
func (c *comparison) forecastStatus(forecast calendar.Date) Status {
	late := forecast.Sub(c.sp.Due)
	whole := 0
	begin := c.begin()
	if begin.IsZero() {
		begin = c.sp.Effective
	}
	if !begin.IsZero() && begin.Before(c.sp.Due) {
		whole = c.sp.Due.Sub(begin)
	}
	status := c.policy.judgeMet(late <= 0, float64(late), 0, float64(whole))
	if c.explain {
		c.input("days late", late)
		c.say("%s: forecast for %s, due on %s; by the due date is on track, late by up to %s of the time from begin to due at risk, else off track.",
			title(status), forecast, c.sp.Due, percent(c.policy.AtRisk))
	}
	return status
}

// begin is when the milestone began: its baseline date, else unset.
func (c *comparison) begin() calendar.Date {
	if b := c.sp.Baseline; b != nil {
		return b.Date
	}
	return calendar.Date{}
}

// reportBy is when news of day d should be there.
func (c *comparison) reportBy(d calendar.Date) calendar.Date {
	if !c.s.cadence.Valid() {
		return d
	}
	return c.s.dueBy(c.s.k.Span(d, c.s.cadence))
}
