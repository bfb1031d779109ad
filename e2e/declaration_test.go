package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
)

// clock is the time of a server, which the test moves while the server looks.
type clock struct{ now atomic.Pointer[time.Time] }

func (c *clock) day(s string) {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	d = d.Add(12 * time.Hour)
	c.now.Store(&d)
}

// serveOn starts a server on which it is that day.
func serveOn(t testing.TB, day string) (client, *clock) {
	t.Helper()
	c := &clock{}
	c.day(day)
	s, err := devserver.Start(context.Background(), devserver.Options{
		Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test", Now: func() time.Time { return *c.now.Load() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return connectTo(t, s.URL(), "default"), c
}

// applyWith applies YAML as the request says.
func (c client) applyWith(yaml string, edit func(*declarationv1.ApplyRequest)) *declarationv1.ApplyResponse {
	c.t.Helper()
	req := &declarationv1.ApplyRequest{Manifests: manifests(yaml)}
	edit(req)
	res, err := c.declare.Apply(context.Background(), req)
	if err != nil {
		c.t.Fatalf("apply: %v %v", err, faults(err))
	}
	return res
}

func inSet(set string, prune bool) func(*declarationv1.ApplyRequest) {
	return func(r *declarationv1.ApplyRequest) { r.Manifests.Set, r.Manifests.Prune = set, prune }
}

func (c client) export(edit func(*declarationv1.ExportRequest)) *declarationv1.ExportResponse {
	c.t.Helper()
	req := &declarationv1.ExportRequest{}
	if edit != nil {
		edit(req)
	}
	res, err := c.declare.Export(context.Background(), req)
	if err != nil {
		c.t.Fatalf("export: %v", err)
	}
	return res
}

func (c client) history(kind, name string) []*declarationv1.HistoryEntry {
	c.t.Helper()
	res, err := c.declare.History(context.Background(), &declarationv1.HistoryRequest{Kind: kind, Name: name})
	if err != nil {
		c.t.Fatalf("history of %s/%s: %v", kind, name, err)
	}
	return res.GetEntries()
}

func (c client) plan(yaml string, set string) *declarationv1.PlanResponse {
	c.t.Helper()
	m := manifests(yaml)
	m.Set = set
	res, err := c.declare.Plan(context.Background(), &declarationv1.PlanRequest{Manifests: m})
	if err != nil {
		c.t.Fatalf("plan: %v %v", err, faults(err))
	}
	return res
}

// told renders changes on one line: "update Target/t [spec.value: 1 → 2]".
func told(changes []*declarationv1.Change) string {
	var out []string
	for _, c := range changes {
		s := c.GetAction() + " " + c.GetKind() + "/" + c.GetName()
		if c.GetRenamedFrom() != "" {
			s += " from " + c.GetRenamedFrom()
		}
		if c.GetAction() != "create" {
			s += fieldsTold(c.GetFields())
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func fieldsTold(fields []*declarationv1.FieldChange) string {
	s := ""
	for _, f := range fields {
		s += fmt.Sprintf(" [%s: %v → %v]", f.GetPath(), f.GetFrom().AsInterface(), f.GetTo().AsInterface())
	}
	return s
}

func historyTold(entries []*declarationv1.HistoryEntry) string {
	var out []string
	for _, e := range entries {
		s := e.GetAction() + " " + e.GetName()
		if e.GetRenamedFrom() != "" {
			s += " from " + e.GetRenamedFrom()
		}
		if e.GetAction() != "create" {
			s += fieldsTold(e.GetFields())
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func want(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

// revenue is a target for the small plan.
func revenue(value int, metadata string) string {
	return fmt.Sprintf("{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: t%s}, spec: {metric: revenue, objective: grow, baseline: {date: 2025-12-31, value: 0}, value: %d, due: 2030-12-31}}", metadata, value)
}

func TestHistoryTellsWhoWhenWhatAndWhy(t *testing.T) {
	s := serve(t, t.TempDir())
	as := func(actor string) client {
		return connectWith(t, &http.Client{Transport: header{"Setpoint-Org": "default", "Setpoint-Actor": actor}}, s.URL())
	}
	ann, bob := as("ann"), as("bob")
	ann.apply(small)
	ann.applyWith(revenue(100, ""), func(r *declarationv1.ApplyRequest) {
		r.Manager, r.Reason, r.RequestId = "git", "the board's plan", "first"
	})
	bob.applyWith(revenue(120, ""), func(r *declarationv1.ApplyRequest) {
		r.Manager, r.Reason, r.Manifests.Set = "console", "more is possible", "sales"
	})
	moved := bob.applyWith(strings.ReplaceAll(revenue(120, ", renamedFrom: t"), "name: t,", "name: growth,"), inSet("sales", false))
	if _, err := ann.declare.Delete(context.Background(), &declarationv1.DeleteRequest{Kind: "target", Name: "growth", Manager: "cli", Reason: "merged"}); err != nil {
		t.Fatal(err)
	}

	h := bob.history("Target", "growth")
	want(t, "history", historyTold(h),
		"delete growth, rename growth from t, update t [set: <nil> → sales] [spec.value: 100 → 120], create t")
	want(t, "history by the first name", historyTold(bob.history("targets", "t")), historyTold(h))
	for i, w := range []struct{ principal, manager, reason, set, mask string }{
		{"ann", "cli", "merged", "sales", ""},
		{"bob", "api", "", "sales", "spec.baseline spec.due spec.metric spec.objective spec.value"},
		{"bob", "console", "more is possible", "sales", "spec.baseline spec.due spec.metric spec.objective spec.value"},
		{"ann", "git", "the board's plan", "", "spec.baseline spec.due spec.metric spec.objective spec.value"},
	} {
		e := h[i]
		mask := strings.Join(e.GetMask(), " ")
		if e.GetPrincipal() != w.principal || e.GetManager() != w.manager || e.GetReason() != w.reason || e.GetSet() != w.set {
			t.Errorf("entry %d: %v, want %v", i, e, w)
		}
		if strings.Contains(mask, "spec.baseline.") { // a message is told by its fields
			mask = strings.Join(strings.Fields(strings.ReplaceAll(mask, "spec.baseline.date spec.baseline.value", "spec.baseline")), " ")
		}
		want(t, fmt.Sprintf("mask of entry %d", i), mask, w.mask)
		if _, err := time.Parse(time.RFC3339, e.GetRecorded()); err != nil || e.GetEffective() == "" || e.GetRequestId() == "" {
			t.Errorf("entry %d: %v", i, e)
		}
	}
	want(t, "request id", h[3].GetRequestId(), "first")
	if h[1].GetRevision() != moved.GetRevision() || h[0].GetRevision() <= h[1].GetRevision() {
		t.Errorf("revisions %d, %d; the rename was %d", h[0].GetRevision(), h[1].GetRevision(), moved.GetRevision())
	}

	// In pages, and as of a revision, it is the same picture.
	ctx := context.Background()
	var paged []*declarationv1.HistoryEntry
	for token := ""; ; {
		res, err := ann.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Target", Name: "growth", PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, res.GetEntries()...)
		if token = res.GetNextPageToken(); token == "" {
			break
		}
		ann.apply(revenue(len(paged), "")) // a newer t on the same aggregate is not in it
	}
	want(t, "pages", historyTold(paged), historyTold(h))
	then, err := ann.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Target", Name: "growth", Revision: moved.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "as of the rename", historyTold(then.GetEntries()), historyTold(h[1:]))
	_, err = ann.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Target", Name: "growth", Revision: moved.GetRevision() - 2})
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("before it had the name: %v", err)
	}
	_, err = ann.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Target", Name: "grwth"})
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a name nobody had: %v", err)
	}
}

func TestARenameKeepsHistoryAndObservations(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	c.apply(revenue(100, ""))
	if _, err := c.record(value("revenue", "2026", 20)); err != nil {
		t.Fatal(err)
	}
	metric := func(name, old, title string) string {
		return fmt.Sprintf("{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: %s, renamedFrom: %s}, spec: {title: %s, cadence: yearly, unit: USD}}\n---\n", name, old, title)
	}
	target := func(metric string) string {
		return strings.ReplaceAll(revenue(100, ""), "metric: revenue", "metric: "+metric)
	}
	fs := c.refused(metric("income", "revenue", "Income"))
	contains(t, "a rename that leaves the target behind", fs[0].GetMessage()+" "+fs[0].GetHint(), `it is being renamed to "income"`)

	c.apply(metric("income", "revenue", "Income") + target("income"))
	c.apply(metric("turnover", "income", "Turnover") + target("turnover"))
	// The first name is free, and what takes it is another metric.
	c.apply("{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: revenue}, spec: {cadence: monthly}}")
	if _, err := c.record(value("turnover", "2027", 40), value("revenue", "2027-01", 3)); err != nil {
		t.Fatal(err)
	}

	for metric, want := range map[string]string{"turnover": "2026-12-31=20 2027-12-31=40", "revenue": "2027-01-31=3"} {
		res, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: metric})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range res.GetObservations() {
			got = append(got, fmt.Sprintf("%s=%v", o.GetObservedAt(), o.GetValue()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", metric, got, want)
		}
	}
	want(t, "history", historyTold(c.history("metric", "turnover")),
		"rename turnover from income [spec.title: Income → Turnover], rename income from revenue [spec.title: <nil> → Income], create revenue")
	want(t, "history of the name's new owner", historyTold(c.history("metric", "revenue")), "create revenue")
	want(t, "history by the name between", historyTold(c.history("metric", "income")), historyTold(c.history("metric", "turnover")))
	g := c.gaps("2028-01-31").GetTargets()[0]
	if g.GetMetric() != "turnover" || g.GetActual() != 40 {
		t.Errorf("the target does not follow: %v", g)
	}
}

func TestPruneTouchesItsSetOnly(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	unit := func(name, more string) string {
		return fmt.Sprintf("---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: %s%s}, spec: {}}\n", name, more)
	}
	metric := "---\n{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: cost}, spec: {cadence: yearly}}\n"
	target := "---\n{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: cost}, spec: {metric: cost, direction: decrease, value: 1, due: 2030-12-31}}\n"
	c.applyWith(unit("a", "")+unit("kept", ", protected: true")+metric+target, inSet("ours", false))
	c.applyWith(unit("b", ""), inSet("theirs", false))

	// The metric goes only together with the target that refers to it.
	_, err := c.declare.Delete(context.Background(), &declarationv1.DeleteRequest{Kind: "Metric", Name: "cost"})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition || len(faults(err)) != 1 {
		t.Fatalf("deletion of what is referred to: %v %v", err, faults(err))
	}
	contains(t, "fault", faults(err)[0].GetMessage(), "Target/cost refers to it (spec.metric)")
	if strings.Contains(err.Error(), "refers to it") {
		t.Errorf("said twice: %v beside %v", err, faults(err))
	}
	_, err = c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
		Files: manifests(unit("a", "") + target).Files, Set: "ours", Prune: true,
	}})
	if fs := faults(err); len(fs) != 1 || fs[0].GetResource() != "Metric/cost" || fs[0].GetReason() != "declaration.still_referred_to" {
		t.Errorf("pruning what is referred to: %v %v", err, fs)
	}
	res := c.applyWith(unit("a", ""), inSet("ours", true))
	want(t, "pruned", told(res.GetChanges()), "delete Metric/cost, delete Target/cost")
	if w := res.GetWarnings(); len(w) != 1 || w[0].GetResource() != "Unit/kept" {
		t.Errorf("warnings %v", w)
	}
	want(t, "units", strings.Join(c.names("unit"), " "), "a b kept")
	want(t, "metrics", strings.Join(c.names("metric"), " "), "revenue")
	_, err = c.declare.Delete(context.Background(), &declarationv1.DeleteRequest{Kind: "Unit", Name: "kept"})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition || detail(err).GetReason() != "declaration.protected" {
		t.Errorf("a protected one: %v", err)
	}
	_, err = c.declare.Delete(context.Background(), &declarationv1.DeleteRequest{Kind: "Unit", Name: "kep"})
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("one that is not there: %v", err)
	}

	// Another set takes a resource over, and says so.
	want(t, "plan", told(c.plan(unit("b", ""), "ours").GetChanges()), "update Unit/b [set: theirs → ours]")
	c.applyWith(unit("b", ""), inSet("ours", false))
	want(t, "theirs is empty", told(c.applyWith("", inSet("theirs", true)).GetChanges()), "")
	want(t, "a manifest may name the set", told(c.plan(unit("b", ", set: theirs"), "ours").GetChanges()), "update Unit/b [set: ours → theirs]")
}

func TestAnExportAppliesToNoChangeHereAndToTheSameElsewhere(t *testing.T) {
	c, now := serveOn(t, "2018-03-01")
	load(t, c)
	now.day("2019-05-17")
	c.applyWith("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: kept, protected: true, labels: {b: '2', a: \"yes\"}, effective: 2017-01-01}, spec: {title: Kept}}", inSet("extra", false))
	all := c.export(nil)
	if n := len(c.names("target")); int(all.GetCount()) < n+30 {
		t.Errorf("%d resources, %d targets of them", all.GetCount(), n)
	}
	now.day("2020-01-01")
	if p := c.plan(string(all.GetContent()), ""); len(p.GetChanges()) != 0 || p.GetSummary().GetUnchanged() != all.GetCount() {
		t.Fatalf("applying it back: %s", told(p.GetChanges()))
	}
	// Whatever set is applied with it: each resource names its own.
	if p := c.plan(string(c.export(func(r *declarationv1.ExportRequest) { r.Set = "extra" }).GetContent()), "extra"); len(p.GetChanges()) != 0 || p.GetSummary().GetUnchanged() != 1 {
		t.Errorf("one set: %s", told(p.GetChanges()))
	}
	other, _ := serveOn(t, "2024-02-29")
	other.apply(string(all.GetContent()))
	if got := other.export(nil); !bytes.Equal(got.GetContent(), all.GetContent()) {
		t.Errorf("elsewhere it is\n%s\nhere\n%s", got.GetContent(), all.GetContent())
	}
	if _, err := other.record(observations(t)...); err != nil {
		t.Fatal(err)
	}
	// And it evaluates the same.
	here, there := c.gaps("2018-12-31").GetTargets(), other.gaps("2018-12-31").GetTargets()
	for i := range here {
		if here[i].GetStatus() != there[i].GetStatus() || here[i].GetGap() != there[i].GetGap() || here[i].GetDrift() != there[i].GetDrift() {
			t.Errorf("%s: here %v, there %v", here[i].GetName(), here[i], there[i])
		}
	}
	some := c.export(func(r *declarationv1.ExportRequest) { r.Kinds = []string{"targets", "Metric"} })
	if !bytes.HasPrefix(some.GetContent(), []byte("apiVersion: setpoint.dev/v1\nkind: Metric\n")) || bytes.Contains(some.GetContent(), []byte("kind: Unit")) {
		t.Errorf("of two kinds:\n%.300s", some.GetContent())
	}
	_, err := c.declare.Export(context.Background(), &declarationv1.ExportRequest{Kinds: []string{"targts"}})
	contains(t, "an unknown kind", detail(err).GetHint(), "Target")
}

// find is the gap of one target.
func find(t testing.TB, res *gapv1.EvaluateResponse, name string) *gapv1.TargetGap {
	t.Helper()
	for _, g := range res.GetTargets() {
		if g.GetName() == name {
			return g
		}
	}
	t.Fatalf("no target %s", name)
	return nil
}

func TestAnEarlierStateIsRestoredByItsExport(t *testing.T) {
	c, now := serveOn(t, "2026-02-01")
	c.apply(small)
	r := c.apply(revenue(100, ", labels: {from: board}")).GetRevision()
	now.day("2027-02-01")
	c.apply(revenue(80, "") + "\n---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: new}, spec: {}}")
	now.day("2027-06-01")
	if _, err := c.declare.Delete(context.Background(), &declarationv1.DeleteRequest{Kind: "target", Name: "t"}); err != nil {
		t.Fatal(err)
	}
	c.apply(revenue(70, ""))
	now.day("2028-02-01")
	past := c.export(func(req *declarationv1.ExportRequest) { req.Revision = r })
	if bytes.Contains(past.GetContent(), []byte("effective")) || past.GetCount() != 4 {
		t.Errorf("a past state is dated:\n%s", past.GetContent())
	}
	restored := c.apply(string(past.GetContent()))
	want(t, "restored", told(restored.GetChanges()), "update Target/t [metadata.labels.from: <nil> → board] [spec.value: 70 → 100]")
	diff, err := c.declare.Diff(context.Background(), &declarationv1.DiffRequest{From: r})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "what it does not undo", told(diff.GetChanges()), "create Unit/new")
	for day, value := range map[string]float64{"2028-03-01": 100, "2027-12-31": 70} {
		if g := find(t, c.gaps(day), "t"); g.GetTarget() != value {
			t.Errorf("as of %s the target is %v, want %v", day, g.GetTarget(), value)
		}
	}
	dated := c.export(func(req *declarationv1.ExportRequest) { req.Revision, req.Dated = r, true })
	other, _ := serveOn(t, "2030-01-01")
	other.apply(string(dated.GetContent()))
	if got := other.export(nil); !bytes.Equal(got.GetContent(), dated.GetContent()) {
		t.Errorf("elsewhere it is\n%s\nthen it was\n%s", got.GetContent(), dated.GetContent())
	}
}

func TestDiffComparesTwoRevisions(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	diff := func(from, to int64) (string, *declarationv1.Summary) {
		t.Helper()
		res, err := c.declare.Diff(ctx, &declarationv1.DiffRequest{From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		return told(res.GetChanges()), res.GetSummary()
	}
	first := c.apply(small).GetRevision()
	second := c.apply(revenue(100, "")).GetRevision()
	third := c.apply("{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: thrive, renamedFrom: grow}, spec: {strategy: plan, title: Thrive}}\n---\n" +
		"{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: grow}, spec: {strategy: plan}}").GetRevision()
	if _, err := c.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "target", Name: "t"}); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct {
		from, to int64
		want     string
		same     int32
	}{
		{0, first, "create Strategy/plan, create Objective/grow, create Metric/revenue", 0},
		{first, first, "", 3},
		{first, second, "create Target/t", 3},
		{second, first, "delete Target/t", 3},
		{second, third, "create Objective/grow, rename Objective/thrive from grow [spec.title: <nil> → Thrive]", 3},
		{third, second, "delete Objective/grow, rename Objective/grow from thrive [spec.title: Thrive → <nil>]", 3},
		{first, 0, "create Objective/grow, rename Objective/thrive from grow [spec.title: <nil> → Thrive]", 2},
	} {
		got, s := diff(w.from, w.to)
		want(t, fmt.Sprintf("from %d to %d", w.from, w.to), got, w.want)
		if s.GetUnchanged() != w.same {
			t.Errorf("from %d to %d: %v", w.from, w.to, s)
		}
	}
	_, err := c.declare.Diff(ctx, &declarationv1.DiffRequest{From: first - 1, To: third})
	contains(t, "inside a commit", err.Error(), fmt.Sprintf("ends at %d", first))
}

func TestAStalePlanNamesWhatCameBetween(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	attempt := func(expected int64, empty bool) error {
		_, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{
			ExpectedRevision: expected, ExpectEmpty: empty, Manifests: manifests(revenue(int(expected)+1000, "")),
		})
		return err
	}
	// A plan of an organization where nothing was declared.
	if r := c.plan(small, "").GetRevision(); r != 0 {
		t.Fatalf("the plan rests on %d", r)
	}
	c.applyWith(small, func(r *declarationv1.ApplyRequest) { r.ExpectEmpty = true })
	err := attempt(0, true)
	if connect.CodeOf(err) != connect.CodeAborted || len(detail(err).GetIntervening()) != 1 {
		t.Errorf("something was declared since: %v %v", err, detail(err))
	}

	planned := c.plan(revenue(100, ""), "").GetRevision()
	if _, err := c.record(value("revenue", "2026", 20)); err != nil {
		t.Fatal(err)
	}
	observed := c.gaps("").GetRevision()
	if err := attempt(planned, false); err != nil {
		t.Fatalf("an observation made the plan stale: %v", err)
	}
	if err := attempt(observed, false); detail(err).GetReason() != "declaration.plan_stale" {
		t.Errorf("a declaration after the observation: %v", err)
	}
	var many strings.Builder
	for i := range 30 {
		fmt.Fprintf(&many, "---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: u%02d}, spec: {}}\n", i)
	}
	c.applyWith(many.String(), func(r *declarationv1.ApplyRequest) { r.Manager = "git" })
	last := c.apply(revenue(7, "")).GetRevision()
	err = attempt(planned, false)
	d := detail(err)
	if connect.CodeOf(err) != connect.CodeAborted || d.GetReason() != "declaration.plan_stale" || d.GetRevision() != last || len(d.GetIntervening()) != 3 {
		t.Fatalf("refused with %v, %v", err, d)
	}
	between := d.GetIntervening()
	want(t, "the first", strings.Join(between[0].GetChanges(), ", "), "create Target/t")
	want(t, "the last", strings.Join(between[2].GetChanges(), ", "), "update Target/t")
	if b := between[1]; b.GetCount() != 30 || len(b.GetChanges()) != 20 || b.GetManager() != "git" || b.GetPrincipal() == "" || b.GetRecorded() == "" {
		t.Errorf("the second: %v", b)
	}
	if between[2].GetRevision() != last || between[0].GetRevision() >= between[1].GetRevision() {
		t.Errorf("out of order: %v", between)
	}
	if err := attempt(last+1000, false); connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("a revision that the log has not reached: %v", err)
	}
	if err := attempt(last, false); err != nil {
		t.Errorf("a plan of now: %v", err)
	}
	_, err = c.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "Target", Name: "t", ExpectedRevision: last})
	if connect.CodeOf(err) != connect.CodeAborted || len(detail(err).GetIntervening()) != 1 {
		t.Errorf("a stale deletion: %v", err)
	}
}

func TestTheTargetThenInForce(t *testing.T) {
	c, now := serveOn(t, "2026-01-10")
	c.apply(small)
	c.apply(revenue(100, ", effective: 2026-01-01"))
	if _, err := c.record(value("revenue", "2026", 20), value("revenue", "2027", 40)); err != nil {
		t.Fatal(err)
	}
	now.day("2028-02-01")
	// Declared now: one that counts since last year, and one from next year on.
	backdated := c.apply(revenue(60, ", effective: 2027-07-01"))
	c.apply(revenue(90, ", effective: 2029-01-01"))
	for _, w := range []struct {
		asOf          string
		target, drift float64
	}{{"2026-06-30", 100, 0}, {"2027-06-30", 100, 0}, {"2027-07-01", 60, 40}, {"2028-02-01", 60, 40}, {"2029-01-01", 90, 10}} {
		if g := find(t, c.gaps(w.asOf), "t"); g.GetTarget() != w.target || g.GetTargetDrift() != w.drift {
			t.Errorf("as of %s: target %v with target drift %v, want %v and %v", w.asOf, g.GetTarget(), g.GetTargetDrift(), w.target, w.drift)
		}
	}
	h := c.history("target", "t")
	want(t, "history", historyTold(h), "update t [metadata.effective: 2027-07-01 → 2029-01-01] [spec.value: 60 → 90], "+
		"update t [metadata.effective: 2026-01-01 → 2027-07-01] [spec.value: 100 → 60], create t")
	want(t, "effective", h[0].GetEffective()+" "+h[1].GetEffective()+" "+h[2].GetEffective(), "2029-01-01 2027-07-01 2026-01-01")
	// Known before, the backdated one does not count.
	then, err := c.gap.Evaluate(context.Background(), &gapv1.EvaluateRequest{AsOf: "2027-07-01", Revision: backdated.GetRevision() - 2})
	if err != nil || find(t, then, "t").GetTarget() != 100 {
		t.Errorf("before it was declared: %v, %v", then, err)
	}

	// A date that would not do what it seems to is pointed out.
	for metadata, reason := range map[string]string{
		", effective: 2029-01-01": "declaration.effective_unchanged",
		", effective: 2028-01-01": "declaration.effective_earlier",
		", effective: 2029-01-02": "",
		"":                        "",
	} {
		p := c.plan(revenue(50, metadata), "")
		got := ""
		for _, w := range p.GetWarnings() {
			if w.GetField() == "metadata.effective" {
				got = w.GetReason()
			}
		}
		want(t, "warning for "+metadata, got, reason)
	}
	// What changes nothing that counts keeps its date.
	c.apply(revenue(90, ", labels: {seen: by-all}"))
	if e := c.history("target", "t")[0]; e.GetEffective() != "2029-01-01" || len(e.GetFields()) != 1 {
		t.Errorf("a new label: %v", e)
	}
}

// units declares n units as one request.
func units(n int, id string) *declarationv1.ApplyRequest {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: u%05d}\nspec: {}\n", i)
	}
	return &declarationv1.ApplyRequest{RequestId: id, Manifests: manifests(b.String())}
}

func TestAsManyChangesAsOneCommitHolds(t *testing.T) {
	s, err := devserver.Start(context.Background(), devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, MaxBatch: 500})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := connectTo(t, s.URL(), "default")
	ctx := context.Background()

	_, err = c.declare.Apply(ctx, units(500, "much"))
	if connect.CodeOf(err) != connect.CodeResourceExhausted || detail(err).GetReason() != "declaration.too_many_changes" {
		t.Fatalf("500 resources: %v", err)
	}
	contains(t, "error", err.Error(), "500 resources would change, and at most 499 can at once")
	if _, err := c.declare.Plan(ctx, &declarationv1.PlanRequest{Manifests: units(500, "").GetManifests()}); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a plan that cannot be applied: %v", err)
	}
	if n := len(c.names("unit")); n != 0 {
		t.Fatalf("%d were declared", n)
	}
	first, err := c.declare.Apply(ctx, units(499, "most"))
	if err != nil || first.GetRevision() != 500 || first.GetSummary().GetCreate() != 499 {
		t.Fatalf("499 resources: %v, %v", first, err)
	}
	// Asked again it is the same answer, and nothing is written.
	again, err := c.declare.Apply(ctx, units(499, "most"))
	if err != nil || again.GetRevision() != 500 || again.GetSummary().GetCreate() != 499 || told(again.GetChanges()) != told(first.GetChanges()) {
		t.Errorf("the same request: %v, revision %d, %v", err, again.GetRevision(), again.GetSummary())
	}
	// More than that may be named, if few of them change.
	few, err := c.declare.Apply(ctx, units(501, "few"))
	if err != nil || told(few.GetChanges()) != "create Unit/u00499, create Unit/u00500" || few.GetSummary().GetUnchanged() != 499 {
		t.Errorf("two more: %v, %v", err, few)
	}
	// What is pruned counts, too.
	prune := units(1, "prune")
	prune.Manifests.Prune = true
	if _, err := c.declare.Apply(ctx, prune); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("500 deletions: %v", err)
	}
	prune = units(2, "fewer")
	prune.Manifests.Prune = true
	if res, err := c.declare.Apply(ctx, prune); err != nil || res.GetSummary().GetDelete() != 499 {
		t.Errorf("499 deletions: %v", err)
	}
}

// The limit as it is set: 20,000 messages, of which one is the guard's.
func TestTwentyThousandResources(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	_, err := c.declare.Apply(ctx, units(20_000, "much"))
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Fatalf("20,000 resources: %v", err)
	}
	contains(t, "error", err.Error(), "20000 resources would change, and at most 19999 can at once")
	began, before := time.Now(), c.gaps("").GetRevision()
	res, err := c.declare.Apply(ctx, units(19_999, "most"))
	if err != nil || res.GetRevision() != before+20_000 || res.GetSummary().GetCreate() != 19_999 {
		t.Fatalf("19,999 resources: revision %d, %v", res.GetRevision(), err)
	}
	t.Logf("19,999 resources in %s", time.Since(began).Round(time.Millisecond))
}

// The commands as people type them, on the program as it is built.
func TestDeclaringFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, filepath.Join(dir, "data")).URL()
	run := func(code int, stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(path, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		cmd.Env = append(os.Environ(), "SETPOINT_SERVER="+url)
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("setpoint %s: exit code %d, want %d (%v)\n%s", strings.Join(args, " "), got, code, err, out)
		}
		return string(out)
	}
	run(2, small, "plan", "-f", "-", "--out", "first.json")
	run(0, small, "apply", "-f", "-", "--manager", "git", "--set", "core", "--reason", "the beginning")
	out := run(1, "", "apply", "--plan", "first.json")
	contains(t, "a plan of nothing", out, "declared since:\n  revision 4, ")
	contains(t, "a plan of nothing", out, "create Strategy/plan, create Objective/grow, create Metric/revenue")

	run(2, revenue(100, ""), "plan", "-f", "-", "--out", "second.json")
	run(0, revenue(90, ""), "apply", "-f", "-")
	contains(t, "a stale plan", run(1, "", "apply", "--plan", "second.json"), ": create Target/t\nerror: nothing was changed")
	run(0, "", "apply", "--plan", "second.json", "--force")

	contains(t, "history", run(0, "", "history", "target", "t"), "spec.value: 90 → 100")
	contains(t, "history of a set", run(0, "", "history", "metric/revenue"), "why: the beginning")
	contains(t, "diff", run(2, "", "diff", "--from", "6"), "~ Target/t\n    spec.value: 90 → 100\n")
	run(0, "", "diff", "--from", "6", "--to", "6")

	run(0, "", "export", "-o", "all.yaml")
	contains(t, "applied back", run(0, "", "plan", "-f", "all.yaml"), "No changes: 4 resources are as declared.")
	contains(t, "moved", run(2, small, "plan", "-f", "-"), "~ Strategy/plan\n    set: core → (default)\n")
	past := run(0, "", "export", "--revision", "6")
	contains(t, "restored", run(0, past, "apply", "-f", "-"), "~ Target/t changed")
	contains(t, "a refused deletion", run(1, "", "delete", "metric", "revenue", "--yes"),
		"Metric/revenue: cannot be deleted: Target/t refers to it (spec.metric)\n"+
			"    hint: delete or change what refers to it in the same apply\nerror: nothing was deleted\n")
}
