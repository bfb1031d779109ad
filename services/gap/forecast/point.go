package forecast

import "math"

// points forecasts a series without gaps, of at least two values: the mean of
// several forecasts of what is left when the season is taken out, with the season
// put back. A mean of simple methods does better than the best of them chosen by
// its fit (Makridakis, Spiliotis and Assimakopoulos, International Journal of
// Forecasting 36 (2020)); which are taken depends on whether a season can be
// there.
//
// missed is the squared error of theta on the series as its scale is measured, by
// its logarithms where all values are positive; NaN where that was not fitted.
func points(y []float64, period, h int, positive bool) (out []float64, method string, missed float64) {
	s, seasonal := decompose(y, period, positive)
	a := y
	if seasonal {
		a = s.adjusted(y)
	}
	var forecasts [][]float64
	missed = math.NaN()
	fitted := fitTheta(a)
	if !seasonal && !positive {
		missed = fitted.sse
	}
	forecasts = append(forecasts, fitted.forecast(h))
	method = "theta"
	var l []float64
	if positive {
		l = logarithms(a)
		of := fitTheta(l)
		if !seasonal {
			missed = of.sse
		}
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
	out = make([]float64, h)
	for i := range out {
		for _, f := range forecasts {
			out[i] += clamp(f[i], -farthest, farthest) / float64(len(forecasts))
		}
		if seasonal {
			out[i] = s.again(out[i], len(y)+i)
		}
	}
	if seasonal {
		method += ", season"
	}
	return out, method, missed
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
