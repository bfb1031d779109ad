package reconcile

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	"setpoint.dev/services/gap/condition"
)

// A gap that opens again while the corrective action of the policy is still open gets
// no second one, and the firing says so; once somebody has closed it, it does, also
// on the same day.
func TestAPolicyPromisesOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.clock.set("2026-07-10")
	w.apply(plan)
	w.apply(reacts)
	acts := initiativev1connect.NewInitiativeServiceClient(http.DefaultClient, w.processes[0].url)
	passes, _ := w.reconciling(0, false)
	day := 0
	observe := func(value float64) {
		day++
		w.observe("sales", fmt.Sprintf("2026-06-%02d", day), value)
	}
	fires := func(n int) *condition.Set {
		t.Helper()
		observe(100)
		w.until(passes, "sales", func(s *condition.Set) bool { return !s.GetGapOpen() && len(s.GetReactions()) == 0 })
		observe(5)
		return w.until(passes, "sales", func(s *condition.Set) bool { return len(s.GetFirings()) == n })
	}
	opened := func(n int) {
		t.Helper()
		for deadline := time.After(2 * time.Minute); count(w.events("initiative", "action"), "initiative.action_opened") != n; {
			select {
			case <-passes:
			case <-deadline:
				t.Fatalf("acts %v, want %d opened", w.events("initiative", "action"), n)
			}
		}
	}
	fires(1)
	opened(1)
	s := fires(2)
	if e := s.GetFirings()[1].GetEffects()[0]; e.GetRequestId() != "" || !strings.Contains(e.GetMessage(), "still open") {
		t.Errorf("while the first is open: %v", e)
	}
	opened(1)
	list, err := acts.ListActions(t.Context(), &initiativev1.ListActionsRequest{})
	if err != nil || len(list.GetActions()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if _, err := acts.CloseAction(t.Context(), &initiativev1.CloseActionRequest{Action: list.GetActions()[0].GetAction(), Outcome: "done", Evidence: "seen"}); err != nil {
		t.Fatal(err)
	}
	s = fires(3)
	if e := s.GetFirings()[2].GetEffects()[0]; e.GetRequestId() == "" || e.GetRequestId() == s.GetFirings()[0].GetEffects()[0].GetRequestId() {
		t.Errorf("once it is closed: %v, the first was %v", e, s.GetFirings()[0])
	}
	opened(2)
}

// Of two that run at once, one tells and never does what follows, as one that is
// killed in between: the other one does it, without being started anew.
func TestWhoStaysDoesWhatTheOtherDidNot(t *testing.T) {
	const n = 12
	w := newWorld(t, 2)
	w.clock.set("2026-07-10")
	var yaml strings.Builder
	yaml.WriteString(plan)
	for i := range n {
		fmt.Fprintf(&yaml, `
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: m%d}, spec: {unit: count, cadence: monthly, reportingLag: 20d}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: t%d}, spec: {metric: m%d, owner: unit/ops, baseline: {value: 0, date: 2025-12-31}, value: 120, due: 2026-12-31}}
`, i, i, i)
	}
	w.apply(yaml.String())
	w.apply(strings.Replace(reacts, "target.name == 'sales'", "target.name.startsWith('t')", 1))
	broken, _ := w.reconciling(0, true)
	whole, _ := w.reconciling(1, false)
	for i := range n {
		w.observe(fmt.Sprintf("m%d", i), "2026-06", 5)
		select {
		case <-broken:
		case <-whole:
		}
	}
	for deadline := time.After(2 * time.Minute); ; {
		opened := count(w.events("initiative", "action"), "initiative.action_opened")
		if opened == n {
			return
		}
		select {
		case <-broken:
		case <-whole:
		case <-deadline:
			t.Fatalf("%d of %d actions are opened", opened, n)
		}
	}
}
