package gap

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"setpoint.dev/services/gap/forecast"
	"setpoint.dev/services/internal/calendar"
)

// Adjusted is what a target comes to by its end with what initiatives in progress
// are expected to add, by simulation. Numbers that are not known are nil.
type Adjusted struct {
	// Value is that of the status quo's method, moved by as much as what is added
	// moves the median.
	Value, Median                                        *float64
	Lower50, Upper50, Lower80, Upper80, Lower95, Upper95 *float64
	Attainment                                           *float64
	StandardError                                        float64
	Draws                                                int
	Unknown                                              string // why something is not known; "" if all is
	Initiatives                                          []string

	reached mask
}

// slipPart is how far an end slips beyond what is known of it, as a share of the
// planned length: the deviation of a half-normal (heuristic).
const slipPart = 0.1

// concentration of the beta distribution that adoption is drawn from.
const concentration = 10

// working is one contribution to a target.
type working struct {
	of   *Initiative
	from *Contribution
}

// workingOn lists what initiatives in progress contribute to a target, by the
// names of the initiatives.
func (e *evaluator) workingOn(target string) []working {
	if e.works == nil {
		e.works = map[string][]working{}
		for k := range e.p.Initiatives {
			i := &e.p.Initiatives[k]
			if !i.InProgress() {
				continue
			}
			for n := range i.Contributions {
				x := &i.Contributions[n]
				e.works[x.Target] = append(e.works[x.Target], working{i, x})
			}
		}
		for _, list := range e.works {
			slices.SortStableFunc(list, func(a, b working) int { return strings.Compare(a.of.Name, b.of.Name) })
		}
		e.slips = map[string]int{}
		for name, placed := range Schedule(e.p.Initiatives, e.asOf) {
			e.slips[name] = placed.SlipDays
		}
	}
	return e.works[target]
}

// expected is the share of the amount that is expected to come true: delivery, and
// adoption where it is known.
func (w working) expected(asOf calendar.Date) float64 {
	c := covered(*w.of, *w.from, asOf, calendar.Date{}, asOf)
	share := c.Delivery
	if c.Adoption != nil {
		share *= 1 - c.PeopleDependent + c.PeopleDependent**c.Adoption
	}
	return share
}

// realizes tells whether what it has added so far is in the values.
func (w working) realizes() bool { return w.of.Stage == "active" || w.of.Stage == "paused" }

// adjust simulates the two lines beside the status quo: with initiatives, and with
// how ready people are. values, ends and total are those that the status quo was
// forecast from.
func (c *comparison) adjust(o *Outlook, g goal, values []float64, last float64, total bool, lower, upper *float64) {
	works := c.workingOn(c.t.Name)
	if len(works) == 0 {
		return
	}
	s := 1.0
	if c.sp.Direction == Decrease || g.toward < 0 {
		s = -1
	}
	net, there := c.net(o, works, values, total, s)
	prediction := o.prediction
	if net != nil {
		low, high := shifted(lower, -s*there), shifted(upper, -s*there)
		if total {
			low, high = nil, nil
		}
		p, err := forecast.Predict(forecast.Series{Values: net, Period: seasons[c.s.cadence], Lower: low, Upper: high}, len(o.prediction.Point))
		if err != nil {
			return
		}
		prediction = p
	}
	with, ready := make([]float64, draws), make([]float64, draws)
	known := true
	var names []string
	for _, w := range works {
		names = append(names, w.of.Name)
		known = c.draw(w, o, with, ready) && known
	}
	names = slices.Compact(names)
	var base []float64
	value := prediction.Point[o.Steps-1]
	if total {
		value = last
		for _, v := range prediction.Point[:o.Steps] {
			value += v
		}
	}
	if prediction.Unknown == "" {
		base = c.base(o, &prediction, last, total)
	} else {
		base = []float64{value}
	}
	sorted := slices.Sorted(slices.Values(base))
	middle := sorted[len(sorted)/2]
	if total {
		value = middle
	}
	line := func(adds []float64) *Adjusted {
		a := &Adjusted{Draws: draws, Initiatives: names}
		outcomes := make([]float64, draws)
		for i, v := range adds {
			outcomes[i] = base[i%len(base)] + s*(there+v)
			if lower != nil && !total {
				outcomes[i] = max(outcomes[i], *lower)
			}
			if upper != nil && !total {
				outcomes[i] = min(outcomes[i], *upper)
			}
			if g.reached(outcomes[i]) {
				a.reached.set(i)
			}
		}
		slices.Sort(outcomes)
		at := func(q float64) *float64 { return c.num(outcomes[int(q*float64(draws-1))]) }
		a.Value = c.num(value + outcomes[draws/2] - middle)
		if prediction.Unknown != "" {
			a.Unknown, a.reached, a.Draws = prediction.Unknown, mask{}, 0
			return a
		}
		a.Median = at(.5)
		a.Lower50, a.Upper50, a.Lower80, a.Upper80, a.Lower95, a.Upper95 = at(.25), at(.75), at(.1), at(.9), at(.025), at(.975)
		share := float64(a.reached.count()) / draws
		a.Attainment, a.StandardError = c.num(share), math.Sqrt(share*(1-share)/draws)
		return a
	}
	o.WithInitiatives = line(with)
	if known {
		o.WithReadiness = line(ready)
	}
}

func shifted(v *float64, by float64) *float64 {
	if v == nil {
		return nil
	}
	x := *v + by
	return &x
}

// net takes out of the values what active initiatives have realized by then, so
// that the trend of it is not counted beside what they promise; there is what they
// have realized by the origin. It is nil where they have realized nothing.
func (c *comparison) net(o *Outlook, works []working, values []float64, total bool, s float64) (net []float64, there float64) {
	realized := func(d calendar.Date) float64 {
		sum := 0.0
		for _, w := range works {
			if w.realizes() {
				sum += w.from.amount() * w.from.ramp(d) * w.expected(c.asOf)
			}
		}
		return sum
	}
	if there = realized(o.Origin); there == 0 {
		return nil, 0
	}
	net = slices.Clone(values)
	end := o.Origin
	at := realized(end)
	for i := len(net) - 1; i >= 0; i-- {
		before := c.s.k.Span(end, c.s.cadence).Start.AddDays(-1)
		r := realized(before)
		if total {
			net[i] -= s * (at - r)
		} else {
			net[i] -= s * at
		}
		end, at = before, r
	}
	if total {
		return net, 0 // it is in what has come together
	}
	return net, there
}

// base is where the draws of a prediction end.
func (c *comparison) base(o *Outlook, p *forecast.Prediction, last float64, total bool) []float64 {
	out := make([]float64, draws)
	if total {
		for i, path := range p.Paths("metric/"+c.t.Metric, draws) {
			out[i] = last
			for _, v := range path[:o.Steps] {
				out[i] += v
			}
		}
		return out
	}
	for i, z := range c.walk(o.Steps) {
		out[i] = p.At(o.Steps, z)
	}
	return out
}

// draw adds what a contribution comes to in each draw. It tells whether how ready
// people are is known. What is drawn is the initiative's own, whatever it adds to.
func (c *comparison) draw(w working, o *Outlook, with, ready []float64) (known bool) {
	one := covered(*w.of, *w.from, o.Origin, o.At, c.asOf)
	id := "initiative/" + w.of.Name
	amounts := forecast.Normal(id+"/amount/"+w.from.Target, draws)
	delivered := forecast.Uniform(id+"/delivery", draws)
	slips := forecast.Normal(id+"/slip", draws)
	var adopted []float64
	if one.Adoption != nil {
		adopted = forecast.Uniform(id+"/adoption", draws)
		table := betaTable(*one.Adoption)
		for i, u := range adopted {
			adopted[i] = table.at(u)
		}
	}
	begun := w.from.ramp(o.Origin)
	length, late := float64(max(0, w.of.End.Sub(w.of.Start))), float64(c.slips[w.of.Name])
	if w.of.Start.IsZero() || w.of.End.IsZero() {
		length, late = float64(w.from.RampEnd.Sub(w.from.RampStart)), 0
	}
	for i := range with {
		if delivered[i] >= one.Delivery {
			continue
		}
		v := w.from.Likely
		if z := amounts[i]; z > 0 && w.from.High != nil {
			v += z * (*w.from.High - v) / z90
		} else if z < 0 && w.from.Low != nil {
			v += z * (v - *w.from.Low) / z90
		}
		slip := late + math.Abs(slips[i])*slipPart*length
		v *= max(0, w.from.ramp(o.At.AddDays(-int(math.Round(slip))))-begun)
		with[i] += v
		if adopted != nil {
			v *= 1 - one.PeopleDependent + one.PeopleDependent*adopted[i]
		}
		ready[i] += v
	}
	return one.Ready != nil
}

// beta is the quantile function of adoption at equal steps of the probability.
type beta [257]float64

// betaTable is that of Beta(10a, 10(1-a)): by its inverse, so that the same draw
// means a higher adoption whenever a is higher.
func betaTable(a float64) *beta {
	var t beta
	d := distuv.Beta{Alpha: concentration * a, Beta: concentration * (1 - a)}
	for i := range t {
		switch p := float64(i) / float64(len(t)-1); {
		case a <= 0 || i == 0:
			t[i] = 0
		case a >= 1 || i == len(t)-1:
			t[i] = 1
		default:
			t[i] = d.Quantile(p)
		}
	}
	return &t
}

func (t *beta) at(u float64) float64 {
	x := u * float64(len(t)-1)
	i := min(int(x), len(t)-2)
	return t[i] + (x-float64(i))*(t[i+1]-t[i])
}

// walk is where random walks of the metric stand after so many steps, in
// deviations: the same for each target of the metric, and hanging together over
// steps as those of forecast.Paths do.
func (e *evaluator) walk(steps int) []float64 {
	at := e.walked(steps)
	out := make([]float64, draws)
	root := math.Sqrt(float64(steps))
	for i, v := range at {
		out[i] = v / root
	}
	return out
}

// walked is a walk after so many steps. Powers of two come one after another, the
// steps in between by bridges, half of the way at a time, so that a long walk does
// not take a draw for each step.
func (e *evaluator) walked(h int) []float64 {
	if w := e.walks[h]; w != nil {
		return w
	}
	if e.walks == nil {
		e.walks = map[int][]float64{}
	}
	z := forecast.Normal("metric/"+e.series.m.Name+"/"+strconv.Itoa(h), draws)
	switch low := 1 << (bits.Len(uint(h)) - 1); {
	case h == 1:
	case h == low:
		before, d := e.walked(h/2), math.Sqrt(float64(h/2))
		for i := range z {
			z[i] = before[i] + d*z[i]
		}
	default:
		// Between the nearest two that are multiples of a higher power of two.
		step := h & -h
		a, b := e.walked(h-step), e.walked(h+step)
		d := math.Sqrt(float64(step) / 2)
		for i := range z {
			z[i] = (a[i]+b[i])/2 + d*z[i]
		}
	}
	e.walks[h] = z
	return z
}

// mask is the draws in which a target is reached.
type mask [(draws + 63) / 64]uint64

func (m *mask) set(i int) { m[i/64] |= 1 << (i % 64) }

func (m *mask) count() (n int) {
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}

func (m *mask) and(x *mask) {
	for i := range m {
		m[i] &= x[i]
	}
}

// quo is the mask of the status quo: by the probability itself, so that it agrees
// with the distribution.
func (c *comparison) quo(o *Outlook, g goal, below float64) *mask {
	m := &mask{}
	p := *o.Attainment
	low, high := distuv.UnitNormal.Quantile(clamp(1-p)), math.Inf(1)
	switch {
	case g.toward < 0:
		low, high = math.Inf(-1), distuv.UnitNormal.Quantile(clamp(p))
	case g.toward == 0:
		low, high = distuv.UnitNormal.Quantile(clamp(below)), distuv.UnitNormal.Quantile(clamp(below+p))
	}
	for i, z := range c.walk(o.Steps) {
		if low <= z && z <= high {
			m.set(i)
		}
	}
	return m
}

// Joint is about several targets together; see JointForecast.
type Joint struct {
	Targets, Unknown int
	Expected         float64 // the sum of the probabilities
	Lower, Upper     float64 // Fréchet's bounds of All
	All              float64
	StandardError    float64
	Draws            int
}

// JointForecast is the probability that all of several targets are reached, on
// each line; nil where it is not known.
type JointForecast struct{ StatusQuo, WithInitiatives, WithReadiness *Joint }

// joint adds targets up. Courses of a metric and what an initiative delivers are
// the same for all targets; probabilities are never multiplied.
func joint(list []*TargetResult) *JointForecast {
	lines := []struct {
		of func(*Outlook) (p *float64, m *mask, known bool)
	}{
		{func(o *Outlook) (*float64, *mask, bool) { return o.Attainment, o.reached, true }},
		{func(o *Outlook) (*float64, *mask, bool) {
			if a := o.WithInitiatives; a != nil {
				return a.Attainment, &a.reached, true
			}
			return o.Attainment, o.reached, true
		}},
		{func(o *Outlook) (*float64, *mask, bool) {
			switch {
			case o.WithInitiatives == nil:
				return o.Attainment, o.reached, true
			case o.WithReadiness == nil:
				return nil, nil, false
			}
			return o.WithReadiness.Attainment, &o.WithReadiness.reached, true
		}},
	}
	var out [3]*Joint
	works := slices.ContainsFunc(list, func(t *TargetResult) bool { return t.Outlook != nil && t.Outlook.WithInitiatives != nil })
	for n, line := range lines {
		if n > 0 && !works {
			break
		}
		j := &Joint{Upper: 1, Draws: draws}
		all := mask{}
		for i := range draws {
			all.set(i)
		}
		measured := true
		for _, t := range list {
			switch o := t.Outlook; {
			case t.final():
				j.Targets++
				if t.Status == Achieved {
					j.Expected++
				} else {
					j.Upper, all = 0, mask{}
				}
			case o == nil:
				j.Unknown++
			default:
				p, m, known := line.of(o)
				measured = measured && known
				if p == nil || m == nil {
					j.Unknown++
					continue
				}
				j.Targets++
				j.Expected += *p
				j.Upper = min(j.Upper, *p)
				all.and(m)
			}
		}
		if j.Targets == 0 || !measured {
			continue
		}
		j.Lower = min(j.Upper, max(0, j.Expected-float64(j.Targets)+1))
		share := float64(all.count()) / draws
		// Draws may stray from the bounds that the exact probabilities set.
		j.All, j.StandardError = min(max(share, j.Lower), j.Upper), math.Sqrt(share*(1-share)/draws)
		if j.Lower >= j.Upper {
			j.All, j.StandardError, j.Draws = j.Upper, 0, 0 // exact
		}
		out[n] = j
	}
	if out[0] == nil && out[1] == nil {
		return nil
	}
	return &JointForecast{out[0], out[1], out[2]}
}

// final tells whether the verdict does not change any more.
func (r *TargetResult) final() bool {
	return r.Status == Missed || r.Status == Achieved && r.Outlook == nil
}
