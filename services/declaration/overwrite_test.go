package declaration_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/resource"
)

func TestOverwritten(t *testing.T) {
	k, _ := registry.Kind("Metric")
	// version is written as "who title unit".
	version := func(s string, revision int) declaration.Version {
		w := strings.Fields(s)
		return declaration.Version{
			Author: declaration.Author{Manager: w[0], Principal: w[0] + "-person", Revision: uint64(revision)},
			State: resource.State{Exists: true, Metadata: &commonv1.Metadata{Name: "m"},
				Spec: &strategyv1.MetricSpec{Cadence: "monthly", Title: w[1], Unit: w[2]}},
		}
	}
	for _, c := range []struct {
		name     string
		versions []string // oldest first
		wants    string   // as a version, by git
		want     string   // path@revision
	}{
		{"nobody else wrote", []string{"git A points"}, "git B points", ""},
		{"the manager itself wrote it last", []string{"git A points", "console B points", "git B points"}, "git C points", ""},
		{"an edit that the manifests do not know", []string{"git A points", "console B points"}, "git A points", "spec.title@2"},
		{"an edit that the manifests know", []string{"git A points", "console B points"}, "git B points", ""},
		{"an edit of one field, and another changes", []string{"git A points", "console B points"}, "git B days", ""},
		{"both", []string{"git A points", "console B points"}, "git C days", "spec.title@2"},
		{"edits by several, the last of each field counts", []string{"git A points", "console B points", "cli B days", "cli C days"}, "git A points",
			"spec.title@4 spec.unit@3"},
		{"edited and put back", []string{"git A points", "console B points", "cli A points"}, "git D points", "spec.title@3"},
		{"others made it", []string{"cli A points"}, "git A days", "spec.unit@1"},
		{"others made it, and the manager never wrote", []string{"cli A points", "console A days"}, "git B weeks", "spec.title@1 spec.unit@2"},
		{"what was before the manager's own last write is not looked at", []string{"cli A points", "git A days", "console B days"}, "git C weeks", "spec.title@3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var versions []declaration.Version
			for i, s := range c.versions {
				versions = append(versions, version(s, i+1))
			}
			slices.Reverse(versions)
			fields := declaration.Diff(k, versions[0].State, version(c.wants, 0).State)
			var got []string
			for path, author := range declaration.Overwritten(k, "git", fields, versions) {
				got = append(got, fmt.Sprintf("%s@%d", path, author.Revision))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("a field that nobody has set", func(t *testing.T) {
		v := version("console A points", 1)
		after := version("git A points", 0)
		after.Spec.(*strategyv1.MetricSpec).Format = "percent"
		if got := declaration.Overwritten(k, "git", declaration.Diff(k, v.State, after.State), []declaration.Version{v}); len(got) > 0 {
			t.Errorf("%v", slices.Collect(maps.Keys(got)))
		}
	})
	t.Run("a field that others have taken away", func(t *testing.T) {
		git, console := version("git A points", 1), version("console A points", 2)
		git.Spec.(*strategyv1.MetricSpec).Format = "percent"
		got := declaration.Overwritten(k, "git", declaration.Diff(k, console.State, git.State), []declaration.Version{console, git})
		if len(got) != 1 || got["spec.format"].Revision != 2 {
			t.Errorf("%v", got)
		}
	})
}

func TestIndexed(t *testing.T) {
	value := 1.0
	spec := &strategyv1.TargetSpec{Metric: "m", Periods: []*strategyv1.PeriodTarget{{Period: "FY2018", Value: &value}, {Period: "FY2019", Value: &value}}}
	framework := &strategyv1.MetricSpec{Title: "t"}
	for path, want := range map[string]string{
		"spec.metric":                "spec.metric",
		"spec.periods[FY2019].value": "spec.periods[1].value",
		"spec.periods[FY2020].value": "spec.periods",
		"spec.periods[FY2018].note":  "spec.periods[0]",
		"spec.owner":                 "spec",
		"metadata.labels.a.b[c]":     "metadata.labels.a.b[c]",
		"set":                        "set",
	} {
		if got := declaration.Indexed(path, spec); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if got := declaration.Indexed("spec.title", framework); got != "spec.title" {
		t.Error(got)
	}
}
