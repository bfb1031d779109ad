package portfolio

import (
	"iter"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Rules are those of a policy by its name, as was known at a revision and in force
// at the end of a day: the one that the organization declares, else the preset. ""
// names default. An unknown name is an Invalid fault, gap.policy_unknown; one that
// counts only from a later day, gap.policy_not_yet.
func Rules(v record.View, org, name string, at uint64, day calendar.Date) (policy.Rules, error) {
	if name == "" {
		name = "default"
	}
	declared, err := inForce(v, org, at, day)
	if err != nil {
		return policy.Rules{}, err
	}
	i := slices.IndexFunc(declared, func(d version) bool { return d.name == name })
	if i >= 0 && declared[i].Resource != nil {
		r := declared[i]
		return policy.Of(name, r.From, r.Spec.(*policy.Spec)), nil
	}
	if rules, ok := policy.Preset(name); ok {
		return rules, nil
	}
	if i >= 0 {
		return policy.Rules{}, fault.New(fault.Invalid, "gap.policy_not_yet", "policy: %q counts from %s on, not on %s", name, declared[i].from, day).
			WithHint("evaluate a later day, or declare it with an earlier metadata.effective")
	}
	legal := record.NewSet(v, org, at).Names(policy.Kind)
	legal = append(slices.Clone(legal), gap.PolicyNames()...)
	slices.Sort(legal)
	legal = slices.Compact(legal)
	return policy.Rules{}, fault.New(fault.Invalid, "gap.policy_unknown", "policy: there is no policy %.64q", name).
		WithHint("%s", resource.Suggest(name, legal))
}

// version is the one of a policy that counts on a day, nil if none does yet.
type version struct {
	*record.Resource
	name string // the policy's, as it is now called
	from string // the least day from which a version of it counts
}

// inForce are the declared policies, by name, each with the version that counts on
// a day: among those effective by then the one with the greatest effective day, and
// revision. Before the first, as for targets, that is the first, so that the past
// can be judged by a policy of today; but not by one that was declared to count
// only from a day to come.
func inForce(v record.View, org string, at uint64, day calendar.Date) ([]version, error) {
	list, err := v.Versions(org, policy.Kind, at)
	if err != nil {
		return nil, err
	}
	var out []version
	zone := record.Location(v, org, at)
	for of := range chunkBy(list, func(r *record.Resource) string { return r.ID }) {
		x := version{name: of[len(of)-1].Name}
		first := of[0]
		for _, r := range of { // oldest first
			if r.Effective <= first.Effective {
				first = r
			}
			if r.Effective <= day.String() && (x.Resource == nil || r.Effective >= x.Effective) {
				x.Resource = r
			}
		}
		x.from = first.Effective
		recorded := day // of one that is only supposed
		if !first.Recorded.IsZero() {
			recorded = calendar.FromTime(first.Recorded.In(zone))
		}
		if x.Resource == nil && first.Effective <= recorded.String() {
			x.Resource = first
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b version) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// chunkBy are the runs of a list that have the same key.
func chunkBy[T any](list []T, key func(T) string) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for len(list) > 0 {
			n := 1
			for n < len(list) && key(list[n]) == key(list[0]) {
				n++
			}
			if !yield(list[:n]) {
				return
			}
			list = list[n:]
		}
	}
}

// Policies are the declared ones that react on a day, ready to be asked. Who reacts
// only from a later day on does not yet.
func Policies(v record.View, org string, at uint64, day calendar.Date) ([]policy.Ready, error) {
	list, err := inForce(v, org, at, day)
	if err != nil {
		return nil, err
	}
	var out []policy.Ready
	for _, r := range list {
		if r.Resource == nil || r.Effective > day.String() {
			continue
		}
		spec := r.Spec.(*policy.Spec)
		if len(spec.GetReactions()) == 0 {
			continue
		}
		ready, err := policy.Prepare(r.name, r.From, spec)
		if err != nil {
			// It was legal when it was declared; a newer version of the language
			// that refuses it must not keep the others from reacting.
			continue
		}
		out = append(out, ready)
	}
	return out, nil
}
