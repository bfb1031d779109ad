package change

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// The two kinds of forces.
const (
	Driving     = "driving"
	Restraining = "restraining"
)

// mostForces bounds a force field; beyond it nobody reads one.
const mostForces = 60

// DeclareForce adds a force to the field, or assesses it anew.
type DeclareForce struct {
	Name, Title, Kind          string
	Strength, Influenceability int32
	Today                      calendar.Date
}

// RemoveForce takes a force out of the field.
type RemoveForce struct {
	Name, Reason string
	Today        calendar.Date
}

func (c DeclareForce) decide(p Program) (proto.Message, []string, error) {
	for _, x := range []struct {
		field string
		v     int32
	}{{"strength", c.Strength}, {"influenceability", c.Influenceability}} {
		if x.v < 1 || x.v > 5 {
			return nil, nil, fault.New(fault.Invalid, "change.force_scale", "%s: %d is not from 1 to 5", x.field, x.v)
		}
	}
	if c.Kind != Driving && c.Kind != Restraining {
		return nil, nil, fault.New(fault.Invalid, "change.force_kind", "kind: %q is neither driving nor restraining", c.Kind)
	}
	f := &changev1.Force{
		Name: c.Name, Title: strings.TrimSpace(c.Title), Kind: c.Kind, Strength: c.Strength, Influenceability: c.Influenceability,
	}
	at, found := findForce(p.State, c.Name)
	if found {
		have := p.State.GetForces()[at]
		if f.GetTitle() == "" {
			f.Title = have.GetTitle()
		}
		if proto.Equal(have, f) {
			return nil, nil, nil
		}
	} else if len(p.State.GetForces()) >= mostForces {
		return nil, nil, fault.New(fault.Exhausted, "change.too_many_forces", "the force field has %d forces, as many as it may", mostForces).
			WithHint("put those together that are one")
	}
	var warnings []string
	if len(p.Framework.GetStages()) == 0 {
		warnings = append(warnings, fmt.Sprintf("the framework %s has no stages that a force field would hold back", p.Name))
	}
	return &changev1.ForceDeclared{Force: f, At: c.Today.String()}, warnings, nil
}

func (c RemoveForce) decide(p Program) (proto.Message, []string, error) {
	if _, found := findForce(p.State, c.Name); !found {
		var names []string
		for _, f := range p.State.GetForces() {
			names = append(names, f.GetName())
		}
		return nil, nil, fault.New(fault.NotFound, "change.force_unknown", "name: the field has no force %q", c.Name).
			WithHint("it has %s", strings.Join(names, ", "))
	}
	return &changev1.ForceRemoved{Force: c.Name, Reason: strings.TrimSpace(c.Reason), At: c.Today.String()}, nil, nil
}

// Totals are the sums of the strengths, D and R.
func Totals(s *State) (driving, restraining int) {
	for _, f := range s.GetForces() {
		if f.GetKind() == Driving {
			driving += int(f.GetStrength())
		} else {
			restraining += int(f.GetStrength())
		}
	}
	return driving, restraining
}

func findForce(s *State, name string) (int, bool) {
	return slices.BinarySearchFunc(s.GetForces(), name, func(f *changev1.Force, n string) int { return strings.Compare(f.GetName(), n) })
}
