package forecast

import "math"

// points forecasts a series without gaps, of at least two values: the mean of
// several forecasts of what is left when the season is taken out, with the season
// put back. A mean of simple methods does better than the best of them chosen by
// its fit (Makridakis, Spiliotis and Assimakopoulos, International Journal of
// Forecasting 36 (2020)); which are taken depends on whether a season can be
// there.
//
// a is the series without its season s, which is nil where it has none, and missed
// the squared error of theta on it as its scale is measured: by its logarithms where
// all values are positive.
func points(y []float64, period, h int, positive bool) (out []float64, method string, a []float64, s *seasonal, missed float64) {
	a = y
	if of, ok := decompose(y, period, positive); ok {
		s, a = &of, of.adjusted(y, 0)
	}
	var forecasts [][]float64
	fitted := fitTheta(a)
	missed = fitted.sse
	forecasts = append(forecasts, fitted.forecast(h))
	method = "theta"
	var l []float64
	if positive {
		l = logarithms(a)
		of := fitTheta(l)
		missed = of.sse
		forecasts = append(forecasts, grown(of.forecast(h), l))
		method += ", theta of logarithms"
	}
	if period > 1 {
		forecasts = append(forecasts, fitStandardTheta(a).forecast(h))
		method += ", theta 2"
		if positive {
			forecasts = append(forecasts, grown(fitStandardTheta(l).forecast(h), l))
			method += ", theta 2 of logarithms"
		}
		forecasts = append(forecasts, fitDamped(a).forecast(h))
		method += ", damped trend"
	} else {
		forecasts = append(forecasts, drift(a, h))
		method += ", drift"
	}
	if s != nil {
		forecasts = append(forecasts, s.adjusted(seasonalSmoothing(y, *s, h), len(y)))
		method += ", seasonal smoothing"
	}
	out = make([]float64, h)
	last, steps := a[len(a)-1], float64(len(a)-1)
	for i := range out {
		for _, f := range forecasts {
			out[i] += clamp(f[i], -farthest, farthest) / float64(len(forecasts))
		}
		// A handful of steps says little of where the next ones go, and the less the
		// further ahead they are: what stays is the last value.
		seen := steps * steps / (steps*steps + ahead*float64(i+1))
		out[i] = last + seen*(out[i]-last)
		if s != nil {
			out[i] = s.again(out[i], len(y)+i)
		}
	}
	if s != nil {
		method += ", season"
	}
	return out, method, a, s, missed
}

// ahead is what a step ahead weighs against the square of the steps that were seen
// (docs/forecasting.md). It is the same for years, where a stump's trend says more,
// and for months, where it is mostly season.
const ahead = 2.0

// farthest is how many times the largest value a forecast may be: what grows by a
// rate for hundreds of steps leaves what a number holds.
const farthest = 1e9

func logarithms(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = math.Log(v)
	}
	return out
}

func exponentials(y []float64) []float64 {
	for i, v := range y {
		y[i] = math.Exp(v)
	}
	return y
}

// compounds is for how many steps a forecast of logarithms grows by a rate, as a
// share of those that were seen.
const compounds = 0.25

// grown are the exponentials of a forecast of logarithms: what grows by a rate does
// so for a quarter of the steps that were seen, and from there on by as much as
// then. A few values that doubled would get to thousands of times the last one.
func grown(y, seen []float64) []float64 {
	from, turn := int(compounds*float64(len(seen)-1)), seen[len(seen)-1]
	if from > 0 {
		turn = y[min(from, len(y))-1]
	}
	size := math.Exp(turn)
	for i, v := range y {
		if i >= from && v > turn {
			y[i] = size * (1 + v - turn)
		} else {
			y[i] = math.Exp(v)
		}
	}
	return y
}
