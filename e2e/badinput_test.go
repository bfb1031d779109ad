package e2e_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
)

const small = `
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: plan}
spec: {horizon: {start: 2026-01-01, end: 2030-12-31}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: grow}
spec: {strategy: plan}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: revenue}
spec: {cadence: yearly, unit: USD}
`

// Each manifest is refused with a fault that says where and what is legal, and
// nothing of its file is declared.
func TestBadManifestsAreRefusedWhole(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	head := "apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: good}\nspec: {}\n---\n"
	target := func(spec string) string {
		return "apiVersion: setpoint.dev/v1\nkind: Target\nmetadata: {name: t}\nspec: {metric: revenue, objective: grow, " + spec + "}\n"
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
	for name, b := range map[string]struct{ yaml, field, says string }{
		"a YAML bomb":          {bomb, "", "anchor"},
		"a 10 MB document":     {"apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: u}\nspec: {description: " + strings.Repeat("x", 10<<20) + "}\n", "", "1 MiB"},
		"deep nesting":         {"apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: u}\nspec: " + strings.Repeat("[", 100_000) + "\n", "", "deep"},
		"a duplicate key":      {"apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: u}\nspec: {title: a, title: b}\n", "spec.title", "twice"},
		"a duplicate name":     {"apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: good}\nspec: {}\n", "", "plan.yaml:"},
		"not a number":         {target("direction: increase, value: .nan, due: 2030-12-31"), "spec.value", ""},
		"infinity":             {target("direction: increase, value: .inf, due: 2030-12-31"), "spec.value", ""},
		"a day that is not":    {target("direction: increase, value: 1, due: 2023-02-30"), "spec.due", "2023-02-30"},
		"an unknown kind":      {"apiVersion: setpoint.dev/v1\nkind: Objectiv\nmetadata: {name: u}\nspec: {}\n", "kind", "Objective"},
		"an unknown field":     {target("direction: increase, valeu: 1, due: 2030-12-31"), "spec.valeu", "value"},
		"a dangling reference": {"apiVersion: setpoint.dev/v1\nkind: Objective\nmetadata: {name: o}\nspec: {strategy: plam}\n", "spec.strategy", "plan"},
		"a cycle": {"apiVersion: setpoint.dev/v1\nkind: Objective\nmetadata: {name: a}\nspec: {strategy: plan, contributesTo: [{objective: b}]}\n---\n" +
			"apiVersion: setpoint.dev/v1\nkind: Objective\nmetadata: {name: b}\nspec: {strategy: plan, contributesTo: [{objective: a}]}\n", "spec.contributesTo[0].objective", "a → b → a"},
		"due before baseline":  {target("baseline: {date: 2030-12-31, value: 1}, value: 2, due: 2026-12-31"), "spec.due", "2030-12-31"},
		"two forms":            {target("direction: increase, value: 1, due: 2030-12-31, maintain: {lower: 1}"), "spec", "exactly one form"},
		"an enumeration":       {"apiVersion: setpoint.dev/v1\nkind: Metric\nmetadata: {name: m}\nspec: {cadence: monthy}\n", "spec.cadence", "monthly"},
		"a wrong apiVersion":   {"apiVersion: v1\nkind: Unit\nmetadata: {name: u}\nspec: {}\n", "apiVersion", "setpoint.dev/v1"},
		"a name with capitals": {"apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: Sales}\nspec: {}\n", "metadata.name", ""},
		"broken YAML":          {"apiVersion: [setpoint.dev/v1\nkind: Unit\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fs := c.refused(head + b.yaml)
			if len(fs) == 0 {
				t.Fatal("no fault is listed")
			}
			f := fs[0]
			if f.GetFile() != "plan.yaml" || f.GetLine() == 0 || f.GetMessage() == "" {
				t.Errorf("the fault names no place: %v", f)
			}
			if b.field != "" && f.GetField() != b.field {
				t.Errorf("field %q, want %q: %v", f.GetField(), b.field, f)
			}
			contains(t, "fault", f.GetMessage()+" "+f.GetHint(), b.says)
			if got := c.names("unit"); len(got) != 0 {
				t.Errorf("half of it was declared: %v", got)
			}
		})
	}
}

func TestBadObservationsRecordNothing(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	many := make([]*strategyv1.Observation, 50_000)
	for i := range many {
		many[i] = value("revenue", fmt.Sprintf("%04d-%02d-%02d", 1900+i/336, 1+i/28%12, 1+i%28), float64(i))
	}
	many[40_000] = value("revenew", "2026-12-31", 1)
	for name, b := range map[string]struct {
		values []*strategyv1.Observation
		field  string
		says   string
	}{
		"one bad line of fifty thousand": {many, "observations[40000].metric", "revenue"},
		"not a number":                   {[]*strategyv1.Observation{value("revenue", "2026-12-31", math.NaN())}, "observations[0].value", ""},
		"infinity":                       {[]*strategyv1.Observation{value("revenue", "2026-12-31", math.Inf(1))}, "observations[0].value", ""},
		"no value":                       {[]*strategyv1.Observation{{Metric: "revenue", ObservedAt: "2026"}}, "observations[0].value", ""},
		"a day that is not":              {[]*strategyv1.Observation{value("revenue", "2023-02-30", 1)}, "observations[0].observedAt", "2023-02-30"},
		"no period":                      {[]*strategyv1.Observation{value("revenue", "last year", 1)}, "observations[0].observedAt", "FY2018"},
		"two values for one day":         {[]*strategyv1.Observation{value("revenue", "2026", 1), value("revenue", "2026-12-31", 2)}, "observations[1].value", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.record(b.values...)
			if connect.CodeOf(err) != connect.CodeInvalidArgument {
				t.Fatalf("error %v", err)
			}
			fs := faults(err)
			if len(fs) != 1 || fs[0].GetField() != b.field {
				t.Fatalf("faults %v, want one of %s", fs, b.field)
			}
			contains(t, "fault", fs[0].GetMessage()+" "+fs[0].GetHint(), b.says)
			res, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue"})
			if err != nil || len(res.GetObservations()) != 0 {
				t.Errorf("something was recorded: %d, %v", len(res.GetObservations()), err)
			}
		})
	}
}

func TestBadQuestions(t *testing.T) {
	c := connectTo(t, service(t), "questions")
	end := c.apply(small).GetRevision()
	ctx := context.Background()
	for name, b := range map[string]struct {
		ask  func() error
		code connect.Code
		says string
	}{
		"an unknown policy": {func() error {
			_, err := c.gap.Evaluate(ctx, &gapv1.EvaluateRequest{Policy: "orks"})
			return err
		}, connect.CodeInvalidArgument, "okr"},
		"an unknown strategy": {func() error {
			_, err := c.gap.Evaluate(ctx, &gapv1.EvaluateRequest{Strategy: "plam"})
			return err
		}, connect.CodeNotFound, `"plan"`},
		"a day that is not": {func() error {
			_, err := c.gap.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: "2023-02-30"})
			return err
		}, connect.CodeInvalidArgument, "2023-02-30"},
		"an unknown kind": {func() error {
			_, err := c.declare.List(ctx, &declarationv1.ListRequest{Kind: "objectiv"})
			return err
		}, connect.CodeInvalidArgument, "Objective"},
		"a revision inside a commit": {func() error {
			_, err := c.gap.Evaluate(ctx, &gapv1.EvaluateRequest{Revision: end - 1})
			return err
		}, connect.CodeInvalidArgument, fmt.Sprint("ends at ", end)},
		"a made-up page token": {func() error {
			_, err := c.declare.List(ctx, &declarationv1.ListRequest{Kind: "unit", PageToken: "x"})
			return err
		}, connect.CodeInvalidArgument, "token"},
	} {
		t.Run(name, func(t *testing.T) {
			err := b.ask()
			if connect.CodeOf(err) != b.code {
				t.Fatalf("error %v, want %v", err, b.code)
			}
			contains(t, "error", err.Error()+" "+detail(err).GetHint(), b.says)
		})
	}
}

func TestASecondServerOnTheSameFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir)
	s, err := devserver.Start(context.Background(), devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute})
	if err == nil {
		_ = s.Close()
		t.Fatal("two servers run on one folder")
	}
	contains(t, "error", err.Error(), dir)
}

func TestOnlyLoopbackIsServed(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:8080", "nonsense"} {
		s, err := devserver.Start(context.Background(), devserver.Options{Data: t.TempDir(), Listen: listen})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s is served", listen)
		}
	}
}

func TestARequestIDIsOneRequest(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	c := connectTo(t, s.URL(), "default")
	ctx := context.Background()
	req := &declarationv1.ApplyRequest{RequestId: "one", Manifests: manifests(small)}
	first, err := c.declare.Apply(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	obs := &strategyv1.RecordObservationsRequest{RequestId: "two", Observations: []*strategyv1.Observation{value("revenue", "2026", 1)}}
	second, err := c.observe.RecordObservations(ctx, obs)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"restart", "rebuild"} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if step == "rebuild" {
			dropRecord(t, dir)
		}
		s = serve(t, dir)
		c = connectTo(t, s.URL(), "default")
		again, err := c.declare.Apply(ctx, req)
		if err != nil || again.GetRevision() != first.GetRevision() || again.GetSummary().GetCreate() != 3 {
			t.Errorf("apply again after a %s: %v, %v", step, again, err)
		}
		twice, err := c.observe.RecordObservations(ctx, obs)
		if err != nil || twice.GetRevision() != second.GetRevision() || twice.GetRecorded() != 1 {
			t.Errorf("observe again after a %s: %v, %v", step, twice, err)
		}
	}
	_, err = c.declare.Apply(ctx, &declarationv1.ApplyRequest{RequestId: "one", Manifests: manifests(strings.ReplaceAll(small, "grow", "shrink"))})
	if detail(err).GetReason() != "request.id_reused" {
		t.Errorf("the same id for something else: %v", err)
	}
}

// What does not parse, what dangles and what breaks a rule is told in one go.
func TestEveryFaultIsListedAtOnce(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	fs := c.refused(`
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: broken}, spec: {cadence: monthy}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: a}, spec: {metric: broken, objective: nowhere, value: 1, due: 2023-02-30}}
---
{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: u, effective: 2023-02-30}, spec: {}}
`)
	var got []string
	for _, f := range fs {
		got = append(got, f.GetResource()+" "+f.GetField())
	}
	want := "[Metric/broken spec.cadence Target/a spec.direction Target/a spec.objective Target/a spec.due Unit/u metadata.effective]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
