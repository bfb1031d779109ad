package gap

import "testing"

func TestOKR(t *testing.T) {
	levels := line("2020-12-31", 0, "2021-12-31", 100)
	levels.Levels = &Levels{Commit: num(30), Target: num(80), Stretch: num(100)}
	plain := line("2020-12-31", 200, "2021-12-31", 100)
	flat := Setpoint{Direction: Increase, Value: num(100), Due: day("2021-12-31")}
	for _, tc := range []struct {
		name, kind string
		sp         Setpoint
		v          float64
		at         string
		score      float64
		status     Status
	}{
		{"at the baseline", "", levels, 0, "2021-06-30", 0, OffTrack},
		{"at commit", "", levels, 30, "2021-06-30", .3, OffTrack},
		{"between", "", levels, 55, "2021-06-30", .5, AtRisk},
		{"at target", "", levels, 80, "2021-06-30", .7, OnTrack},
		{"between target and stretch", "", levels, 90, "2021-06-30", .85, OnTrack},
		{"beyond stretch", "", levels, 130, "2021-06-30", 1, Achieved},
		{"below the baseline", "", levels, -10, "2021-06-30", 0, OffTrack},
		{"no levels, falling", "", plain, 140, "2021-06-30", .6, AtRisk},
		{"committed at the end", "committed", levels, 90, "2021-12-31", .85, Missed},
		{"committed in full", "committed", levels, 100, "2021-12-31", 1, Achieved},
		{"aspirational at the end", "aspirational", levels, 80, "2021-12-31", .7, Achieved},
		{"aspirational below", "aspirational", levels, 79, "2021-12-31", .692, Missed},
		{"no baseline", "", flat, 60, "2021-06-30", .6, AtRisk},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := one2one(daily(observe(tc.at, tc.v)), tc.sp)
			p.Objectives = []Objective{{Name: "o", OKRType: tc.kind}}
			p.Targets[0].Objective = "o"
			r := Evaluate(p, day(tc.at), OKR(), Options{Explain: true})
			near(t, "score", r.Targets[0].Score, num(tc.score))
			near(t, "objective", r.Objectives[0].Score, num(tc.score))
			if r.Targets[0].Status != tc.status {
				t.Errorf("%s, want %s: %s", r.Targets[0].Status, tc.status, r.Targets[0].Explanation.Rule)
			}
		})
	}
}

// Where only levels are declared, the target level is the final value, else
// the stretch, else the commitment.
func TestFinalValueFromLevels(t *testing.T) {
	for want, l := range map[float64]Levels{
		80:  {Commit: num(30), Target: num(80), Stretch: num(100)},
		100: {Commit: num(30), Stretch: num(100)},
		30:  {Commit: num(30)},
	} {
		sp := line("2020-12-31", 0, "2021-12-31", 0)
		sp.Value, sp.Levels = nil, &l
		near(t, "target", evaluate(one2one(daily(observe("2021-01-01", 0)), sp), "2021-01-01").Target, &want)
	}
}

func TestPolicies(t *testing.T) {
	for _, name := range PolicyNames() {
		if p, ok := PolicyNamed(name); !ok || p.Name != name {
			t.Errorf("%s: %v %v", name, p.Name, ok)
		}
	}
	if p, ok := PolicyNamed(""); !ok || p.Name != "default" {
		t.Error("none named is the default")
	}
	if _, ok := PolicyNamed("magic"); ok {
		t.Error("a policy that is not there")
	}
	final := Default()
	final.Basis = OnFinal
	p := one2one(daily(observe("2021-01-31", 110)), line("2020-12-31", 100, "2021-12-31", 200))
	if r := Evaluate(p, day("2021-01-31"), final, Options{}).Targets[0]; r.Status != OffTrack {
		t.Errorf("by the final value: %s", r.Status)
	}
}
