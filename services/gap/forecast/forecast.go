package forecast

import (
	"errors"
	"math"
)

// Limits of what is forecast.
const (
	MaxValues  = 100_000
	MaxHorizon = 10_000

	maxValue = 1e200
)

// Errors of Predict.
var (
	ErrNoValues = errors.New("forecast: there are no values")
	ErrHorizon  = errors.New("forecast: the horizon is not from 1 to 10,000 steps")
	ErrTooMany  = errors.New("forecast: there are more than 100,000 values")
	ErrValue    = errors.New("forecast: a value is beyond 1e200")
	ErrBounds   = errors.New("forecast: the lower bound is above the upper one")
)

// Series is what is forecast.
type Series struct {
	// Values are of equal steps, oldest first; NaN where one is missing. Missing
	// ones at the end do not count: the forecast begins after the last known value.
	Values []float64
	// Period is the number of steps in a season, 12 for months; 0 or 1 if there
	// can be none.
	Period int
	// Lower and Upper bound what is possible; nil if nothing does.
	Lower, Upper *float64
}

// Prediction is what comes after the last known value of a series.
type Prediction struct {
	// Method names what was combined.
	Method string
	// Observations is how many known values there were.
	Observations int
	// Point is what to expect of each step, in the series' unit. It need not be the
	// median of the distribution, whose quantiles are those of errors as they were.
	Point []float64
	// Unknown says why there is no probability; "" if there is.
	Unknown string

	centre       []float64 // on the working scale
	scales       []float64 // there, by step
	class        int       // the row of the table
	positive     bool      // all values were
	sizes        []float64 // by step, if positive: the last of them, with the step's season
	lower, upper float64
	quantiles    [][levels]float64 // standardized, by step
}

// Predict forecasts a number of steps.
//
// A single value, or a series that never moves, has a point and no probability:
// nothing tells how much it may move.
func Predict(s Series, horizon int) (Prediction, error) {
	switch {
	case horizon < 1 || horizon > MaxHorizon:
		return Prediction{}, ErrHorizon
	case len(s.Values) > MaxValues:
		return Prediction{}, ErrTooMany
	}
	p := Prediction{lower: math.Inf(-1), upper: math.Inf(1)}
	if s.Lower != nil {
		p.lower = *s.Lower
	}
	if s.Upper != nil {
		p.upper = *s.Upper
	}
	if !(p.lower <= p.upper) {
		return Prediction{}, ErrBounds
	}
	y, known, err := complete(s.Values)
	if err != nil {
		return Prediction{}, err
	}
	p.Observations = known
	// Powers of two, so that nothing is lost: sums of squares of huge or tiny
	// values would leave what a number can hold.
	unit := magnitude(y)
	for i := range y {
		y[i] /= unit
	}
	constant, positive := true, true
	for _, v := range y {
		constant = constant && v == y[0]
		// What is next to nothing has no size that moves are a share of.
		positive = positive && v > 1e-6
	}
	switch {
	case known == 1:
		p.Unknown = "one value does not tell how much the next may differ"
	case constant:
		p.Unknown = "all values are the same"
	}
	if p.Unknown != "" {
		p.Method = "last value"
		for range horizon {
			p.Point = append(p.Point, clamp(y[len(y)-1]*unit, p.lower, p.upper))
		}
		return p, nil
	}
	var (
		adjusted []float64
		season   *seasonal
		missed   float64
	)
	p.Point, p.Method, adjusted, season, missed = points(y, s.Period, horizon, positive)
	p.positive = positive
	var moves float64
	p.scales, moves = scales(adjusted, known, positive, horizon, missed)
	p.class = classOf(s.Period, season != nil, moves)
	p.quantiles = multiples(p.class, known, horizon)
	last := adjusted[len(adjusted)-1]
	p.centre = make([]float64, horizon)
	if positive {
		p.sizes = make([]float64, horizon)
	}
	for i, v := range p.Point {
		if !positive {
			p.Point[i] = clamp(v*unit, p.lower, p.upper)
			p.centre[i], p.scales[i] = v*unit, p.scales[i]*unit
			continue
		}
		size := last
		if season != nil {
			size = season.again(last, len(y)+i)
		}
		// What was always positive does not get to 0 in the median.
		v = math.Max(v, size*1e-3)
		p.sizes[i] = size * unit
		p.centre[i] = root(v, size)
		p.Point[i] = clamp(v*unit, p.lower, p.upper)
	}
	return p, nil
}

// complete drops what is missing at both ends and draws lines over what is
// missing in between.
func complete(values []float64) (y []float64, known int, err error) {
	first, last := -1, -1
	for i, v := range values {
		if math.Abs(v) > maxValue {
			return nil, 0, ErrValue
		}
		if !math.IsNaN(v) {
			if first < 0 {
				first = i
			}
			last = i
			known++
		}
	}
	if known == 0 {
		return nil, 0, ErrNoValues
	}
	y = append(y, values[first:last+1]...)
	for i, v := range y {
		if !math.IsNaN(v) {
			continue
		}
		next := i
		for math.IsNaN(y[next]) {
			next++
		}
		// In parts, so that the difference of huge values does not overflow.
		w := 1 / float64(next-i+1)
		y[i] = y[i-1]*(1-w) + y[next]*w
	}
	return y, known, nil
}

// magnitude is the power of two that brings the largest value to about 1.
func magnitude(y []float64) float64 {
	most := 0.0
	for _, v := range y {
		most = math.Max(most, math.Abs(v))
	}
	if most == 0 {
		return 1
	}
	_, exponent := math.Frexp(most)
	return math.Ldexp(1, max(-1000, min(exponent, 1000)))
}
