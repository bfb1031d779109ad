package e2e_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// load declares and observes the example.
func load(t testing.TB, c client) {
	t.Helper()
	ctx := context.Background()
	res, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: gsaPlan(t)})
	if err != nil {
		t.Fatalf("apply: %v %v", err, faults(err))
	}
	if res.GetSummary().GetCreate() == 0 || res.GetSummary().GetUnchanged() != 0 {
		t.Fatalf("summary %v", res.GetSummary())
	}
	values := observations(t)
	got, err := c.record(values...)
	if err != nil {
		t.Fatalf("observe: %v %v", err, faults(err))
	}
	if int(got.GetRecorded()) != len(values) {
		t.Fatalf("%d of %d recorded", got.GetRecorded(), len(values))
	}
}

func observations(t testing.TB) []*strategyv1.Observation {
	t.Helper()
	f, err := os.Open("../services/examples/gsa/observations.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []*strategyv1.Observation
	for _, r := range rows[1:] {
		v, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		o := value(r[0], r[1], v)
		o.Source, o.Note = r[3], r[4]
		out = append(out, o)
	}
	return out
}

func TestARealPlanIsDeclaredObservedComparedAndReported(t *testing.T) {
	c := connectTo(t, service(t), "default")
	load(t, c)

	res := c.gaps("2018-12-31")
	byName := map[string]*gapv1.TargetGap{}
	for _, g := range res.GetTargets() {
		byName[g.GetName()] = g
	}
	if len(byName) != 28 {
		t.Fatalf("%d targets", len(byName))
	}
	// From the worked cases of the domain.
	for name, want := range map[string]struct {
		status string
		gap    float64
	}{
		"fedramp-2020":            {"on_track", 44},
		"mission-connection-2020": {"on_track", .02},
		"operating-cost-2020":     {"achieved", -.004},
		"vacant-space":            {"at_risk", .003},
		"one-bid-rate":            {"off_track", .03},
		"tenant-satisfaction":     {"at_risk", .03},
		"leased-revenue":          {"off_track", .004},
		"supplier-satisfaction":   {"no_data", math.NaN()},
		"leases-at-market":        {"no_data", math.NaN()},
	} {
		g := byName[name]
		if g.GetStatus() != want.status {
			t.Errorf("%s: status %s, want %s (%s)", name, g.GetStatus(), want.status, g.GetExplanation().GetRule())
		}
		if math.IsNaN(want.gap) != (g.Gap == nil) {
			t.Errorf("%s: gap %v", name, g.Gap)
		} else if g.Gap != nil && math.Abs(g.GetGap()-want.gap) > 1e-9 {
			t.Errorf("%s: gap %v, want %v", name, g.GetGap(), want.gap)
		}
		if len(g.GetExplanation().GetRevisions()) == 0 || g.GetExplanation().GetRule() == "" {
			t.Errorf("%s: the status is not explained: %v", name, g.GetExplanation())
		}
	}
}

func TestApplyingTwiceWritesNothing(t *testing.T) {
	c := connectTo(t, service(t), "default")
	load(t, c)
	before := c.gaps("2018-12-31").GetRevision()
	res, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: gsaPlan(t)})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetChanges()) != 0 || res.GetRevision() < before {
		t.Errorf("second apply: %d changes, revision %d after %d", len(res.GetChanges()), res.GetRevision(), before)
	}
	again, err := c.record(observations(t)...)
	if err != nil {
		t.Fatal(err)
	}
	if again.GetRecorded() != 0 || int(again.GetUnchanged()) != len(observations(t)) {
		t.Errorf("second load: %v", again)
	}
}

// The same inputs give the same bytes: again, after a restart, and after the
// record was rebuilt from the log.
func TestTheReportIsTheSameAfterRestartAndRebuild(t *testing.T) {
	dir := t.TempDir()
	var at int64 // the loop may tell of something after it
	render := func(c client) map[string][]byte {
		out := map[string][]byte{}
		for _, format := range []string{"md", "html", "json"} {
			res, err := c.gap.Report(context.Background(), &gapv1.ReportRequest{Strategy: "gsa-2018-2022", AsOf: "2018-12-31", Format: format, Revision: at})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(res.GetContent(), []byte(res.GetSha256())) {
				t.Errorf("the %s report does not print its hash", format)
			}
			out[format] = res.GetContent()
		}
		return out
	}
	s := serve(t, dir)
	c := connectTo(t, s.URL(), "default")
	load(t, c)
	at = c.gaps("2018-12-31").GetRevision()
	compared := func(c client) *gapv1.EvaluateResponse {
		res, err := c.gap.Evaluate(context.Background(), &gapv1.EvaluateRequest{AsOf: "2018-12-31", Revision: at})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	first, gaps := render(c), compared(c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"restart", "rebuild"} {
		if step == "rebuild" {
			for _, f := range []string{"record.db", "record.db-wal", "record.db-shm"} {
				if err := os.Remove(filepath.Join(dir, f)); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
		}
		s := serve(t, dir)
		c := connectTo(t, s.URL(), "default")
		for format, want := range render(c) {
			if !bytes.Equal(want, first[format]) {
				t.Errorf("after a %s the %s report differs", step, format)
			}
		}
		if !proto.Equal(compared(c), gaps) {
			t.Errorf("after a %s the comparison differs", step)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACorrectionSupersedesAndHistoryStays(t *testing.T) {
	c := connectTo(t, service(t), "default")
	load(t, c)
	before := c.gaps("2018-12-31").GetRevision()
	_, err := c.record(value("vacant-space", "2018-09-30", .031))
	if err != nil {
		t.Fatalf("another source: %v", err)
	}
	o := observations(t)
	var vacant *strategyv1.Observation
	for _, v := range o {
		if v.GetMetric() == "vacant-space" && v.GetObservedAt() == "2018-09-30" {
			vacant = v
		}
	}
	changed := proto.CloneOf(vacant)
	changed.Value = proto.Float64(.02)
	if _, err := c.record(changed); err == nil {
		t.Fatal("another value was accepted without saying that it corrects")
	} else {
		contains(t, "fault", faults(err)[0].GetMessage(), "is on record as 0.033, not 0.02")
	}
	if _, err := c.observe.CorrectObservation(context.Background(), &strategyv1.CorrectObservationRequest{Observation: changed}); err != nil {
		t.Fatal(err)
	}
	find := func(revision int64) float64 {
		res, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "vacant-space", Revision: revision})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range res.GetObservations() {
			if v.GetObservedAt() == "2018-09-30" && v.GetSource() == vacant.GetSource() {
				return v.GetValue()
			}
		}
		return math.NaN()
	}
	if now, then := find(0), find(before); now != .02 || then != .033 {
		t.Errorf("now %v, then %v", now, then)
	}
}

func TestPagesOfThePast(t *testing.T) {
	c := connectTo(t, service(t), "default")
	load(t, c)
	ctx := context.Background()
	var names []string
	for token := ""; ; {
		res, err := c.declare.List(ctx, &declarationv1.ListRequest{Kind: "metric", PageSize: 10, PageToken: token, KnownAt: "2199-01-01"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res.GetResources() {
			names = append(names, r.GetMetadata().GetName())
		}
		if token = res.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(names) != 28 {
		t.Errorf("%d metrics on pages of 10: %v", len(names), names)
	}
}

func TestADeletedMetricReturnsWithItsValues(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	if _, err := c.record(value("revenue", "2026", 7)); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := c.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "metric", Name: "revenue"}); err != nil {
		t.Fatal(err)
	}
	warned := false
	for _, w := range c.apply(small).GetWarnings() {
		warned = warned || w.GetReason() == "declaration.returns" && w.GetLine() > 0
	}
	res, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue"})
	if err != nil || len(res.GetObservations()) != 1 || !warned {
		t.Errorf("warned %v, values %v, %v", warned, res.GetObservations(), err)
	}
}
