package gap

import (
	"math"
	"slices"

	"setpoint.dev/services/gap/forecast"
	"setpoint.dev/services/internal/calendar"
)

const (
	// draws is of how many courses sums and first arrivals are counted; the
	// standard error of a share of one half is 0.005.
	draws = 10_000
	// arrivals is of how many the median day of arrival is taken.
	arrivals = 1_000
	// farthest is how many periods ahead is forecast.
	farthest = 2_000
	// beyond is how far past the end an arrival is looked for, in lengths of the
	// way there.
	beyond = 2
)

// Outlook is what to expect of a target's metric by the target's end: the status
// quo, as the values known so far go on. Numbers that are not known are nil.
type Outlook struct {
	// Origin is the last day of the last complete period; horizons count from
	// there. Period is the one forecast for, At its last day.
	Origin, At calendar.Date
	Period     string
	Steps      int // periods of the metric from Origin to At

	Value                                                *float64 // the forecast
	Lower50, Upper50, Lower80, Upper80, Lower95, Upper95 *float64
	Method                                               string
	Observations                                         int
	// Unknown says why something is not known; "" if all is.
	Unknown string

	// Attainment is the probability of reaching the target in the period At, and
	// StandardError that of its simulation, 0 where it is exact for the model.
	Attainment    *float64
	StandardError float64
	// AttainmentDate is the last day of the period by which the target is reached
	// in half of the courses; unset if fewer get there within twice the way.
	AttainmentDate calendar.Date
	// Rates are by period of the metric, positive towards the target: what is
	// needed to reach it, and what is expected.
	RequiredRate, CurrentRate *float64

	// With what initiatives in progress are expected to add, and with how ready the
	// people are besides: nil where nothing works on the target, and the latter where
	// people have not been measured.
	WithInitiatives, WithReadiness *Adjusted

	reached    *mask // draws in which it is reached; nil if not known, or not asked for
	prediction forecast.Prediction
	ends       []calendar.Date
	names      []string
}

// OutlookStep is one period of a forecast.
type OutlookStep struct {
	Period                             string
	End                                calendar.Date
	Value                              float64
	Lower80, Upper80, Lower95, Upper95 *float64
}

// Course lists what to expect period by period, up to At. Of a running total it
// is the periods that are added up.
func (o *Outlook) Course() []OutlookStep {
	var out []OutlookStep
	for i := range min(o.Steps, len(o.prediction.Point)) {
		s := OutlookStep{Period: o.names[i], End: o.ends[i], Value: o.prediction.Point[i]}
		s.Lower80, s.Upper80 = known(o.prediction.Interval(i+1, 0.8))
		s.Lower95, s.Upper95 = known(o.prediction.Interval(i+1, 0.95))
		out = append(out, s)
	}
	return out
}

func known(a, b float64) (x, y *float64) {
	if finite(a) && finite(b) {
		return &a, &b
	}
	return nil, nil
}

// outlook forecasts the metric from its last complete period to the target's end.
func (c *comparison) outlook() {
	r := c.r
	if r.Form == MilestoneForm || r.Status == Achieved && !c.asOf.Before(r.Due) || r.Status == Missed || !c.s.hasLast {
		return
	}
	goal, end, ok := c.goal()
	if !ok || !end.End.After(c.s.last.End) {
		return
	}
	o := &Outlook{Origin: c.s.last.End, At: end.End, Period: c.s.named(end).Name}
	r.Outlook = o
	values, total := c.known()
	last := values[len(values)-1]
	if total != nil {
		last = *total
	}
	horizon := 0
	for p := c.s.k.Span(o.Origin.AddDays(1), c.s.cadence); ; p = c.s.k.Span(p.End.AddDays(1), c.s.cadence) {
		o.ends, o.names = append(o.ends, p.End), append(o.names, c.s.named(p).Name)
		if horizon++; !p.End.Before(end.End) {
			break
		}
		if horizon > farthest {
			o.Unknown = "its end is too many periods away"
			return
		}
	}
	o.Steps = horizon
	ahead := min(beyond*horizon, farthest)
	if c.opts.Chances {
		ahead = horizon
	}
	lower, upper := c.bounds(values, goal)
	p, err := forecast.Predict(forecast.Series{Values: values, Period: seasons[c.s.cadence], Lower: lower, Upper: upper}, ahead)
	if err != nil {
		o.Unknown = err.Error()
		return
	}
	o.prediction, o.Method, o.Observations, o.Unknown = p, p.Method, p.Observations, p.Unknown
	if goal.toward != 0 {
		o.RequiredRate = c.num(goal.toward * (goal.value - last) / float64(horizon))
	}
	if total != nil {
		c.runsUp(o, goal, last)
	} else {
		c.arrives(o, goal, last)
	}
	if !c.opts.Chances {
		c.adjust(o, goal, values, last, total != nil, lower, upper)
	}
}

// goal is what a target wants by its end.
type goal struct {
	toward       float64 // +1 to rise to value, -1 to fall to it, 0 to lie between lower and upper
	value        float64
	lower, upper float64
}

func (g goal) reached(v float64) bool {
	if g.toward == 0 {
		return g.lower <= v && v <= g.upper
	}
	return g.toward*(v-g.value) >= 0
}

// goal finds what is wanted, and the metric's period in which it counts.
func (c *comparison) goal() (g goal, end calendar.Period, ok bool) {
	r := c.r
	switch r.Form {
	case PathForm:
		if r.Target == nil || r.Direction == Undirected {
			return g, end, false
		}
		return goal{toward: float64(r.Direction), value: *r.Target}, c.s.k.Span(c.sp.Due, c.s.cadence), true
	case MaintainForm:
		m := c.sp.Maintain
		if m == nil || m.To.IsZero() {
			return g, end, false
		}
		return between(m.Lower, m.Upper, 0), c.s.k.Span(m.To, c.s.cadence), true
	case PeriodsForm:
		rows, _ := c.declaredRows()
		for _, w := range slices.Backward(rows) {
			if !w.hasTarget() || !c.opts.ForecastBy.IsZero() && w.End.After(c.opts.ForecastBy) {
				continue
			}
			end = c.s.k.Span(w.End, c.s.cadence)
			if end.Start.After(w.Start) && c.s.m.Aggregation != Last && c.s.m.Aggregation != "" && c.s.total == nil {
				return g, end, false // of several of the metric's periods together
			}
			if w.isBand() {
				return between(w.pt.Lower, w.pt.Upper, w.sp.Tolerance), end, true
			}
			d := float64(w.sp.Direction)
			return goal{toward: d, value: *w.pt.Value - d*w.sp.Tolerance}, end, w.sp.Direction != Undirected
		}
	}
	return g, end, false
}

func between(lower, upper *float64, tolerance float64) goal {
	g := goal{lower: math.Inf(-1), upper: math.Inf(1)}
	if lower != nil {
		g.lower = *lower - tolerance
	}
	if upper != nil {
		g.upper = *upper + tolerance
	}
	return g
}

// known lists the values of the metric's periods up to the last complete one,
// NaN where one is not; from before a change of method none. Of a running total
// they are what each period added, and total what they have come to.
func (c *comparison) known() (values []float64, total *float64) {
	var from calendar.Date
	if k, broken := c.s.breakBetween(calendar.Date{}, c.s.last.End); broken {
		from = k.Date
	}
	before := math.NaN()
	next := calendar.Date{}
	for _, p := range c.s.all() {
		if p.End.After(c.s.last.End) {
			break
		}
		if p.Start.Before(from) {
			continue
		}
		for len(values) > 0 && next.Before(p.Start) && len(values) < forecast.MaxValues {
			values = append(values, math.NaN())
			next = c.s.k.Span(next, c.s.cadence).End.AddDays(1)
		}
		v := p.value
		if !p.complete() {
			v = math.NaN()
		}
		if c.s.total != nil {
			v, before = v-before, v
		}
		values = append(values, v)
		next = p.End.AddDays(1)
	}
	if c.s.total != nil {
		if len(values) > 1 {
			values = values[1:] // what was there before the first is not known
		}
		return values, &c.s.last.value
	}
	if len(values) == 0 { // the method changed within the last period
		values = append(values, c.s.last.value)
	}
	return values, nil
}

// bounds are those declared; else a share that has always been one stays one,
// and a count is never negative.
func (c *comparison) bounds(values []float64, g goal) (lower, upper *float64) {
	lower, upper = c.s.m.Lower, c.s.m.Upper
	least, most := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			least, most = math.Min(least, v), math.Max(most, v)
		}
	}
	if g.toward != 0 {
		least, most = math.Min(least, g.value), math.Max(most, g.value)
	}
	style := c.s.m.Format.Style
	if lower == nil && least >= 0 && (style == "percent" || style == "integer" || style == "boolean") {
		lower = new(float64)
	}
	if upper == nil && least >= 0 && most <= 1 && (style == "percent" || style == "boolean") {
		one := 1.0
		upper = &one
	}
	return lower, upper
}

// seasons is how many periods of a cadence make a season.
var seasons = map[calendar.Cadence]int{calendar.Daily: 7, calendar.Weekly: 52, calendar.Monthly: 12, calendar.Quarterly: 4, calendar.Yearly: 1}

// arrives reads the outlook of a metric off its distribution.
func (c *comparison) arrives(o *Outlook, g goal, last float64) {
	p, h := &o.prediction, o.Steps
	o.Value = c.num(p.Point[h-1])
	if g.toward != 0 {
		o.CurrentRate = c.num(g.toward * (p.Point[h-1] - last) / float64(h))
	}
	if o.Unknown != "" {
		return
	}
	for _, x := range []struct {
		level        float64
		lower, upper **float64
	}{{.5, &o.Lower50, &o.Upper50}, {.8, &o.Lower80, &o.Upper80}, {.95, &o.Lower95, &o.Upper95}} {
		low, high := p.Interval(h, x.level)
		*x.lower, *x.upper = c.num(low), c.num(high)
	}
	switch {
	case g.toward > 0:
		o.Attainment = c.num(p.AtLeast(h, g.value))
	case g.toward < 0:
		o.Attainment = c.num(p.AtMost(h, g.value))
	default:
		below := 1 - p.AtLeast(h, g.lower)
		o.Attainment = c.num(math.Max(0, p.AtMost(h, g.upper)-below))
		c.remember(o, g, below)
		return
	}
	c.remember(o, g, 0)
	if g.reached(last) {
		o.AttainmentDate = o.Origin
		return
	}
	// A walk passes a point at most twice as often as it ends beyond it: where a
	// quarter never is, half never arrive.
	if c.opts.Chances {
		return
	}
	likely := false
	for step := 1; step <= len(p.Point) && !likely; step++ {
		at := p.AtLeast(step, g.value)
		if g.toward < 0 {
			at = p.AtMost(step, g.value)
		}
		likely = at >= 0.25
	}
	if likely {
		c.firstPassage(o, g)
	}
}

// remember keeps in which draws the target is reached, where several are to be
// added up.
func (c *comparison) remember(o *Outlook, g goal, below float64) {
	if c.opts.ForecastOf == nil && !c.opts.Chances && !c.opts.Apart && o.Attainment != nil {
		o.reached = c.quo(o, g, below)
	}
}

// firstPassage is the step by which half of the courses have arrived.
func (c *comparison) firstPassage(o *Outlook, g goal) {
	arrived := make([]int, len(o.prediction.Point))
	for _, path := range o.prediction.Paths("metric/"+c.t.Metric, arrivals) {
		for step, v := range path {
			if g.reached(v) {
				arrived[step]++
				break
			}
		}
	}
	sum := 0
	for step, n := range arrived {
		if sum += n; 2*sum >= arrivals {
			o.AttainmentDate = c.endOf(o, step)
			return
		}
	}
}

// endOf is the last day of a step, also of one beyond the target's end.
func (c *comparison) endOf(o *Outlook, step int) calendar.Date {
	for len(o.ends) <= step {
		p := c.s.k.Span(o.ends[len(o.ends)-1].AddDays(1), c.s.cadence)
		o.ends, o.names = append(o.ends, p.End), append(o.names, c.s.named(p).Name)
	}
	return o.ends[step]
}

// runsUp adds up the courses of a running total: what has come together is known,
// the rest is drawn. The bounds of sums are not the sums of bounds.
func (c *comparison) runsUp(o *Outlook, g goal, have float64) {
	p, h := &o.prediction, o.Steps
	rest := 0.0
	for _, v := range p.Point[:h] {
		rest += v
	}
	o.Value = c.num(have + rest)
	if g.toward != 0 {
		o.CurrentRate = c.num(g.toward * rest / float64(h))
	}
	if o.Unknown != "" {
		return
	}
	sums := make([]float64, 0, draws)
	reached, arrived := 0, make([]int, h)
	o.reached = &mask{}
	for i, path := range p.Paths("metric/"+c.t.Metric, draws) {
		sum, there := have, g.toward != 0 && g.reached(have)
		for step, v := range path[:h] {
			sum += v
			if !there && g.toward != 0 && g.reached(sum) {
				there = true
				arrived[step]++
			}
		}
		if g.reached(sum) {
			reached++
			o.reached.set(i)
		}
		sums = append(sums, sum)
	}
	slices.Sort(sums)
	at := func(q float64) *float64 { return c.num(sums[int(q*float64(draws-1))]) }
	o.Value = at(0.5)
	o.Lower50, o.Upper50, o.Lower80, o.Upper80, o.Lower95, o.Upper95 = at(.25), at(.75), at(.1), at(.9), at(.025), at(.975)
	share := float64(reached) / draws
	o.Attainment, o.StandardError = c.num(share), math.Sqrt(share*(1-share)/draws)
	if g.toward != 0 && g.reached(have) {
		o.AttainmentDate = o.Origin
		return
	}
	sum := 0
	for step, n := range arrived {
		if sum += n; 2*sum >= draws {
			o.AttainmentDate = o.ends[step]
			return
		}
	}
}
