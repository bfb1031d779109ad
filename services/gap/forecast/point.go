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
		forecasts = append(forecasts, exponentials(of.forecast(h)))
		method += ", theta of logarithms"
	}
	if period > 1 {
		forecasts = append(forecasts, fitStandardTheta(a).forecast(h))
		method += ", theta 2"
		if positive {
			forecasts = append(forecasts, exponentials(fitStandardTheta(l).forecast(h)))
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
	for i := range out {
		for _, f := range forecasts {
			out[i] += clamp(f[i], -farthest, farthest) / float64(len(forecasts))
		}
		if s != nil {
			out[i] = s.again(out[i], len(y)+i)
		}
	}
	if s != nil {
		method += ", season"
	}
	return out, method, a, s, missed
}

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
