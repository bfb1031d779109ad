package declaration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/kinds"
)

var registry = kinds.Registry()

func item(kind, name string, spec proto.Message, edit ...func(*commonv1.Metadata)) declaration.Item {
	md := &commonv1.Metadata{Name: name}
	for _, e := range edit {
		e(md)
	}
	return declaration.Item{Kind: kind, Metadata: md, Spec: spec,
		Place: func(field, reason, message, hint string) fault.Place {
			return fault.Place{File: "plan.yaml", Line: 1, Field: field, Reason: reason, Message: message, Hint: hint, Resource: kind + "/" + name}
		}}
}

func renamedFrom(old string) func(*commonv1.Metadata) {
	return func(m *commonv1.Metadata) { m.RenamedFrom = old }
}

func protected(m *commonv1.Metadata) { m.Protected = true }

func objective(title string, to ...string) *strategyv1.ObjectiveSpec {
	o := &strategyv1.ObjectiveSpec{Title: title, Strategy: "s"}
	for _, t := range to {
		o.ContributesTo = append(o.ContributesTo, &strategyv1.Contribution{Objective: t})
	}
	return o
}

func plan2030() *strategyv1.StrategySpec {
	return &strategyv1.StrategySpec{Horizon: &strategyv1.Horizon{Start: "2026-01-01", End: "2030-12-31"}}
}

func metric(cadence string) *strategyv1.MetricSpec {
	return &strategyv1.MetricSpec{Cadence: cadence, Unit: "points"}
}

func yearly(metric string, value float64) *strategyv1.TargetSpec {
	return &strategyv1.TargetSpec{Metric: metric, Direction: "increase",
		Periods: []*strategyv1.PeriodTarget{{Period: "2027", Value: &value}}}
}

// declared makes what applying the items to nothing gives.
func declared(t *testing.T, items ...declaration.Item) declaration.Current {
	t.Helper()
	return after(t, declaration.Current{}, declaration.Wish{Items: items})
}

// after carries out a wish.
func after(t *testing.T, now declaration.Current, w declaration.Wish) declaration.Current {
	t.Helper()
	p, faults := declaration.Make(registry, now, w)
	if len(faults) > 0 {
		t.Fatalf("faults: %v", faults)
	}
	return fold(now, p)
}

func fold(now declaration.Current, p declaration.Plan) declaration.Current {
	out := declaration.Current{}
	for kind, byName := range now {
		out[kind] = map[string]declaration.Held{}
		for name, h := range byName {
			out[kind][name] = h
		}
	}
	for _, c := range p.Changes {
		if out[c.Kind] == nil {
			out[c.Kind] = map[string]declaration.Held{}
		}
		held := out[c.Kind][c.Name]
		if c.RenamedFrom != "" {
			held = now[c.Kind][c.RenamedFrom]
			if out[c.Kind][c.RenamedFrom].ID == c.ID {
				delete(out[c.Kind], c.RenamedFrom)
			}
		}
		held.ID = c.ID
		for _, e := range c.Events {
			held.State = resource.Evolve(held.State, e)
		}
		if held.Exists {
			out[c.Kind][c.Name] = held
		} else {
			delete(out[c.Kind], c.Name)
		}
	}
	return out
}

func TestFaults(t *testing.T) {
	s := item("Strategy", "s", plan2030())
	for _, c := range []struct {
		name string
		now  []declaration.Item
		wish declaration.Wish
		want []string // reasons with what the message must hold
	}{
		{
			name: "a reference that dangles says what was meant",
			wish: declaration.Wish{Items: []declaration.Item{s, item("Objective", "a", objective("A", "savigns")), item("Objective", "savings", objective("S"))}},
			want: []string{`declaration.reference_unknown: there is no objective "savigns" / did you mean "savings"?`},
		},
		{
			name: "a cycle of three is named once, with its path",
			wish: declaration.Wish{Items: []declaration.Item{s, item("Objective", "a", objective("A", "b")),
				item("Objective", "b", objective("B", "c")), item("Objective", "c", objective("C", "a"))}},
			want: []string{"declaration.cycle: closes a cycle: a → b → c → a"},
		},
		{
			name: "a cycle through what is already declared",
			now:  []declaration.Item{s, item("Objective", "a", objective("A", "b")), item("Objective", "b", objective("B"))},
			wish: declaration.Wish{Items: []declaration.Item{item("Objective", "b", objective("B", "a"))}},
			want: []string{"declaration.cycle: closes a cycle: a → b → a"},
		},
		{
			name: "a unit above itself",
			wish: declaration.Wish{Items: []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{Parent: "u"})}},
			want: []string{"declaration.cycle: closes a cycle: u → u"},
		},
		{
			name: "what others refer to cannot go",
			now:  []declaration.Item{item("Metric", "m", metric("yearly")), item("Target", "t", yearly("m", 1))},
			wish: declaration.Wish{Delete: []declaration.Ref{{Kind: "Metric", Name: "m"}}},
			want: []string{"declaration.still_referred_to: cannot be deleted: Target/t refers to it (spec.metric)"},
		},
		{
			name: "a changed metric breaks a target nobody touched",
			now:  []declaration.Item{item("Metric", "m", metric("yearly")), item("Target", "t", yearly("m", 1))},
			wish: declaration.Wish{Items: []declaration.Item{item("Metric", "m", metric("monthly"))}},
			want: []string{"strategy.period_cadence: 2027 is a yearly period"},
		},
		{
			name: "protected",
			now:  []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{}, protected)},
			wish: declaration.Wish{Delete: []declaration.Ref{{Kind: "Unit", Name: "u"}}},
			want: []string{"declaration.protected: u is protected"},
		},
		{
			name: "two organizations",
			now:  []declaration.Item{item("Organization", "one", &strategyv1.OrganizationSpec{})},
			wish: declaration.Wish{Items: []declaration.Item{item("Organization", "two", &strategyv1.OrganizationSpec{})}},
			want: []string{"declaration.singleton: there would be 2 organizations: one, two"},
		},
		{
			name: "declared twice",
			wish: declaration.Wish{Items: []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{}), item("Unit", "u", &strategyv1.UnitSpec{Title: "x"})}},
			want: []string{"declaration.declared_twice: Unit/u is declared twice / the first is at plan.yaml:1"},
		},
		{
			name: "a rename onto what exists",
			now:  []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{}), item("Unit", "v", &strategyv1.UnitSpec{})},
			wish: declaration.Wish{Items: []declaration.Item{item("Unit", "v", &strategyv1.UnitSpec{}, renamedFrom("u"))}},
			want: []string{"declaration.rename_onto_existing: Unit/v exists beside Unit/u"},
		},
		{
			name: "one resource under two new names",
			now:  []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{})},
			wish: declaration.Wish{Items: []declaration.Item{item("Unit", "v", &strategyv1.UnitSpec{}, renamedFrom("u")), item("Unit", "w", &strategyv1.UnitSpec{}, renamedFrom("u"))}},
			want: []string{`declaration.renamed_twice: Unit/u is renamed to "v" as well`},
		},
		{
			name: "two that swap names, and are both new",
			wish: declaration.Wish{Items: []declaration.Item{item("Unit", "v", &strategyv1.UnitSpec{}, renamedFrom("u")), item("Unit", "u", &strategyv1.UnitSpec{}, renamedFrom("v"))}},
			want: []string{
				"declaration.rename_ring: Unit/u and Unit/v take each other's names, and whether they have done so already cannot be told / rename one of them to a third name first, in an apply of its own, and leave out what has been renamed already",
				"declaration.rename_ring: Unit/v and Unit/u take each other's names, and whether they have done so already cannot be told / rename one of them to a third name first, in an apply of its own, and leave out what has been renamed already",
			},
		},
		{
			name: "a rename from its own name",
			now:  []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{})},
			wish: declaration.Wish{Items: []declaration.Item{item("Unit", "u", &strategyv1.UnitSpec{}, renamedFrom("u"))}},
			want: []string{"declaration.rename_onto_itself: Unit/u has this name / the name until now"},
		},
		{
			name: "a rename leaves a reference behind",
			now:  []declaration.Item{item("Metric", "m", metric("yearly")), item("Target", "t", yearly("m", 1))},
			wish: declaration.Wish{Items: []declaration.Item{item("Metric", "n", metric("yearly"), renamedFrom("m"))}},
			want: []string{`declaration.reference_unknown: there is no metric "m" / it is being renamed to "n"`},
		},
		{
			name: "deleting what is not there",
			now:  []declaration.Item{item("Unit", "sales", &strategyv1.UnitSpec{})},
			wish: declaration.Wish{Delete: []declaration.Ref{{Kind: "Unit", Name: "sale"}}},
			want: []string{`declaration.not_found: there is no Unit/sale / did you mean "sales"?`},
		},
		{
			name: "every fault is listed",
			wish: declaration.Wish{Items: []declaration.Item{item("Objective", "a", objective("A")), item("Target", "t", yearly("m", 1))}},
			want: []string{"declaration.reference_unknown: there is no strategy", "declaration.reference_unknown: there is no metric"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := declared(t, c.now...)
			p, faults := declaration.Make(registry, now, c.wish)
			if len(faults) != len(c.want) || len(p.Changes) != 0 {
				t.Fatalf("got %d changes and %d faults %v, want %v", len(p.Changes), len(faults), faults, c.want)
			}
			for i, f := range faults {
				got := f.Reason + ": " + f.Message + " / " + f.Hint
				want, hint, _ := strings.Cut(c.want[i], " / ")
				if !strings.Contains(got, want) || !strings.Contains(f.Hint, hint) {
					t.Errorf("got %q, want %q", got, c.want[i])
				}
			}
		})
	}
}

func TestALongChainIsNoCycle(t *testing.T) {
	items := []declaration.Item{item("Unit", "u0", &strategyv1.UnitSpec{})}
	for i := range 10_000 {
		items = append(items, item("Unit", fmt.Sprintf("u%d", i+1), &strategyv1.UnitSpec{Parent: fmt.Sprintf("u%d", i)}))
	}
	p, faults := declaration.Make(registry, declaration.Current{}, declaration.Wish{Items: items})
	if len(faults) != 0 || len(p.Changes) != 10_001 {
		t.Fatalf("%d changes, faults %v", len(p.Changes), faults)
	}
}

// Three hand their names on in a ring; who refers to them changes with them. Applied
// again it is no change, although the manifests read the same.
func TestNamesGoRoundARingOnce(t *testing.T) {
	now := declared(t, item("Unit", "a", &strategyv1.UnitSpec{Title: "A"}), item("Unit", "b", &strategyv1.UnitSpec{Title: "B"}), item("Unit", "c", &strategyv1.UnitSpec{Title: "C"}))
	wish := declaration.Wish{Items: []declaration.Item{
		item("Unit", "b", &strategyv1.UnitSpec{Title: "A"}, renamedFrom("a")),
		item("Unit", "c", &strategyv1.UnitSpec{Title: "B, now c"}, renamedFrom("b")),
		item("Unit", "a", &strategyv1.UnitSpec{Title: "C"}, renamedFrom("c")),
		item("Unit", "d", &strategyv1.UnitSpec{Title: "D"}),
	}, Prune: true}
	p, faults := declaration.Make(registry, now, wish)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var got []string
	for _, c := range p.Changes {
		got = append(got, fmt.Sprintf("%s %s %s from %s, %d fields", c.Action, c.Ref, c.ID, c.RenamedFrom, len(c.Fields)))
	}
	want := []string{"create Unit/d d from , 1 fields", "rename Unit/a c from c, 0 fields", "rename Unit/b a from a, 0 fields", "rename Unit/c b from b, 1 fields"}
	slices.Sort(got)
	slices.Sort(want)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	again, faults := declaration.Make(registry, fold(now, p), wish)
	if len(faults) != 0 || len(again.Changes) != 0 || again.Unchanged != 4 {
		t.Errorf("again: %d changes, %d unchanged, faults %v", len(again.Changes), again.Unchanged, faults)
	}
}

// A misspelt old name would make a new resource and lose the history unseen.
func TestARenameOfNothingIsSaid(t *testing.T) {
	now := declared(t, item("Unit", "sales", &strategyv1.UnitSpec{}))
	p, faults := declaration.Make(registry, now, declaration.Wish{Items: []declaration.Item{item("Unit", "selling", &strategyv1.UnitSpec{}, renamedFrom("sale"))}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	found := slices.ContainsFunc(p.Warnings, func(w fault.Place) bool {
		return w.Reason == "declaration.renamed_from_unknown" && strings.Contains(w.Message, "there is no Unit/sale to rename") && strings.Contains(w.Hint, "sales")
	})
	if !found {
		t.Errorf("warnings %v", p.Warnings)
	}
}

func TestRenameKeepsTheAggregateAndItsFieldsDiff(t *testing.T) {
	now := declared(t, item("Metric", "m", metric("yearly")), item("Target", "t", yearly("m", 1)))
	wish := declaration.Wish{Items: []declaration.Item{
		item("Metric", "n", metric("yearly"), renamedFrom("m")),
		item("Metric", "m", metric("monthly")),
		item("Target", "t", yearly("n", 2)),
	}}
	p, faults := declaration.Make(registry, now, wish)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var got []string
	for _, c := range p.Changes {
		line := fmt.Sprintf("%s %s %s %s", c.Action, c.Ref, c.ID, c.RenamedFrom)
		for _, f := range c.Fields {
			line += fmt.Sprintf(" [%s: %v → %v]", f.Path, f.From, f.To)
		}
		got = append(got, line)
	}
	want := []string{
		"create Metric/m m~2  [spec.unit: <nil> → points] [spec.cadence: <nil> → monthly]",
		"rename Metric/n m m",
		"update Target/t t  [spec.metric: m → n] [spec.periods[2027].value: 1 → 2]",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// Applied again it is no change: m exists, n does.
	again, faults := declaration.Make(registry, fold(now, p), wish)
	if len(faults) > 0 || len(again.Changes) > 0 || again.Unchanged != 3 {
		t.Errorf("again: %+v, %v", again, faults)
	}
}

func TestPruneTouchesItsSetOnly(t *testing.T) {
	now := after(t, declaration.Current{}, declaration.Wish{Set: "ours", Items: []declaration.Item{
		item("Unit", "a", &strategyv1.UnitSpec{}), item("Unit", "b", &strategyv1.UnitSpec{}), item("Unit", "kept", &strategyv1.UnitSpec{}, protected)}})
	now = after(t, now, declaration.Wish{Set: "theirs", Items: []declaration.Item{item("Unit", "c", &strategyv1.UnitSpec{})}})
	p, faults := declaration.Make(registry, now, declaration.Wish{Set: "ours", Prune: true,
		Items: []declaration.Item{item("Unit", "a", &strategyv1.UnitSpec{})}})
	if len(faults) > 0 || len(p.Changes) != 1 || p.Changes[0].Ref.String() != "Unit/b" || p.Changes[0].Action != declaration.Delete {
		t.Errorf("plan %+v, faults %v", p, faults)
	}
	if len(p.Warnings) != 1 || p.Warnings[0].Resource != "Unit/kept" {
		t.Errorf("warnings %v", p.Warnings)
	}
}

// Whatever is applied, applying it again changes nothing, and a plan never
// changes what it was made from.
func TestApplyingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(label string) []declaration.Item {
			var items []declaration.Item
			n := rapid.IntRange(1, 6).Draw(rt, label)
			for i := range n {
				u := &strategyv1.UnitSpec{Title: rapid.StringMatching(`[a-z]{0,3}`).Draw(rt, "title")}
				if i > 0 && rapid.Bool().Draw(rt, "nested") {
					u.Parent = fmt.Sprintf("u%d", rapid.IntRange(0, i-1).Draw(rt, "parent"))
				}
				var edit []func(*commonv1.Metadata)
				if rapid.Bool().Draw(rt, "dated") {
					edit = append(edit, func(m *commonv1.Metadata) { m.Effective = "2026-01-01" })
				}
				items = append(items, item("Unit", fmt.Sprintf("u%d", i), u, edit...))
			}
			return items
		}
		now := declaration.Current{}
		for _, label := range []string{"first", "second"} {
			wish := declaration.Wish{Items: draw(label)}
			before := fmt.Sprint(now)
			p, faults := declaration.Make(registry, now, wish)
			if fmt.Sprint(now) != before {
				rt.Fatal("the plan changed what it was made from")
			}
			if len(faults) > 0 {
				rt.Skip("a cycle across the two sets")
			}
			now = fold(now, p)
			again, faults := declaration.Make(registry, now, wish)
			if len(faults) > 0 || len(again.Changes) > 0 {
				rt.Fatalf("again: %+v, %v", again.Changes, faults)
			}
		}
	})
}
