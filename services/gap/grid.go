package gap

import (
	"fmt"
	"math"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// grid lists every declared or observed period by date.
func (c *comparison) grid(observed []span) {
	var out []PeriodResult
	switch c.r.Form {
	case PathForm:
		out = c.pathGrid(observed)
	case PeriodsForm:
		out = c.periodsGrid(observed)
	case MaintainForm:
		out = c.maintainGrid(observed)
	default:
		return
	}
	slices.SortFunc(out, func(a, b PeriodResult) int {
		if d := a.End.Compare(b.End); d != 0 {
			return d
		}
		return b.Start.Compare(a.Start)
	})
	c.r.Periods = out
}

// maxMissing is how many periods without a value a grid shows; the count in
// Quality is of all of them.
const maxMissing = 400

// fill adds the closed periods from the one of lo to hi that no row covers, so
// that a value that should be there and is not is seen: the latest first.
func (c *comparison) fill(rows []span, lo, hi calendar.Date) []span {
	if lo.IsZero() || hi.IsZero() {
		return rows
	}
	have := make(map[calendar.Date]bool, len(rows))
	for i := range rows {
		have[rows[i].End] = true
	}
	hi = calendar.Earlier(hi, c.asOf)
	missing := 0
	for p := c.s.k.Span(hi, c.s.cadence); !p.End.Before(lo) && missing < maxMissing; p = c.s.k.Span(p.Start.AddDays(-1), c.s.cadence) {
		if have[p.End] || p.End.After(hi) {
			continue
		}
		missing++
		rows = append(rows, c.s.over(p))
	}
	return rows
}

// observedFrom is the first day with an observed period, and the last.
func observedFrom(observed []span) (first, last calendar.Date) {
	if n := len(observed); n > 0 {
		first, last = observed[0].Start, observed[n-1].End
	}
	return first, last
}

// cell begins a row of the grid: the period, its value and what its data is
// worth. judge is false where the state is decided already.
func (c *comparison) cell(p *span) (out PeriodResult, judge bool) {
	p.Period = c.s.named(p.Period)
	out = PeriodResult{Period: p.Name, Start: p.Start, End: p.End}
	if p.n > 0 {
		out.Actual = c.num(p.value)
	}
	for _, b := range c.s.breaks {
		if p.Contains(b.Date) && !b.Date.After(c.asOf) {
			out.Note = fmt.Sprintf("the method changed on %s: %s", b.Date, b.Reason)
		}
	}
	switch {
	case p.Start.After(c.asOf):
		out.State = PeriodFuture
	case p.running:
		out.State = PeriodRunning
		out.Note = c.s.reported(p)
	case p.n == 0:
		out.State = PeriodNoData
	case p.note != "":
		out.State, out.Note = PeriodPartial, p.note
		if !finite(p.value) {
			out.State = PeriodNoData
		}
	case p.mixed:
		out.State = PeriodPartial
	case !p.complete():
		out.State = PeriodPartial
		out.Note = fmt.Sprintf("%d of %d values reported", p.parts, p.want)
	default:
		return out, true
	}
	return out, false
}

// toDate is the share of a running period's days that what has been reported
// covers, by as_of where nothing has been.
func (c *comparison) toDate(p *span) float64 {
	days := p.covered
	if p.n == 0 {
		days = c.asOf.Sub(p.Start) + 1
	}
	return float64(days) / float64(p.Days())
}

// yearToDate is what the value of a running period should have come to by
// what has been reported: a sum grows from nothing, a running total from what
// it was to be before, anything else is to be there throughout.
func (c *comparison) yearToDate(p *span, before, g float64) *float64 {
	if c.s.total == nil && c.s.m.Aggregation != Sum {
		return c.num(g)
	}
	return c.num(before + (g-before)*c.toDate(p))
}

func (c *comparison) pathGrid(observed []span) []PeriodResult {
	rows := slices.Clone(observed)
	declare := func(d calendar.Date) {
		p := c.s.k.Span(d, c.s.cadence)
		if !d.IsZero() && !slices.ContainsFunc(rows, func(r span) bool { return r.End == p.End }) {
			rows = append(rows, c.s.over(p))
		}
	}
	declare(c.sp.Due)
	if c.sp.Trajectory.Shape == Points {
		for _, p := range c.sp.Trajectory.Points {
			declare(p.Date)
		}
	}
	declare(c.asOf)
	lo, hi := observedFrom(observed)
	if b := c.sp.Baseline; b != nil {
		lo = calendar.Earlier(lo, b.Date.AddDays(1))
	}
	if s := c.sp.Trajectory.Start; s != nil {
		lo = calendar.Earlier(lo, s.Date.AddDays(1))
	}
	rows = c.fill(rows, lo, calendar.Later(hi, c.sp.Due))
	out := make([]PeriodResult, 0, len(rows))
	for i := range rows {
		out = append(out, c.pathCell(&rows[i]))
	}
	return out
}

func (c *comparison) pathCell(p *span) PeriodResult {
	out, judge := c.cell(p)
	sp := c.versionThen(p.End)
	if sp.form() != PathForm || p.End.After(c.asOf) {
		sp = c.sp
	}
	var a aim
	c.aimOf(&a, sp, p.End, false)
	x, known := 0.0, false
	if a.hasG && a.dir != Undirected {
		x, known = a.track.at(p.End)
	}
	baseline := sp.Baseline != nil && p.Contains(sp.Baseline.Date)
	switch {
	case !known, p.End.Before(a.track.t0), p.Start.After(sp.Due):
		known = false
	case baseline && !p.End.After(sp.Baseline.Date):
		known = false
		if out.Note == "" {
			out.Note = "baseline"
		}
	}
	if !known {
		if judge {
			out.State = PeriodNoTarget
		}
		return out
	}
	out.Target = c.num(x)
	if out.State == PeriodRunning {
		before := 0.0
		if c.s.total != nil {
			before, _ = a.track.at(p.Start.AddDays(-1))
		}
		out.Expected = c.yearToDate(p, before, x)
	}
	if !judge {
		return out
	}
	drift := float64(a.dir) * (x - p.value)
	out.Variance = c.num(drift)
	status := c.policy.judge(drift, sp.Tolerance, c.policy.scaleOf(x, &a, sp.Scale), max(math.Abs(x), math.Abs(p.value)))
	out.State = state(status)
	return out
}

func (c *comparison) periodsGrid(observed []span) []PeriodResult {
	rows, _ := c.declaredRows()
	out := make([]PeriodResult, 0, len(rows)+len(observed))
	for i := range rows {
		p := c.s.over(rows[i].Period)
		before := 0.0
		if c.s.total != nil && i > 0 && rows[i-1].pt.Value != nil {
			before = *rows[i-1].pt.Value
		}
		out = append(out, c.periodCell(&rows[i], &p, before))
	}
	lo, hi := observedFrom(observed)
	observed = c.fill(observed, lo, hi)
	for i := range observed {
		p := &observed[i]
		// A month within a declared year is part of that year's row.
		if slices.ContainsFunc(rows, func(w row) bool { return !p.Start.Before(w.Start) && !p.End.After(w.End) }) {
			continue
		}
		cell, judge := c.cell(p)
		if judge {
			cell.State = PeriodNoTarget
		}
		out = append(out, cell)
	}
	return out
}

// periodCell is the row of a declared period; before is the value of the one
// before it, which a running total grows from.
func (c *comparison) periodCell(w *row, p *span, before float64) PeriodResult {
	out, judge := c.cell(p)
	if w.pt.Value != nil {
		out.Target = c.num(*w.pt.Value)
	}
	if w.pt.Lower != nil {
		out.Lower = c.num(*w.pt.Lower)
	}
	if w.pt.Upper != nil {
		out.Upper = c.num(*w.pt.Upper)
	}
	if w.pt.Excluded != "" {
		out.Note = w.pt.Excluded
		if !p.End.After(c.asOf) {
			out.State = PeriodExcluded
		}
		return out
	}
	if out.State == PeriodRunning && w.pt.Value != nil {
		out.Expected = c.yearToDate(p, before, *w.pt.Value)
	}
	if !judge {
		return out
	}
	switch {
	case !w.hasTarget():
		out.State = PeriodNoTarget
	case w.isBand():
		k := newBand(w.pt.Lower, w.pt.Upper, w.sp.Tolerance)
		out.Variance, out.State = c.num(k.gap(p.value)), state(k.status(p.value))
	case w.sp.Direction == Undirected:
		out.State, out.Note = PeriodNoTarget, "not judged: neither a direction nor a range is declared"
	default:
		gap, scale := rowGap(w, p.value)
		out.Variance = c.num(gap)
		met := reached(gap, w.sp.Tolerance, *w.pt.Value, p.value)
		out.State = state(c.policy.judgeRow(met, gap, w.sp.Tolerance, scale, max(math.Abs(*w.pt.Value), math.Abs(p.value))))
	}
	return out
}

func (c *comparison) maintainGrid(observed []span) []PeriodResult {
	lo, hi := observedFrom(observed)
	if m := c.sp.Maintain; !m.From.IsZero() || !lo.IsZero() {
		if lo = calendar.Earlier(lo, m.From); c.r.Due.IsZero() {
			hi = c.asOf
		}
		observed = c.fill(observed, lo, calendar.Later(hi, c.r.Due))
	}
	out := make([]PeriodResult, 0, len(observed)+1)
	add := func(p *span) {
		cell, judge := c.cell(p)
		m := c.sp.Maintain
		if then := c.versionThen(p.End); then.Maintain != nil {
			m = then.Maintain
		}
		k := newBand(m.Lower, m.Upper, c.sp.Tolerance)
		within := !p.End.Before(m.From) && (m.To.IsZero() || !p.Start.After(m.To)) && k.declared()
		if within {
			if k.lower != nil {
				cell.Lower = c.num(*k.lower)
			}
			if k.upper != nil {
				cell.Upper = c.num(*k.upper)
			}
		}
		switch {
		case judge && within:
			cell.Variance, cell.State = c.num(k.gap(p.value)), state(k.status(p.value))
		case judge:
			cell.State = PeriodNoTarget
		}
		out = append(out, cell)
	}
	for i := range observed {
		add(&observed[i])
	}
	if now := c.s.k.Span(c.asOf, c.s.cadence); now.End.After(c.asOf) && !slices.ContainsFunc(observed, func(p span) bool { return p.End == now.End }) {
		p := c.s.over(now)
		add(&p)
	}
	return out
}

func state(s Status) PeriodState {
	switch s {
	case OnTrack, Achieved:
		return PeriodMet
	case AtRisk:
		return PeriodNear
	}
	return PeriodNotMet
}
