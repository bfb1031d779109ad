package gap

import (
	"cmp"
	"math"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// track is a path made ready to be asked what was expected when.
type track struct {
	shape  Shape
	t0, t1 calendar.Date // begin and due
	v0, g  float64
	begun  bool // v0 is known
	points []Point
	steps  bool
}

// load makes the path of a setpoint from b to g ready.
func (k *track) load(sp *Setpoint, b float64, hasB bool, g float64) {
	*k = track{shape: sp.Trajectory.Shape, t1: sp.Due, v0: b, begun: hasB, g: g, points: sp.Trajectory.Points, steps: sp.Trajectory.Steps}
	if sp.Baseline != nil {
		k.t0 = sp.Baseline.Date
	}
	if s := sp.Trajectory.Start; s != nil {
		k.t0, k.v0, k.begun = s.Date, s.Value, true
	}
	if k.shape != Points {
		return
	}
	byDate := func(a, b Point) int { return a.Date.Compare(b.Date) }
	if !slices.IsSortedFunc(k.points, byDate) {
		k.points = slices.Clone(k.points)
		slices.SortStableFunc(k.points, func(a, b Point) int { return cmp.Or(byDate(a, b), cmp.Compare(a.Value, b.Value)) })
	}
}

// ExpectedPath is what a setpoint of the path form expects at the end of each
// day, given its baseline (nil where none is known) and final value: before
// the path begins its first value, from the due date on the final one. The
// second result is false where nothing is expected.
func ExpectedPath(sp *Setpoint, baseline *float64, final float64) func(calendar.Date) (float64, bool) {
	b := 0.0
	if baseline != nil {
		b = *baseline
	}
	var k track
	k.load(sp, b, baseline != nil, final)
	return k.at
}

// at is the value expected at the end of day d, and whether there is one.
// Before the start it is the start's value, from the due date on g.
func (k *track) at(d calendar.Date) (float64, bool) {
	if !d.Before(k.t1) {
		return k.g, true
	}
	if k.shape == Points {
		return k.alongPoints(d)
	}
	if !k.begun {
		return 0, false
	}
	if k.shape == Exponential && (k.v0 == 0 || k.g == 0 || (k.v0 < 0) != (k.g < 0)) {
		return 0, false
	}
	if !d.After(k.t0) {
		return k.v0, true
	}
	u := float64(d.Sub(k.t0)) / float64(k.t1.Sub(k.t0))
	switch k.shape {
	case Step:
		return k.v0, true
	case Exponential:
		return k.v0 * math.Pow(k.g/k.v0, u), true
	case SCurve:
		return k.v0 + (k.g-k.v0)*sCurve(u), true
	}
	return k.v0 + (k.g-k.v0)*u, true
}

// alongPoints goes from (t0, v0) through the declared points to (due, g).
func (k *track) alongPoints(d calendar.Date) (float64, bool) {
	prev, known := Point{k.t0, k.v0}, k.begun
	if known && !d.After(k.t0) {
		return k.v0, true
	}
	next := Point{k.t1, k.g}
	for _, p := range k.points {
		if !p.Date.After(k.t0) {
			continue // the path has not begun
		}
		if !p.Date.Before(k.t1) {
			break // (due, g) is last whatever is declared for it
		}
		if p.Date.After(d) {
			next = p
			break
		}
		prev, known = p, true
	}
	if !known {
		return 0, false
	}
	if k.steps {
		return prev.Value, true
	}
	u := float64(d.Sub(prev.Date)) / float64(next.Date.Sub(prev.Date))
	return prev.Value + (next.Value-prev.Value)*u, true
}

// sCurve is the share of the way at the share u of the time: the logistic
// L(u) = 1/(1+e^(−k(u−½))) with k = 2 ln 19, scaled to pass through 0 and 1.
// Unscaled, L(0) = 0.05 and L(1) = 0.95.
func sCurve(u float64) float64 {
	l := 1 / (1 + math.Exp(-2*math.Log(19)*(u-0.5)))
	return (l - 0.05) / 0.9
}
