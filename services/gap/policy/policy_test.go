package policy_test

import (
	"encoding/json"
	"fmt"
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
		{"a word that there is not", "spec.reactions[0].when", "line 1, column 1: there is no open; did you mean gap.open or actions.open?", when("open")},
		{"a word in a wrong group", "spec.reactions[0].when", "line 1, column 9: there is no metric.share; did you mean gap.share?", when("'é€' == metric.share")},
		{"a group alone", "spec.reactions[0].when", "there is no actions; legal are actions.open", when("actions > 2")},
		{"nothing like it", "spec.reactions[0].when", "there is no fjord; legal are actions.open, condition.ChangeReady", when("fjord < 3")},
		{"a single =", "spec.reactions[0].when", "line 1, column 15: there is no =; what is the same is asked with ==", when("target.status = 'missed'")},
		{"a percentage", "spec.reactions[0].when", "line 1, column 15: there is no %; a share is a fraction", when("gap.share > 10% && gap.open")},
		{"and", "spec.reactions[0].when", "line 1, column 17: there is no and; both is asked with &&", when("gap.share > 0.1 and gap.open")},
		{"a text without quotes", "spec.reactions[0].when", "line 1, column 18: there is no off_track; a text is quoted: 'off_track'", when("target.status == off_track")},
		{"a costly one", "spec.reactions[0].when", "may take more than 10000 steps", when("'x' == " + strings.Repeat("("+strings.Repeat("target.name + ", 20)+"'') + ", 12) + "''")},
		{"too deep a one", "spec.reactions[0].when", "max recursion depth exceeded", when("'x' == " + strings.Repeat("target.name + ", 250) + "''")},
		{"types that do not fit", "spec.reactions[0].when", "column 11: found no matching overload", when("gap.share > 'x'")},
		{"no truth", "spec.reactions[0].when", "it gives double, not true or false", when("gap.share")},
		{"no end", "spec.reactions[0].when", "line 1, column 12: Syntax error", when("gap.open &&")},
		{"a macro", "spec.reactions[0].when", "line 1, column 7: there is no exists, nor another macro", when("units.exists(u, u == 'a')")},
		{"a pattern that is none", "spec.reactions[0].when", "missing closing )", when("target.name.matches('(a')")},
		{"too deep", "spec.reactions[0].when", "", when(strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60))},
		{"the same name twice", "spec.reactions[1].name", "is reaction 0 too", &policy.Spec{Reactions: []*gapv1.Reaction{
			{Name: "r", When: "true", Do: []*gapv1.Action{notify}}, {Name: "r", When: "true", Do: []*gapv1.Action{notify}}}}},
		{"a target and a review", "spec.reactions[0].when", "gap.open is of targets and review.missed of reviews, and nothing is both", when("gap.open && review.missed > 1")},
		{"a condition of targets and a review", "spec.reactions[0].when", "condition.OnTrack is of targets, objectives, strategies and units and review.missed of reviews", when("condition.OnTrack == 'False' && review.missed > 1")},
		{"two that roll up", "spec.reactions[0].when", "objective.score is of objectives and strategy.score of strategies", when("objective.score < 0.5 && strategy.score < 0.5")},
		{"a variable of a group that there is", "spec.reactions[0].when", `there is no strategy.scor; did you mean "strategy.score"?`, when("strategy.scor < 0.5")},
		{"an action of a roll-up", "spec.reactions[0].do[0]", "the reaction is about strategies", &policy.Spec{Reactions: []*gapv1.Reaction{
			{Name: "r", When: "strategy.score < 0.5", Do: []*gapv1.Action{{OpenCorrectiveAction: &gapv1.OpenCorrectiveAction{}}}}}}},
		{"a check-in of a review", "spec.reactions[0].do[0]", "the reaction is about reviews", &policy.Spec{Reactions: []*gapv1.Reaction{
			{Name: "r", When: "condition.ReviewOverdue == 'True'", Do: []*gapv1.Action{{RequireCheckIn: &gapv1.RequireCheckIn{}}}}}}},
		{"units of a strategy", "spec.reactions[0].when", "units, which belong to no strategy", &policy.Spec{Strategies: []string{"s"}, Reactions: []*gapv1.Reaction{
			{Name: "r", When: "unit.score < 0.5", Do: []*gapv1.Action{notify}}}}},
		{"two actions in one", "spec.reactions[0].do[0]", "2 actions", &policy.Spec{Reactions: []*gapv1.Reaction{
			{Name: "r", When: "true", Do: []*gapv1.Action{{Notify: &gapv1.Notify{}, Escalate: &gapv1.Escalate{}}}}}}},
		{"thresholds the wrong way round", "spec.evaluation.onTrack", "onTrack is 0.5 and atRisk is 0.15", &policy.Spec{Evaluation: &gapv1.Evaluation{OnTrack: proto.Float64(0.5)}}},
		{"a red flag beyond the goal", "spec.evaluation.gauge.redFlag", "redFlag is 7", &policy.Spec{Evaluation: &gapv1.Evaluation{Gauge: &gapv1.GaugeScores{RedFlag: proto.Float64(7)}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range policy.Kinds()[0].Check("p", c.spec, nil) {
				if len(f.Hint) > 200 || strings.Contains(f.Message, "line -1") {
					t.Errorf("%s\nhint of %d characters: %s", f.Message, len(f.Hint), f.Hint)
				}
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

// What is compared with a word that it never is is legal, and a warning.
func TestATextThatItNeverIs(t *testing.T) {
	for text, want := range map[string]string{
		"condition.OnTrack == 'false'":                              `condition.OnTrack is never 'false'; did you mean "False"?`,
		"gap.open && 'red' != target.status":                        "target.status is never 'red'; legal are achieved, at_risk, missed",
		"objective.status in ['off_track', 'missed']":               "objective.status is never 'missed'; legal are at_risk",
		"unit.status in ['off_track', 'at_risk'] && unit.known > 0": "",
		"target.name == 'red' && target.form == 'path'":             "",
		"transition.last == target.status":                          "",
	} {
		got := ""
		for _, f := range policy.Kinds()[0].Check("p", when(text), nil) {
			if got = f.Message; !f.Warning {
				t.Errorf("%s is refused: %s", text, got)
			}
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A reaction is about one kind, which its variables say; a name that is quoted, or
// part of another one, says nothing.
func TestWhatAReactionIsAbout(t *testing.T) {
	for text, kind := range map[string]string{
		"condition.OnTrack == 'False'": policy.Target,
		"true":                         policy.Target,
		"'ops' in units && transition.last == 'objective.score'":   policy.Target,
		"target.objective == 'o' && target.strategy == 's'":        policy.Target,
		"objective.strategy == 's' && condition.OnTrack == 'True'": policy.Objective,
		"strategy.score < 0.5 && days.onTrack > 30":                policy.Strategy,
		"unit.offTrack > 2 && 'ops' in units":                      policy.Unit,
		"unit.offTrack > 2 // not objective.score, it's a unit":    policy.Unit,
		"condition.ReviewOverdue == 'True' && 'ops' in units":      policy.Review,
	} {
		r, err := policy.Prepare("p", 1, when(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := r.Reactions[0].About; got != kind {
			t.Errorf("%s: about %q, want %q", text, got, kind)
		}
	}
	r, err := policy.Prepare("p", 1, when("days.dataFresh > 3"))
	if err != nil {
		t.Fatal(err)
	}
	if _, inputs := r.Reactions[0].Ask(map[string]any{"days.data": 1, "days.dataFresh": 2}); len(inputs) != 1 {
		t.Errorf("asked with %v, which it does not look at", inputs)
	}
}

// The longest that people write are not refused for what they may cost.
func TestWhatIsNotTooCostly(t *testing.T) {
	var names []string
	for i := range 90 {
		names = append(names, fmt.Sprintf("target.name == 'a-rather-long-name-of-a-target-%02d'", i))
	}
	for _, text := range []string{
		strings.Join(names[:70], " || "), strings.Repeat("'x' in units || ", 40) + "true",
		"target.name.matches('^(sales|costs)-.*$') && target.owner.startsWith('unit/') && condition.OnTrack == 'False' && string(gap.share) != ''",
	} {
		for _, f := range policy.Kinds()[0].Check("p", when(text), nil) {
			t.Errorf("%.60s: %s", text, f.Message)
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

// Whoever reads about the loop finds every variable; those of strategies and units
// are said to be those of objectives.
func TestVariablesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/loop.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range policy.Variables() {
		group, rest, _ := strings.Cut(v.Name, ".")
		if group == "strategy" || group == "unit" {
			group = "objective"
		}
		if rest != "" {
			rest = "." + rest
		}
		if !strings.Contains(string(doc), "`"+group+rest+"`") {
			t.Errorf("docs/loop.md does not tell of %s", v.Name)
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
	if n != 5 {
		t.Errorf("%d examples", n)
	}
}
