package portfolio_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/devserver"
)

// The policy that was in force judges, whatever was declared since; before its first
// version the first one does, unless that was declared for a day to come.
func TestPoliciesCountFromTheirDay(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2018, 5, 10, 12, 0, 0, 0, time.UTC)
	s, err := devserver.Start(ctx, devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	declare := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL())
	gaps := gapv1connect.NewGapServiceClient(http.DefaultClient, s.URL())
	apply := func(yaml string) int64 {
		t.Helper()
		res, err := declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
			Files: []*declarationv1.ManifestFile{{Path: "m.yaml", Content: []byte(yaml)}}}})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetRevision()
	}
	policy := func(name, effective string, onTrack, atRisk float64) string {
		return fmt.Sprintf("\n---\n{apiVersion: setpoint.dev/v1, kind: Policy, metadata: {name: %s, effective: %s}, spec: {evaluation: {onTrack: %v, atRisk: %v}}}", name, effective, onTrack, atRisk)
	}
	apply(`
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: m}, spec: {unit: u, cadence: monthly}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: t, effective: 2017-12-31}, spec: {metric: m, baseline: {date: 2017-12-31, value: 0}, value: 365, due: 2018-12-31}}` +
		policy("house", "2018-01-01", 0.05, 0.9) + policy("later", "2018-06-01", 0.9, 0.95))
	before := int64(0)
	strategy := strategyv1connect.NewStrategyServiceClient(http.DefaultClient, s.URL())
	for _, month := range []string{"2018-01", "2018-02", "2018-03", "2018-04"} {
		zero := 0.0 // the share is about that of the year gone: .08, .16, .25, .33
		res, err := strategy.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{{Metric: "m", ObservedAt: month, Value: &zero}}})
		if err != nil {
			t.Fatal(err)
		}
		before = res.GetRevision()
	}
	apply(policy("house", "2018-03-01", 0.5, 0.9))
	status := func(name, asOf string, revision int64) string {
		t.Helper()
		res, err := gaps.Evaluate(ctx, &gapv1.EvaluateRequest{Policy: name, AsOf: asOf, Revision: revision})
		if err != nil {
			return err.Error()
		}
		return res.GetTargets()[0].GetStatus()
	}
	var got []string
	for _, c := range []struct {
		name, asOf string
		revision   int64
	}{
		{"", "2018-04-30", 0},           // the preset
		{"house", "2018-02-28", 0},      // its first version
		{"house", "2018-04-30", 0},      // its second
		{"house", "2018-04-30", before}, // before that was declared
		{"house", "2017-12-31", 0},      // before its first: that
		{"later", "2018-06-01", 0},
		{"later", "2018-05-10", 0},
	} {
		got = append(got, status(c.name, c.asOf, c.revision))
	}
	want := []string{"off_track", "at_risk", "on_track", "at_risk", "no_data", "on_track"}
	if !slices.Equal(got[:6], want) || !strings.Contains(got[6], "counts from 2018-06-01 on") {
		t.Errorf("got %q, want %q and a refusal", got, want)
	}
	// One that replaces the preset later leaves it in force until then.
	apply(policy("default", "2018-07-01", 0.9, 0.95))
	if a, b := status("", "2018-05-10", 0), status("", "2018-07-01", 0); a != "off_track" || b == "off_track" {
		t.Errorf("before %s, after %s", a, b)
	}
}
