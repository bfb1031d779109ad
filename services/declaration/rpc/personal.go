package rpc

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// personal refuses what would bring back somebody who was erased, or declare
// what merely stands for a text that could not be read. Deleting is legal, and
// so is a manifest that says what is on record. Somebody erased who is written as
// an export shows them, without what was erased, stays as they are: so the
// declared state of now and of an earlier revision can be applied again.
func (s *Service) personal(v record.View, org string, wish declaration.Wish, plan *declaration.Plan) ([]fault.Place, error) {
	var erased map[declaration.Ref]record.Erasure // by kind and id
	var faults []fault.Place
	var changes []declaration.Change
	for _, c := range plan.Changes {
		changes = append(changes, c)
		k, _ := s.kinds.Kind(c.Kind)
		if k.ErasedType == "" || c.Action == declaration.Delete {
			continue
		}
		if erased == nil {
			list, err := v.Erasures(org)
			if err != nil {
				return nil, err
			}
			erased = map[declaration.Ref]record.Erasure{}
			for _, e := range list {
				erased[declaration.Ref{Kind: e.Kind, Name: e.ID}] = e
			}
		}
		if e, gone := erased[declaration.Ref{Kind: c.Kind, Name: c.ID}]; gone {
			if asExported(c) {
				changes = changes[:len(changes)-1]
				plan.Unchanged++
				warning := place(wish, c.Ref, "metadata.name", "declaration.erased_stays",
					fmt.Sprintf("was erased at revision %d and stays as it is", e.Revision), "")
				plan.Warnings = append(plan.Warnings, warning)
				continue
			}
			faults = append(faults, place(wish, c.Ref, "metadata.name", "declaration.erased",
				fmt.Sprintf("was erased at revision %d and cannot be declared again", e.Revision),
				"take it out of the manifests; somebody else needs another name"))
			continue
		}
		for _, f := range c.Fields {
			if f.From == personal.Unavailable {
				return nil, fault.New(fault.Unavailable, "personal.keys_unavailable",
					"the keys of personal data cannot be reached: nobody can tell what would change of %s", c.Ref).
					WithHint("try again; setpoint doctor says what is wrong")
			}
			if text, ok := f.To.(string); ok && personal.IsMarker(text) && strings.HasPrefix(f.Path, "spec.") {
				faults = append(faults, place(wish, c.Ref, f.Path, "declaration.marker",
					fmt.Sprintf("%q stands for a text that could not be read when the manifest was exported", text),
					"write the text itself, or leave the field out"))
			}
		}
	}
	plan.Changes = changes
	declaration.SortPlaces(faults)
	return faults, nil
}

// asExported tells whether a change says nothing personal of somebody: as an
// export shows who was erased, or as get does, where markers stand.
func asExported(c declaration.Change) bool {
	other := false
	for _, e := range c.Events {
		d, ok := e.(resource.Declared)
		if !ok {
			continue
		}
		m := proto.Clone(d.Spec).ProtoReflect()
		_ = personal.ShapeOf(m.Descriptor()).Each(m, func(_, text string) (string, error) {
			other = other || text != personal.Erased
			return text, nil
		})
	}
	return !other
}

// place is where a resource's field was written.
func place(wish declaration.Wish, ref declaration.Ref, field, reason, message, hint string) fault.Place {
	for _, it := range wish.Items {
		if it.Kind == ref.Kind && it.Metadata.GetName() == ref.Name {
			return it.Place(field, reason, message, hint)
		}
	}
	return fault.Place{Resource: ref.String(), Field: field, Reason: reason, Message: message, Hint: hint}
}
