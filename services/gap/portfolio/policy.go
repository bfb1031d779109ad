package portfolio

import (
	"slices"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Rules are those of a policy by its name, as was known at a revision: the one
// that the organization declares, else the preset. "" names default. An unknown
// name is an Invalid fault, gap.policy_unknown.
func Rules(v record.View, org, name string, at uint64) (policy.Rules, error) {
	if name == "" {
		name = "default"
	}
	r, err := v.Resource(org, policy.Kind, name, at)
	if err != nil {
		return policy.Rules{}, err
	}
	if r != nil {
		return policy.Of(r.Name, r.From, r.Spec.(*policy.Spec)), nil
	}
	if rules, ok := policy.Preset(name); ok {
		return rules, nil
	}
	legal := record.NewSet(v, org, at).Names(policy.Kind)
	legal = append(slices.Clone(legal), gap.PolicyNames()...)
	slices.Sort(legal)
	legal = slices.Compact(legal)
	return policy.Rules{}, fault.New(fault.Invalid, "gap.policy_unknown", "policy: there is no policy %.64q", name).
		WithHint("%s", resource.Suggest(name, legal))
}

// Policies are the declared ones that react, ready to be asked.
func Policies(v record.View, org string, at uint64) ([]policy.Ready, error) {
	list, err := v.Resources(org, policy.Kind, at, "", 0)
	if err != nil {
		return nil, err
	}
	var out []policy.Ready
	for _, r := range list {
		spec := r.Spec.(*policy.Spec)
		if len(spec.GetReactions()) == 0 {
			continue
		}
		ready, err := policy.Prepare(r.Name, r.From, spec)
		if err != nil {
			// It was legal when it was declared; a newer version of the language
			// that refuses it must not keep the others from reacting.
			continue
		}
		out = append(out, ready)
	}
	return out, nil
}
