package rpc

import (
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
	res := &gapv1.ListConditionsResponse{}
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res = &gapv1.ListConditionsResponse{Revision: int64(at)}
		add := func(t *record.Resource, state record.State, to *[]*gapv1.TargetConditions) error {
			set := &condition.Set{}
			if err := state.Into(set); err != nil {
				return err
			}
			if t.Kind == "Review" { // it may have been renamed since
				set.Review = t.Name
			} else {
				set.Target = t.Name
			}
			set.Conditions = slices.DeleteFunc(set.Conditions, func(c *gapv1.Condition) bool {
				return req.GetType() != "" && c.GetType() != req.GetType() || req.GetStatus() != "" && c.GetStatus() != req.GetStatus()
			})
			if len(set.Conditions) > 0 {
				*to = append(*to, &gapv1.TargetConditions{Set: set, Revision: int64(state.From)})
			}
			return nil
		}
		if name := req.GetTarget(); name != "" {
			t, err := v.Resource(who.Org, "Target", name, at)
			if err != nil {
				return err
			}
			if t == nil {
				return record.Unknown(v, who.Org, "Target", name)
			}
			state, err := v.State(who.Org, policy.Service, condition.Aggregate, t.ID, at)
			if err != nil || state == nil {
				return err
			}
			return add(t, *state, &res.Targets)
		}
		for _, x := range []struct {
			kind, aggregate string
			to              *[]*gapv1.TargetConditions
		}{{"Target", condition.Aggregate, &res.Targets}, {"Review", condition.ReviewAggregate, &res.Reviews}} {
			list, err := v.Resources(who.Org, x.kind, at, "", 0)
			if err != nil {
				return err
			}
			byID := make(map[string]*record.Resource, len(list))
			for _, t := range list {
				byID[t.ID] = t
			}
			if err := v.States(who.Org, policy.Service, x.aggregate, at, func(state record.State) error {
				if t := byID[state.ID]; t != nil {
					state.Payload = slices.Clone(state.Payload)
					return add(t, state, x.to)
				}
				return nil // it was deleted
			}); err != nil {
				return err
			}
		}
		slices.SortFunc(res.Reviews, func(a, b *gapv1.TargetConditions) int {
			return strings.Compare(a.GetSet().GetReview(), b.GetSet().GetReview())
		})
		slices.SortFunc(res.Targets, func(a, b *gapv1.TargetConditions) int {
			return strings.Compare(a.GetSet().GetTarget(), b.GetSet().GetTarget())
		})
		return nil
	})
	return res, err
}
