package cli

import (
	"testing"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func sampleConsequences() *gapv1.Consequences {
	f := fraction
	return &gapv1.Consequences{
		AsOf: "2018-12-31", Policy: "default",
		Targets: []*gapv1.TargetConsequence{
			{Target: "cost", StatusBefore: "on_track", StatusAfter: "on_track", GapBefore: f(0.004), GapAfter: f(0.0041)},
			{Target: "new", StatusAfter: "no_data"},
			{Target: "newer", StatusAfter: "on_track", GapAfter: f(2)},
			{Target: "old", StatusBefore: "missed", GapBefore: f(7)},
			{Target: "vacant-space", StatusBefore: "at_risk", StatusAfter: "on_track", GapBefore: f(0.003), GapAfter: f(-0.007),
				ResidualBefore: f(0.003), ResidualAfter: f(0), AttainmentBefore: f(0.2104), AttainmentAfter: f(0.3811),
				WithInitiativesBefore: f(0.2104), WithInitiativesAfter: f(0.5123), WithReadinessBefore: f(0.2104)},
		},
		Objectives: []*gapv1.RollUpConsequence{
			{Name: "cheaper", StatusBefore: "at_risk", StatusAfter: "on_track", ScoreBefore: f(0.62), ScoreAfter: f(0.75)},
			{Name: "same", StatusBefore: "at_risk", StatusAfter: "at_risk", ScoreBefore: f(0.621), ScoreAfter: f(0.622)},
		},
		Strategies: []*gapv1.RollUpConsequence{{Name: "s", StatusBefore: "no_data", StatusAfter: "on_track", ScoreAfter: f(0.8)}},
	}
}

// A plan shows what flips and what moves; whatif shows all.
func TestConsequences(t *testing.T) {
	golden(t, "consequences-brief", renderConsequences(sampleConsequences(), true, 0, false))
	golden(t, "consequences", renderConsequences(sampleConsequences(), false, 0, false))
	golden(t, "consequences-narrow", renderConsequences(sampleConsequences(), false, 76, false))
	// Where nothing flips a plan is silent.
	quiet := &gapv1.Consequences{Targets: sampleConsequences().GetTargets()[:1]}
	if s := renderConsequences(quiet, true, 0, false); s != "" {
		t.Errorf("a plan says %q", s)
	}
	if s := renderConsequences(&gapv1.Consequences{}, false, 0, false) + renderConsequences(nil, true, 0, false); s != "" {
		t.Errorf("of nothing: %q", s)
	}
}

func TestPlanShowsConsequences(t *testing.T) {
	var asked *declarationv1.PlanRequest
	f := &fake{plan: func(r *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
		asked = r
		p := samplePlan(t)
		p.Consequences = sampleConsequences()
		return p, nil
	}}
	s := session{server: f.serve(t), stdin: "{}"}
	got := s.run(t, "plan", "-f", "-", "--as-of", "2018-12-31", "--policy", "okr").want(t, exitChanges)
	got.wantStdout(t, "Consequences as of 2018-12-31", "▲ at risk → ● on track", "21.0 % → 38.1 %", "2 new targets: ")
	if asked.GetAsOf() != "2018-12-31" || asked.GetPolicy() != "okr" || asked.GetWithoutConsequences() {
		t.Errorf("asked %v", asked)
	}
	s.run(t, "plan", "-f", "-", "--without-consequences").want(t, exitChanges)
	if !asked.GetWithoutConsequences() {
		t.Error("consequences were asked for")
	}
	s.run(t, "plan", "-f", "-", "--as-of", "yesterday").want(t, exitUsage)

	got = s.run(t, "whatif", "-f", "-").want(t, exitOK)
	golden(t, "whatif-file", got.stdout)
	golden(t, "whatif-json", s.run(t, "whatif", "-f", "-", "-o", "json").want(t, exitOK).stdout)
	golden(t, "whatif-csv", s.run(t, "whatif", "-f", "-", "-o", "csv").want(t, exitOK).stdout)
}

func TestWhatIf(t *testing.T) {
	var asked *gapv1.WhatIfRequest
	answer := &gapv1.WhatIfResponse{AsOf: "2018-12-31", Revision: 7, Consequences: sampleConsequences()}
	f := &fake{whatIf: func(r *gapv1.WhatIfRequest) (*gapv1.WhatIfResponse, error) {
		asked = r
		return answer, nil
	}}
	s := session{server: f.serve(t)}
	s.run(t, "whatif", "--without", "initiative/x", "--with", "initiative/y", "--strategy", "s", "--as-of", "2018-12-31", "--revision", "7").want(t, exitOK).
		wantStdout(t, "target/vacant-space")
	want := &gapv1.WhatIfRequest{Without: []string{"initiative/x"}, With: []string{"initiative/y"}, Strategy: "s", AsOf: "2018-12-31", Revision: 7}
	if !proto.Equal(asked, want) {
		t.Errorf("asked %v", asked)
	}
	answer.Consequences = nil
	if got := s.run(t, "whatif", "--without", "initiative/x").want(t, exitOK); got.stdout != "Nothing would differ as of 2018-12-31.\n" {
		t.Errorf("stdout %q", got.stdout)
	}
	for _, args := range [][]string{
		{}, {"--without", "x"}, {"--with", "x"}, {"--with", "target/x"}, {"-f", "-", "--without", "initiative/x"}, {"-f", "-", "--revision", "3"},
		{"--without", "initiative/x", "--prune"}, {"--without", "initiative/x", "--as-of", "x"}, {"initiative/x"},
	} {
		s.run(t, append([]string{"whatif"}, args...)...).want(t, exitUsage)
	}
}

func TestSensitivity(t *testing.T) {
	variants := func(status ...string) (out []*gapv1.RollUpVariant) {
		for i, missing := range []string{"unknown", "excluded", "failed"} {
			for k, method := range []string{"mean", "worst", "threshold"} {
				v := &gapv1.RollUpVariant{Method: method, Missing: missing, Status: status[(3*i+k)%len(status)], Policy: i+k == 0}
				if v.Status != "no_data" {
					v.Score = fraction(0.5)
				}
				out = append(out, v)
			}
		}
		return out
	}
	f := &fake{sensitivity: func(r *gapv1.SensitivityRequest) (*gapv1.SensitivityResponse, error) {
		return &gapv1.SensitivityResponse{AsOf: r.GetAsOf(), Revision: 9, Policy: "default",
			Strategies: []*gapv1.RollUpSensitivity{{Name: "s", Variants: variants("on_track", "off_track", "no_data", "at_risk")}},
			Objectives: []*gapv1.RollUpSensitivity{{Name: "o", Robust: true, Variants: variants("on_track")}},
		}, nil
	}}
	s := session{server: f.serve(t)}
	golden(t, "sensitivity", s.run(t, "gaps", "--sensitivity", "--as-of", "2018-12-31").want(t, exitOK).stdout)
	golden(t, "sensitivity-csv", s.run(t, "gaps", "--sensitivity", "-o", "csv").want(t, exitOK).stdout)
	s.run(t, "gaps", "--sensitivity", "-o", "json").want(t, exitOK).wantStdout(t, `"robust": true`)
	s.run(t, "gaps", "--sensitivity", "--watch").want(t, exitUsage)
}

func TestForecastAll(t *testing.T) {
	f := fraction
	res := &gapv1.EvaluateResponse{AsOf: "2018-12-31", Revision: 3,
		Targets: []*gapv1.TargetGap{
			{Name: "a", Status: "at_risk", Target: f(10), Direction: "increase", Attainment: f(0.4), AttainmentDate: said("2021-12-31"),
				Forecast:        &gapv1.Forecast{Value: f(9), At: "2020-12-31"},
				WithInitiatives: &gapv1.AdjustedForecast{Attainment: f(0.6)}},
			{Name: "b", Status: "on_track", Target: f(10), Direction: "decrease", Forecast: &gapv1.Forecast{Value: f(9), At: "2020-12-31", Unknown: "one value"}},
			{Name: "ended", Status: "missed"},
		},
		Objectives: []*gapv1.RollUp{{Name: "o", Attainment: &gapv1.JointForecast{
			StatusQuo:       &gapv1.JointAttainment{Targets: 2, Unknown: 1, Expected: 1.2, Lower: 0.2, Upper: 0.4, All: 0.31, StandardError: 0.0046},
			WithInitiatives: &gapv1.JointAttainment{Targets: 2, Unknown: 1, Expected: 1.4, Lower: 0.4, Upper: 0.6, All: 0.5, StandardError: 0.005},
		}}},
	}
	golden(t, "forecast-all", renderOutlooks(res, 0, false))
	// One target has its lines apart.
	one := &gapv1.ForecastResponse{Target: res.GetTargets()[0]}
	one.Target.WithInitiatives.Value, one.Target.WithInitiatives.Lower80, one.Target.WithInitiatives.Upper80 = f(11), f(8), f(14)
	golden(t, "forecast-lines", forecastText(one, shownAs(nil), 80, false))
}
