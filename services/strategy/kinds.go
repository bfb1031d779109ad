package strategy

import (
	"slices"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

// Kinds returns this slice's entries of the registry.
func Kinds() []resource.Kind {
	return []resource.Kind{
		{
			Name: "Organization", Plural: "organizations", Aliases: []string{"org", "orgs"},
			Service: "strategy", Token: "organization",
			DeclaredType: "strategy.organization_declared.v1",
			RetiredType:  "strategy.organization_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.OrganizationSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.OrganizationDeclared{} },
			Check:        check(checkOrganization),
			Singleton:    true,
		},
		{
			Name: "Unit", Plural: "units", Service: "strategy", Token: "unit",
			DeclaredType: "strategy.unit_declared.v1",
			RetiredType:  "strategy.unit_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.UnitSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.UnitDeclared{} },
			References:   references(unitReferences),
		},
		{
			Name: "Person", Plural: "people", Aliases: []string{"persons"},
			Service: "strategy", Token: "person",
			DeclaredType: "strategy.person_declared.v1",
			RetiredType:  "strategy.person_retired.v1",
			ErasedType:   "strategy.person_erased.v1",
			NewSpec:      func() proto.Message { return &strategyv1.PersonSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.PersonDeclared{} },
			References:   references(personReferences),
			Claims:       func(spec proto.Message) []resource.Claim { return personClaims(spec.(*strategyv1.PersonSpec)) },
			Check:        checkPerson,
		},
		{
			Name: "Strategy", Plural: "strategies", Service: "strategy", Token: "strategy",
			DeclaredType: "strategy.strategy_declared.v1",
			RetiredType:  "strategy.strategy_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.StrategySpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.StrategyDeclared{} },
			References:   references(strategyReferences),
			Check:        check(checkStrategy),
		},
		{
			Name: "Objective", Plural: "objectives", Service: "strategy", Token: "objective",
			DeclaredType: "strategy.objective_declared.v1",
			RetiredType:  "strategy.objective_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.ObjectiveSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.ObjectiveDeclared{} },
			References:   references(objectiveReferences),
			Check:        check(checkObjective),
		},
		{
			Name: "Metric", Plural: "metrics", Aliases: []string{"kpi", "kpis"},
			Service: "strategy", Token: "metric",
			DeclaredType: "strategy.metric_declared.v1",
			RetiredType:  "strategy.metric_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.MetricSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.MetricDeclared{} },
			References:   references(metricReferences),
			Check:        check(checkMetric),
		},
		{
			Name: "Target", Plural: "targets", Service: "strategy", Token: "target",
			DeclaredType: "strategy.target_declared.v1",
			RetiredType:  "strategy.target_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.TargetSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.TargetDeclared{} },
			References:   references(targetReferences),
			Check:        check(checkTarget, adviseTarget),
			Dated:        true,
		},
	}
}

// check and references give typed rules the registry's general form.
func check[M proto.Message](rules ...func(M, resource.Set, *findings)) func(string, proto.Message, resource.Set) []resource.Finding {
	return func(_ string, spec proto.Message, set resource.Set) []resource.Finding {
		var f findings
		for _, rule := range rules {
			rule(spec.(M), set, &f)
		}
		return f
	}
}

func references[M proto.Message](list func(M) []resource.Reference) func(proto.Message) []resource.Reference {
	return func(spec proto.Message) []resource.Reference { return list(spec.(M)) }
}

// findings collects what is wrong with one resource.
type findings []resource.Finding

func (f *findings) add(field, reason, message, hint string) {
	*f = append(*f, resource.Finding{Field: field, Reason: "strategy." + reason, Message: message, Hint: hint})
}

func (f *findings) warn(field, reason, message, hint string) {
	*f = append(*f, resource.Finding{Field: field, Reason: "strategy." + reason, Message: message, Hint: hint, Warning: true})
}

// broken reports whether a rule is, and not only advice given.
func (f *findings) broken() bool {
	return slices.ContainsFunc(*f, func(x resource.Finding) bool { return !x.Warning })
}

func (f *findings) has(reason string) bool {
	return slices.ContainsFunc(*f, func(x resource.Finding) bool { return x.Reason == reason })
}
