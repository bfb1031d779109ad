package template_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"setpoint.dev/services/internal/template"
)

type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Title, Pillar, Perspective, Objective, Metric string
		OKRType                                       string `yaml:"okrType"`
		Pillars                                       []string
		Value                                         float64
		Levels                                        map[string]float64
		ContributesTo                                 []struct{ Objective string } `yaml:"contributesTo"`
		Contributions                                 []struct{ Target string }
		Cadence                                       string
	}
}

func read(t *testing.T, name string) (all []manifest) {
	t.Helper()
	tmpl, known := template.Named(name)
	if !known {
		t.Fatalf("there is no template %q", name)
	}
	content, err := tmpl.Manifests(2026)
	if err != nil {
		t.Fatal(err)
	}
	for d := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var m manifest
		switch err := d.Decode(&m); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, m)
	}
}

func of(all []manifest, kind string) []manifest {
	return slices.DeleteFunc(slices.Clone(all), func(m manifest) bool { return m.Kind != kind })
}

func measured(all []manifest, objective string) []manifest {
	return slices.DeleteFunc(of(all, "Target"), func(m manifest) bool { return m.Spec.Objective != objective })
}

// Two to four key results an objective; what is committed is promised at its value,
// and not at a stretch beyond it; what is aspirational is good at its value, 0.7.
func TestOKR(t *testing.T) {
	all := read(t, "okr")
	types := map[string]bool{}
	for _, o := range of(all, "Objective") {
		types[o.Spec.OKRType] = true
		results := measured(all, o.Metadata.Name)
		if len(results) < 2 || len(results) > 4 {
			t.Errorf("%s has %d key results", o.Metadata.Name, len(results))
		}
		if strings.ContainsAny(o.Spec.Title, "0123456789%") {
			t.Errorf("%s: %q is no quality", o.Metadata.Name, o.Spec.Title)
		}
		for _, r := range results {
			if levels := len(r.Spec.Levels); o.Spec.OKRType == "committed" && levels != 0 || o.Spec.OKRType == "aspirational" && levels != 3 {
				t.Errorf("%s of %s has %d levels", r.Metadata.Name, o.Spec.OKRType, levels)
			}
			if len(r.Spec.Levels) > 0 && r.Spec.Levels["target"] != r.Spec.Value {
				t.Errorf("%s: its value %v is not its level of 0.7", r.Metadata.Name, r.Spec.Value)
			}
		}
	}
	if !types["committed"] || !types["aspirational"] || len(types) != 2 {
		t.Errorf("objectives are %v", types)
	}
}

// Each of the four perspectives is measured, and leads to the financial one.
func TestBalancedScorecard(t *testing.T) {
	all := read(t, "balanced-scorecard")
	leads, perspective := map[string]string{}, map[string]string{}
	for _, o := range of(all, "Objective") {
		perspective[o.Metadata.Name] = o.Spec.Perspective
		for _, c := range o.Spec.ContributesTo {
			leads[o.Metadata.Name] = c.Objective
		}
		if len(measured(all, o.Metadata.Name)) == 0 {
			t.Errorf("%s has no target", o.Metadata.Name)
		}
	}
	for name := range perspective {
		end, steps := name, 0
		for leads[end] != "" && steps < 10 {
			end, steps = leads[end], steps+1
		}
		if perspective[end] != "financial" {
			t.Errorf("%s leads to %s", name, end)
		}
	}
	seen := map[string]bool{}
	for _, p := range perspective {
		seen[p] = true
	}
	if len(seen) != 4 {
		t.Errorf("perspectives are %v", seen)
	}
}

// Every objective below a breakthrough has a department's work that moves its
// target, and leads to the breakthrough.
func TestHoshin(t *testing.T) {
	all := read(t, "hoshin")
	moved := map[string]bool{}
	for _, i := range of(all, "Initiative") {
		for _, c := range i.Spec.Contributions {
			moved[c.Target] = true
		}
	}
	below := 0
	for _, o := range of(all, "Objective") {
		if len(o.Spec.ContributesTo) == 0 {
			continue
		}
		below++
		for _, r := range measured(all, o.Metadata.Name) {
			if !moved[r.Metadata.Name] {
				t.Errorf("nothing is done for %s", r.Metadata.Name)
			}
		}
	}
	if below < 2 {
		t.Errorf("%d objectives of the year", below)
	}
}

// Health, work, play and love each have something that is measured, and a practice
// is daily.
func TestLifeDesign(t *testing.T) {
	all := read(t, "life-design")
	pillars := of(all, "Strategy")[0].Spec.Pillars
	if want := []string{"Health", "Work", "Play", "Love"}; !slices.Equal(pillars, want) {
		t.Errorf("the gauges are %q", pillars)
	}
	for _, p := range pillars {
		if !slices.ContainsFunc(of(all, "Objective"), func(o manifest) bool { return o.Spec.Pillar == p && len(measured(all, o.Metadata.Name)) > 0 }) {
			t.Errorf("nothing is measured in %s", p)
		}
	}
	if !slices.ContainsFunc(of(all, "Review"), func(r manifest) bool { return r.Spec.Cadence == "daily" }) {
		t.Error("no practice is daily")
	}
}

// Goals stand on the objective, measures on each strategy that serves it.
func TestOGSM(t *testing.T) {
	all := read(t, "ogsm")
	for _, o := range of(all, "Objective") {
		is := "Measure: "
		if len(o.Spec.ContributesTo) == 0 {
			is = "Goal: "
		}
		list := measured(all, o.Metadata.Name)
		if len(list) == 0 {
			t.Errorf("%s is not measured", o.Metadata.Name)
		}
		for _, r := range list {
			if !strings.HasPrefix(r.Spec.Title, is) {
				t.Errorf("%s: %q is no %s", o.Metadata.Name, r.Spec.Title, is)
			}
		}
	}
}
