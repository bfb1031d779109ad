package gap

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
)

// outlooks is a portfolio of yearly targets and what works on them; each series is
// drawn, and the first two targets share a metric.
func outlooks(t *rapid.T) Portfolio {
	p := Portfolio{Strategies: []Strategy{{Name: "s"}}, Objectives: []Objective{{Name: "o", Strategy: "s"}}}
	n := rapid.IntRange(2, 3).Draw(t, "targets")
	for k := range n {
		var values []float64
		v := 50.0
		for range rapid.IntRange(3, 9).Draw(t, "values") {
			v += float64(rapid.IntRange(-8, 10).Draw(t, "move"))
			values = append(values, v)
		}
		name := fmt.Sprintf("m%d", k)
		p.Metrics = append(p.Metrics, yearlyMetric(name, values...))
		if k == 1 {
			name = "m0"
		}
		zero, goal := 0.0, float64(rapid.IntRange(40, 110).Draw(t, "goal"))
		p.Targets = append(p.Targets, Target{Name: fmt.Sprintf("t%d", k), Objective: "o", Metric: name, Versions: []Setpoint{{
			Direction: Increase, Baseline: &Baseline{Date: calendar.Of(2009, 12, 31), Value: &zero}, Value: &goal,
			Due: calendar.Of(rapid.IntRange(2019, 2024).Draw(t, "due"), 12, 31),
		}}})
	}
	return p
}

// promise is an initiative that has realized nothing by 2018. Its low amount is
// near enough to the likely one that no draw is below nothing: what does harm does
// less of it where people do not adopt it, and readiness would not be a lower line.
func promise(t *rapid.T, name, target string, stage string) Initiative {
	likely := float64(rapid.IntRange(1, 30).Draw(t, "likely"))
	low, high := likely*rapid.Float64Range(0.75, 1).Draw(t, "low"), likely*rapid.Float64Range(1, 2).Draw(t, "high")
	p := rapid.Float64Range(0, 1).Draw(t, "delivery")
	ready := rapid.Float64Range(0, 1).Draw(t, "readiness")
	return Initiative{
		Name: name, Stage: stage, Start: calendar.Of(2019, 1, 1), End: calendar.Of(2019, 6, 30),
		Contributions: []Contribution{{
			Target: target, Likely: likely, Low: &low, High: &high, Delivery: &p, PeopleDependent: rapid.Float64Range(0, 1).Draw(t, "people"),
			RampStart: calendar.Of(2019, 1, 1), RampEnd: calendar.Of(2019, 6, 30),
		}},
		Programs: []Program{{Name: "g", Basis: BySurvey, Audiences: []ProgramAudience{{Name: "a", Size: 10, Weight: 10, Readiness: &ready}}}},
	}
}

var forecastDay = calendar.Of(2019, 1, 15)

func forecasts(p Portfolio) Result {
	policy, _ := PolicyNamed("default")
	return Evaluate(p, forecastDay, policy, Options{Forecast: true})
}

// What helps helps, and what people do not adopt does not: status quo ≤ with
// readiness ≤ with initiatives, since the draws are the same. Probabilities move for
// what is declared only, never by chance.
func TestInitiativesHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := outlooks(t)
		before := forecasts(p)
		p.Initiatives = []Initiative{promise(t, "i", "t0", rapid.SampledFrom([]string{"approved", "active"}).Draw(t, "stage"))}
		after := forecasts(p)
		for k := range after.Targets {
			was, is := before.Targets[k].Outlook, after.Targets[k].Outlook
			if (was == nil) != (is == nil) {
				t.Fatalf("%s has an outlook only once", after.Targets[k].Name)
			}
			if is == nil {
				continue
			}
			if !same(was.Attainment, is.Attainment) {
				t.Fatalf("the status quo of %s moved from %v to %v", after.Targets[k].Name, *was.Attainment, *is.Attainment)
			}
			if after.Targets[k].Name != "t0" {
				if is.WithInitiatives != nil {
					t.Fatalf("nothing works on %s", after.Targets[k].Name)
				}
				continue
			}
			if is.Attainment == nil {
				continue
			}
			with, ready := is.WithInitiatives, is.WithReadiness
			if with == nil || ready == nil || with.Attainment == nil || ready.Attainment == nil {
				t.Fatalf("with %+v, ready %+v", with, ready)
			}
			// The status quo is exact, the others are simulated with 10,000 draws.
			if *ready.Attainment < *is.Attainment-5*max(ready.StandardError, 0.002) || *with.Attainment < *ready.Attainment {
				t.Fatalf("%v, with initiatives %v, with readiness %v", *is.Attainment, *with.Attainment, *ready.Attainment)
			}
			if *with.Value < *is.Value-1e-9 || *ready.Value > *with.Value+1e-9 || *with.Lower95 > *with.Lower80 || *with.Lower80 > *with.Upper80 {
				t.Fatalf("values %v, %v, %v", *is.Value, *ready.Value, *with.Value)
			}
			if se := math.Sqrt(*with.Attainment * (1 - *with.Attainment) / draws); with.StandardError != se {
				t.Fatalf("standard error %v, not %v", with.StandardError, se)
			}
		}
		// Another initiative, on another target, changes nothing here.
		p.Initiatives = append(p.Initiatives, promise(t, "j", "t1", "approved"))
		for k, x := range forecasts(p).Targets {
			if x.Name != "t0" || x.Outlook == nil || x.Outlook.WithInitiatives == nil {
				continue
			}
			if a, b := x.Outlook.WithInitiatives, after.Targets[k].Outlook.WithInitiatives; !same(a.Attainment, b.Attainment) || !same(a.Value, b.Value) {
				t.Fatalf("t0 moved with an initiative on t1: %+v, %+v", a, b)
			}
		}
	})
}

// A promise that is sure, on time and independent of people moves the distribution
// by what it is.
func TestASurePromiseMovesTheForecast(t *testing.T) {
	zero, goal, sure := 0.0, 90.0, 1.0
	p := Portfolio{
		Metrics: []Metric{yearlyMetric("m", 50, 54, 53, 60, 58, 63, 66, 70, 69)},
		Targets: []Target{{Name: "t", Metric: "m", Versions: []Setpoint{{
			Direction: Increase, Baseline: &Baseline{Date: calendar.Of(2009, 12, 31), Value: &zero}, Value: &goal, Due: calendar.Of(2022, 12, 31)}}}},
		Initiatives: []Initiative{{Name: "i", Stage: "approved", Contributions: []Contribution{{
			Target: "t", Likely: 7, Delivery: &sure, RampStart: calendar.Of(2019, 6, 1), RampEnd: calendar.Of(2019, 6, 1)}}}},
	}
	o := forecasts(p).Targets[0].Outlook
	if got := *o.WithInitiatives.Value - *o.Value; math.Abs(got-7) > 1e-9 {
		t.Errorf("the value moves by %v, not 7", got)
	}
	for _, x := range [][2]*float64{{o.Lower80, o.WithInitiatives.Lower80}, {o.Upper80, o.WithInitiatives.Upper80}, {o.Lower50, o.WithInitiatives.Lower50}} {
		if d := *x[1] - *x[0]; math.Abs(d-7) > 0.4 {
			t.Errorf("a bound moves by %v, not 7", d)
		}
	}
	if !same(o.WithReadiness.Attainment, o.WithInitiatives.Attainment) {
		t.Error("nobody is asked for anything, and yet readiness changes something")
	}
	// A tenth is below the low amount, and so some is below nothing.
	low := 1.0
	p.Initiatives[0].Contributions[0].Low = &low
	if o := forecasts(p).Targets[0].Outlook; *o.WithInitiatives.Lower95 >= *o.WithInitiatives.Lower80 || *o.WithInitiatives.Value >= *o.Value+7 {
		t.Errorf("with 1 to 7: %v, lower %v and %v", *o.WithInitiatives.Value, *o.WithInitiatives.Lower80, *o.WithInitiatives.Lower95)
	}
	p.Initiatives[0].Contributions[0].Low = nil
	// With an audience that has not been measured the third line is not known.
	p.Initiatives[0].Contributions[0].PeopleDependent = 1
	p.Initiatives[0].Programs = []Program{{Basis: BySurvey, Audiences: []ProgramAudience{{Name: "a", Weight: 1}}}}
	if o := forecasts(p).Targets[0].Outlook; o.WithReadiness != nil || o.WithInitiatives == nil {
		t.Errorf("unmeasured: %+v", o.WithReadiness)
	}
	// A schedule that is late by more than is left adds nothing.
	p.Initiatives[0].Contributions[0].RampStart, p.Initiatives[0].Contributions[0].RampEnd = calendar.Of(2023, 6, 1), calendar.Of(2023, 6, 1)
	if o := forecasts(p).Targets[0].Outlook; math.Abs(*o.WithInitiatives.Value-*o.Value) > 1e-9 {
		t.Errorf("a ramp after the end adds %v", *o.WithInitiatives.Value-*o.Value)
	}
}

// What an active initiative has realized is not extrapolated beside its promise: a
// flat series on which a ramp was laid comes out at the top of the ramp.
func TestRealizedIsNotCountedTwice(t *testing.T) {
	zero, goal, sure := 0.0, 100.0, 1.0
	values := []float64{50, 51, 49, 50.5, 49.5, 50}
	for i := range 3 { // half of the ramp of 60 has come by the end of 2018
		values = append(values, 50+10*float64(i+1)+[]float64{0.5, -0.5, 0.2}[i])
	}
	p := Portfolio{
		Metrics: []Metric{yearlyMetric("m", values...)},
		Targets: []Target{{Name: "t", Metric: "m", Versions: []Setpoint{{
			Direction: Increase, Baseline: &Baseline{Date: calendar.Of(2009, 12, 31), Value: &zero}, Value: &goal, Due: calendar.Of(2021, 12, 31)}}}},
		Initiatives: []Initiative{{Name: "i", Stage: "active", Start: calendar.Of(2021, 12, 30), End: calendar.Of(2021, 12, 31), Contributions: []Contribution{{
			Target: "t", Likely: 60, Delivery: &sure, RampStart: calendar.Of(2015, 12, 31), RampEnd: calendar.Of(2021, 12, 31)}}}},
	}
	o := forecasts(p).Targets[0].Outlook
	if v := *o.WithInitiatives.Value; math.Abs(v-110) > 4 {
		t.Errorf("with what is still to come %v, expected about 110; the status quo is %v", v, *o.Value)
	}
}

// The probability that all targets are reached lies within Fréchet's bounds, is
// that of one where one metric decides both, and is never a product.
func TestJointAttainment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := outlooks(t)
		if rapid.Bool().Draw(t, "works") {
			p.Initiatives = []Initiative{promise(t, "i", "t0", "approved"), promise(t, "j", "t1", "approved")}
		}
		r := forecasts(p)
		j := r.Objectives[0].Joint
		if j == nil {
			return
		}
		for _, x := range []*Joint{j.StatusQuo, j.WithInitiatives, j.WithReadiness} {
			if x == nil {
				continue
			}
			if x.All < x.Lower || x.All > x.Upper || x.Expected < x.All-1e-9 || x.Expected > float64(x.Targets)+1e-9 || x.Targets+x.Unknown != len(r.Targets) {
				t.Fatalf("%+v", x)
			}
		}
		if s := r.Strategies[0].Joint; *s.StatusQuo != *j.StatusQuo {
			t.Fatalf("the strategy has %+v, its only objective %+v", s.StatusQuo, j.StatusQuo)
		}
		// Two targets alike are as likely as one.
		p.Targets = p.Targets[:2]
		p.Targets[1].Versions = p.Targets[0].Versions
		p.Initiatives = nil
		r = forecasts(p)
		o := r.Targets[0].Outlook
		if o == nil || o.Attainment == nil || r.Targets[0].Metric != r.Targets[1].Metric {
			return
		}
		if q := r.Objectives[0].Joint.StatusQuo; math.Abs(q.All-*o.Attainment) > 5*max(q.StandardError, 1e-4) {
			t.Fatalf("two targets alike: %v, one %v", q.All, *o.Attainment)
		}
	})
}

// What each target is told is the same where nothing is told of all together.
func TestForecastsApartAreThoseOfEachTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := outlooks(t)
		if rapid.Bool().Draw(t, "works") {
			p.Initiatives = []Initiative{promise(t, "i", "t0", "approved"), promise(t, "j", "t1", "approved")}
		}
		policy, _ := PolicyNamed("default")
		together, apart := forecasts(p), Evaluate(p, forecastDay, policy, Options{Forecast: true, Apart: true})
		for i := range together.Targets {
			if o := together.Targets[i].Outlook; o != nil {
				o.reached = apart.Targets[i].Outlook.reached // how they are added up
			}
		}
		for _, list := range [][]RollUp{together.Objectives, together.Strategies} {
			for i := range list {
				list[i].Joint = nil
			}
		}
		if d := cmp.Diff(together, apart, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateNaNs()); d != "" {
			t.Fatal(d)
		}
	})
}

// Walks of a metric hang together over steps as random walks do, and are the same
// whatever else was asked for before.
func TestWalks(t *testing.T) {
	walks := func(steps ...int) map[int][]float64 {
		e := evaluator{}
		e.series.m = &Metric{Name: "m"}
		out := map[int][]float64{}
		for _, h := range steps {
			out[h] = e.walk(h)
		}
		return out
	}
	all := walks(1, 2, 3, 5, 7, 12, 40)
	for h, w := range all {
		if again := walks(h); again[h][17] != w[17] {
			t.Errorf("step %d depends on what was asked for before", h)
		}
		for k, v := range all {
			sum, squares := 0.0, 0.0
			for i := range w {
				sum += w[i] * v[i] / draws
				squares += w[i] * w[i] / draws
			}
			if want := math.Sqrt(float64(min(h, k)) / float64(max(h, k))); math.Abs(sum-want) > 0.04 || math.Abs(squares-1) > 0.05 {
				t.Errorf("steps %d and %d: correlation %.3f, expected %.3f; variance %.3f", h, k, sum, want, squares)
			}
		}
	}
}
