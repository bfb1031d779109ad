package resource

import (
	"sort"
	"strings"

	"google.golang.org/protobuf/proto"
)

// Kind describes one declared kind. Kinds are values made once, at start.
type Kind struct {
	Name    string   // as in manifests: Metric
	Plural  string   // as on the command line: metrics
	Aliases []string // further names the command line accepts
	Service string   // the slice that owns it: strategy
	Token   string   // its token in subjects: metric

	DeclaredType string // wire name: strategy.metric_declared.v1
	RetiredType  string // wire name: strategy.metric_retired.v1
	// ErasedType is the wire name of the event that makes what is personal of a
	// resource unreadable: strategy.person_erased.v1. Only kinds whose resources
	// are people have it; personal fields of others belong to who wrote them.
	ErasedType string

	NewSpec     func() proto.Message // an empty spec
	NewDeclared func() proto.Message // an empty declared event {metadata, spec, set}

	// References lists what the spec refers to.
	References func(spec proto.Message) []Reference
	// Check applies the rules that need more than one field, within the set
	// that would result, in which what the spec refers to may be missing.
	Check func(name string, spec proto.Message, set Set) []Finding
	// Claims lists what at most one resource of the kind may have.
	Claims func(spec proto.Message) []Claim
	// Singleton kinds have at most one resource in an organization.
	Singleton bool
	// Dated kinds are read by the date from which each version counts, not
	// only as they were declared last.
	Dated bool
	// Life is what happens to a resource beside how it is declared; nil where
	// nothing does.
	Life *Life
}

// Life says where the acts on the resources of a kind are kept: in an aggregate
// of the kind's service that has the resource's id.
type Life struct {
	Token string // of the aggregate in subjects: life
	// Many says that there are several aggregates, whose ids are the resource's, a ~
	// and what tells them apart; the state of each is on record.
	Many bool
	Acts Acts
	// Words tell an event in a line that holds nothing personal, what who did it
	// said, and the links that it gave.
	Words func(event proto.Message) (summary, note string, links []string)
}

// Reference is one mention of another resource.
type Reference struct {
	Field string // spec.contributesTo[0].objective
	Kind  string
	Name  string
	// Acyclic references of a kind to itself must form no cycle.
	Acyclic bool
	// BuiltIn are names that are legal beside those declared.
	BuiltIn []string
}

// Claim is something that a resource has for itself.
type Claim struct {
	Field string // spec.principals[0]
	What  string // principal
	Value string
}

// Finding is one broken rule (or, as a warning, one piece of advice).
type Finding struct {
	Field   string
	Reason  string // stable slug
	Message string
	Hint    string
	Warning bool
}

// Set is a set of declared resources, by kind and name.
type Set interface {
	// Spec returns the spec, or false if there is no such resource.
	Spec(kind, name string) (proto.Message, bool)
	// Names returns the names of a kind, sorted.
	Names(kind string) []string
}

// Registry holds every kind.
type Registry struct {
	kinds    []Kind
	byName   map[string]int
	byWord   map[string]int // lower-case singular, plural, aliases
	byType   map[string]int // wire names
	acts     map[string]Act // by wire name
	upcaster Upcaster
}

// NewRegistry makes a registry; it panics on a clash, which is a defect.
func NewRegistry(up Upcaster, kinds ...Kind) *Registry {
	r := &Registry{byName: map[string]int{}, byWord: map[string]int{}, byType: map[string]int{}, upcaster: up}
	for _, k := range kinds {
		i := len(r.kinds)
		r.kinds = append(r.kinds, k)
		claim(r.byName, k.Name, i)
		for _, w := range append([]string{k.Name, k.Plural}, k.Aliases...) {
			claim(r.byWord, strings.ToLower(w), i)
		}
		claim(r.byType, k.DeclaredType, i)
		claim(r.byType, k.RetiredType, i)
		if k.ErasedType != "" {
			claim(r.byType, k.ErasedType, i)
		}
	}
	return r
}

func claim(m map[string]int, key string, i int) {
	if _, taken := m[key]; taken || key == "" {
		panic("resource: two kinds claim " + key)
	}
	m[key] = i
}

// Kind returns the kind of that exact name.
func (r *Registry) Kind(name string) (Kind, bool) {
	i, ok := r.byName[name]
	if !ok {
		return Kind{}, false
	}
	return r.kinds[i], true
}

// Word returns the kind that a person means: any case, singular or plural.
func (r *Registry) Word(word string) (Kind, bool) {
	i, ok := r.byWord[strings.ToLower(word)]
	if !ok {
		return Kind{}, false
	}
	return r.kinds[i], true
}

// Kinds returns all kinds in order of declaration: a kind comes after those
// it usually refers to.
func (r *Registry) Kinds() []Kind { return r.kinds }

// Names returns the names of all kinds, sorted.
func (r *Registry) Names() []string {
	out := make([]string, 0, len(r.kinds))
	for _, k := range r.kinds {
		out = append(out, k.Name)
	}
	sort.Strings(out)
	return out
}

// NewSpec returns an empty spec of a kind.
func (r *Registry) NewSpec(kind string) (proto.Message, bool) {
	k, ok := r.Kind(kind)
	if !ok {
		return nil, false
	}
	return k.NewSpec(), true
}
