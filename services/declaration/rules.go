package declaration

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// result is the resulting set as the rules see it.
type result struct {
	then     Current
	names    map[string][]string
	observed func(metricID string) []resource.Point
}

var _ resource.Observer = (*result)(nil)

// Observed implements resource.Observer.
func (r *result) Observed(metric string) []resource.Point {
	h, ok := r.then["Metric"][metric]
	if !ok || r.observed == nil {
		return nil
	}
	return r.observed(h.ID)
}

func (r *result) Spec(kind, name string) (proto.Message, bool) {
	h, ok := r.then[kind][name]
	return h.Spec, ok
}

func (r *result) Names(kind string) []string {
	if n, ok := r.names[kind]; ok {
		return n
	}
	n := r.then.names(kind)
	r.names[kind] = n
	return n
}

// judge applies references and rules to the resulting set. A resource is
// judged if the wish names it, so that advice is given each time, or if
// something it refers to changes: a metric's new cadence can break a target
// that nobody touched.
func (m *maker) judge() {
	set := &result{then: m.then, names: map[string][]string{}, observed: m.wish.Observed}
	orgChanged := false
	touched := map[Ref]bool{}
	for ref, c := range m.changed {
		touched[ref] = true
		if c.RenamedFrom != "" {
			touched[Ref{ref.Kind, c.RenamedFrom}] = true
		}
		k, _ := m.kinds.Kind(ref.Kind)
		orgChanged = orgChanged || k.Singleton
	}
	for ref := range m.items {
		touched[ref] = true
	}
	if len(touched) == 0 {
		return
	}
	for _, k := range m.kinds.Kinds() {
		if names := set.Names(k.Name); k.Singleton && len(names) > 1 {
			for _, name := range names {
				if it, mine := m.items[Ref{k.Name, name}]; mine {
					m.faults = append(m.faults, it.Place("metadata.name", "declaration.singleton",
						fmt.Sprintf("there would be %d %s: %s", len(names), k.Plural, strings.Join(names, ", ")),
						fmt.Sprintf("an organization has one %s; rename it with metadata.renamedFrom, or delete it", k.Name)))
				}
			}
		}
		for _, name := range set.Names(k.Name) {
			ref := Ref{k.Name, name}
			var refs []resource.Reference
			spec := m.then[k.Name][name].Spec
			if k.References != nil {
				refs = k.References(spec)
			}
			judge := touched[ref] || orgChanged
			for _, r := range refs {
				judge = judge || touched[Ref{r.Kind, r.Name}]
			}
			if !judge {
				continue
			}
			m.references(set, ref, refs)
			if k.Check != nil {
				for _, f := range k.Check(name, spec, set) {
					m.find(ref, f)
				}
			}
		}
		m.cycles(k, set)
		m.claims(k, set, touched)
	}
}

// claims reports what two resources of a kind have, under those that were
// written.
func (m *maker) claims(k resource.Kind, set *result, touched map[Ref]bool) {
	if k.Claims == nil {
		return
	}
	first := map[resource.Claim]string{}
	for _, name := range set.Names(k.Name) {
		for _, c := range k.Claims(m.then[k.Name][name].Spec) {
			thing := resource.Claim{What: c.What, Value: c.Value}
			other, taken := first[thing]
			if !taken {
				first[thing] = name
				continue
			}
			at := name
			if !touched[Ref{k.Name, at}] {
				at, other = other, at
			}
			if !touched[Ref{k.Name, at}] {
				continue // so it was before
			}
			m.find(Ref{k.Name, at}, resource.Finding{Field: c.Field, Reason: "declaration.claimed",
				Message: fmt.Sprintf("%s %q is %s/%s's as well", c.What, c.Value, k.Name, other), Hint: "take it out of one of the two"})
		}
	}
}

// references reports what dangles.
func (m *maker) references(set *result, ref Ref, refs []resource.Reference) {
	for _, r := range refs {
		if _, ok := set.Spec(r.Kind, r.Name); ok {
			continue
		}
		target := Ref{r.Kind, r.Name}
		if m.broken[target] {
			continue // its own faults are told
		}
		if c, gone := m.changed[target]; gone && c.Action == Delete {
			m.faults = append(m.faults, fault.Place{
				Resource: target.String(), Reason: "declaration.still_referred_to",
				Message: fmt.Sprintf("cannot be deleted: %s refers to it (%s)", ref, r.Field),
				Hint:    "delete or change what refers to it in the same apply",
			})
			continue
		}
		hint := resource.Suggest(r.Name, slices.Concat(r.BuiltIn, set.Names(r.Kind)))
		for to, c := range m.changed {
			if c.Action == Rename && c.Kind == r.Kind && c.RenamedFrom == r.Name {
				hint = fmt.Sprintf("it is being renamed to %q", to.Name)
			}
		}
		m.find(ref, resource.Finding{Field: r.Field, Reason: "declaration.reference_unknown",
			Message: fmt.Sprintf("there is no %s %q", strings.ToLower(r.Kind), r.Name), Hint: hint})
	}
}

// find files a finding under where the resource was written.
func (m *maker) find(ref Ref, f resource.Finding) {
	p := fault.Place{Resource: ref.String(), Field: f.Field, Reason: f.Reason, Message: f.Message, Hint: f.Hint}
	it, written := m.items[ref]
	if written {
		p = it.Place(f.Field, f.Reason, f.Message, f.Hint)
	}
	switch {
	case !f.Warning:
		m.faults = append(m.faults, p)
	case written:
		m.warnings = append(m.warnings, p)
	}
}

// cycles reports each cycle among acyclic references of a kind to itself,
// once.
func (m *maker) cycles(k resource.Kind, set *result) {
	if k.References == nil {
		return
	}
	edges := func(name string) []resource.Reference {
		h, ok := m.then[k.Name][name]
		if !ok {
			return nil
		}
		var out []resource.Reference
		for _, r := range k.References(h.Spec) {
			if r.Acyclic && r.Kind == k.Name {
				out = append(out, r)
			}
		}
		return out
	}
	const (
		unseen = iota
		open
		done
	)
	state := map[string]int{}
	type frame struct {
		name string
		refs []resource.Reference
		next int
	}
	for _, root := range set.Names(k.Name) {
		if state[root] != unseen {
			continue
		}
		// An explicit stack: a chain may be longer than is good for recursion.
		stack := []frame{{name: root, refs: edges(root)}}
		state[root] = open
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(top.refs) {
				state[top.name] = done
				stack = stack[:len(stack)-1]
				continue
			}
			r := top.refs[top.next]
			top.next++
			switch state[r.Name] {
			case unseen:
				state[r.Name] = open
				stack = append(stack, frame{name: r.Name, refs: edges(r.Name)})
			case open:
				var path []string
				for i := len(stack) - 1; i >= 0; i-- {
					path = append([]string{stack[i].name}, path...)
					if stack[i].name == r.Name {
						break
					}
				}
				m.cycle(k, append(path, r.Name), r.Field)
			}
		}
	}
}

func (m *maker) cycle(k resource.Kind, path []string, field string) {
	// The edge that closes it is on the last but one; if that was not written
	// here, name one that was.
	at := path[len(path)-2]
	if _, written := m.items[Ref{k.Name, at}]; !written {
		names := append([]string(nil), path...)
		sort.Strings(names)
		for _, n := range names {
			if _, ok := m.items[Ref{k.Name, n}]; ok {
				at, field = n, "spec"
				break
			}
		}
	}
	m.find(Ref{k.Name, at}, resource.Finding{
		Field: field, Reason: "declaration.cycle",
		Message: "closes a cycle: " + strings.Join(path, " → "),
		Hint:    "take one of these references out",
	})
}
