package manifest_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/declaration/manifest"
)

func encode(t interface{ Fatal(...any) }, resources ...*commonv1.Resource) string {
	var b bytes.Buffer
	if err := manifest.Encode(&b, kinds, resources...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func resource(t interface{ Fatal(...any) }, d manifest.Document) *commonv1.Resource {
	r, err := d.Resource()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEncodeIsCanonical(t *testing.T) {
	d := manifest.Document{
		Kind:     "Target",
		Metadata: &commonv1.Metadata{Name: "a", Protected: true, Effective: "2017-10-01", Labels: map[string]string{"y": "2018", "b/c": "no"}},
		Spec: &strategyv1.TargetSpec{
			Note:      "first line\nsecond: line\n",
			Title:     "Share of a: colon, # and 'quotes'",
			Metric:    "fedramp-systems",
			Owner:     "unit/real-estate",
			Value:     proto.Float64(165),
			Tolerance: proto.Float64(1e-9),
			Scale:     proto.Float64(0.1),
			Baseline:  &strategyv1.Baseline{Date: "2017-09-30", Value: proto.Float64(88)},
			Trajectory: &strategyv1.Trajectory{Shape: "points", Points: []*strategyv1.Point{
				{Date: "2018-09-30", Value: proto.Float64(110.5)},
				{Date: "2020-09-30", Value: proto.Float64(165)},
			}},
			Periods: []*strategyv1.PeriodTarget{
				{Period: "2018", Value: proto.Float64(0)}, {Period: "2018-Q3", Lower: proto.Float64(-1)},
				{Period: "2018-07", Excluded: "The method changed."},
			},
			Milestone: &strategyv1.Milestone{},
		},
	}
	want := `apiVersion: setpoint.dev/v1
kind: Target
metadata:
  name: a
  labels: {b/c: "no", "y": 2018}
  protected: true
  effective: 2017-10-01
spec:
  metric: fedramp-systems
  title: "Share of a: colon, # and 'quotes'"
  owner: unit/real-estate
  tolerance: 1e-09
  scale: 0.1
  baseline: {date: 2017-09-30, value: 88}
  value: 165
  trajectory:
    shape: points
    points:
      - {date: 2018-09-30, value: 110.5}
      - {date: 2020-09-30, value: 165}
  periods:
    - {period: 2018, value: 0}
    - {period: 2018-Q3, lower: -1}
    - {period: 2018-07, excluded: The method changed.}
  milestone: {}
  note: |
    first line
    second: line
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: b}
spec: {}
`
	got := encode(t, resource(t, d), &commonv1.Resource{Kind: "Unit", Metadata: &commonv1.Metadata{Name: "b"}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(parseText(t, got)) != 2 {
		t.Error("does not read back")
	}
}

func TestEncodeKeepsWhatItDoesNotKnow(t *testing.T) {
	spec, err := structpb.NewStruct(map[string]any{"title": "a", "newField": map[string]any{"x": "2018", "y": []any{1, true, nil}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: a}
spec:
  title: a
  newField:
    x: "2018"
    "y":
      - 1
      - true
      - null
`
	got := encode(t, &commonv1.Resource{Kind: "Unit", Metadata: &commonv1.Metadata{Name: "a"}, Spec: spec})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if encode(t) != "" {
		t.Error("nothing is written as something")
	}
}

// Whatever can be declared survives being written and read.
func TestEncodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		documents := []manifest.Document{
			{Kind: "Unit", Metadata: metadata(t, "a"), Spec: &strategyv1.UnitSpec{
				Title: anyText(t, "title"), Parent: anyText(t, "parent"), Description: anyText(t, "description"),
			}},
			{Kind: "Target", Metadata: metadata(t, "b"), Spec: targetSpec(t)},
		}
		var resources []*commonv1.Resource
		for _, d := range documents {
			resources = append(resources, resource(t, d))
		}
		text := encode(t, resources...)
		got, places := manifest.Parse([]manifest.File{{Path: "p.yaml", Content: []byte(text)}}, kinds, manifest.Limits{})
		if len(places) > 0 || len(got) != len(documents) {
			t.Fatalf("%d documents, faults:\n%s\n%s", len(got), render(places), text)
		}
		direct, places := manifest.FromResources(resources, kinds)
		if len(places) > 0 {
			t.Fatalf("FromResources: %s", render(places))
		}
		for i, d := range documents {
			for _, read := range []manifest.Document{got[i], direct[i]} {
				if diff := cmp.Diff(d.Spec, read.Spec, protocmp.Transform()); diff != "" {
					t.Fatalf("spec (-want +got)\n%s\n%s", diff, text)
				}
				if diff := cmp.Diff(d.Metadata, read.Metadata, protocmp.Transform()); diff != "" {
					t.Fatalf("metadata (-want +got)\n%s\n%s", diff, text)
				}
			}
			if diff := cmp.Diff(direct[i].Mask, got[i].Mask); diff != "" {
				t.Fatalf("mask of generic and of written form (-generic +written)\n%s\n%s", diff, text)
			}
		}
		var again []*commonv1.Resource
		for _, d := range got {
			again = append(again, resource(t, d))
		}
		if second := encode(t, again...); second != text {
			t.Fatalf("not canonical:\n%s", cmp.Diff(text, second))
		}
	})
}

func metadata(t *rapid.T, name string) *commonv1.Metadata {
	m := &commonv1.Metadata{Name: name, Protected: rapid.Bool().Draw(t, "protected")}
	for key, value := range rapid.MapOfN(text(1, 20), text(0, 20), 0, 3).Draw(t, "labels") {
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		m.Labels[key] = value
	}
	return m
}

func targetSpec(t *rapid.T) *strategyv1.TargetSpec {
	s := &strategyv1.TargetSpec{
		Metric: text(1, 10).Draw(t, "metric"), Due: anyText(t, "due"), Note: anyText(t, "note"),
		Direction: rapid.SampledFrom([]string{"", "increase", "decrease"}).Draw(t, "direction"),
		Value:     someNumber(t, "value"),
	}
	if rapid.Bool().Draw(t, "with baseline") {
		s.Baseline = &strategyv1.Baseline{Date: text(1, 10).Draw(t, "date"), Value: someNumber(t, "baseline")}
	}
	for range rapid.IntRange(0, 3).Draw(t, "periods") {
		s.Periods = append(s.Periods, &strategyv1.PeriodTarget{
			Period: text(1, 10).Draw(t, "period"), Value: someNumber(t, "of period"), Excluded: anyText(t, "excluded"),
		})
	}
	if rapid.Bool().Draw(t, "with maintain") {
		s.Maintain = &strategyv1.Maintain{Lower: someNumber(t, "lower"), To: anyText(t, "to")}
	}
	return s
}

func someNumber(t *rapid.T, label string) *float64 {
	v := rapid.OneOf(
		rapid.Float64(),
		rapid.Float64Range(-1, 1),
		rapid.SampledFrom([]float64{0, 1, -1, 0.1, 1e15, 1e-6, 1e21, 1e22, math.MaxFloat64, math.SmallestNonzeroFloat64, 9007199254740993, 123456789012345}),
	).Draw(t, label)
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) || rapid.IntRange(0, 3).Draw(t, label+" unset") == 0 {
		return nil
	}
	return &v
}

func anyText(t *rapid.T, label string) string { return text(0, 40).Draw(t, label) }

// text is what YAML finds hard.
func text(least, most int) *rapid.Generator[string] {
	fixed := rapid.SampledFrom([]string{
		"null", "~", "true", "no", "2018", "007", "1e3", "0x10", "1_000", "12:30", "2018-09-30", "2018-13-40", "2018-09-30T10:00:00Z",
		".inf", "<<", "=", "- a", "? a", "a: b", "a #b", "#a", "&a", "*a", "!a", "%a", "@a", "`a`", "'a'", "\"a\"", "{a}", "[a]", "a,b",
		"---", "...", "a\nb", "a\n---\nb", " a", "a ", "a\n", "\na", "a\n\n", "a\n b", " a\nb", "a \nb", "a\tb", "\ta", "a\n\tb", "a\r\nb",
		"a\u0085b", "a\u2028b", "\u00a0", "é", "😀", "|", ">", "|-", "-", "FY2018", "2018-Q3", "2018-W07", "C:\\x", "\\n", "+1", "-40%", "0", "-0",
		"a very long text that goes on and on, with commas, and is no longer fit for a line",
	})
	printable := rapid.StringOfN(rapid.RuneFrom([]rune(" \n:#-,[]{}'\"&*!|>%@`\\abcXYZ019_~=?é\t")), least, most, -1)
	return rapid.OneOf(fixed, printable).Filter(func(s string) bool {
		n := len([]rune(s))
		return n >= least && n <= most && !strings.ContainsRune(s, '\uFEFF')
	})
}
