package declaration

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Item is one resource that somebody wants.
type Item struct {
	Kind     string
	Metadata *commonv1.Metadata
	Spec     proto.Message
	Mask     []string // the field paths that the manifest sets
	// Place says where a field was written.
	Place func(field, reason, message, hint string) fault.Place
}

// Held is one declared resource and the id of its aggregate.
type Held struct {
	resource.State
	ID string
	By Author
}

// Current is what is declared now, by kind and name.
type Current map[string]map[string]Held

// Wish is what somebody asks for.
type Wish struct {
	Items  []Item
	Delete []Ref  // resources to retire by name
	Set    string // the set that the items belong to, unless they name another
	Prune  bool   // retire what the set holds and the items do not name
	// Manager is what asks. What other managers set and it overwrites is told
	// apart; empty where nobody wants to know.
	Manager string
	// Broken are resources that were written but could not be read: what
	// refers to them is not told that they do not exist.
	Broken []Ref
	// Observed returns a metric's values by date, by its aggregate's id, for
	// rules that give advice; nil where nobody knows.
	Observed func(metricID string) []resource.Point
}

// Ref names a resource.
type Ref struct{ Kind, Name string }

func (r Ref) String() string { return r.Kind + "/" + r.Name }

// Action is what happens to a resource.
type Action string

const (
	Create Action = "create"
	Update Action = "update"
	Rename Action = "rename"
	Delete Action = "delete"
	// Erase makes what is personal unreadable. No plan does: it is an act of its
	// own.
	Erase Action = "erase"
)

// Plan is what fulfilling a wish changes.
type Plan struct {
	Changes   []Change // by kind in order of the registry, then by name
	Unchanged int
	Warnings  []fault.Place
}

// Change is what happens to one resource.
type Change struct {
	Ref
	ID          string // of the aggregate
	Action      Action
	RenamedFrom string
	Effective   string // from when it counts; empty for the command's day
	Mask        []string
	Events      []resource.Event
	Fields      []FieldChange
	// Overwrites is who set what the change replaces, by path, where that was
	// another manager than the one that writes; "" is the whole of what is pruned.
	Overwrites map[string]Author
}

// Make compares a wish with what is declared. It returns a plan, or every
// fault found. It is pure.
func Make(kinds *resource.Registry, now Current, wish Wish) (Plan, []fault.Place) {
	m := maker{
		kinds: kinds, now: now, wish: wish,
		then:    now.clone(),
		changed: map[Ref]*Change{},
		items:   map[Ref]Item{},
		broken:  map[Ref]bool{},
	}
	for _, ref := range wish.Broken {
		m.broken[ref] = true
	}
	m.take()
	m.retire()
	m.judge()
	if len(m.faults) > 0 {
		SortPlaces(m.faults)
		return Plan{}, m.faults
	}
	SortPlaces(m.warnings)
	p := Plan{Unchanged: m.unchanged, Warnings: m.warnings}
	for _, c := range m.changed {
		p.Changes = append(p.Changes, *c)
	}
	p.sort(kinds)
	return p, nil
}

// sort orders the changes by kind, as the registry does, then by name.
func (p *Plan) sort(kinds *resource.Registry) {
	rank := map[string]int{}
	for i, k := range kinds.Kinds() {
		rank[k.Name] = i
	}
	sort.Slice(p.Changes, func(i, j int) bool {
		a, b := p.Changes[i], p.Changes[j]
		if rank[a.Kind] != rank[b.Kind] {
			return rank[a.Kind] < rank[b.Kind]
		}
		if a.Name != b.Name {
			return a.Name < b.Name
		}
		return a.Action == Delete && b.Action != Delete // then another takes the name
	})
}

// maker holds what Make works on.
type maker struct {
	kinds     *resource.Registry
	now, then Current
	wish      Wish
	items     map[Ref]Item
	broken    map[Ref]bool
	changed   map[Ref]*Change
	unchanged int
	faults    []fault.Place
	warnings  []fault.Place
}

func (c Current) clone() Current {
	out := make(Current, len(c))
	for kind, byName := range c {
		names := make(map[string]Held, len(byName))
		for name, h := range byName {
			names[name] = h
		}
		out[kind] = names
	}
	return out
}

func (c Current) put(r Ref, h Held) {
	if c[r.Kind] == nil {
		c[r.Kind] = map[string]Held{}
	}
	c[r.Kind][r.Name] = h
}

// take puts every item into the resulting set.
func (m *maker) take() {
	ids := map[Ref]bool{} // ids in use, by kind
	for kind, byName := range m.now {
		for _, h := range byName {
			ids[Ref{kind, h.ID}] = true
		}
	}
	rings := m.rings()
	named, vacated := m.vacated(rings)
	heirs := map[Ref]string{} // the new name of what is renamed
	for _, it := range m.wish.Items {
		ref := Ref{it.Kind, it.Metadata.GetName()}
		if first, twice := m.items[ref]; twice {
			p := first.Place("metadata.name", "", "", "")
			m.faults = append(m.faults, it.Place("metadata.name", "declaration.declared_twice",
				fmt.Sprintf("%s is declared twice", ref), firstAt(p)))
			continue
		}
		m.items[ref] = it
		if e := it.Metadata.GetEffective(); e != "" {
			if _, err := calendar.ParseDate(e); err != nil {
				m.faults = append(m.faults, it.Place("metadata.effective", "declaration.effective", err.Error(), "a calendar date, YYYY-MM-DD"))
				m.broken[ref] = true
				continue
			}
		}
		k, _ := m.kinds.Kind(it.Kind)
		held, exists := m.now[ref.Kind][ref.Name]
		if vacated[ref] {
			held, exists = Held{}, false
		}
		action := Update
		from := ""
		if rings[ref] == torn {
			m.faults = append(m.faults, it.Place("metadata.renamedFrom", "declaration.rename_ring",
				fmt.Sprintf("%s and %s/%s take each other's names, and whether they have done so already cannot be told", ref, ref.Kind, it.Metadata.GetRenamedFrom()),
				"rename one of them to a third name first, in an apply of its own, and leave out what has been renamed already"))
			continue
		}
		if old := it.Metadata.GetRenamedFrom(); old == ref.Name && old != "" {
			m.faults = append(m.faults, it.Place("metadata.renamedFrom", "declaration.rename_onto_itself",
				fmt.Sprintf("%s has this name", ref), "the name until now, or no renamedFrom at all"))
			continue
		} else if old != "" {
			before, oldExists := m.now[ref.Kind][old]
			switch {
			case oldExists && exists && (named[Ref{ref.Kind, old}] || held.ID == old):
				// Renamed before; the old name is somebody else's now.
			case oldExists && exists:
				m.faults = append(m.faults, it.Place("metadata.renamedFrom", "declaration.rename_onto_existing",
					fmt.Sprintf("%s exists beside %s/%s", ref, ref.Kind, old), "delete one of the two first"))
				continue
			case oldExists && before.Metadata.GetProtected() && !it.Metadata.GetProtected():
				m.faults = append(m.faults, it.Place("metadata.renamedFrom", "declaration.protected",
					fmt.Sprintf("%s/%s is protected", ref.Kind, old), "keep metadata.protected: true while renaming"))
				continue
			case oldExists && heirs[Ref{ref.Kind, old}] != "":
				m.faults = append(m.faults, it.Place("metadata.renamedFrom", "declaration.renamed_twice",
					fmt.Sprintf("%s/%s is renamed to %q as well", ref.Kind, old, heirs[Ref{ref.Kind, old}]), "one resource has one name"))
				continue
			case oldExists:
				heirs[Ref{ref.Kind, old}] = ref.Name
				held, exists, action, from = before, true, Rename, old
				if m.then[ref.Kind][old].ID == before.ID {
					delete(m.then[ref.Kind], old)
				}
			}
		}
		if old := it.Metadata.GetRenamedFrom(); old != "" && !exists {
			m.warnings = append(m.warnings, it.Place("metadata.renamedFrom", "declaration.renamed_from_unknown",
				fmt.Sprintf("there is no %s/%s to rename: %s is new, with no history", ref.Kind, old, ref),
				resource.Suggest(old, m.now.names(ref.Kind))))
		}
		if !exists {
			action = Create
			held.ID = freeID(ids, ref)
			ids[Ref{ref.Kind, held.ID}] = true
		}
		events, err := resource.Decide(held.State, resource.Declare{Metadata: it.Metadata, Spec: it.Spec, Set: m.wish.Set})
		if err != nil {
			m.faults = append(m.faults, it.Place("", fault.ReasonOf(err), err.Error(), ""))
			continue
		}
		if len(events) == 0 {
			m.unchanged++
			continue
		}
		after := held
		for _, e := range events {
			after.State = resource.Evolve(after.State, e)
		}
		if after.Effective == "" && held.Exists && proto.Equal(held.Spec, after.Spec) {
			// Another name, label or set: what counts is what counted before.
			after.Effective = held.Effective
		}
		if k.Dated {
			m.dates(it, held, after)
		}
		m.then.put(ref, after)
		m.changed[ref] = &Change{
			Ref: ref, ID: held.ID, Action: action, RenamedFrom: from, Mask: it.Mask,
			Effective: after.Effective, Events: events,
			Fields: Diff(k, held.State, after.State),
		}
	}
}

// dates warns where another spec counts from a date that makes it replace, or
// stand behind, the version before.
func (m *maker) dates(it Item, held, after Held) {
	from := after.Effective
	if !held.Exists || from == "" || from > held.Effective || proto.Equal(held.Spec, after.Spec) {
		return
	}
	reason, message := "declaration.effective_unchanged",
		fmt.Sprintf("%s is from when the version before counts, which this one replaces as if it had never been", from)
	if from < held.Effective {
		reason, message = "declaration.effective_earlier",
			fmt.Sprintf("counts from %s only until %s, from when the version before counts", from, held.Effective)
	}
	m.warnings = append(m.warnings, it.Place("metadata.effective", reason, message,
		"give the date from which the change counts, or leave it out for today"))
}

// turn is how far resources that hand their names on in a ring have come.
type turn int

const (
	noRing turn = iota
	ahead       // each has the name that it was made with: the renames take place
	done        // each has the aggregate of the name it takes: nothing is left to do
	torn        // anything else: whether the ring has turned cannot be told
)

// rings gives the items whose old names lead back to their own, as where two swap
// names. The manifests look the same before and after, so the ids decide, which are
// the names that resources were made with: carried out twice, a swap would be undone.
func (m *maker) rings() map[Ref]turn {
	from := map[Ref]Ref{}
	for _, it := range m.wish.Items {
		if old, name := it.Metadata.GetRenamedFrom(), it.Metadata.GetName(); old != "" && old != name {
			from[Ref{it.Kind, name}] = Ref{it.Kind, old}
		}
	}
	rings := map[Ref]turn{}
	met := make(map[Ref]int, len(from)) // in which order
	for start := range from {
		if met[start] != 0 {
			continue
		}
		at, ok := start, true
		for ok && met[at] == 0 {
			met[at] = len(met) + 1
			at, ok = from[at]
		}
		if !ok || met[at] < met[start] {
			continue // no ring, or one that was found before
		}
		ring := []Ref{at}
		for r := from[at]; r != at; r = from[r] {
			ring = append(ring, r)
		}
		state := m.turned(ring, from)
		for _, r := range ring {
			rings[r] = state
		}
	}
	return rings
}

func (m *maker) turned(ring []Ref, from map[Ref]Ref) turn {
	own, taken := 0, 0
	for _, r := range ring {
		held, exists := m.now[r.Kind][r.Name]
		if exists && held.ID == r.Name {
			own++
		}
		if exists && held.ID == from[r].Name {
			taken++
		}
	}
	switch len(ring) {
	case own:
		return ahead
	case taken:
		return done
	}
	return torn
}

// vacated gives the names that the items have, and those that renames leave,
// which may be taken anew in the same apply. A rename takes place if its new
// name is free, or is left by another, be it around a ring.
func (m *maker) vacated(rings map[Ref]turn) (named, vacated map[Ref]bool) {
	named, vacated = map[Ref]bool{}, map[Ref]bool{}
	from := make(map[Ref]Ref)
	var next []Ref // items that can have their name
	for _, it := range m.wish.Items {
		ref := Ref{it.Kind, it.Metadata.GetName()}
		named[ref] = true
		if old := it.Metadata.GetRenamedFrom(); old != "" && old != ref.Name {
			from[ref] = Ref{it.Kind, old}
			if _, taken := m.now[ref.Kind][ref.Name]; !taken || rings[ref] == ahead {
				next = append(next, ref)
			}
		}
	}
	for len(next) > 0 {
		old, renamed := from[next[0]]
		next = next[1:]
		if renamed && !vacated[old] {
			vacated[old] = true
			next = append(next, old)
		}
	}
	return named, vacated
}

// freeID is the id of a new aggregate: the resource's name, which makes
// subjects readable, or a numbered form where a renamed resource still has it.
func freeID(ids map[Ref]bool, ref Ref) string {
	id := ref.Name
	for n := 2; ids[Ref{ref.Kind, id}]; n++ {
		id = fmt.Sprintf("%s~%d", ref.Name, n)
	}
	return id
}

func firstAt(p fault.Place) string {
	if p.File == "" {
		return "declare it once"
	}
	return fmt.Sprintf("the first is at %s:%d", p.File, p.Line)
}

// retire takes out what is deleted by name or pruned.
func (m *maker) retire() {
	gone := slices.Clone(m.wish.Delete)
	if m.wish.Prune {
		for kind, byName := range m.now {
			for name, h := range byName {
				ref := Ref{kind, name}
				_, named := m.items[ref]
				_, stays := m.then[kind][name]
				if named || !stays || h.Set != m.wish.Set {
					continue
				}
				if h.Metadata.GetProtected() {
					m.warnings = append(m.warnings, fault.Place{Resource: ref.String(), Reason: "declaration.protected",
						Message: "is protected and stays, although the manifests no longer name it"})
					continue
				}
				gone = append(gone, ref)
			}
		}
	}
	for _, ref := range gone {
		held, exists := m.now[ref.Kind][ref.Name]
		if !exists {
			m.faults = append(m.faults, fault.Place{Resource: ref.String(), Reason: "declaration.not_found",
				Message: "there is no " + ref.String(), Hint: resource.Suggest(ref.Name, m.now.names(ref.Kind))})
			continue
		}
		events, err := resource.Decide(held.State, resource.Retire{})
		if err != nil {
			p := fault.Place{Resource: ref.String(), Reason: fault.ReasonOf(err), Message: err.Error()}
			if f, ok := err.(*fault.Error); ok {
				p.Hint = f.Hint
			}
			m.faults = append(m.faults, p)
			continue
		}
		delete(m.then[ref.Kind], ref.Name)
		m.changed[ref] = &Change{Ref: ref, ID: held.ID, Action: Delete, Events: events}
	}
}

func (c Current) names(kind string) []string {
	out := make([]string, 0, len(c[kind]))
	for name := range c[kind] {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// SortPlaces orders faults by where they are.
func SortPlaces(p []fault.Place) {
	slices.SortStableFunc(p, func(a, b fault.Place) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		if c := strings.Compare(a.Resource, b.Resource); c != 0 {
			return c
		}
		return strings.Compare(a.Field, b.Field)
	})
}
