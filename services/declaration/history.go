package declaration

import (
	"fmt"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/resource"
)

// Commit is one commit on a resource's aggregate.
type Commit struct {
	Revision uint64
	Envelope *eventv1.Envelope
}

// Step is what one commit did to a resource.
type Step struct {
	Commit
	Action        Action
	Before, After resource.State
	// Erased is set where the commit erased what is personal.
	Erased *resource.Erased
}

// Name is the one that the resource has from then on, of a deletion the last.
func (s Step) Name() string {
	if s.Erased != nil {
		return s.Erased.Name
	}
	if !s.After.Exists {
		return s.Before.Metadata.GetName()
	}
	return s.After.Metadata.GetName()
}

// RenamedFrom is the name before a rename, "" if it is none.
func (s Step) RenamedFrom() string {
	if s.Action != Rename {
		return ""
	}
	return s.Before.Metadata.GetName()
}

// Fields is what changed, field by field; nil for a deletion or an erasure.
func (s Step) Fields(k resource.Kind) []FieldChange {
	if s.Action == Delete || s.Action == Erase {
		return nil
	}
	return Diff(k, s.Before, s.After)
}

// History folds the commits of an aggregate, oldest first, into what each did
// to the resource. Events that are not of the kind declare nothing and are
// passed over. It is pure.
func History(kinds *resource.Registry, commits []Commit) ([]Step, error) {
	var steps []Step
	var state resource.State
	for _, c := range commits {
		before := state
		declares := false
		var erased *resource.Erased
		for _, e := range c.Envelope.GetEvents() {
			_, event, known, err := kinds.Decode(e.GetType(), e.GetPayload())
			if err != nil {
				return nil, fmt.Errorf("revision %d: %w", c.Revision, err)
			}
			if !known {
				continue
			}
			declares = true
			state = resource.Evolve(state, event)
			if e, ok := event.(resource.Erased); ok {
				erased = &e
			}
		}
		if !declares {
			continue
		}
		if erased != nil {
			steps = append(steps, Step{Commit: c, Action: Erase, Before: before, After: state, Erased: erased})
			continue
		}
		if state.Exists {
			state.Effective = c.Envelope.GetEffective()
		}
		steps = append(steps, Step{Commit: c, Action: action(before, state), Before: before, After: state})
	}
	return steps, nil
}

func action(before, after resource.State) Action {
	switch {
	case !after.Exists:
		return Delete
	case !before.Exists:
		return Create
	case before.Metadata.GetName() != after.Metadata.GetName():
		return Rename
	}
	return Update
}
