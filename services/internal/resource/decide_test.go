package resource_test

import (
	"fmt"
	"testing"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

func TestDeclaring(t *testing.T) {
	held := func(effective, counts, set string) resource.State {
		return resource.State{Exists: true, Metadata: &commonv1.Metadata{Name: "u", Effective: effective},
			Spec: &strategyv1.UnitSpec{Title: "U"}, Set: set, Effective: counts}
	}
	for _, c := range []struct {
		name    string
		given   resource.State
		want    *commonv1.Metadata
		title   string
		set     string
		becomes string // effective and set of the event, "" if there is none
	}{
		{"anew", resource.State{}, &commonv1.Metadata{Name: "u", Effective: "2026-01-01"}, "U", "s", "2026-01-01 in s"},
		{"again", held("", "2026-05-17", ""), &commonv1.Metadata{Name: "u"}, "U", "", ""},
		{"again, with the day it was declared spelled out", held("", "2026-05-17", ""), &commonv1.Metadata{Name: "u", Effective: "2026-05-17"}, "U", "", ""},
		{"again, without the date", held("2026-01-01", "2026-01-01", ""), &commonv1.Metadata{Name: "u"}, "U", "", ""},
		{"from another date", held("", "2026-05-17", ""), &commonv1.Metadata{Name: "u", Effective: "2026-01-01"}, "U", "", "2026-01-01 in "},
		{"another spec without a date", held("2026-01-01", "2026-01-01", ""), &commonv1.Metadata{Name: "u"}, "V", "", " in "},
		{"another spec with the same date", held("", "2026-05-17", ""), &commonv1.Metadata{Name: "u", Effective: "2026-05-17"}, "V", "", "2026-05-17 in "},
		{"another label keeps the date", held("2026-01-01", "2026-01-01", ""), &commonv1.Metadata{Name: "u", Protected: true}, "U", "", "2026-01-01 in "},
		{"another name", held("", "2026-05-17", ""), &commonv1.Metadata{Name: "v", RenamedFrom: "u"}, "U", "", " in "},
		{"in another set", held("", "2026-05-17", "a"), &commonv1.Metadata{Name: "u"}, "U", "b", " in b"},
		{"in the set that the manifest names", held("", "2026-05-17", "a"), &commonv1.Metadata{Name: "u", Set: "a"}, "U", "b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, err := resource.Decide(c.given, resource.Declare{Metadata: c.want, Spec: &strategyv1.UnitSpec{Title: c.title}, Set: c.set})
			if err != nil || len(events) > 1 {
				t.Fatalf("%v, %v", events, err)
			}
			got := ""
			for _, e := range events {
				d := e.(resource.Declared)
				got = fmt.Sprintf("%s in %s", d.Metadata.GetEffective(), d.Set)
				if d.Metadata.GetSet() != "" || d.Metadata.GetRenamedFrom() != "" {
					t.Errorf("an instruction is kept: %v", d.Metadata)
				}
			}
			if got != c.becomes {
				t.Errorf("%q, want %q", got, c.becomes)
			}
		})
	}
}
