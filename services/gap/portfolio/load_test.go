package portfolio_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
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
	"setpoint.dev/services/gap"
)

// manifests declare a ratio, a running total and a 4-4-5 calendar.
const manifests = `
apiVersion: setpoint.dev/v1
kind: Organization
metadata: {name: o}
spec: {fiscalYearStart: 10}
---
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: s}
spec: {horizon: {start: 2017-10-01, end: 2022-09-30}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: o}
spec: {strategy: s}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: on-time}
spec: {unit: trains, cadence: monthly, aggregation: sum}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: trains}
spec: {unit: trains, cadence: monthly, aggregation: sum}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: punctuality}
spec: {unit: fraction, format: percent, cadence: quarterly, aggregation: ratio, ratio: {numerator: on-time, denominator: trains}}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: punctuality}
spec: {objective: o, metric: punctuality, direction: increase, periods: [{period: FY2018-Q1, value: 0.9}, {period: FY2018-Q2, value: 0.9}]}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: homes}
spec: {unit: homes, cadence: quarterly, aggregation: sum, accumulate: sinceStart}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: homes}
spec: {objective: o, metric: homes, baseline: {date: 2017-09-30, value: 0}, value: 1000, due: 2018-09-30}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: sales}
spec: {unit: USD, cadence: monthly, calendar: 4-4-5, weekEnds: saturday, aggregation: sum}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: sales}
spec: {objective: o, metric: sales, direction: increase, periods: [{period: FY2018-P02, value: 100}, {period: FY2018-P03, value: 100}, {period: FY2018-P04, value: 100}]}
`

func TestLoad(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2018, 1, 31, 12, 0, 0, 0, time.UTC)
	s, err := devserver.Start(ctx, devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	declare := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL())
	observe := strategyv1connect.NewStrategyServiceClient(http.DefaultClient, s.URL())
	gaps := gapv1connect.NewGapServiceClient(http.DefaultClient, s.URL())
	if _, err := declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
		Files: []*declarationv1.ManifestFile{{Path: "m.yaml", Content: []byte(manifests)}}}}); err != nil {
		t.Fatal(err)
	}
	record := func(metric, at string, v float64) error {
		_, err := observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{{Metric: metric, ObservedAt: at, Value: &v}}})
		return err
	}
	for _, o := range []struct {
		metric, at string
		v          float64
	}{
		{"on-time", "2017-10", 380}, {"on-time", "2017-11", 40}, {"on-time", "2017-12", 30},
		{"trains", "2017-10", 400}, {"trains", "2017-11", 50}, {"trains", "2017-12", 50},
		{"homes", "FY2018-Q1", 260},
		{"sales", "FY2018-P03", 104}, {"sales", "FY2018-P02", 60},
	} {
		if err := record(o.metric, o.at, o.v); err != nil {
			t.Fatalf("%s at %s: %v", o.metric, o.at, err)
		}
	}

	// A ratio is computed, and a period is of the metric's own calendar.
	for _, wrong := range []struct{ metric, at, reason string }{
		{"punctuality", "FY2018-Q1", "strategy.observation_of_ratio"},
		{"sales", "2017-12", "strategy.observed_at"},
		{"homes", "FY2018-P03", "strategy.observed_at"},
	} {
		err := record(wrong.metric, wrong.at, 1)
		var refused *connect.Error
		if !errors.As(err, &refused) || refused.Code() != connect.CodeInvalidArgument || !slices.ContainsFunc(places(t, refused), func(reason string) bool { return reason == wrong.reason }) {
			t.Errorf("%s at %s: %v", wrong.metric, wrong.at, err)
		}
	}

	res, err := gaps.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: "2018-01-31"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		status, period string
		actual         float64
	}{
		"punctuality": {"on_track", "FY2018-Q1", .9}, // 450 of 500; the mean of the months is .783
		"homes":       {"on_track", "FY2018-Q1", 260},
		"sales":       {"on_track", "FY2018-P03", 104},
	}
	for _, r := range res.GetTargets() {
		w := want[r.GetName()]
		if r.GetStatus() != w.status || r.GetPeriod() != w.period || r.Actual == nil || r.GetActual() != w.actual {
			t.Errorf("%s: %s of %s at %v: %s", r.GetName(), r.GetStatus(), r.GetPeriod(), r.GetActual(), r.GetExplanation().GetRule())
		}
		if r.GetName() == "sales" && r.GetActualAt() != "2017-12-30" {
			t.Errorf("sales are of %s", r.GetActualAt())
		}
		if r.GetName() == "homes" && (r.GetExpected() < 252 || r.GetExpected() > 252.1) { // 1000 × 92/365
			t.Errorf("homes expected: %v", r.GetExpected())
		}
	}

	// The status that a check-in is judged by is that of the evaluation.
	var seen []string
	for _, day := range []string{"2017-10-31", "2017-12-01", "2018-01-31"} {
		res, err := gaps.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: day})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res.GetTargets() {
			seven := int32(7)
			_, err := observe.CheckIn(ctx, &strategyv1.CheckInRequest{Target: r.GetName(), At: day, Confidence: &seven})
			if red := r.GetStatus() == "off_track"; red != (connect.CodeOf(err) == connect.CodeFailedPrecondition) || !red && err != nil {
				t.Errorf("%s is %s on %s: %v", r.GetName(), r.GetStatus(), day, err)
			}
			seen = append(seen, r.GetStatus())
		}
	}
	if !slices.Contains(seen, "off_track") || !slices.Contains(seen, "on_track") {
		t.Errorf("statuses tried: %v", seen)
	}

	for _, name := range gap.PolicyNames() {
		res, err := gaps.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: "2018-01-31", Policy: name})
		if err != nil || res.GetPolicy() != name || len(res.GetTargets()) != 3 {
			t.Errorf("%s: %v, %v", name, res.GetPolicy(), err)
		}
	}
	if _, err := gaps.Evaluate(ctx, &gapv1.EvaluateRequest{Policy: "clearpint"}); err == nil || !strings.Contains(err.Error(), "clearpint") {
		t.Errorf("a policy that is not there: %v", err)
	}
}

// places are the reasons of all that a refusal names.
func places(t *testing.T, err *connect.Error) []string {
	t.Helper()
	var out []string
	for _, d := range err.Details() {
		v, bad := d.Value()
		if bad != nil {
			t.Fatal(bad)
		}
		if detail, ok := v.(*commonv1.ErrorDetail); ok {
			for _, p := range detail.GetFaults() {
				out = append(out, p.GetReason())
			}
		}
	}
	return out
}
