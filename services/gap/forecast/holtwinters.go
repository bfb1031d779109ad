package forecast

import "math"

// holtWinters is additive seasonal smoothing with a damped trend, ETS(A,Ad,A):
// Winters, "Forecasting sales by exponentially weighted moving averages",
// Management Science 6 (1960), in the error-correction form of Hyndman, Koehler,
// Ord and Snyder, Forecasting with Exponential Smoothing (2008), ch. 3. Its season
// moves, where that of a decomposition stays.
type holtWinters struct {
	alpha, beta, gamma, phi float64
	sse                     float64
}

// seasonalSmoothing forecasts a series whose season is known to begin with: by its
// logarithms where the season multiplies.
func seasonalSmoothing(y []float64, s seasonal, h int) []float64 {
	index := s.index
	if s.multiplicative {
		y, index = logarithms(y), logarithms(index)
	}
	m := len(index)
	// The first trend: the mean step of the first season.
	trend := (y[m] - y[0]) / float64(m)
	level := y[0] - index[0] - trend
	state := make([]float64, m)
	best := holtWinters{sse: math.Inf(1)}
	try := func(alpha, beta, gamma, phi float64) {
		w := holtWinters{alpha: clamp(alpha, 0.01, 0.99), phi: phi}
		w.beta, w.gamma = clamp(beta, 0, w.alpha), clamp(gamma, 0, 1-w.alpha)
		copy(state, index)
		if w.run(y, level, trend, state); w.sse < best.sse {
			best = w
		}
	}
	for _, phi := range []float64{0.9, 0.98} {
		for _, alpha := range []float64{0.1, 0.3, 0.6, 0.9} {
			for _, beta := range []float64{0, 0.1} {
				for _, gamma := range []float64{0, 0.05, 0.15, 0.3} {
					try(alpha, beta*alpha, gamma, phi)
				}
			}
		}
	}
	for d := 0.1; d > 0.01; d /= 2 {
		b := best
		try(b.alpha+d, b.beta, b.gamma, b.phi)
		try(b.alpha-d, b.beta, b.gamma, b.phi)
		try(b.alpha, b.beta+d/2, b.gamma, b.phi)
		try(b.alpha, b.beta-d/2, b.gamma, b.phi)
		try(b.alpha, b.beta, b.gamma+d/2, b.phi)
		try(b.alpha, b.beta, b.gamma-d/2, b.phi)
	}
	copy(state, index)
	level, trend = best.run(y, level, trend, state)
	out := make([]float64, h)
	for i := range out {
		trend *= best.phi
		level += trend
		out[i] = level
	}
	if s.multiplicative {
		out, state = grown(out, y), exponentials(state)
	}
	return seasonal{state, s.multiplicative}.onto(out, len(y))
}

// run smooths the series, from a level and a trend before its first value and a
// season that it moves, and leaves what they have come to.
func (w *holtWinters) run(y []float64, level, trend float64, season []float64) (l, b float64) {
	l, b = level, trend
	w.sse = 0
	k := 0
	for _, v := range y {
		b *= w.phi
		l += b
		e := v - l - season[k]
		w.sse += e * e
		l += w.alpha * e
		b += w.beta * e
		season[k] += w.gamma * e
		if k++; k == len(season) {
			k = 0
		}
	}
	return l, b
}
