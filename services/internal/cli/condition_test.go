package cli

import (
	"encoding/json"
	"strings"
	"testing"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// Everything that has conditions shows them, in every form, at the revision at which
// it was read.
func TestConditionsAreShown(t *testing.T) {
	var asked []*gapv1.ListConditionsRequest
	f := &fake{
		get: func(r *declarationv1.GetRequest) (*declarationv1.GetResponse, error) {
			return &declarationv1.GetResponse{Revision: 41, Resource: &commonv1.Resource{
				ApiVersion: "setpoint.dev/v1", Kind: r.GetKind(), Metadata: &commonv1.Metadata{Name: r.GetName()}}}, nil
		},
		conditions: func(r *gapv1.ListConditionsRequest) (*gapv1.ListConditionsResponse, error) {
			asked = append(asked, r)
			set := &gapv1.ConditionSet{Kind: "Objective", Name: "savings", Policy: "default", AsOf: "2026-11-26", Conditions: []*gapv1.Condition{{
				Type: "OnTrack", Status: "False", Reason: "AtRisk", Message: "the objective is at risk", LastTransitionDay: "2026-11-20"}}}
			return &gapv1.ListConditionsResponse{Revision: 41, RollUps: []*gapv1.TargetConditions{{Set: set, Revision: 40}}}, nil
		},
	}
	url := f.serve(t)
	for _, format := range []string{"table", "json", "yaml"} {
		for _, args := range [][]string{{"describe", "objective", "savings"}, {"get", "conditions", "objective/savings"}} {
			r := session{server: url}.run(t, append(args, "-o", format)...)
			out := r.stdout
			if r.code != 0 || !strings.Contains(out, "OnTrack") || !strings.Contains(out, "2026-11-20") {
				t.Errorf("%v -o %s: %d %s%s", args, format, r.code, out, r.stderr)
			}
			if r := asked[len(asked)-1]; r.GetKind() != "Objective" || r.GetName() != "savings" || args[0] == "describe" && r.GetRevision() != 41 {
				t.Errorf("%v asked %v", args, r)
			}
			if format == "json" && !json.Valid([]byte(out)) {
				t.Errorf("%v: %s", args, out)
			}
		}
	}
	for _, c := range []struct{ of, says string }{
		{"metric/m", "Metric has no conditions; legal are Target, Objective, Strategy, Unit, Review"},
		{"objectiv/o", "objectiv"},
	} {
		session{server: url}.run(t, "get", "conditions", c.of).want(t, 64).wantStderr(t, c.says)
	}
}
