package rpc

import (
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
)

const work = `
{apiVersion: setpoint.dev/v1, kind: Strategy, metadata: {name: s}, spec: {title: S, horizon: {start: 2019-01-01, end: 2023-12-31}}}
---
{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: o}, spec: {title: O, strategy: s}}
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: sales}, spec: {unit: count, cadence: yearly}}
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: other}, spec: {unit: count, cadence: yearly}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: sales, effective: 2019-01-01}, spec: {metric: sales, objective: o, direction: increase,
  baseline: {value: 0, date: 2018-12-31}, value: 100, due: 2023-12-31}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: other, effective: 2019-01-01}, spec: {metric: other, objective: o, direction: increase,
  baseline: {value: 0, date: 2018-12-31}, value: 100, due: 2023-12-31}}
---
{apiVersion: setpoint.dev/v1, kind: Initiative, metadata: {name: shop}, spec: {title: Shop, start: 2022-01-01, end: 2022-12-31,
  contributions: [{target: sales, likely: 50, low: 30, high: 60, rampStart: 2022-01-01, rampEnd: 2022-12-31}]}}
`

// asked is a stack on which there is something to analyze, as of the end of 2021.
func asked(t *testing.T) stack {
	now := func() time.Time { return time.Date(2021, 12, 31, 12, 0, 0, 0, time.UTC) }
	s := start(t, now, nil)
	s.apply("acme", work)
	for i, v := range []float64{12, 19, 27} {
		s.observe("acme", time.Date(2018+i, 12, 31, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), v)
	}
	// Until the record has it all: who asks with a revision waits for it.
	again := 27.0
	res, err := strategyv1connect.NewStrategyServiceClient(&http.Client{Transport: asOrg("acme")}, s.url).RecordObservations(t.Context(), &strategyv1.RecordObservationsRequest{
		Observations: []*strategyv1.Observation{{Metric: "sales", ObservedAt: "2020-12-31", Value: &again}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client("acme").Evaluate(t.Context(), &gapv1.EvaluateRequest{MinRevision: res.GetRevision()}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s stack) plan(yaml string, ask *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
	ask.Manifests = &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "change.yaml", Content: []byte(yaml)}}}
	return declarationv1connect.NewDeclarationServiceClient(&http.Client{Transport: asOrg("acme")}, s.url).Plan(s.t.Context(), ask)
}

// A plan says what it would bring about, and writes nothing; a rename by itself
// brings nothing about.
func TestPlanTellsItsConsequences(t *testing.T) {
	s := asked(t)
	const target = `{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: sales}, spec: {metric: sales, objective: o, direction: increase,
  baseline: {value: 0, date: 2018-12-31}, value: 45, due: 2023-12-31}}`
	res, err := s.plan(target, &declarationv1.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c := res.GetConsequences()
	if len(c.GetTargets()) != 1 || c.GetAsOf() != "2021-12-31" || c.GetPolicy() != "default" {
		t.Fatalf("consequences %v", c)
	}
	x := c.GetTargets()[0]
	if x.GetTarget() != "sales" || x.GetStatusBefore() != "at_risk" || x.GetStatusAfter() != "on_track" ||
		x.GetGapBefore() != 73 || x.GetGapAfter() != 18 || !(x.GetAttainmentAfter() > x.GetAttainmentBefore()) {
		t.Errorf("the target %v", x)
	}
	if o := c.GetObjectives(); len(o) != 1 || o[0].GetStatusAfter() != "on_track" || o[0].GetScoreBefore() != 0.5 {
		t.Errorf("objectives %v", o)
	}
	if again, err := s.plan(target, &declarationv1.PlanRequest{WithoutConsequences: true}); err != nil || again.GetConsequences() != nil || len(again.GetChanges()) != 1 {
		t.Errorf("without consequences: %v, %v", again, err)
	}
	if _, err := s.plan(target, &declarationv1.PlanRequest{Policy: "nosuch"}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("an unknown policy: %v", err)
	}
	if _, err := s.plan(target, &declarationv1.PlanRequest{AsOf: "2021-02-31"}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("no such day: %v", err)
	}
	// As of an earlier day, what has no effective date counts from then.
	if early, err := s.plan(target, &declarationv1.PlanRequest{AsOf: "2021-01-31"}); err != nil || len(early.GetConsequences().GetTargets()) != 1 {
		t.Errorf("as of an earlier day: %v, %v", early.GetConsequences(), err)
	}
	const renamed = `{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: revenue, renamedFrom: sales, effective: 2019-01-01}, spec: {metric: sales, objective: o, direction: increase,
  baseline: {value: 0, date: 2018-12-31}, value: 100, due: 2023-12-31}}
---
{apiVersion: setpoint.dev/v1, kind: Initiative, metadata: {name: shop}, spec: {title: Shop, start: 2022-01-01, end: 2022-12-31,
  contributions: [{target: revenue, likely: 50, low: 30, high: 60, rampStart: 2022-01-01, rampEnd: 2022-12-31}]}}`
	if r, err := s.plan(renamed, &declarationv1.PlanRequest{}); err != nil || len(r.GetChanges()) != 2 || len(r.GetConsequences().GetTargets()) != 0 {
		t.Errorf("a rename: %v, %v", r, err)
	}
	e, err := s.client("acme").Evaluate(t.Context(), &gapv1.EvaluateRequest{})
	if err != nil || e.GetTargets()[1].GetName() != "sales" || e.GetTargets()[1].GetTarget() != 100 {
		t.Errorf("something was written: %v, %v", e, err)
	}
	// A policy that is being declared judges what would be.
	const policy = `{apiVersion: setpoint.dev/v1, kind: Policy, metadata: {name: default}, spec: {evaluation: {preset: default, onTrack: 0.9, atRisk: 0.95}}}`
	if r, err := s.plan(policy, &declarationv1.PlanRequest{}); err != nil {
		t.Errorf("a policy: %v", err)
	} else if l := r.GetConsequences().GetTargets(); len(l) != 1 || l[0].GetStatusAfter() != "on_track" {
		t.Errorf("a policy: %v", l)
	}
}

func TestWhatIf(t *testing.T) {
	s := asked(t)
	c := s.client("acme")
	res, err := c.WhatIf(t.Context(), &gapv1.WhatIfRequest{With: []string{"initiative/shop"}})
	if err != nil {
		t.Fatal(err)
	}
	l := res.GetConsequences().GetTargets()
	if len(l) != 1 || l[0].GetTarget() != "sales" || l[0].GetStatusBefore() != l[0].GetStatusAfter() || !(l[0].GetResidualAfter() < l[0].GetResidualBefore()) ||
		l[0].GetAttainmentBefore() != l[0].GetAttainmentAfter() || !(l[0].GetWithInitiativesAfter() > l[0].GetWithInitiativesBefore()) {
		t.Errorf("with the initiative: %v", l)
	}
	if math.Abs(l[0].GetWithInitiativesBefore()-l[0].GetAttainmentBefore()) > 0 {
		t.Errorf("before, nothing works on it: %v", l[0])
	}
	// What is proposed counts nothing: without it nothing differs.
	if res, err = c.WhatIf(t.Context(), &gapv1.WhatIfRequest{Without: []string{"initiative/shop"}}); err != nil || len(res.GetConsequences().GetTargets()) != 0 {
		t.Errorf("without the initiative: %v, %v", res, err)
	}
	res, err = c.WhatIf(t.Context(), &gapv1.WhatIfRequest{Without: []string{"target/other", "Initiative/shop"}})
	if err != nil || len(res.GetConsequences().GetTargets()) != 1 || res.GetConsequences().GetTargets()[0].GetStatusAfter() != "" {
		t.Errorf("without a target: %v, %v", res, err)
	}
	for _, x := range []struct {
		req  *gapv1.WhatIfRequest
		code connect.Code
	}{
		{&gapv1.WhatIfRequest{}, connect.CodeInvalidArgument},
		{&gapv1.WhatIfRequest{Without: []string{"metric/sales"}}, connect.CodeInvalidArgument},
		{&gapv1.WhatIfRequest{Without: []string{"target/sale"}}, connect.CodeNotFound},
		{&gapv1.WhatIfRequest{With: []string{"target/sales"}}, connect.CodeInvalidArgument},
		{&gapv1.WhatIfRequest{With: []string{"initiative/shops"}}, connect.CodeNotFound},
		{&gapv1.WhatIfRequest{Without: []string{"target/sales"}, Policy: "nosuch"}, connect.CodeInvalidArgument},
		{&gapv1.WhatIfRequest{Without: []string{"target/sales"}, Strategy: "nosuch"}, connect.CodeNotFound},
	} {
		if _, err := c.WhatIf(t.Context(), x.req); connect.CodeOf(err) != x.code {
			t.Errorf("%v: %v, expected %v", x.req, err, x.code)
		}
	}
}

// The same targets under every way: nine of them, one is the policy's.
func TestSensitivity(t *testing.T) {
	s := asked(t)
	res, err := s.client("acme").Sensitivity(t.Context(), &gapv1.SensitivityRequest{Strategy: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetStrategies()) != 1 || len(res.GetObjectives()) != 1 || res.GetPolicy() != "default" || res.GetAsOf() != "2021-12-31" {
		t.Fatalf("%v", res)
	}
	o := res.GetObjectives()[0]
	if len(o.GetVariants()) != 9 || o.GetRobust() {
		t.Errorf("%v", o)
	}
	mine := slices.IndexFunc(o.GetVariants(), (*gapv1.RollUpVariant).GetPolicy)
	if v := o.GetVariants()[mine]; v.GetMethod() != "mean" || v.GetMissing() != "unknown" {
		t.Errorf("the policy's way is %v", v)
	}
	// One target of two is at risk, the other has no data.
	for _, v := range o.GetVariants() {
		e, err := s.client("acme").Evaluate(t.Context(), &gapv1.EvaluateRequest{Policy: map[string]string{"unknown": "default", "excluded": "missing-excluded", "failed": "missing-failed"}[v.GetMissing()]})
		if err != nil {
			t.Fatal(err)
		}
		if v.GetMethod() == "mean" && e.GetObjectives()[0].GetStatus() != v.GetStatus() {
			t.Errorf("%v, by an evaluation %v", v, e.GetObjectives()[0].GetStatus())
		}
	}
	if _, err := s.client("acme").Sensitivity(t.Context(), &gapv1.SensitivityRequest{Strategy: "nosuch"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("no such strategy: %v", err)
	}
}
