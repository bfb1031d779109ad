package declaration_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/resource"
)

func drawUnits(rt *rapid.T, label string) []declaration.Item {
	var items []declaration.Item
	for i := range 5 {
		name := fmt.Sprintf("u%d", i)
		switch rapid.IntRange(0, 3).Draw(rt, label+name) {
		case 0:
		case 1:
			items = append(items, item("Unit", name, &strategyv1.UnitSpec{}))
		case 2:
			items = append(items, item("Unit", name, &strategyv1.UnitSpec{Title: rapid.StringMatching(`[ab]`).Draw(rt, "title")}))
		case 3:
			items = append(items, item("Unit", name, &strategyv1.UnitSpec{}, renamedFrom(fmt.Sprintf("u%d", rapid.IntRange(0, 4).Draw(rt, "old")))))
		}
	}
	return items
}

// What a plan would do is what a comparison of before and after tells, and
// nothing differs from itself.
func TestAComparisonTellsWhatThePlanDid(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		before := declaration.Current{}
		var p declaration.Plan
		for _, label := range []string{"first", "second"} {
			wish := declaration.Wish{Items: drawUnits(rt, label), Prune: true}
			plan, faults := declaration.Make(registry, before, wish)
			if len(faults) > 0 {
				rt.Skip("not a legal wish")
			}
			p = plan
			if label == "first" {
				before = fold(before, p)
			}
		}
		after := fold(before, p)
		got := declaration.Compare(registry, before, after)
		if tell(got) != tell(p) || got.Unchanged != p.Unchanged {
			rt.Fatalf("planned   %s, %d unchanged\ncompared  %s, %d unchanged", tell(p), p.Unchanged, tell(got), got.Unchanged)
		}
		if same := declaration.Compare(registry, after, after); len(same.Changes) > 0 {
			rt.Fatalf("differs from itself: %s", tell(same))
		}
	})
}

func tell(p declaration.Plan) string {
	s := ""
	for _, c := range p.Changes {
		s += fmt.Sprintf("%s %s %s %v; ", c.Action, c.Ref, c.RenamedFrom, c.Fields)
	}
	return s
}

func TestHistory(t *testing.T) {
	k, _ := registry.Kind("Unit")
	revision := uint64(0)
	commit := func(effective string, events ...resource.Event) declaration.Commit {
		revision++
		c := declaration.Commit{Revision: revision, Envelope: &eventv1.Envelope{Effective: effective}}
		for _, e := range events {
			typ, payload, err := k.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			c.Envelope.Events = append(c.Envelope.Events, &eventv1.Event{Type: typ, Payload: payload})
		}
		return c
	}
	unit := func(name, title string) resource.Event {
		return resource.Declared{Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.UnitSpec{Title: title}}
	}
	payload, err := proto.Marshal(&declarationv1.Changed{Action: "apply"})
	if err != nil {
		t.Fatal(err)
	}
	other := commit("2026-01-04")
	other.Envelope.Events = []*eventv1.Event{{Type: "declaration.changed.v1", Payload: payload}}
	steps, err := declaration.History(registry, []declaration.Commit{
		commit("2026-01-01", unit("a", "A")),
		commit("2026-01-02", unit("a", "B")),
		other,
		commit("2026-01-02", unit("b", "B")),
		commit("2026-01-05", resource.Retired{Name: "b"}),
		commit("2026-01-06", unit("a", "C")),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		got = append(got, fmt.Sprintf("%d %s %s<%s> %s %v", s.Revision, s.Action, s.Name(), s.RenamedFrom(), s.After.Effective, s.Fields(k)))
	}
	want := []string{
		"2 create a<> 2026-01-01 [{spec.title <nil> A}]",
		"3 update a<> 2026-01-02 [{spec.title A B}]",
		"4 rename b<a> 2026-01-02 []",
		"5 delete b<>  []",
		"6 create a<> 2026-01-06 [{spec.title <nil> C}]",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
