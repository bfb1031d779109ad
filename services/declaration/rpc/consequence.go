package rpc

import (
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Supposed is what a plan would make of a picture.
type Supposed struct {
	Org string
	// Is is what is declared, Then what would be.
	Is, Then record.View
	// Renamed gives the name before of what has another one, by KIND/NAME.
	Renamed map[string]string
	AsOf    calendar.Date
	Policy  string
}

// Consequences compares the two. The slice that can is another one.
type Consequences func(Supposed) (*gapv1.Consequences, error)

// consequences are those of a plan; nil where it changes nothing, or nobody can
// tell. What leaves out from when it counts is supposed to count from the day that
// is evaluated, if that is before today.
func (s *Service) consequences(v record.View, org string, req *declarationv1.PlanRequest, plan declaration.Plan) (*gapv1.Consequences, error) {
	if s.compare == nil || req.GetWithoutConsequences() || len(plan.Changes) == 0 {
		return nil, nil
	}
	today := s.today(v, org)
	if req.GetAsOf() != "" && req.GetAsOf() < today {
		today = req.GetAsOf()
	}
	asOf, err := calendar.ParseDate(today)
	if d := req.GetAsOf(); d != "" {
		asOf, err = calendar.ParseDate(d)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "declaration.as_of", "as_of: %q is not a date", req.GetAsOf()).WithHint("YYYY-MM-DD")
	}
	x := Supposed{Org: org, Is: v, AsOf: asOf, Policy: req.GetPolicy(), Renamed: map[string]string{}}
	var list []record.Change
	for _, ch := range plan.Changes {
		if ch.RenamedFrom != "" {
			x.Renamed[ch.Ref.String()] = ch.RenamedFrom
		}
		if ch.Action == declaration.Delete {
			list = append(list, record.EndResource{Org: org, Kind: ch.Kind, ID: ch.ID})
			continue
		}
		r := record.Resource{Org: org, Kind: ch.Kind, Name: ch.Name, ID: ch.ID, Effective: ch.Effective}
		if r.Effective == "" {
			r.Effective = today
		}
		for _, e := range ch.Events {
			if d, ok := e.(resource.Declared); ok {
				r.Metadata, r.Spec, r.Set = d.Metadata, d.Spec, d.Set
			}
		}
		if r.Spec != nil {
			list = append(list, record.PutResource{Resource: r})
		}
	}
	x.Then = record.AsIf(v, list)
	return s.compare(x)
}
