package reconcile

import (
	"slices"
	"testing"
	"time"

	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

const objectives = `
---
{apiVersion: setpoint.dev/v1, kind: Strategy, metadata: {name: plan}, spec: {title: Plan, horizon: {start: 2025-01-01, end: 2027-12-31}, owner: unit/company}}
---
{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: grow}, spec: {title: Grow, strategy: plan}}
---
{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: sell}, spec: {title: Sell, strategy: plan, contributesTo: [{objective: grow}]}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: sold}, spec: {metric: sales, objective: sell,
  baseline: {value: 0, date: 2025-12-31}, value: 120, due: 2026-12-31}}
`

// setOfKind is what the record of the first process has of the conditions of what
// is no target.
func (w *world) setOfKind(kind, aggregate, name string) (s *condition.Set) {
	w.t.Helper()
	p := w.processes[0]
	if err := p.runner.CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	err := p.record.View(w.t.Context(), func(v record.View) error {
		r, err := v.Resource(org, kind, name, v.Revision())
		if err != nil || r == nil {
			return err
		}
		s, err = setOf(v, eventlog.Subject{Org: org, Service: policy.Service, Kind: aggregate, ID: r.ID})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// A value moves what is above its target, up to strategy and units; two reconcilers
// tell each move once, and a full reading has nothing to add.
func TestWhatIsAboveATargetMoves(t *testing.T) {
	w := newWorld(t, 2)
	w.apply(plan + objectives)
	a, stopA := w.reconciling(0, false)
	_, stopB := w.reconciling(1, false)
	onTrack := func(status string) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			var got []string
			for _, x := range [][3]string{
				{"Objective", condition.ObjectiveAggregate, "sell"}, {"Objective", condition.ObjectiveAggregate, "grow"},
				{"Strategy", condition.StrategyAggregate, "plan"}, {"Unit", condition.UnitAggregate, "company"},
			} {
				got = append(got, condition.Of(w.setOfKind(x[0], x[1], x[2]), condition.OnTrack).GetStatus())
			}
			if len(slices.Compact(slices.Clone(got))) == 1 && got[0] == status {
				return
			}
			select {
			case <-a:
			case <-deadline:
				t.Fatalf("OnTrack of sell, grow, plan and company is %v, want %s", got, status)
			}
		}
	}
	onTrack(condition.Unknown)
	w.observe("sales", "2026-05", 50)
	onTrack(condition.True)
	w.observe("sales", "2026-06-01", 1)
	w.clock.set("2026-07-02")
	onTrack(condition.False)
	s := w.setOfKind("Objective", condition.ObjectiveAggregate, "grow")
	if s.GetStatus() != "off_track" || s.GetKind() != "Objective" || s.GetName() != "grow" || s.Score == nil || condition.Of(s, condition.DataFresh).GetStatus() != condition.True {
		t.Errorf("grow: %v", s)
	}
	stopA()
	stopB()
	for _, aggregate := range []string{condition.ObjectiveAggregate, condition.StrategyAggregate, condition.UnitAggregate} {
		names := map[string]int{condition.ObjectiveAggregate: 2, condition.StrategyAggregate: 1, condition.UnitAggregate: 2}
		if n := count(w.events("gap", aggregate), "gap.roll_up_changed"); n != 3*names[aggregate] {
			t.Errorf("%s: told %d times, want 3 of each: %v", aggregate, n, w.events("gap", aggregate))
		}
	}
	a, _ = w.reconciling(1, false)
	if n := <-a; n != 0 {
		t.Errorf("a full reading tells of %d", n)
	}
}

// A target, an objective and a review of one name are three.
func TestOneNameOfSeveralKinds(t *testing.T) {
	w := newWorld(t, 1)
	w.reviews = func(_ record.View, _ string, _ uint64, day calendar.Date) ([]condition.Review, error) {
		return []condition.Review{{ID: "sales", Name: "sales", Owner: "unit/ops", Cadence: "weekly", Period: "2026-W24", Missed: 1, Since: calendar.MustParse("2026-06-14")}}, nil
	}
	w.apply(plan + `
---
{apiVersion: setpoint.dev/v1, kind: Strategy, metadata: {name: sales}, spec: {title: Plan, horizon: {start: 2025-01-01, end: 2027-12-31}}}
---
{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: sales}, spec: {title: Sell, strategy: sales}}
---
{apiVersion: setpoint.dev/v1, kind: Review, metadata: {name: sales}, spec: {title: Weekly, cadence: weekly, owner: unit/ops}}
`)
	passes, stop := w.reconciling(0, false)
	w.observe("sales", "2026-05", 5)
	w.until(passes, "sales", open)
	for deadline := time.After(time.Minute); ; {
		if condition.Of(w.setOfKind("Review", condition.ReviewAggregate, "sales"), condition.ReviewOverdue).GetStatus() == condition.True {
			break
		}
		select {
		case <-passes:
		case <-deadline:
			t.Fatal("the review is not told to be overdue")
		}
	}
	stop()
	targets, reviews := w.events("gap", condition.Aggregate), w.events("gap", condition.ReviewAggregate)
	passes, _ = w.reconciling(0, false)
	<-passes
	if more := len(w.events("gap", condition.Aggregate)) + len(w.events("gap", condition.ReviewAggregate)) - len(targets) - len(reviews); more != 0 {
		t.Errorf("a full reading tells %d events more", more)
	}
}

const alarms = `
---
apiVersion: setpoint.dev/v1
kind: Policy
metadata: {name: alarms}
spec:
  reactions:
    - name: objectives
      when: objective.name == 'grow' && condition.OnTrack == 'False'
      for: 2d
      do: [{escalate: {after: 3d}}, {notify: {channel: office}}]
    - name: strategies
      when: strategy.score < 0.5 && strategy.offTrack > 0
      do: [{notify: {channel: board}}]
    - name: units
      when: unit.offTrack > 0 && 'company' in units && unit.name != 'company'
      do: [{escalate: {after: 4d}}]
`

// Policies react to what is above targets: once, over two reconcilers and over
// restarts, and just as a replay says; nothing of it sets anything off.
func TestPoliciesReactToWhatIsAbove(t *testing.T) {
	w := newWorld(t, 2)
	w.apply(plan + objectives + alarms)
	passes, stopA := w.reconciling(0, false)
	_, stopB := w.reconciling(1, false)
	happened := func(aggregate string) (out []string) {
		for _, e := range w.events("gap", aggregate) {
			if e != "gap.roll_up_changed" && e != "gap.condition_changed" {
				out = append(out, e)
			}
		}
		return out
	}
	until := func(aggregate string, want ...string) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			got := happened(aggregate)
			if slices.Equal(got, want) {
				return
			}
			select {
			case <-passes:
			case <-deadline:
				t.Fatalf("%s: the log has %q, want %q", aggregate, got, want)
			}
		}
	}
	w.observe("sales", "2026-05", 5)
	ofObjective := []string{"gap.reaction_held"}
	ofStrategy := []string{"gap.reaction_fired", "gap.notification_requested"}
	ofUnit := []string{"gap.reaction_fired"}
	until(condition.ObjectiveAggregate, ofObjective...)
	until(condition.StrategyAggregate, ofStrategy...)
	until(condition.UnitAggregate, ofUnit...)
	w.clock.set("2026-06-17")
	ofObjective = append(ofObjective, "gap.reaction_fired", "gap.notification_requested")
	until(condition.ObjectiveAggregate, ofObjective...)
	w.clock.set("2026-06-19")
	ofUnit = append(ofUnit, "gap.escalated")
	until(condition.UnitAggregate, ofUnit...)
	stopA()
	stopB()
	passes, stopA = w.reconciling(1, false)
	<-passes
	stopA()
	until(condition.ObjectiveAggregate, ofObjective...)
	until(condition.StrategyAggregate, ofStrategy...)
	until(condition.UnitAggregate, ofUnit...)
	s := w.setOfKind("Objective", condition.ObjectiveAggregate, "grow")
	if f := s.GetFirings(); len(f) != 1 || f[0].GetAsOf() != "2026-06-17" || f[0].GetInputs()["condition.OnTrack"] != "False" || f[0].GetInputs()["objective.name"] != "grow" {
		t.Errorf("grow: firings %v", f)
	}
	err := w.processes[0].record.View(t.Context(), func(v record.View) error {
		r, err := v.Resource(org, "Policy", "alarms", v.Revision())
		if err != nil {
			return err
		}
		res, err := Replay(v, org, "alarms", r.Spec.(*policy.Spec), r.From, calendar.MustParse("2026-06-14"), calendar.MustParse("2026-06-19"), false, nil)
		if err != nil {
			return err
		}
		var got []string
		for _, f := range res.GetFirings() {
			got = append(got, f.GetDay()+" "+f.GetWhat()+" "+f.GetKind()+"/"+f.GetName()+f.GetTarget()+f.GetReview())
		}
		want := []string{"2026-06-15 fired Unit/ops", "2026-06-15 fired Strategy/plan", "2026-06-17 fired Objective/grow", "2026-06-19 escalated Unit/ops"}
		if !slices.Equal(got, want) {
			t.Errorf("a replay would have done %q, want %q", got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
