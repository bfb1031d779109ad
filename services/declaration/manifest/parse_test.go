package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/declaration/manifest"
)

func parse(t *testing.T, files ...manifest.File) []manifest.Document {
	t.Helper()
	documents, places := manifest.Parse(files, kinds, manifest.Limits{})
	if len(places) > 0 {
		t.Fatalf("unexpected faults:\n%s", render(places))
	}
	return documents
}

func parseText(t *testing.T, text string) []manifest.Document {
	t.Helper()
	return parse(t, manifest.File{Path: "plan.yaml", Content: []byte(text)})
}

const target = `apiVersion: setpoint.dev/v1
kind: Target
metadata:
  name: fedramp-2020
  labels: {source: gsa, fiscal-year: 2018, "a.b/c": x}
  effective: 2017-10-01
spec:
  metric: fedramp-systems
  title: no
  description: 1.10
  baseline: {value: 88, date: 2017-09-30}
  value: 165
  changeFromBaseline: -40%
  due: 2020-09-30
  note: null
  trajectory:
    shape: points
    points:
      - date: 2018-09-30
        value: 1.1e2
      - {date: 2019-09-30, value: -0}
  periods:
    - {period: 2018, value: .5}
  milestone: {}
`

func TestDocumentIsTyped(t *testing.T) {
	documents := parseText(t, target)
	if len(documents) != 1 {
		t.Fatalf("%d documents", len(documents))
	}
	d := documents[0]
	if d.Kind != "Target" || d.File != "plan.yaml" || d.Line != 1 || d.Column != 1 {
		t.Errorf("document is %s in %s:%d:%d", d.Kind, d.File, d.Line, d.Column)
	}
	wantMetadata := &commonv1.Metadata{
		Name: "fedramp-2020", Effective: "2017-10-01",
		Labels: map[string]string{"source": "gsa", "fiscal-year": "2018", "a.b/c": "x"},
	}
	if diff := cmp.Diff(wantMetadata, d.Metadata, protocmp.Transform()); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	wantSpec := &strategyv1.TargetSpec{
		Metric: "fedramp-systems", Title: "no", Description: "1.10",
		Baseline: &strategyv1.Baseline{Date: "2017-09-30", Value: proto.Float64(88)},
		Value:    proto.Float64(165), ChangeFromBaseline: "-40%", Due: "2020-09-30",
		Trajectory: &strategyv1.Trajectory{Shape: "points", Points: []*strategyv1.Point{
			{Date: "2018-09-30", Value: proto.Float64(110)}, {Date: "2019-09-30", Value: proto.Float64(0)},
		}},
		Periods:   []*strategyv1.PeriodTarget{{Period: "2018", Value: proto.Float64(0.5)}},
		Milestone: &strategyv1.Milestone{},
	}
	if diff := cmp.Diff(wantSpec, d.Spec, protocmp.Transform()); diff != "" {
		t.Errorf("spec (-want +got)\n%s", diff)
	}
	wantMask := []string{
		"metadata.effective", "metadata.labels",
		"spec.baseline.date", "spec.baseline.value", "spec.changeFromBaseline", "spec.description",
		"spec.due", "spec.metric", "spec.milestone", "spec.periods", "spec.title",
		"spec.trajectory.points", "spec.trajectory.shape", "spec.value",
	}
	if diff := cmp.Diff(wantMask, d.Mask); diff != "" {
		t.Errorf("mask (-want +got)\n%s", diff)
	}
	for field, want := range map[string]manifest.Position{
		"metadata.name":                   {Line: 4, Column: 9},
		"metadata.labels.source":          {Line: 5, Column: 20},
		`metadata.labels["a.b/c"]`:        {Line: 5, Column: 53},
		"spec.baseline.date":              {Line: 11, Column: 31},
		"spec.note":                       {Line: 15, Column: 3},
		"spec.trajectory.points[1].value": {Line: 21, Column: 35},
		"spec.periods[0].period":          {Line: 23, Column: 16},
	} {
		if got := d.Fields[field]; got != want {
			t.Errorf("%s is at %v, want %v", field, got, want)
		}
	}
}

func TestPlaceFindsTheNearestField(t *testing.T) {
	d := parseText(t, target)[0]
	for field, want := range map[string]string{
		"spec.trajectory.points[0].value": "plan.yaml:20:16",
		"spec.trajectory.points[0].note":  "plan.yaml:19:9",
		"spec.trajectory.points[7].value": "plan.yaml:19:7",
		"spec.owner":                      "plan.yaml:8:3",
		"nowhere":                         "plan.yaml:1:1",
		"":                                "plan.yaml:1:1",
	} {
		got := manifest.Render(d.Place(field, "a.reason", "is wrong", "correct it"))
		want += ": Target/fedramp-2020 " + field
		want = strings.TrimSpace(want) + ": is wrong (correct it)"
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func unit(name string) string {
	return "apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: " + name + "}\nspec: {title: " + name + "}\n"
}

func jsonUnit(name string) string {
	return fmt.Sprintf(`{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":%q},"spec":{"title":%[1]q}}`, name)
}

func TestStreams(t *testing.T) {
	crlf := strings.ReplaceAll(unit("a")+"---\n"+unit("b"), "\n", "\r\n")
	for _, c := range []struct {
		name, path, content string
		want                string // name@line of each
	}{
		{"one", "p.yaml", unit("a"), "a@1"},
		{"two", "p.yaml", unit("a") + "---\n" + unit("b"), "a@1 b@6"},
		{"empty ones are skipped", "p.yml", "---\n# nothing\n---\n\n---\n" + unit("a") + "---\n---\nnull\n", "a@6"},
		{"comment first", "p.yaml", "# the plan\n\n" + unit("a"), "a@3"},
		{"end markers", "p.yaml", unit("a") + "...\n" + unit("b") + "...\n# end\n", "a@1 b@6"},
		{"text on the marker's line", "p.yaml", "--- # first\n" + unit("a") + "--- {apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: b}}\n", "a@2 b@6"},
		{"marker inside a text", "p.yaml", unit("a") + "---\napiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: b}\nspec:\n  description: |\n    a\n    ---\n    b\n", "a@1 b@6"},
		{"dashes that are no marker", "p.yaml", "---a: x\n", ""},
		{"byte order mark", "p.yaml", "\uFEFF" + unit("a"), "a@1"},
		{"CRLF", "p.yaml", crlf, "a@1 b@6"},
		{"list", "p.yaml", "- " + jsonUnit("a") + "\n- " + jsonUnit("b"), "a@1 b@2"},
		{"items", "p.yaml", "kind: List\nitems:\n- " + jsonUnit("a") + "\n", "a@3"},
		{"nothing", "p.yaml", "", ""},
		{"JSON", "p.json", jsonUnit("a"), "a@1"},
		{"JSON array", "p.JSON", "[\n" + jsonUnit("a") + ",\n" + jsonUnit("b") + "\n]\n", "a@2 b@3"},
		{"JSON items", "p.json", `{"kind": "List", "items": [` + jsonUnit("a") + ",\n" + jsonUnit("b") + `], "apiVersion": "v1"}`, "a@1 b@2"},
		{"JSON lines", "p.json", jsonUnit("a") + "\n" + jsonUnit("b") + "\n", "a@1 b@2"},
		{"JSON by its looks", "stdin", "\n[" + jsonUnit("a") + "]", "a@2"},
		{"flow YAML by its looks", "stdin", "{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: a}}", "a@1"},
		{"empty JSON", "p.json", " \n", ""},
		{"empty JSON array", "p.json", "[]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			documents, places := manifest.Parse([]manifest.File{{Path: c.path, Content: []byte(c.content)}}, kinds, manifest.Limits{})
			if c.name == "dashes that are no marker" {
				if len(places) == 0 {
					t.Fatal("no fault")
				}
				return
			}
			if len(places) > 0 {
				t.Fatalf("unexpected faults:\n%s", render(places))
			}
			var got []string
			for _, d := range documents {
				got = append(got, fmt.Sprintf("%s@%d", d.Metadata.GetName(), d.Line))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), c.want)
			}
		})
	}
}

func TestJSONTexts(t *testing.T) {
	d := parse(t, manifest.File{Path: "p.json", Content: []byte(`{"apiVersion":"setpoint.dev\/v1","kind":"Unit","metadata":{"name":"a"},` +
		"\n\t" + `"spec":{"title":"\ud83d\ude00 \u00e9","description":"2018-09-30"}}`)})[0]
	if got := d.Spec.(*strategyv1.UnitSpec).Title; got != "😀 é" {
		t.Errorf("title is %q", got)
	}
	if got, want := d.Fields["spec.description"], (manifest.Position{Line: 2, Column: 54}); got != want {
		t.Errorf("description is at %v, want %v", got, want)
	}
}

func TestFaultsAreInOrderOfTheFiles(t *testing.T) {
	_, places := manifest.Parse([]manifest.File{
		{Path: "b.yaml", Content: []byte(unit("a") + "---\n" + unit("b") + "x: 1\n")},
		{Path: "a.yaml", Content: []byte(unit("b"))},
		{Path: "c.yaml", Content: []byte("{")},
	}, kinds, manifest.Limits{})
	want := `b.yaml:10:1: Unit/b x: unknown field "x" (one of apiVersion, kind, metadata, spec)
a.yaml:3:18: Unit/b metadata.name: Unit/b is declared twice (the first is at b.yaml:6)
c.yaml:1: this is not YAML: did not find expected node content (a bracket may be left open; a text that holds , : { } [ or ] needs quotes)
`
	if diff := cmp.Diff(want, render(places)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFromResources(t *testing.T) {
	spec := func(fields map[string]any) *structpb.Struct {
		s, err := structpb.NewStruct(fields)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	documents, places := manifest.FromResources([]*commonv1.Resource{
		{Kind: "Target", Metadata: &commonv1.Metadata{Name: "a", Labels: map[string]string{"yes": "no"}, Protected: true, RenamedFrom: "b"}, Spec: spec(map[string]any{
			"metric": "m", "value": 0.1, "due": "2018-09-30", "periods": []any{map[string]any{"period": 2018, "value": 1e21}},
		})},
		{ApiVersion: "v1", Kind: "Targets", Metadata: &commonv1.Metadata{Name: "A"}},
		nil,
		{Kind: "Target", Metadata: &commonv1.Metadata{Name: "a"}, Spec: spec(map[string]any{"value": "0.1", "metrics": "m"})},
	}, kinds)
	want := `resources[1]: Targets/A apiVersion: must be setpoint.dev/v1, not the text "v1"
resources[1]: Targets/A kind: there is no kind "Targets" (did you mean Target?)
resources[1]: Targets/A metadata.name: must be a name: lower-case letters, digits and hyphens, at most 63, with a letter or digit at both ends, not "A" (for example a)
resources[2]: is empty
resources[3]: Target/a spec.metrics: unknown field "metrics" (did you mean metric?)
resources[3]: Target/a spec.value: must be a number, not the text "0.1" (write 0.1 without quotes)
resources[3]: Target/a spec.metric: is required
resources[3]: Target/a metadata.name: Target/a is declared twice (the first is at resources[0])
`
	if diff := cmp.Diff(want, render(places)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(documents) != 1 {
		t.Fatalf("%d documents", len(documents))
	}
	wantSpec := &strategyv1.TargetSpec{
		Metric: "m", Value: proto.Float64(0.1), Due: "2018-09-30",
		Periods: []*strategyv1.PeriodTarget{{Period: "2018", Value: proto.Float64(1e21)}},
	}
	if diff := cmp.Diff(wantSpec, documents[0].Spec, protocmp.Transform()); diff != "" {
		t.Errorf("spec (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"metadata.labels", "metadata.protected", "spec.due", "spec.metric", "spec.periods", "spec.value"}, documents[0].Mask); diff != "" {
		t.Errorf("mask (-want +got)\n%s", diff)
	}
}
