package forecast

import "math"

// seasonal is what a season multiplies a series by, or adds to it: classical
// decomposition by centred moving averages, as the M competitions' benchmarks
// use it (Makridakis, Spiliotis and Assimakopoulos, International Journal of
// Forecasting 36 (2020), appendix).
type seasonal struct {
	index          []float64 // by place in the period, of the first value on
	multiplicative bool
}

// significant tells whether the autocorrelation at lag m is beyond what chance
// gives 90 % of the time, by Bartlett's formula.
func significant(y []float64, m int) bool {
	n := len(y)
	if m < 2 || n < 3*m {
		return false
	}
	mean := 0.0
	for _, v := range y {
		mean += v / float64(n)
	}
	c0 := 0.0
	for _, v := range y {
		c0 += (v - mean) * (v - mean)
	}
	if c0 == 0 {
		return false
	}
	sum, last := 0.0, 0.0
	for lag := 1; lag <= m; lag++ {
		c := 0.0
		for i := lag; i < n; i++ {
			c += (y[i] - mean) * (y[i-lag] - mean)
		}
		last = c / c0
		if lag < m {
			sum += last * last
		}
	}
	return math.Abs(last) > 1.645*math.Sqrt((1+2*sum)/float64(n))
}

// decompose estimates the season of a series; ok is false where there is none.
func decompose(y []float64, m int, multiplicative bool) (s seasonal, ok bool) {
	if !significant(y, m) {
		return s, false
	}
	n, half := len(y), m/2
	sums, counts := make([]float64, m), make([]float64, m)
	for i := half; i < n-half; i++ {
		trend := 0.0
		if m%2 == 0 {
			for k := i - half + 1; k < i+half; k++ {
				trend += y[k]
			}
			trend = (trend + (y[i-half]+y[i+half])/2) / float64(m)
		} else {
			for k := i - half; k <= i+half; k++ {
				trend += y[k] / float64(m)
			}
		}
		ratio := y[i] - trend
		if multiplicative {
			if trend <= 0 {
				return s, false
			}
			ratio = y[i] / trend
		}
		sums[i%m] += ratio
		counts[i%m]++
	}
	mean := 0.0
	for k := range sums {
		if counts[k] == 0 {
			return s, false
		}
		sums[k] /= counts[k]
		mean += sums[k] / float64(m)
	}
	for k := range sums {
		if multiplicative {
			if sums[k] /= mean; sums[k] <= 0 {
				return s, false
			}
		} else {
			sums[k] -= mean
		}
	}
	return seasonal{sums, multiplicative}, true
}

func (s seasonal) adjusted(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		if k := s.index[i%len(s.index)]; s.multiplicative {
			out[i] = v / k
		} else {
			out[i] = v - k
		}
	}
	return out
}

// again puts the season back onto what comes at place i of the series.
func (s seasonal) again(v float64, i int) float64 {
	if k := s.index[i%len(s.index)]; s.multiplicative {
		return v * k
	} else {
		return v + k
	}
}

// Season is what the season of a positive series multiplies it by, by place in
// the period; nil where it has none.
func Season(y []float64, period int) []float64 {
	s, ok := decompose(y, period, true)
	if !ok {
		return nil
	}
	return s.index
}
