package policy

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/resource"
)

// Service is the slice's name in subjects, wire names and reasons.
const Service = "gap"

// Kind is the name of the kind.
const Kind = "Policy"

// Spec is what is declared of a policy.
type Spec = gapv1.PolicySpec

// Kinds returns this slice's entries of the registry.
func Kinds() []resource.Kind {
	return []resource.Kind{{
		Name: Kind, Plural: "policies", Service: Service, Token: "policy",
		DeclaredType: "gap.policy_declared.v1",
		RetiredType:  "gap.policy_retired.v1",
		NewSpec:      func() proto.Message { return &gapv1.PolicySpec{} },
		NewDeclared:  func() proto.Message { return &gapv1.PolicyDeclared{} },
		References:   resource.ReferencesOf(references),
		Check:        check,
	}}
}

func references(s *Spec) []resource.Reference {
	var out []resource.Reference
	for i, name := range s.GetStrategies() {
		out = append(out, resource.Reference{Field: fmt.Sprintf("spec.strategies[%d]", i), Kind: "Strategy", Name: name})
	}
	for i, r := range s.GetReactions() {
		for j, a := range r.GetDo() {
			field := fmt.Sprintf("spec.reactions[%d].do[%d].openCorrectiveAction.owner", i, j)
			out = append(out, resource.OwnerReference(field, a.GetOpenCorrectiveAction().GetOwner())...)
		}
	}
	return out
}

func check(name string, spec proto.Message, _ resource.Set) []resource.Finding {
	s := spec.(*Spec)
	f := &resource.Findings{Service: Service}
	checkEvaluation(name, s, f)
	seen := map[string]int{}
	for i, r := range s.GetReactions() {
		field := fmt.Sprintf("spec.reactions[%d]", i)
		if j, again := seen[r.GetName()]; again {
			f.Add(field+".name", "reaction_twice", fmt.Sprintf("%q is reaction %d too", r.GetName(), j), "a name stands for one reaction")
		}
		seen[r.GetName()] = i
		if _, err := compile(r.GetWhen()); err != nil {
			f.Add(field+".when", "expression", err.Error(), expressionHint)
		} else if err := tooCostly(r.GetWhen()); err != nil {
			f.Add(field+".when", "expression_cost", err.Error(), "say it in fewer words, or write several reactions")
		}
		for _, never := range neverSo(r.GetWhen()) {
			f.Warn(field+".when", "expression_never", never, "as it stands the comparison never changes")
		}
		kind := kindOf(r.GetWhen())
		if kind == "" {
			f.Add(field+".when", "expression_mixed", clash(r.GetWhen())+", and nothing is both", "write a reaction for each")
		}
		if kind == Unit && len(s.GetStrategies()) > 0 {
			f.Add(field+".when", "unit_of_strategy", "it looks at units, which belong to no strategy, and the policy at some strategies only", "declare it in a policy without strategies")
		}
		for j, a := range r.GetDo() {
			at := fmt.Sprintf("%s.do[%d]", field, j)
			checkAction(at, a, f)
			if kind != "" && kind != Target && (a.GetOpenCorrectiveAction() != nil || a.GetRequireCheckIn() != nil) {
				// The reason is the one that reviews have had, so that programs know it.
				reason := "action_of_roll_up"
				if kind == Review {
					reason = "action_of_review"
				}
				f.Add(at, reason, fmt.Sprintf("a corrective action and a check-in answer a target's gap; the reaction is about %s", plural[kind]),
					"of what is no target, escalate and notify")
			}
		}
	}
	if s.GetEvaluation() == nil && len(s.GetReactions()) == 0 {
		f.Warn("spec", "empty_policy", "the policy changes nothing: it is the default", "declare evaluation, reactions, or both")
	}
	return f.List
}

// expressionHint leaves what was probably meant to the message.
const expressionHint = "CEL that is true or false, such as condition.OnTrack == 'False' && gap.share > 0.15; all variables: docs/loop.md, What an expression can look at"

func checkAction(field string, a *gapv1.Action, f *resource.Findings) {
	n := 0
	for _, given := range []bool{
		a.GetOpenCorrectiveAction() != nil, a.GetRequireCheckIn() != nil, a.GetEscalate() != nil, a.GetNotify() != nil,
	} {
		if given {
			n++
		}
	}
	if n != 1 {
		f.Add(field, "action", fmt.Sprintf("%d actions are given in one entry", n),
			"each entry has exactly one of openCorrectiveAction, requireCheckIn, escalate and notify")
	}
	f.Owner(field+".openCorrectiveAction.owner", a.GetOpenCorrectiveAction().GetOwner())
}

func checkEvaluation(name string, s *Spec, f *resource.Findings) {
	if s.GetEvaluation() == nil {
		return
	}
	r := Of(name, 0, s)
	ordered := func(field, less, more string, a, b float64) {
		if a > b {
			f.Add("spec.evaluation."+field, "threshold_order", fmt.Sprintf("%s is %v and %s is %v", less, a, more, b),
				less+" is at most "+more+"; what is not declared is that of the preset")
		}
	}
	ordered("onTrack", "onTrack", "atRisk", r.OnTrack, r.AtRisk)
	ordered("levels.commit", "commit", "target", r.Levels.Commit, r.Levels.Target)
	ordered("levels.target", "target", "stretch", r.Levels.Target, r.Levels.Stretch)
	ordered("levels.atRisk", "atRisk", "onTrack", r.Levels.AtRisk, r.Levels.OnTrack)
	ordered("gauge.goal", "goal", "best", r.Gauge.Goal, r.Gauge.Best)
	ordered("rollUp.atRisk", "atRisk", "onTrack", r.RollUp.AtRisk, r.RollUp.OnTrack)
	if r.Gauge.RedFlag >= r.Gauge.Goal {
		f.Add("spec.evaluation.gauge.redFlag", "threshold_order", fmt.Sprintf("redFlag is %v and goal is %v", r.Gauge.RedFlag, r.Gauge.Goal),
			"redFlag is below goal; what is not declared is that of the preset")
	}
	if r.Margin >= r.Step {
		f.Warn("spec.evaluation.hysteresis.margin", "margin_beyond_step", fmt.Sprintf("the margin %v is not below the step %v", r.Margin, r.Step),
			"a gap may then narrow and widen again before it can close")
	}
}
