package strategy

import (
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

// service is the slice's name in subjects, wire names and reasons.
const service = "strategy"

// OccurrenceToken is the token, in subjects, of one occurrence of a review; its id is
// the review's, a ~ and the period in lower case.
const OccurrenceToken = "occurrence"

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
			Check:        resource.CheckOf(service, checkOrganization),
			Singleton:    true,
		},
		{
			Name: "Unit", Plural: "units", Service: "strategy", Token: "unit",
			DeclaredType: "strategy.unit_declared.v1",
			RetiredType:  "strategy.unit_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.UnitSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.UnitDeclared{} },
			References:   resource.ReferencesOf(unitReferences),
		},
		{
			Name: "Person", Plural: "people", Aliases: []string{"persons"},
			Service: "strategy", Token: "person",
			DeclaredType: "strategy.person_declared.v1",
			RetiredType:  "strategy.person_retired.v1",
			ErasedType:   "strategy.person_erased.v1",
			NewSpec:      func() proto.Message { return &strategyv1.PersonSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.PersonDeclared{} },
			References:   resource.ReferencesOf(personReferences),
			Claims:       func(spec proto.Message) []resource.Claim { return personClaims(spec.(*strategyv1.PersonSpec)) },
			Check:        checkPerson,
		},
		{
			Name: "Strategy", Plural: "strategies", Service: "strategy", Token: "strategy",
			DeclaredType: "strategy.strategy_declared.v1",
			RetiredType:  "strategy.strategy_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.StrategySpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.StrategyDeclared{} },
			References:   resource.ReferencesOf(strategyReferences),
			Check:        resource.CheckOf(service, checkStrategy),
		},
		{
			Name: "Objective", Plural: "objectives", Service: "strategy", Token: "objective",
			DeclaredType: "strategy.objective_declared.v1",
			RetiredType:  "strategy.objective_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.ObjectiveSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.ObjectiveDeclared{} },
			References:   resource.ReferencesOf(objectiveReferences),
			Check:        resource.CheckOf(service, checkObjective),
		},
		{
			Name: "Metric", Plural: "metrics", Aliases: []string{"kpi", "kpis"},
			Service: "strategy", Token: "metric",
			DeclaredType: "strategy.metric_declared.v1",
			RetiredType:  "strategy.metric_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.MetricSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.MetricDeclared{} },
			References:   resource.ReferencesOf(metricReferences),
			Check:        resource.CheckOf(service, checkMetric),
		},
		{
			Name: "Target", Plural: "targets", Service: "strategy", Token: "target",
			DeclaredType: "strategy.target_declared.v1",
			RetiredType:  "strategy.target_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.TargetSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.TargetDeclared{} },
			References:   resource.ReferencesOf(targetReferences),
			Check:        resource.CheckOf(service, checkTarget, adviseTarget),
			Dated:        true,
		},
		{
			Name: "Review", Plural: "reviews", Service: "strategy", Token: "review",
			DeclaredType: "strategy.review_declared.v1",
			RetiredType:  "strategy.review_retired.v1",
			NewSpec:      func() proto.Message { return &strategyv1.ReviewSpec{} },
			NewDeclared:  func() proto.Message { return &strategyv1.ReviewDeclared{} },
			References:   resource.ReferencesOf(reviewReferences),
			Check:        resource.CheckOf(service, checkReview),
			Life:         &resource.Life{Token: OccurrenceToken, Many: true, Acts: Acts(), Words: reviewInWords},
		},
	}
}
