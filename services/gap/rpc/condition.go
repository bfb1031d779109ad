package rpc

import (
	"cmp"
	"context"
	"slices"
	"strings"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
)

// ListConditions implements GapService.
func (s *Service) ListConditions(ctx context.Context, req *gapv1.ListConditionsRequest) (*gapv1.ListConditionsResponse, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	if t := req.GetType(); t != "" && !slices.Contains(condition.Types(), t) {
		return nil, fault.New(fault.Invalid, "gap.condition_unknown", "type: there is no condition %.64q", t).
			WithHint("%s", resource.Suggest(t, condition.Types()))
	}
	snapshot, err := rpc.Snapshot(who.Org, req)
	if err != nil {
		return nil, err
	}
	kind, name := req.GetKind(), req.GetName()
	if target := req.GetTarget(); target != "" {
		if kind != "" && kind != "Target" || name != "" && name != target {
			return nil, fault.New(fault.Invalid, "gap.condition_of_two", "target: %.64q, beside kind and name", target).
				WithHint("give the target alone, or kind and name")
		}
		kind, name = "Target", target
	}
	if name != "" && kind == "" {
		return nil, fault.New(fault.Invalid, "gap.condition_kind", "kind: it is not said of which kind %.64q is", name).
			WithHint("Target, Objective, Strategy, Unit or Review")
	}
	res := &gapv1.ListConditionsResponse{}
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res = &gapv1.ListConditionsResponse{Revision: int64(at)}
		for _, x := range []struct {
			kind, aggregate string
			to              *[]*gapv1.TargetConditions
		}{
			{"Target", condition.Aggregate, &res.Targets},
			{"Objective", condition.ObjectiveAggregate, &res.RollUps}, {"Strategy", condition.StrategyAggregate, &res.RollUps}, {"Unit", condition.UnitAggregate, &res.RollUps},
			{"Review", condition.ReviewAggregate, &res.Reviews},
		} {
			if kind != "" && kind != x.kind {
				continue
			}
			list, err := conditionsOf(v, who.Org, x.kind, x.aggregate, name, at, req)
			if err != nil {
				return err
			}
			*x.to = append(*x.to, list...)
		}
		return nil
	})
	return res, err
}

// conditionsOf are those on record of the resources of a kind, or of the one of a
// name, by name.
func conditionsOf(v record.View, org, kind, aggregate, name string, at uint64, req *gapv1.ListConditionsRequest) ([]*gapv1.TargetConditions, error) {
	var out []*gapv1.TargetConditions
	add := func(of *record.Resource, state record.State) error {
		set := &condition.Set{}
		if err := state.Into(set); err != nil {
			return err
		}
		switch kind { // it may have been renamed since
		case "Target":
			set.Target = of.Name
		case "Review":
			set.Review = of.Name
		default:
			set.Kind, set.Name = kind, of.Name
		}
		set.Conditions = slices.DeleteFunc(set.Conditions, func(c *gapv1.Condition) bool {
			return req.GetType() != "" && c.GetType() != req.GetType() || req.GetStatus() != "" && c.GetStatus() != req.GetStatus()
		})
		if len(set.Conditions) > 0 {
			out = append(out, &gapv1.TargetConditions{Set: set, Revision: int64(state.From)})
		}
		return nil
	}
	if name != "" {
		of, err := v.Resource(org, kind, name, at)
		if err != nil {
			return nil, err
		}
		if of == nil {
			return nil, record.Unknown(v, org, kind, name)
		}
		state, err := v.State(org, policy.Service, aggregate, of.ID, at)
		if err != nil || state == nil {
			return nil, err
		}
		err = add(of, *state)
		return out, err
	}
	list, err := v.Resources(org, kind, at, "", 0)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*record.Resource, len(list))
	for _, r := range list {
		byID[r.ID] = r
	}
	err = v.States(org, policy.Service, aggregate, at, func(state record.State) error {
		if of := byID[state.ID]; of != nil {
			state.Payload = slices.Clone(state.Payload)
			return add(of, state)
		}
		return nil // it was deleted
	})
	slices.SortFunc(out, func(a, b *gapv1.TargetConditions) int {
		return strings.Compare(nameOf(a.GetSet()), nameOf(b.GetSet()))
	})
	return out, err
}

// nameOf is whose conditions they are.
func nameOf(s *condition.Set) string { return cmp.Or(s.GetTarget(), s.GetName(), s.GetReview()) }
