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

// decompose estimates the season of a series, of at least three; ok is false where
// there can be none.
//
// What a handful of seasons show is part chance: the indices are drawn together as
// far as they scatter within a place, by the James-Stein estimator of Miller and
// Williams, "Shrinkage estimators of time series seasonal factors and their effect
// on forecasting accuracy", International Journal of Forecasting 19 (2003). A season
// that is nothing but chance is drawn together to none, so that it needs no test;
// up to three places cannot be drawn together, and are tested.
func decompose(y []float64, m int, multiplicative bool) (s seasonal, ok bool) {
	if m < 2 || len(y) < 3*m || m <= 3 && !significant(y, m) {
		return s, false
	}
	index, noise := indices(y, m, multiplicative)
	if index == nil {
		return s, false
	}
	none := 0.0
	if multiplicative {
		none = 1
	}
	if m > 3 {
		between := 0.0
		for _, v := range index {
			between += (v - none) * (v - none) / float64(m-1)
		}
		if between == 0 {
			return s, false
		}
		together := math.Min(1, float64(m-3)/float64(m-1)*noise/between)
		for k, v := range index {
			index[k] = none + (1-together)*(v-none)
		}
	}
	return seasonal{index, multiplicative}, true
}

// indices are the mean ratios, or differences, of values and centred moving
// averages by place in the season, and noise the mean of their squared standard
// errors; nil where they cannot be had.
func indices(y []float64, m int, multiplicative bool) (index []float64, noise float64) {
	n, half := len(y), m/2
	ratios := make([]float64, n)
	index, counts := make([]float64, m), make([]float64, m)
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
		ratios[i] = y[i] - trend
		if multiplicative {
			if trend <= 0 {
				return nil, 0
			}
			ratios[i] = y[i] / trend
		}
		index[i%m] += ratios[i]
		counts[i%m]++
	}
	mean := 0.0
	for k := range index {
		if counts[k] == 0 {
			return nil, 0
		}
		index[k] /= counts[k]
		mean += index[k] / float64(m)
	}
	for i := half; i < n-half; i++ {
		if k := i % m; counts[k] > 1 {
			e := ratios[i] - index[k]
			noise += e * e / (counts[k] - 1) / counts[k] / float64(m)
		}
	}
	for k := range index {
		if multiplicative {
			if index[k] /= mean; index[k] <= 0 {
				return nil, 0
			}
		} else {
			index[k] -= mean
		}
	}
	return index, noise
}

// adjusted takes the season out of values from place from of the series on.
func (s seasonal) adjusted(y []float64, from int) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		if k := s.index[(from+i)%len(s.index)]; s.multiplicative {
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

// onto puts it back onto all that comes from place from of the series on.
func (s seasonal) onto(y []float64, from int) []float64 {
	for i, v := range y {
		y[i] = s.again(v, from+i)
	}
	return y
}

// Season is what the season of a positive series multiplies it by, by place in
// the period, as the competitions' benchmarks estimate it; nil where it has none
// that is beyond chance.
func Season(y []float64, period int) []float64 {
	if !significant(y, period) {
		return nil
	}
	index, _ := indices(y, period, true)
	return index
}
