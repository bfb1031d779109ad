package forecast

import "math"

// theta fits the dynamic optimized theta model of Fiorucci, Pellegrini, Louzada,
// Petropoulos and Koehler, "Models for optimising the theta method and their
// relationship to state space models", International Journal of Forecasting 32
// (2016), eq. (11)-(18): exponential smoothing of the series, and a line fitted
// to what had come before each step, whose weight is 1 - 1/θ.
//
// Theta is 2 in the theta method of Assimakopoulos and Nikolopoulos (2000) and is
// optimized here, as are the smoothing α and the first level, by least squares of
// the one-step errors.
type theta struct {
	alpha, theta, level float64
	n                   int
	l, mean, a, b       float64 // state after the last value
	sse                 float64
}

// The grid that a fit starts from; a few rounds of halving refine it.
var (
	thetaAlphas = []float64{0.1, 0.3, 0.5, 0.7, 0.9}
	thetaThetas = []float64{1, 1.5, 2, 3, 6}
)

func fitTheta(y []float64) theta {
	best := theta{sse: math.Inf(1)}
	try := func(alpha, th float64) {
		if t := runTheta(y, clamp(alpha, 0.02, 0.99), math.Max(1, th)); t.sse < best.sse {
			best = t
		}
	}
	for _, alpha := range thetaAlphas {
		for _, th := range thetaThetas {
			try(alpha, th)
		}
	}
	for da, dt := 0.1, 0.3; da > 0.01; da, dt = da/2, dt/2 {
		for range 2 {
			before := best.sse
			alpha, th := best.alpha, best.theta
			try(alpha+da, th)
			try(alpha-da, th)
			try(alpha, th*(1+dt))
			try(alpha, th/(1+dt))
			if best.sse >= before {
				break
			}
		}
	}
	return best
}

// fitStandardTheta is the theta method as it was first given, with θ = 2.
func fitStandardTheta(y []float64) theta {
	best := theta{sse: math.Inf(1)}
	for alpha := 0.05; alpha < 1; alpha += 0.05 {
		if t := runTheta(y, alpha, 2); t.sse < best.sse {
			best = t
		}
	}
	return best
}

// runTheta gives the errors of one set of parameters. The first level enters the
// errors linearly, so that its best value is found in the same pass: with c the
// weight that is left of it, e = e₀ - c·δ.
func runTheta(y []float64, alpha, th float64) theta {
	t := theta{alpha: alpha, theta: th, n: len(y)}
	l := y[0]
	mean, a, b := 0.0, 0.0, 0.0
	w := 1 - 1/th
	rest, decay := 1.0, 1.0 // (1-α)^(t-1)
	see, sec, scc := 0.0, 0.0, 0.0
	for i, v := range y {
		next := decay * (1 - alpha)
		mu := l + w*(decay*a+(1-next)/alpha*b)
		e := v - mu
		if i > 0 { // the first value has no line before it
			see += e * e
			sec += e * rest
			scc += rest * rest
		}
		l += alpha * (v - l)
		rest *= 1 - alpha
		decay = next
		mean, a, b = line(i+1, mean, b, v)
	}
	delta := 0.0
	if scc > 1e-12 {
		delta = sec / scc
	}
	t.sse = see - delta*sec
	t.level = y[0] + delta
	t.l, t.mean, t.a, t.b = l+delta*rest, mean, a, b
	return t
}

// line updates mean, intercept and slope of the least-squares line through the
// first t values of a series when value t comes.
func line(t int, mean, slope, v float64) (m, a, b float64) {
	n := float64(t)
	m = ((n-1)*mean + v) / n
	if t >= 2 {
		b = ((n-2)*slope + 6/n*(v-mean)) / (n + 1)
	}
	return m, m - (n+1)/2*b, b
}

// forecast goes on with the forecasts in place of values.
func (t theta) forecast(h int) []float64 {
	out := make([]float64, h)
	l, mean, a, b := t.l, t.mean, t.a, t.b
	w := 1 - 1/t.theta
	decay := math.Pow(1-t.alpha, float64(t.n))
	for i := range out {
		next := decay * (1 - t.alpha)
		mu := l + w*(decay*a+(1-next)/t.alpha*b)
		out[i] = mu
		l += t.alpha * (mu - l)
		decay = next
		mean, a, b = line(t.n+i+1, mean, b, mu)
	}
	return out
}

// clamp keeps what is not a number.
func clamp(v, low, high float64) float64 {
	switch {
	case v < low:
		return low
	case v > high:
		return high
	}
	return v
}
