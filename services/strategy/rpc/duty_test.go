package rpc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

const owners = `
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: top}
spec: {title: Top}
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: estate}
spec: {title: Real estate, parent: top}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: visits}
spec: {title: Visits, unit: visits, cadence: monthly, reportingLag: 5d, aggregation: sum, owner: unit/estate}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: busy}
spec: {title: Busy, owner: unit/estate}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: visits}
spec:
  metric: visits
  objective: busy
  baseline: {date: 2025-12-31, value: 10}
  value: 100
  due: 2026-12-31
  checkInEvery: weekly
`

func (w *world) duties(req *strategyv1.ListDutiesRequest) []string {
	w.Helper()
	res, err := w.strategy.ListDuties(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, d := range res.GetDuties() {
		s := d.GetKind() + " " + d.GetName() + " " + d.GetDue()
		if d.GetOverdue() {
			s += fmt.Sprintf(" %dd", d.GetDaysOverdue())
		}
		if d.GetEscalatedTo() != "" {
			s += " now " + d.GetEscalatedTo()
		}
		out = append(out, s)
	}
	return out
}

func TestWhatIsOwed(t *testing.T) {
	w := start(t)
	declared := w.apply(owners).GetRevision()
	six := 6.0
	if _, err := w.strategy.RecordObservations(w.ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{
		{Metric: "visits", ObservedAt: "2026-09", Value: &six}}}); err != nil {
		t.Fatal(err)
	}
	mine := &strategyv1.ListDutiesRequest{Owner: "unit/estate"}
	ask := func(due, policy string) bool {
		t.Helper()
		res, err := w.strategy.RequestCheckIn(w.ctx, &strategyv1.RequestCheckInRequest{Target: "visits", Due: due, Reason: "why?", Policy: policy})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetChanged()
	}
	want := func(name string, req *strategyv1.ListDutiesRequest, want ...string) {
		t.Helper()
		if got := w.duties(req); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	want("at first", mine, "value visits 2026-11-05 17d now unit/top", "check-in visits 2026-11-22")
	want("at the top", &strategyv1.ListDutiesRequest{Owner: "unit/top"}, "value visits 2026-11-05 17d now unit/top")
	want("next week", &strategyv1.ListDutiesRequest{Owner: "unit/estate", AsOf: "2026-11-23", Kind: "check-in"}, "check-in visits 2026-11-29")

	if !ask("2026-11-24", "red") || ask("2026-11-29", "red") || !ask("2026-11-24", "") {
		t.Error("a policy asks once until it is answered, and people beside it")
	}
	want("asked for", &strategyv1.ListDutiesRequest{Kind: "requested"}, "requested visits 2026-11-24", "requested visits 2026-11-24")
	want("late", &strategyv1.ListDutiesRequest{Kind: "requested", AsOf: "2026-12-01", Overdue: true},
		"requested visits 2026-11-24 7d now unit/top", "requested visits 2026-11-24 7d now unit/top")
	want("as it was known before", &strategyv1.ListDutiesRequest{Kind: "requested", Revision: declared})

	if _, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "visits", Confidence: confidence(4), Note: "n"}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2026-10", "2026-11-22"} {
		if _, err := w.strategy.RecordObservations(w.ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{
			{Metric: "visits", ObservedAt: at, Value: &six}}}); err != nil {
			t.Fatal(err)
		}
	}
	want("done", mine)
	if !ask("2026-11-29", "red") {
		t.Error("a policy whose request was answered may ask again")
	}
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	want("after a restart", mine, "requested visits 2026-11-29")

	for name, req := range map[string]*strategyv1.RequestCheckInRequest{
		"strategy.request_due":    {Target: "visits", Due: "2026-11-21", Reason: "r"},
		"strategy.request_reason": {Target: "visits", Due: "2026-11-30"},
		"strategy.target_unknown": {Target: "visit", Due: "2026-11-30", Reason: "r"},
		"command.changed":         {Target: "visits", Due: "2026-11-30", Reason: "r", ExpectedRevision: 1},
	} {
		if _, err := w.strategy.RequestCheckIn(w.ctx, req); reason(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.strategy.ListDuties(w.ctx, &strategyv1.ListDutiesRequest{Owner: "estate"}); reason(err) != "strategy.owner" {
		t.Errorf("an owner without its kind: %v", err)
	}
	// An empty list would say that nothing is owed.
	_, duties := w.strategy.ListDuties(w.ctx, &strategyv1.ListDutiesRequest{Owner: "unit/estat"})
	_, held := w.strategy.ListReviews(w.ctx, &strategyv1.ListReviewsRequest{Owner: "unit/estat"})
	_, decided := w.strategy.ListDecisions(w.ctx, &strategyv1.ListDecisionsRequest{Owner: "unit/estat"})
	for _, err := range []error{duties, held, decided} {
		if reason(err) != "record.unknown_resource" {
			t.Errorf("a unit that is none: %v", err)
		}
	}
	// A target that is deleted owes nothing, and neither does a new one of its name.
	if _, err := w.declare.Delete(w.ctx, &declarationv1.DeleteRequest{Kind: "Target", Name: "visits"}); err != nil {
		t.Fatal(err)
	}
	want("deleted", mine)
	w.apply(owners)
	want("declared again", &strategyv1.ListDutiesRequest{Kind: "requested"})
}
