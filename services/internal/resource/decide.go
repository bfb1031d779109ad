package resource

import (
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

// State is a declared resource; the zero value is one that does not exist.
type State struct {
	Exists   bool
	Metadata *commonv1.Metadata
	Spec     proto.Message
	Set      string // the set that applied it
	// Effective is the date from which it counts, YYYY-MM-DD: the declared one,
	// or the day of the command; "" where that is not known.
	Effective string
}

// Command is a wish to change one resource: Declare or Retire.
type Command interface{ command() }

// Declare makes the resource what the manifest says.
type Declare struct {
	Metadata *commonv1.Metadata
	Spec     proto.Message
	Set      string
}

// Retire ends the resource.
type Retire struct{}

func (Declare) command() {}
func (Retire) command()  {}

// Event is what happened to one resource: Declared, Retired or Erased.
type Event interface{ event() }

// Declared holds the whole declaration after the change.
type Declared struct {
	Metadata *commonv1.Metadata
	Spec     proto.Message
	Set      string
}

// Retired ends the resource that had this name.
type Retired struct{ Name string }

// Erased makes what is personal of the resource unreadable for ever: the keys
// of these holders are destroyed. The resource itself stays.
type Erased struct {
	Name    string
	Holders []string
	Reason  string
}

func (Declared) event() {}
func (Retired) event()  {}
func (Erased) event()   {}

// Decide returns the events that carry out the command, none if the state is
// already so, or a Rule fault. It is pure.
func Decide(s State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case Declare:
		after := Declared{Metadata: settled(c.Metadata), Spec: c.Spec, Set: c.Set}
		if set := c.Metadata.GetSet(); set != "" {
			after.Set = set
		}
		if s.Exists && proto.Equal(s.Spec, after.Spec) {
			after.Metadata.Effective = undisturbed(s, after.Metadata.GetEffective())
			if s.Set == after.Set && proto.Equal(s.Metadata, after.Metadata) {
				return nil, nil
			}
		}
		return []Event{after}, nil
	case Retire:
		if !s.Exists {
			return nil, nil
		}
		if s.Metadata.GetProtected() {
			return nil, fault.New(fault.Rule, "declaration.protected",
				"%s is protected", s.Metadata.GetName()).
				WithHint("apply it with metadata.protected: false first")
		}
		return []Event{Retired{Name: s.Metadata.GetName()}}, nil
	}
	return nil, fault.New(fault.Internal, "declaration.unknown_command", "unknown command %T", c)
}

// settled is the metadata as it is kept: renamedFrom is an instruction, not a
// property, and the set is kept beside them.
func settled(md *commonv1.Metadata) *commonv1.Metadata {
	out := proto.CloneOf(md)
	out.RenamedFrom, out.Set = "", ""
	return out
}

// undisturbed is the declared effective date where what is declared stays the
// same: a date that the manifest leaves out, or that only spells out the day
// of the command that declared it, asks for no other than the resource has.
func undisturbed(s State, want string) string {
	if want == "" || want == s.Effective {
		return s.Metadata.GetEffective()
	}
	return want
}

// Evolve returns the state after the event. It is pure and total. An erasure
// leaves the state as it is: what is sealed in it does not open any more.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Declared:
		return State{Exists: true, Metadata: e.Metadata, Spec: e.Spec, Set: e.Set, Effective: e.Metadata.GetEffective()}
	case Retired:
		return State{}
	}
	return s
}
