package policy_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/policy"
)

func when(text string) *policy.Spec {
	return &policy.Spec{Reactions: []*gapv1.Reaction{{Name: "r", When: text, Do: []*gapv1.Action{{Notify: &gapv1.Notify{}}}}}}
}

func TestWhatIsRefused(t *testing.T) {
	notify := &gapv1.Action{Notify: &gapv1.Notify{}}
	for _, c := range []struct {
		name, field, says string
		spec              *policy.Spec
	}{
		{"a variable that there is not", "spec.reactions[0].when", `line 2, column 3: there is no condition.OnTrak; did you mean "condition.OnTrack"?`, when("gap.open &&\n  condition.OnTrak == 'False'")},
		{"a word that there is not", "spec.reactions[0].when", "column 1: undeclared reference to 'open'", when("open")},
		{"types that do not fit", "spec.reactions[0].when", "column 11: found no matching overload", when("gap.share > 'x'")},
		{"no truth", "spec.reactions[0].when", "it gives double, not true or false", when("gap.share")},
		{"no end", "spec.reactions[0].when", "line 1, column 12: Syntax error", when("gap.open &&")},
		{"a macro", "spec.reactions[0].when", "undeclared reference", when("units.exists(u, u == 'a')")},
		{"too deep", "spec.reactions[0].when", "", when(strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60))},
		{"the same name twice", "spec.reactions[1].name", "is reaction 0 too", &policy.Spec{Reactions: []*gapv1.Reaction{
			{Name: "r", When: "true", Do: []*gapv1.Action{notify}}, {Name: "r", When: "true", Do: []*gapv1.Action{notify}}}}},
		{"two actions in one", "spec.reactions[0].do[0]", "2 actions", &policy.Spec{Reactions: []*gapv1.Reaction{
			{Name: "r", When: "true", Do: []*gapv1.Action{{Notify: &gapv1.Notify{}, Escalate: &gapv1.Escalate{}}}}}}},
		{"thresholds the wrong way round", "spec.evaluation.onTrack", "onTrack is 0.5 and atRisk is 0.15", &policy.Spec{Evaluation: &gapv1.Evaluation{OnTrack: proto.Float64(0.5)}}},
		{"a red flag beyond the goal", "spec.evaluation.gauge.redFlag", "redFlag is 7", &policy.Spec{Evaluation: &gapv1.Evaluation{Gauge: &gapv1.GaugeScores{RedFlag: proto.Float64(7)}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range policy.Kinds()[0].Check("p", c.spec, nil) {
				if f.Field == c.field && strings.Contains(f.Message, c.says) && !f.Warning {
					return
				}
			}
			t.Errorf("found %+v, want %s: … %s …", policy.Kinds()[0].Check("p", c.spec, nil), c.field, c.says)
		})
	}
}

func TestAnExpression(t *testing.T) {
	known := map[string]any{"gap.share": 0.2, "condition.OnTrack": "False", "units": []string{"ops", "company"}, "actions.open": 0, "target.daysToDue": 30}
	for text, want := range map[string]bool{
		"gap.share > 0.1 && condition.OnTrack == 'False'": true,
		"gap.share > 1": false,
		"'ops' in units && actions.open == 0 && target.daysToDue < 31": true,
		// What is not known decides nothing by itself.
		"gap.coverage < 0.5":                       false,
		"gap.coverage >= 0.5":                      false,
		"gap.coverage < 0.5 || gap.share > 0.1":    true,
		"!(gap.coverage < 0.5)":                    false,
		"condition.OnTrack == 'gap.nothing'":       false,
		"condition.OnTrack.matches('^(a+)+False')": false,
	} {
		r, err := policy.Prepare("p", 1, when(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, inputs := r.Reactions[0].Ask(known); got != want || strings.Contains(text, "gap.coverage") && inputs["gap.coverage"] != "not known" {
			t.Errorf("%s: %v with %v", text, got, inputs)
		}
	}
}

func TestWhatCostsTooMuchDoesNotHold(t *testing.T) {
	r, err := policy.Prepare("p", 1, when(strings.Repeat("'x' in units || ", 20)+"true"))
	if err != nil {
		t.Fatal(err)
	}
	many := make([]string, 100_000)
	if holds, _ := r.Reactions[0].Ask(map[string]any{"units": many}); holds {
		t.Error("it was evaluated to its end")
	}
}

func TestEvaluation(t *testing.T) {
	r := policy.Of("ours", 9, &policy.Spec{Evaluation: &gapv1.Evaluation{
		Preset: "servicenow", OnTrack: proto.Float64(0), RollUp: &gapv1.RollUpRule{Missing: "failed"}, Hysteresis: &gapv1.Hysteresis{Margin: proto.Float64(0.02)},
	}})
	want := gap.ServiceNow()
	want.Name, want.OnTrack, want.RollUp.Missing = "ours", 0, gap.MissingFailed
	want.Words = "As servicenow, but on track up to 0, missing parts count as failed."
	if r.Policy != want || r.Margin != 0.02 || r.Step != 0.05 || r.Revision != 9 {
		t.Errorf("%+v", r)
	}
	for _, name := range gap.PolicyNames() {
		preset, _ := policy.Preset(name)
		of := policy.Of(name, 0, &policy.Spec{Evaluation: &gapv1.Evaluation{Preset: name}})
		if of != preset {
			t.Errorf("an evaluation that changes nothing of %s is %+v", name, of)
		}
	}
}

// The examples can be declared.
func TestTheExamples(t *testing.T) {
	in, err := os.Open("../../examples/policies/policies.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	n := 0
	for dec := yaml.NewDecoder(in); ; n++ {
		var doc struct {
			Metadata struct{ Name string }
			Spec     map[string]any
		}
		if err := dec.Decode(&doc); err != nil {
			break
		}
		raw, err := json.Marshal(doc.Spec)
		if err != nil {
			t.Fatal(err)
		}
		spec := &policy.Spec{}
		if err := protojson.Unmarshal(raw, spec); err != nil {
			t.Fatalf("%s: %v", doc.Metadata.Name, err)
		}
		for _, f := range policy.Kinds()[0].Check(doc.Metadata.Name, spec, nil) {
			t.Errorf("%s: %+v", doc.Metadata.Name, f)
		}
	}
	if n != 4 {
		t.Errorf("%d examples", n)
	}
}
