package gap

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// Rolling up results that were kept gives what evaluating everything gives.
func TestRollingUpAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, day, policy := drawPortfolio(t), drawAsOf(t), drawPolicy(t)
		all := Evaluate(p, day, policy, Options{})
		var kept []TargetResult
		for _, r := range all.Targets {
			kept = append(kept, TargetResult{
				Name: r.Name, Objective: r.Objective, Unit: r.Unit, Form: r.Form, Status: r.Status, Weight: r.Weight, Score: r.Score, Progress: r.Progress,
			})
		}
		again := RollUps(p, kept, policy)
		for what, pair := range map[string][2][]RollUp{
			"objectives": {all.Objectives, again.Objectives}, "strategies": {all.Strategies, again.Strategies}, "units": {all.Units, again.Units},
		} {
			if len(pair[0])+len(pair[1]) > 0 && !reflect.DeepEqual(pair[0], pair[1]) {
				t.Fatalf("%s: %+v, rolled up again %+v", what, pair[0], pair[1])
			}
		}
	})
}
