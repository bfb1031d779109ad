package gap

import (
	"math"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// row is one declared period of the periods form, with the version that was
// in force when it ended.
type row struct {
	calendar.Period
	sp *Setpoint
	pt *PeriodTarget
}

func (w *row) hasTarget() bool {
	return w.pt.Excluded == "" && (w.pt.Value != nil || w.pt.Lower != nil || w.pt.Upper != nil)
}

func (w *row) isBand() bool { return w.pt.Lower != nil || w.pt.Upper != nil }

// declaredRows lists the periods of the version in force by date. A period
// whose name cannot be read is left out, and the second result names it.
func (c *comparison) declaredRows() ([]row, string) {
	rows, bad := c.rows[:0], ""
	for i := range c.sp.Periods {
		pt := &c.sp.Periods[i]
		p, err := c.s.k.Parse(pt.Period)
		if err != nil {
			bad = pt.Period
			continue
		}
		rows = append(rows, row{p, c.sp, pt})
	}
	byEnd := func(a, b row) int {
		if d := a.End.Compare(b.End); d != 0 {
			return d
		}
		return b.Start.Compare(a.Start)
	}
	if !slices.IsSortedFunc(rows, byEnd) {
		slices.SortStableFunc(rows, byEnd)
	}
	if len(c.t.Versions) > 1 && !c.opts.OriginalTargets {
		for i := range rows {
			c.asThen(&rows[i])
		}
	}
	c.evaluator.rows = rows
	return rows, bad
}

// asThen scores a closed period against the target that was in force when it
// ended: what was declared later does not change history.
func (c *comparison) asThen(w *row) {
	if !w.End.Before(c.asOf) {
		return
	}
	then := c.versionThen(w.End)
	if then == w.sp {
		return
	}
	if pt := then.period(w.Period, c.s.k); pt != nil {
		w.sp, w.pt = then, pt
	}
}

// period is the declared target of a period; nil if there is none.
func (sp *Setpoint) period(p calendar.Period, k calendar.Calendar) *PeriodTarget {
	for i := range sp.Periods {
		if sp.Periods[i].Period == p.Name {
			return &sp.Periods[i]
		}
	}
	for i := range sp.Periods {
		if q, err := k.Parse(sp.Periods[i].Period); err == nil && q.Same(p) {
			return &sp.Periods[i]
		}
	}
	return nil
}

func (c *comparison) periods() {
	r := c.r
	rows, bad := c.declaredRows()
	if bad != "" {
		c.say("The period %q cannot be read and is left out.", bad)
	}
	if len(rows) == 0 {
		c.say("No data: no period is declared.")
		return
	}
	last := &rows[len(rows)-1]
	r.Due = last.End
	c.runningRow(rows)
	if c.asOf.Before(rows[0].Start) {
		r.Status = NotStarted
		c.setpointOf(&rows[0])
		c.say("Not started: the first period, %s, begins on %s.", rows[0].Name, rows[0].Start)
		return
	}

	// The latest closed period with target and value is judged. waiting is the
	// earliest one after it that has a target and no value.
	var judged span
	var at, waiting *row
	for i := len(rows) - 1; i >= 0 && at == nil; i-- {
		w := &rows[i]
		if w.End.After(c.asOf) {
			continue
		}
		if w.pt.Excluded == "" && !w.hasTarget() {
			continue
		}
		if judged = c.s.over(w.Period); judged.complete() || w.pt.Excluded != "" {
			at = w
		} else {
			waiting = w
		}
	}
	if at == nil {
		c.noPeriodYet(rows, waiting)
		return
	}
	c.setpointOf(at)
	if judged.complete() {
		c.actual(&judged)
		r.Period = at.Name
	}
	c.rest(at.sp.Revision)
	if at.pt.Excluded != "" {
		c.say("No data: %s is excluded: %s", at.Name, at.pt.Excluded)
		return
	}
	if !at.isBand() && at.sp.Direction == Undirected {
		c.say("No data: the target of %s says neither a direction nor a range, so the value is shown and not judged.", at.Name)
		return
	}
	status, met := c.compareRow(at, judged.value)
	if r.Gap == nil {
		c.say("No data: the numbers are too large to be compared.")
		return
	}
	r.TargetDrift = c.periodDrift(at)
	over := !c.asOf.Before(last.End)
	if over && at == last {
		if c.policy.Score == LevelScore {
			r.Status = c.levelVerdict()
			return
		}
		// Values are revised while they are being reported, so the verdict is
		// for good only when that time is over.
		if closes := c.s.dueBy(last.Period); !c.asOf.After(closes) {
			r.Status = status
			r.Conditions = append(r.Conditions, "FinalPending")
			c.say("The last period is over; its verdict is for good after %s, when reporting closes.", closes)
			return
		}
		r.Status = final(met)
		c.say("%s: the last period decides for good; met within the tolerance is achieved.", title(r.Status))
		return
	}
	var deadline calendar.Date
	if over {
		deadline = c.s.dueBy(last.Period)
	}
	// Data is fresh as long as neither the metric's next value nor that of a
	// declared period is overdue.
	var fresh calendar.Date
	if c.s.hasLast {
		fresh = c.s.nextDue
	}
	if waiting != nil {
		c.say("%s has no complete value.", waiting.Name)
		fresh = calendar.Earlier(fresh, c.s.dueBy(waiting.Period))
	}
	c.settle(status, deadline, fresh)
}

// noPeriodYet explains that no closed period has both target and value.
func (c *comparison) noPeriodYet(rows []row, waiting *row) {
	if waiting != nil {
		c.setpointOf(waiting)
		c.say("No data: %s is over and has no complete value.", waiting.Name)
		if waiting.Same(rows[len(rows)-1].Period) {
			c.r.Conditions = append(c.r.Conditions, "FinalPending")
		}
		return
	}
	for i := range rows {
		if w := &rows[i]; w.End.After(c.asOf) {
			c.setpointOf(w)
			c.say("No data: no period with a target is over yet; %s ends on %s.", w.Name, w.End)
			return
		}
	}
	c.say("No data: no period has a target.")
}

// setpointOf shows the setpoint of a row as the target's.
func (c *comparison) setpointOf(w *row) {
	r := c.r
	r.Period, r.Direction = w.Name, w.sp.Direction
	if w.pt.Value != nil {
		r.Target = c.num(*w.pt.Value)
	}
	if w.pt.Lower != nil {
		r.Lower = c.num(*w.pt.Lower)
	}
	if w.pt.Upper != nil {
		r.Upper = c.num(*w.pt.Upper)
	}
}

// runningRow fills what a sum should have come to by as_of in the period that
// is running.
func (c *comparison) runningRow(rows []row) {
	for i := range rows {
		w := &rows[i]
		if !w.Contains(c.asOf) || !w.End.After(c.asOf) || !w.hasTarget() || w.pt.Value == nil {
			continue
		}
		before := 0.0
		if c.s.total != nil && i > 0 && rows[i-1].pt.Value != nil {
			before = *rows[i-1].pt.Value
		}
		if c.s.total != nil || c.s.m.Aggregation == Sum {
			c.r.ExpectedNow = c.num(before + (*w.pt.Value-before)*float64(c.asOf.Sub(w.Start)+1)/float64(w.Days()))
			return
		}
	}
}

// compareRow fills the differences of a judged period; met is within the
// tolerance.
func (c *comparison) compareRow(w *row, v float64) (status Status, met bool) {
	r := c.r
	if w.isBand() {
		k := newBand(w.pt.Lower, w.pt.Upper, w.sp.Tolerance)
		return c.compareBand(k, v), k.gap(v) <= k.tolerance+epsilon*k.size(v)
	}
	g, tolerance := *w.pt.Value, w.sp.Tolerance
	gap, scale := rowGap(w, v)
	met = reached(gap, tolerance, g, v)
	r.Gap = c.num(gap)
	if scale > 0 {
		r.Share = c.num(gap / scale)
	}
	switch {
	case met:
		r.Score = c.num(1)
	case r.Share != nil:
		r.Score = c.num(clamp(1 - *r.Share))
	}
	if c.policy.Score == LevelScore {
		return c.levelStatus(), met
	}
	if c.policy.Score == GaugeScore {
		return c.gauged(gap, c.policy.usualFlag(tolerance, scale), met), met
	}
	status = c.policy.judgeRow(met, gap, tolerance, scale, max(math.Abs(g), math.Abs(v)))
	if c.explain {
		c.explainRow(w, status, scale)
	}
	return status, met
}

func (c *comparison) explainRow(w *row, status Status, scale float64) {
	r, tolerance := c.r, w.sp.Tolerance
	c.input("target", *w.pt.Value)
	c.input("period", w.Name)
	c.input("tolerance", tolerance)
	c.input("gap", r.Gap)
	c.input("share", r.Share)
	if scale <= 0 {
		c.say("%s: %s is judged; a target of zero gives no scale, so any miss beyond the tolerance %s is off track.", title(status), w.Name, c.number(tolerance))
		return
	}
	on, risk := c.policy.thresholds(tolerance, scale)
	c.input("at risk up to", risk)
	if c.policy.Share == OfTarget {
		c.input("on track up to", on)
		c.say("%s: %s is judged; short of the target by up to %s of it is on track, by up to %s at risk, else off track.",
			title(status), w.Name, percent(on), percent(risk))
		return
	}
	c.say("%s: %s is judged; met within the tolerance %s is on track, missed by up to %s of the target at risk, else off track.",
		title(status), w.Name, c.number(tolerance), percent(risk))
}

// rowGap is s(g − v) and the scale |g|, or the declared one where g is zero.
func rowGap(w *row, v float64) (gap, scale float64) {
	g := *w.pt.Value
	if scale = math.Abs(g); scale == 0 {
		scale = w.sp.Scale
	}
	return float64(w.sp.Direction) * (g - v), scale
}

// periodDrift is s(g first declared − g now) of a period.
func (c *comparison) periodDrift(w *row) *float64 {
	if w.pt.Value == nil || w.sp.Direction == Undirected {
		return nil
	}
	first := c.t.FirstDeclared()
	if first == w.sp {
		return c.num(0)
	}
	pt := first.period(w.Period, c.s.k)
	if pt == nil || pt.Value == nil {
		return nil
	}
	return c.num(float64(w.sp.Direction) * (*pt.Value - *w.pt.Value))
}
