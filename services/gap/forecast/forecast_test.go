package forecast

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func must(t testing.TB, s Series, horizon int) Prediction {
	t.Helper()
	p, err := Predict(s, horizon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within*math.Max(1, math.Abs(b)) }

// Parts whose results are known without a computer.
func TestByHand(t *testing.T) {
	line := []float64{2, 4, 6, 8, 10, 12}
	for name, got := range map[string][]float64{
		"drift": drift(line, 3), "damped trend, not damped": runDamped(line, 0.5, 0.1, 1, 2).forecast(3),
	} {
		if !slices.EqualFunc(got, []float64{14, 16, 18}, func(a, b float64) bool { return near(a, b, 1e-12) }) {
			t.Errorf("%s goes on with %v", name, got)
		}
	}
	// 1 + φ + φ² + … steps of a damped trend.
	if got := (damped{phi: 0.5, level: 10, trend: 4}).forecast(3); got[0] != 12 || got[1] != 13 || got[2] != 13.5 {
		t.Errorf("damped: %v", got)
	}
	// θ = 1 leaves no line: simple exponential smoothing, whose forecasts are flat;
	// with α = 1/2 the level after 4, 8 from l is (l/2+2)/2+4.
	th := runTheta([]float64{4, 8}, 0.5, 1)
	want := (th.level/2+2)/2 + 4
	for _, v := range th.forecast(3) {
		if !near(v, want, 1e-12) {
			t.Errorf("θ = 1: %v, want %v", th.forecast(3), want)
		}
	}
	// The line through the first t values.
	mean, a, b := 0.0, 0.0, 0.0
	for i, v := range []float64{1, 3, 2, 6} {
		mean, a, b = line3(i+1, mean, b, v)
	}
	// Least squares by the normal equations: slope 1.4, through (2.5, 3).
	if !near(b, 1.4, 1e-12) || !near(a, -0.5, 1e-12) || mean != 3 {
		t.Errorf("line %v + %v t, mean %v", a, b, mean)
	}
	// A season of four that triples: recovered, and put back in its place.
	var y []float64
	for i := range 24 {
		y = append(y, 100*[]float64{1.5, 0.5, 1, 1}[i%4])
	}
	index := Season(y, 4)
	for k, want := range []float64{1.5, 0.5, 1, 1} {
		if index == nil || !near(index[k], want, 1e-9) {
			t.Fatalf("the season is %v", index)
		}
	}
	p := must(t, Series{Values: y, Period: 4}, 5)
	for i, want := range []float64{150, 50, 100, 100, 150} {
		if !near(p.Point[i], want, 1e-6) {
			t.Errorf("the season goes on with %v", p.Point)
			break
		}
	}
	if Season(y, 5) != nil || Season(y[:11], 4) != nil {
		t.Error("a season is seen where none can be")
	}
}

func line3(t int, mean, slope, v float64) (m, a, b float64) { return line(t, mean, slope, v) }

func TestWhatIsNotKnown(t *testing.T) {
	one, flat := must(t, Series{Values: []float64{7}}, 3), must(t, Series{Values: []float64{5, 5, 5, 5, 5, 5, 5, 5, 5, 5}}, 3)
	for name, p := range map[string]Prediction{"one value": one, "all the same": flat} {
		low, high := p.Interval(1, 0.8)
		if p.Unknown == "" || !math.IsNaN(low) || !math.IsNaN(high) || !math.IsNaN(p.Below(1, 6)) || p.Paths("x", 10) != nil || len(p.Point) != 3 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	nan := math.NaN()
	for name, c := range map[string]struct {
		s       Series
		horizon int
		want    error
	}{
		"nothing":         {Series{}, 1, ErrNoValues},
		"nothing known":   {Series{Values: []float64{nan, nan}}, 1, ErrNoValues},
		"no step":         {Series{Values: []float64{1, 2}}, 0, ErrHorizon},
		"too far":         {Series{Values: []float64{1, 2}}, MaxHorizon + 1, ErrHorizon},
		"too many":        {Series{Values: make([]float64, MaxValues+1)}, 1, ErrTooMany},
		"an infinite one": {Series{Values: []float64{1, math.Inf(1)}}, 1, ErrValue},
		"a huge one":      {Series{Values: []float64{1, -1e201}}, 1, ErrValue},
		"bounds crossed":  {Series{Values: []float64{1, 2}, Lower: ptr(3), Upper: ptr(2)}, 1, ErrBounds},
		"a bound unknown": {Series{Values: []float64{1, 2}, Lower: ptr(nan)}, 1, ErrBounds},
	} {
		if _, err := Predict(c.s, c.horizon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// Missing values: those at the ends do not count, between them is a line.
	gaps := must(t, Series{Values: []float64{nan, 10, nan, 14, 13, nan, nan}}, 4)
	whole := must(t, Series{Values: []float64{10, 12, 14, 13}}, 4)
	if gaps.Observations != 3 || !slices.Equal(gaps.Point, whole.Point) {
		t.Errorf("%v and %v", gaps.Point, whole.Point)
	}
}

func ptr(v float64) *float64 { return &v }

// values draws series as they come: positive or not, of any size and length.
func values(t *rapid.T) []float64 {
	n := rapid.IntRange(1, 60).Draw(t, "n")
	size := math.Pow(10, rapid.Float64Range(-12, 12).Draw(t, "size"))
	low := rapid.SampledFrom([]float64{-1, 0, 0.001, 0.5}).Draw(t, "low")
	return rapid.SliceOfN(rapid.Map(rapid.Float64Range(low, 1), func(v float64) float64 { return v * size }), n, n).Draw(t, "values")
}

// Whatever comes in, what comes out is a distribution within the bounds.
func TestAlwaysADistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Series{Values: values(t), Period: rapid.SampledFrom([]int{0, 1, 4, 12}).Draw(t, "period")}
		if rapid.Bool().Draw(t, "bounded") {
			s.Lower, s.Upper = ptr(slices.Min(s.Values)), ptr(slices.Max(s.Values)+math.Abs(slices.Max(s.Values))+1)
		}
		if rapid.Bool().Draw(t, "gaps") { // the last value stays
			for i := range s.Values[1:] {
				if rapid.Bool().Draw(t, "missing") {
					s.Values[i] = math.NaN()
				}
			}
		}
		h := rapid.IntRange(1, 40).Draw(t, "horizon")
		p, err := Predict(s, h)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := Predict(s, h)
		if !slices.Equal(p.Point, again.Point) {
			t.Fatal("not the same twice")
		}
		distribution(t, s, p, h)
	})
}

func distribution(t interface {
	Fatalf(string, ...any)
}, s Series, p Prediction, h int,
) {
	for step := 1; step <= h; step++ {
		if v := p.Point[step-1]; math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("step %d is %v", step, v)
		}
		if p.Unknown != "" {
			continue
		}
		last := math.Inf(-1)
		for _, q := range []float64{0.001, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.999} {
			v := p.Quantile(step, q)
			if math.IsNaN(v) || math.IsInf(v, 0) || v < last {
				t.Fatalf("step %d: the quantile of %v is %v, after %v", step, q, v, last)
			}
			if s.Lower != nil && v < *s.Lower || s.Upper != nil && v > *s.Upper {
				t.Fatalf("step %d: the quantile of %v is %v, out of bounds", step, q, v)
			}
			inside := (s.Lower == nil || v > *s.Lower) && (s.Upper == nil || v < *s.Upper)
			if below := p.Below(step, v); below < 0 || below > 1 || inside && v > last && v != 0 && math.Abs(below-q) > 1e-6 {
				t.Fatalf("step %d: %v lies below the quantile of %v, %v", step, below, q, v)
			}
			last = v
		}
	}
}

// In another unit the forecast is the same in that unit.
func TestUnitsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Series{Values: values(t), Period: rapid.SampledFrom([]int{1, 4}).Draw(t, "period")}
		factor := math.Ldexp(1, rapid.IntRange(-40, 40).Draw(t, "factor"))
		other := Series{Period: s.Period}
		for _, v := range s.Values {
			other.Values = append(other.Values, v*factor)
		}
		p, err := Predict(s, 6)
		q, err2 := Predict(other, 6)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for i := range p.Point {
			if !near(q.Point[i]/factor, p.Point[i], 1e-9) {
				t.Fatalf("step %d: %v and %v", i+1, p.Point[i], q.Point[i]/factor)
			}
			low, _ := p.Interval(i+1, .8)
			other, _ := q.Interval(i+1, .8)
			if p.Unknown == "" && !near(other/factor, low, 1e-9) {
				t.Fatalf("step %d: bounds %v and %v", i+1, low, other/factor)
			}
		}
	})
}

// Paths have the distributions of their steps, and those of an identity are the
// same draws whatever the values are.
func TestPaths(t *testing.T) {
	p := must(t, Series{Values: []float64{100, 104, 103, 109, 115, 113, 120}}, 5)
	paths := p.Paths("target/a", 20_000)
	for h := 1; h <= 5; h++ {
		g := p.Quantile(h, 0.7)
		below := 0
		for _, path := range paths {
			if path[h-1] < g {
				below++
			}
		}
		// Three standard errors of a share of 0.7.
		if share := float64(below) / 20_000; math.Abs(share-0.7) > 3*math.Sqrt(0.7*0.3/20_000) {
			t.Errorf("step %d: %v of the paths lie below the quantile of 0.7", h, share)
		}
	}
	again := p.Paths("target/a", 10)
	other := p.Paths("target/b", 10)
	if !slices.Equal(again[3], paths[3]) || slices.Equal(other[3], paths[3]) {
		t.Error("draws do not follow the identity")
	}
	q := must(t, Series{Values: []float64{100, 104, 103, 109, 115, 113, 121}}, 5)
	for i, path := range q.Paths("target/a", 10) {
		if !near(q.Below(5, path[4]), p.Below(5, paths[i][4]), 1e-9) {
			t.Error("other values have other draws")
		}
	}
}

// What is missing makes nothing surer: the lines over it hide how the series moved,
// and a season whose places are mostly bridged is none.
func TestGapsDoNotNarrow(t *testing.T) {
	noise := Normal("noise", 120)
	for _, period := range []int{1, 4, 12} {
		var y, thin []float64
		level := 100.0
		for i := range 120 {
			level *= math.Exp(0.03 * noise[i])
			y = append(y, level)
			v := level
			if (119-i)%6 != 0 {
				v = math.NaN()
			}
			thin = append(thin, v)
		}
		all, some := must(t, Series{Values: y, Period: period}, 12), must(t, Series{Values: thin, Period: period}, 12)
		for h := 1; h <= 12; h++ {
			low, high := all.Interval(h, 0.8)
			from, to := some.Interval(h, 0.8)
			if r := (to - from) / (high - low); r < 0.8 || r > 4 {
				t.Errorf("period %d, step %d: from %v to %v where all is known, and from %v to %v", period, h, low, high, from, to)
			}
		}
	}
}

// A handful of values that jump say how much the next may differ, not that they go on
// to multiply: points stay within four times the last value,
// and what is likely within 200 times, over 18 steps.
func TestStumpsDoNotRunAway(t *testing.T) {
	for _, y := range [][]float64{
		{1, 1000}, {1e-5, 1}, {100, 200, 400}, {0.001, 5, 300}, {5, 300, 20, 1000}, {1, 2, 4, 8, 16}, {-1, 5, 200},
	} {
		for _, period := range []int{0, 4, 12, 52} {
			const horizon = 18
			p := must(t, Series{Values: y, Period: period}, horizon)
			last := y[len(y)-1]
			for h := 1; h <= horizon; h++ {
				if v := p.Point[h-1]; v > 4*last {
					t.Errorf("%v of period %d: step %d is %v", y, period, h, v)
				}
				if _, v := p.Interval(h, 0.95); v > 200*last {
					t.Errorf("%v of period %d: step %d may be %v", y, period, h, v)
				}
			}
		}
	}
	// What doubled for a quarter of eight steps goes on by as much: 2, 4, and 4(1+ln 2).
	ln2 := math.Log(2)
	got := grown([]float64{ln2, 2 * ln2, 3 * ln2}, make([]float64, 9))
	if !near(got[0], 2, 1e-12) || !near(got[1], 4, 1e-12) || !near(got[2], 4*(1+ln2), 1e-12) {
		t.Errorf("grown: %v", got)
	}
	// What shrinks does so by a rate: it never gets to 0.
	if got := grown([]float64{-1, -2}, []float64{0, 0}); !near(got[1], math.Exp(-2), 1e-12) {
		t.Errorf("shrunk: %v", got)
	}
}

func FuzzPredict(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 1, 3)
	f.Add(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300)), math.Float64bits(5e-324)), 12, 500)
	f.Add(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(-math.MaxFloat64)), math.Float64bits(math.MaxFloat64)), 0, 40)
	f.Fuzz(func(t *testing.T, b []byte, period, horizon int) {
		s := Series{Period: period}
		for ; len(b) >= 8 && len(s.Values) < 200; b = b[8:] {
			s.Values = append(s.Values, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
		horizon = max(-1, min(horizon, 60))
		p, err := Predict(s, horizon)
		if err != nil {
			return
		}
		for step := 1; step <= horizon; step++ {
			low, high := p.Interval(step, 0.95)
			if v := p.Point[step-1]; math.IsNaN(v) || low > high || p.Unknown == "" && (math.IsNaN(low) || math.IsNaN(high)) {
				t.Fatalf("%v: step %d is %v, from %v to %v", s, step, v, low, high)
			}
		}
	})
}

// What lies beyond a bound is certain, one way or the other: no probability leaves
// 0 to 1.
func TestBeyondTheBounds(t *testing.T) {
	lower, upper := 0.0, 100.0
	p := must(t, Series{Values: []float64{60, 75, 82, 91, 97}, Lower: &lower, Upper: &upper}, 3)
	for _, x := range []struct{ value, below, atLeast, atMost float64 }{
		{-5, 0, 1, 0}, {0, 0, 1, math.NaN()}, {100.001, 1, 0, 1}, {1e9, 1, 0, 1},
	} {
		for h := 1; h <= 3; h++ {
			if got := p.Below(h, x.value); got != x.below {
				t.Errorf("step %d is below %v with %v", h, x.value, got)
			}
			if got := p.AtLeast(h, x.value); got != x.atLeast {
				t.Errorf("step %d is at least %v with %v", h, x.value, got)
			}
			if got := p.AtMost(h, x.value); got != x.atMost && !math.IsNaN(x.atMost) {
				t.Errorf("step %d is at most %v with %v", h, x.value, got)
			}
		}
	}
	if p.AtLeast(3, 100) <= 0 || p.AtMost(3, 100) != 1 {
		t.Errorf("at the bound: at least %v, at most %v", p.AtLeast(3, 100), p.AtMost(3, 100))
	}
}

// A season multiplies what is uncertain, too: where it is high the interval is wide,
// and a season that is nothing but chance moves nothing by much.
func TestSeasonalIntervals(t *testing.T) {
	noise := Normal("noise", 120)
	var seasonal, plain []float64
	for i := range 120 {
		v := 100 * math.Exp(0.03*noise[i])
		plain = append(plain, v)
		seasonal = append(seasonal, v*(1+0.5*math.Sin(2*math.Pi*float64(i)/12)))
	}
	p := must(t, Series{Values: seasonal, Period: 12}, 12)
	high, low := 0, 0
	for i, v := range p.Point {
		if v > p.Point[high] {
			high = i
		}
		if v < p.Point[low] {
			low = i
		}
	}
	if high != 3 || low != 9 || !near(p.Point[3], 150, 0.05) || !near(p.Point[9], 50, 0.05) {
		t.Errorf("the season is %v", p.Point)
	}
	width := func(i int) float64 { a, b := p.Interval(i+1, 0.8); return b - a }
	if r := width(3) / width(9); r < 2 || r > 4 {
		t.Errorf("at the top the interval is %v times as wide as at the bottom", r)
	}
	q := must(t, Series{Values: plain, Period: 12}, 12)
	for i, v := range q.Point {
		if !near(v, q.Point[0], 0.03) {
			t.Errorf("step %d of a series without a season is %v, the first %v", i+1, v, q.Point[0])
		}
	}
}
