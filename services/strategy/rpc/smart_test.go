package rpc_test

import (
	"strings"
	"testing"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// Advice on a target rests on what was observed: the last recorded of several
// values of a day, in the organization's time zone.
func TestAdviceRestsOnWhatWasObserved(t *testing.T) {
	w := start(t)
	yearly := "apiVersion: setpoint.dev/v1\nkind: Organization\nmetadata: {name: org}\nspec: {timeZone: America/New_York}\n---\n" +
		strings.Replace(plan, "cadence: monthly", "cadence: yearly", 1)
	w.apply(yearly)
	w.observe(false, observation("2023-12-31", "REXUS", 500), observation("2024-12-31", "REXUS", 9),
		// 31 December in New York.
		observation("2026-01-01T02:00:00Z", "REXUS", 10))
	w.observe(false, observation("2023-12-31", "audit", 8))
	res, err := w.declare.Plan(w.ctx, &declarationv1.PlanRequest{Manifests: &declarationv1.Manifests{
		Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(yearly)}}}})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range res.GetWarnings() {
		if strings.HasPrefix(f.GetReason(), "strategy.smart_") {
			said = append(said, f.GetReason()+" "+f.GetFile()+" "+f.GetResource()+" "+f.GetField()+": "+f.GetMessage())
		}
	}
	// From 12 on 2026-10-31 to 110 two months later; 2 in ten months was the fastest.
	const want = "strategy.smart_unrealistic plan.yaml Target/t spec.value: 110 by 2026-12-31 needs +587 a year from 12 on 2026-10-31; " +
		"the fastest ever was +2.4 a year, 2025-12-31 to 2026-10-31"
	if len(said) != 1 || said[0] != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(said, "\n"), want)
	}
	// An apply does not take the time to look.
	for _, f := range w.apply(yearly).GetWarnings() {
		if strings.HasPrefix(f.GetReason(), "strategy.smart_") {
			t.Errorf("said by apply: %s", f.GetReason())
		}
	}
}
