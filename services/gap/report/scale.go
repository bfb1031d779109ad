package report

import (
	"math"
	"slices"
	"strconv"
	"time"

	"setpoint.dev/services/internal/calendar"
)

// scale maps a domain onto pixels; Ticks lie in the domain, ascending.
type scale struct {
	lo, hi float64
	from   float64 // pixel of lo
	to     float64 // pixel of hi
	ticks  []float64
}

// at is the pixel of v, at the edge for what lies outside.
func (s scale) at(v float64) float64 {
	// Halves, so that a domain as wide as all numbers does not overflow.
	f := (v/2 - s.lo/2) / (s.hi/2 - s.lo/2)
	return s.from + min(max(f, 0), 1)*(s.to-s.from)
}

// valueScale covers values with round ticks, n or so of them, after Heckbert,
// "Nice numbers for graph labels" (Graphics Gems, 1990), loose labelling.
// Zero is included where it is near.
func valueScale(values []float64, n int, from, to float64) scale {
	lo, hi := 0.0, 1.0
	if len(values) > 0 {
		lo, hi = slices.Min(values), slices.Max(values)
	}
	const largest = 1e300 // so that rounding outwards stays finite
	lo, hi = max(lo, -largest), min(hi, largest)
	lo, hi = min(lo, largest), max(hi, -largest)
	switch {
	case lo > 0 && lo <= hi/3:
		lo = 0
	case hi < 0 && hi >= lo/3:
		hi = 0
	}
	// A flat line gets room around it; so does one whose range the digits of a
	// float do not resolve.
	const least = 1e-290 // what is smaller is zero
	if size := max(math.Abs(lo), math.Abs(hi)); hi-lo <= max(size*1e-9, least) {
		pad := size * 0.1
		if size <= 10*least {
			pad = 1
		}
		lo, hi = lo-pad, hi+pad
	}
	if lo != 0 {
		lo -= (hi/2 - lo/2) / 16 // so that nothing lies on the axis
	}
	step := niceStep((hi/2 - lo/2) * 2 / float64(n))
	s := scale{lo: math.Floor(lo/step) * step, hi: math.Ceil(hi/step) * step, from: from, to: to}
	for i := math.Round(s.lo / step); i <= math.Round(s.hi/step); i++ {
		s.ticks = append(s.ticks, i*step)
	}
	return s
}

// niceStep is the least 1, 2, 2.5 or 5 times a power of ten that is no less
// than x.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	if p == 0 || math.IsInf(p, 0) || math.IsNaN(p) {
		return x
	}
	for _, f := range []float64{1, 2, 2.5, 5} {
		if f*p >= x*(1-1e-9) {
			return f * p
		}
	}
	return 10 * p
}

// tickLabels shows ticks in the metric's format, with as many more decimals as
// tell them apart.
func tickLabels(m Metric, ticks []float64) []string {
	labels := make([]string, len(ticks))
	for d := -1; d <= 9; d++ {
		if d >= 0 {
			m.Format.Decimals = &d
		}
		seen, distinct := map[string]bool{}, true
		for i, v := range ticks {
			labels[i] = m.brief(v)
			distinct = distinct && !seen[labels[i]]
			seen[labels[i]] = true
		}
		if distinct {
			break
		}
	}
	return labels
}

// dateTick is a labelled place on the time axis.
type dateTick struct {
	at    calendar.Date
	label string
}

// dateTicks are round dates in from to to, at most n of them.
func dateTicks(from, to calendar.Date, n int) []dateTick {
	days := to.Sub(from)
	switch {
	case days > 2*366:
		step := int(math.Max(1, niceStep(float64(days)/365.25/float64(n))))
		var out []dateTick
		for y := (from.Year() + step - 1) / step * step; y <= to.Year(); y += step {
			out = appendTick(out, calendar.Of(y, time.January, 1), from, to, strconv.Itoa(y))
		}
		return out
	case days > 70:
		step := 12
		for _, s := range []int{1, 2, 3, 6} {
			if days/(30*s) < n {
				step = s
				break
			}
		}
		var out []dateTick
		for m := 0; m <= 40; m += step {
			d := calendar.Of(from.Year(), time.January+time.Month(m), 1)
			out = appendTick(out, d, from, to, d.String()[:7])
		}
		return out
	}
	step := max(1, (days+n-1)/n)
	var out []dateTick
	for d := from; !d.After(to); d = d.AddDays(step) {
		out = append(out, dateTick{d, d.String()})
	}
	return out
}

func appendTick(out []dateTick, d, from, to calendar.Date, label string) []dateTick {
	if d.Before(from) || d.After(to) {
		return out
	}
	return append(out, dateTick{d, label})
}
