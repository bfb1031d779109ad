package main

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"setpoint.dev/services/gap/forecast"
)

// score adds up the competitions' measures (Makridakis, Spiliotis and
// Assimakopoulos, International Journal of Forecasting 36 (2020)): sMAPE, MASE,
// OWA against Naive2, and MSIS of the 95 % intervals. Steps count alike in sMAPE
// and coverage within a frequency; MASE and MSIS are means of series.
type score struct {
	n                                int
	smape, mase, smape2, mase2, msis float64 // sums over series
	scaled, ranged                   int     // series with a scale, and with intervals too
	cover80, cover95, steps          float64
	seconds                          float64
	perStep, perStepCount            float64 // sMAPE over steps
}

func (s *score) add(o score) {
	s.n += o.n
	s.smape, s.mase, s.smape2, s.mase2, s.msis = s.smape+o.smape, s.mase+o.mase, s.smape2+o.smape2, s.mase2+o.mase2, s.msis+o.msis
	s.scaled, s.ranged = s.scaled+o.scaled, s.ranged+o.ranged
	s.cover80, s.cover95, s.steps = s.cover80+o.cover80, s.cover95+o.cover95, s.steps+o.steps
	s.seconds += o.seconds
	s.perStep, s.perStepCount = s.perStep+o.perStep, s.perStepCount+o.perStepCount
}

// String is one line of measures. Where the horizons of the series differ, as in
// all of M3, sMAPE is the mean over steps, as that competition has it.
func (s score) String() string {
	n, k := float64(s.n), float64(s.scaled)
	return fmt.Sprintf("n=%d sMAPE=%.3f MASE=%.3f OWA=%.3f MSIS=%.3f cover80=%.3f cover95=%.3f seconds=%.1f",
		s.n, s.perStep/s.perStepCount, s.mase/k, (s.smape/s.smape2+s.mase/s.mase2)/2, s.msis/float64(s.ranged), s.cover80/s.steps, s.cover95/s.steps, s.seconds) +
		map[bool]string{true: "", false: fmt.Sprintf(" (%d without a scale)", s.n-s.scaled)}[n == k]
}

// measure forecasts every series, on all processors; last, if not 0, cuts them to
// their last values.
func measure(list []series, last int) score {
	parts := make([]score, len(list))
	var work sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		work.Go(func() {
			for i := w; i < len(list); i += workers {
				parts[i] = one(list[i], last)
			}
		})
	}
	work.Wait()
	var total score
	for _, p := range parts {
		total.add(p)
	}
	return total
}

func one(s series, last int) (sc score) {
	y := s.train
	if last > 0 {
		y = y[max(0, len(y)-last):]
	}
	h := len(s.test)
	p, err := forecast.Predict(forecast.Series{Values: y, Period: s.season}, h)
	if err != nil {
		panic(err) // the series are finite and not empty
	}
	sc.n = 1
	other := naive2(y, s.period, h)
	scale := 0.0
	for i := s.period; i < len(s.train); i++ {
		scale += math.Abs(s.train[i]-s.train[i-s.period]) / float64(len(s.train)-s.period)
	}
	hs := float64(h)
	for i, z := range s.test {
		e := 200 * math.Abs(p.Point[i]-z) / (math.Abs(p.Point[i]) + math.Abs(z))
		sc.smape += e / hs
		sc.perStep, sc.perStepCount = sc.perStep+e, sc.perStepCount+1
		sc.smape2 += 200 * math.Abs(other[i]-z) / (math.Abs(other[i]) + math.Abs(z)) / hs
		if scale > 0 {
			sc.mase += math.Abs(p.Point[i]-z) / scale / hs
			sc.mase2 += math.Abs(other[i]-z) / scale / hs
		}
		low80, high80 := p.Interval(i+1, .8)
		low95, high95 := p.Interval(i+1, .95)
		if p.Unknown != "" {
			if last > 0 {
				continue // no interval is promised
			}
			low80, high80, low95, high95 = p.Point[i], p.Point[i], p.Point[i], p.Point[i]
		}
		sc.steps++
		if low80 <= z && z <= high80 {
			sc.cover80++
		}
		if low95 <= z && z <= high95 {
			sc.cover95++
		}
		if scale > 0 {
			sc.ranged = 1
			w := high95 - low95 + 40*math.Max(0, low95-z) + 40*math.Max(0, z-high95)
			sc.msis += w / scale / hs
		}
	}
	if scale > 0 {
		sc.scaled = 1
	}
	return sc
}

// naive2 is the last value of the series without its season, with the season put
// back: the competitions' yardstick.
func naive2(y []float64, period, h int) []float64 {
	out := make([]float64, h)
	index := forecast.Season(y, period)
	for i := range out {
		out[i] = y[len(y)-1]
		if index != nil {
			out[i] *= index[(len(y)+i)%period] / index[(len(y)-1)%period]
		}
	}
	return out
}
