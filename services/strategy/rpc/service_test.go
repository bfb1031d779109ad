package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/devserver"
)

// plan has one target that is off track on 22 November 2026 with 12 observed.
const plan = `
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: s}
spec: {horizon: {start: 2026-01-01, end: 2028-12-31}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: o}
spec: {strategy: s}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: m}
spec: {unit: USD, format: currency, magnitude: billions, decimals: 1, currency: EUR, cadence: monthly}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: t}
spec: {objective: o, metric: m, baseline: {date: 2025-12-31, value: 10}, value: 110, due: 2026-12-31, owner: person/p1}
`

// world is a running service as one organization sees it.
type world struct {
	*testing.T
	ctx      context.Context
	server   *devserver.Server
	dir      string
	declare  declarationv1connect.DeclarationServiceClient
	strategy strategyv1connect.StrategyServiceClient
	gap      gapv1connect.GapServiceClient
}

func clock() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func start(t *testing.T) *world {
	w := &world{T: t, ctx: context.Background(), dir: t.TempDir()}
	w.open()
	w.apply(plan)
	w.observe(false, observation("2026-10-31", "REXUS", 12))
	return w
}

func (w *world) open() {
	w.Helper()
	s, err := devserver.Start(w.ctx, devserver.Options{Data: w.dir, Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test", Now: clock, NoReactor: true})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.Close() })
	w.server = s
	w.declare = declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL())
	w.strategy = strategyv1connect.NewStrategyServiceClient(http.DefaultClient, s.URL())
	w.gap = gapv1connect.NewGapServiceClient(http.DefaultClient, s.URL())
}

func (w *world) apply(yaml string) *declarationv1.ApplyResponse {
	w.Helper()
	res, err := w.declare.Apply(w.ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
		Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(yaml)}}}})
	if err != nil {
		w.Fatal(err)
	}
	return res
}

func observation(at, source string, v float64) *strategyv1.Observation {
	return &strategyv1.Observation{Metric: "m", ObservedAt: at, Source: source, Value: &v}
}

func (w *world) observe(correct bool, values ...*strategyv1.Observation) *strategyv1.RecordObservationsResponse {
	w.Helper()
	res, err := w.strategy.RecordObservations(w.ctx, &strategyv1.RecordObservationsRequest{Observations: values, Correct: correct})
	if err != nil {
		w.Fatal(err)
	}
	return res
}

// checkIn checks in on target t and returns the revision.
func (w *world) checkIn(req *strategyv1.CheckInRequest) int64 {
	w.Helper()
	req.Target = "t"
	res, err := w.strategy.CheckIn(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	return res.GetRevision()
}

func (w *world) list(req *strategyv1.ListCheckInsRequest) *strategyv1.ListCheckInsResponse {
	w.Helper()
	req.Target = "t"
	res, err := w.strategy.ListCheckIns(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	return res
}

// target is the comparison of target t, with the strategy's roll-up.
func (w *world) target(asOf string, revision int64) (*gapv1.TargetGap, *gapv1.RollUp) {
	w.Helper()
	res, err := w.gap.Evaluate(w.ctx, &gapv1.EvaluateRequest{AsOf: asOf, Revision: revision})
	if err != nil {
		w.Fatal(err)
	}
	return res.GetTargets()[0], res.GetStrategies()[0]
}

// reason is the stable slug of a refusal, "" for success.
func reason(err error) string {
	var c *connect.Error
	if errors.As(err, &c) {
		for _, d := range c.Details() {
			if m, err := d.Value(); err == nil {
				if e, ok := m.(*commonv1.ErrorDetail); ok {
					return e.GetReason()
				}
			}
		}
		return c.Error()
	}
	return ""
}

func confidence(n int32) *int32 { return &n }

func until(day string) *strategyv1.OverrideRequest {
	return &strategyv1.OverrideRequest{Status: "at_risk", Reason: "a strike", Expires: day}
}

// A value that breaks two rules is one observation that is not valid.
func TestRefusedObservationsAreCountedOnce(t *testing.T) {
	w := start(t)
	w.apply("apiVersion: setpoint.dev/v1\nkind: Metric\nmetadata: {name: bounded}\nspec: {cadence: monthly, bounds: {upper: 20}}\n")
	one := func(at string, v float64) *strategyv1.Observation {
		return &strategyv1.Observation{Metric: "bounded", ObservedAt: at, Value: &v}
	}
	w.observe(false, one("2026-09-30", 12))
	_, err := w.strategy.RecordObservations(w.ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{
		one("2026-09-30", 120), one("2026-10-31", 13), // out of bounds, and another value than that on record
	}})
	if err == nil || !strings.Contains(err.Error(), "1 of 2 observations are not valid") {
		t.Errorf("it says %v", err)
	}
}
