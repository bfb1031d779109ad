package record

import (
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/resource"
)

// Set is the declared state of one organization at a revision, read as the
// rules ask for it.
type Set struct {
	view  View
	org   string
	at    uint64
	names map[string][]string
	err   error
}

var _ resource.Set = (*Set)(nil)

// NewSet makes a set over a view.
func NewSet(v View, org string, at uint64) *Set {
	return &Set{view: v, org: org, at: at, names: map[string][]string{}}
}

// Spec implements resource.Set.
func (s *Set) Spec(kind, name string) (proto.Message, bool) {
	r, err := s.view.Resource(s.org, kind, name, s.at)
	if err != nil {
		s.err = err
	}
	if r == nil {
		return nil, false
	}
	return r.Spec, true
}

// Names implements resource.Set.
func (s *Set) Names(kind string) []string {
	if names, ok := s.names[kind]; ok {
		return names
	}
	list, err := s.view.Resources(s.org, kind, s.at, "", 0)
	if err != nil {
		s.err = err
	}
	names := make([]string, 0, len(list))
	for _, r := range list {
		names = append(names, r.Name)
	}
	s.names[kind] = names
	return names
}

// Err is the first failure of the database that Spec or Names met.
func (s *Set) Err() error { return s.err }
