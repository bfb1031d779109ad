package forecast

import "math"

// damped fits damped trend exponential smoothing, ETS(A,Ad,N): Gardner and
// McKenzie, "Forecasting trends in time series", Management Science 31 (1985);
// the parameters by least squares of the one-step errors. With φ = 1 it is Holt's
// method, with β = 0 and no trend simple exponential smoothing.
type damped struct {
	alpha, beta, phi float64
	level, trend     float64
	sse              float64
}

func fitDamped(y []float64) damped {
	// The first trend: the mean of the first few steps.
	k := min(len(y)-1, 4)
	first := 0.0
	if k > 0 {
		first = (y[k] - y[0]) / float64(k)
	}
	best := damped{sse: math.Inf(1)}
	try := func(alpha, beta, phi float64) {
		alpha = clamp(alpha, 0.02, 0.99)
		if d := runDamped(y, alpha, clamp(beta, 0, alpha), clamp(phi, 0.8, 1), first); d.sse < best.sse {
			best = d
		}
	}
	for _, phi := range []float64{0.8, 0.9, 0.95, 0.98} {
		for _, alpha := range []float64{0.1, 0.3, 0.5, 0.7, 0.9, 0.99} {
			for _, beta := range []float64{0, 0.05, 0.2, 0.5} {
				try(alpha, beta*alpha, phi)
			}
		}
	}
	for d := 0.1; d > 0.01; d /= 2 {
		for range 2 {
			before, b := best.sse, best
			try(b.alpha+d, b.beta, b.phi)
			try(b.alpha-d, b.beta, b.phi)
			try(b.alpha, b.beta+d, b.phi)
			try(b.alpha, b.beta-d, b.phi)
			if best.sse >= before {
				break
			}
		}
	}
	return best
}

func runDamped(y []float64, alpha, beta, phi, trend float64) damped {
	l, b := y[0], trend
	sse := 0.0
	for _, v := range y[1:] {
		mu := l + phi*b
		e := v - mu
		sse += e * e
		l, b = mu+alpha*e, phi*b+beta*e
	}
	return damped{alpha, beta, phi, l, b, sse}
}

func (d damped) forecast(h int) []float64 {
	out := make([]float64, h)
	sum, p := 0.0, 1.0
	for i := range out {
		p *= d.phi
		sum += p
		out[i] = d.level + sum*d.trend
	}
	return out
}

// drift goes on as the series went from its first value to its last.
func drift(y []float64, h int) []float64 {
	n := len(y)
	d := 0.0
	if n > 1 {
		d = (y[n-1] - y[0]) / float64(n-1)
	}
	out := make([]float64, h)
	for i := range out {
		out[i] = y[n-1] + d*float64(i+1)
	}
	return out
}
