package strategy

import (
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // time zones are legal or not whatever the machine has installed

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// maxHorizon is the longest legal horizon, in years.
const maxHorizon = 30

func checkOrganization(s *strategyv1.OrganizationSpec, _ resource.Set, f *resource.Findings) {
	if z := s.GetTimeZone(); z != "" {
		if _, err := time.LoadLocation(z); err != nil || z == "Local" {
			f.Add("spec.timeZone", "organization_time_zone", fmt.Sprintf("%q is not a time zone", z),
				"use an IANA name such as America/New_York or UTC")
		}
	}
}

func unitReferences(s *strategyv1.UnitSpec) []resource.Reference {
	if s.GetParent() == "" {
		return nil
	}
	return []resource.Reference{{Field: "spec.parent", Kind: "Unit", Name: s.GetParent(), Acyclic: true}}
}

func strategyReferences(s *strategyv1.StrategySpec) []resource.Reference {
	return resource.OwnerReference("spec.owner", s.GetOwner())
}

func checkStrategy(s *strategyv1.StrategySpec, set resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	adviseOwner(s.GetOwner(), set, f)
	start, ok1 := f.Date("spec.horizon.start", s.GetHorizon().GetStart())
	end, ok2 := f.Date("spec.horizon.end", s.GetHorizon().GetEnd())
	if !ok1 || !ok2 {
		return
	}
	if !end.After(start) {
		f.Add("spec.horizon.end", "horizon_order", fmt.Sprintf("%s is not after the start %s", end, start),
			"the horizon ends at least a day after it starts")
	} else if end.After(calendar.Of(start.Year()+maxHorizon, start.Month(), start.Day())) {
		f.Add("spec.horizon.end", "horizon_length", fmt.Sprintf("the horizon spans %d days", end.Sub(start)),
			"a horizon is 1 day to 30 years")
	}
}

func objectiveReferences(s *strategyv1.ObjectiveSpec) []resource.Reference {
	var out []resource.Reference
	if s.GetStrategy() != "" {
		out = append(out, resource.Reference{Field: "spec.strategy", Kind: "Strategy", Name: s.GetStrategy()})
	}
	for i, c := range s.GetContributesTo() {
		out = append(out, resource.Reference{
			Field: fmt.Sprintf("spec.contributesTo[%d].objective", i), Kind: "Objective", Name: c.GetObjective(), Acyclic: true,
		})
	}
	return append(out, resource.OwnerReference("spec.owner", s.GetOwner())...)
}

func checkObjective(s *strategyv1.ObjectiveSpec, set resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	adviseOwner(s.GetOwner(), set, f)
	seen := map[string]bool{}
	for i, c := range s.GetContributesTo() {
		if seen[c.GetObjective()] {
			f.Add(fmt.Sprintf("spec.contributesTo[%d].objective", i), "contribution_twice",
				fmt.Sprintf("%q is named twice", c.GetObjective()), "name each objective once, with its weight")
		}
		seen[c.GetObjective()] = true
	}
	spec, ok := set.Spec("Strategy", s.GetStrategy())
	if !ok {
		if len(s.GetContributesTo()) == 0 {
			f.Warn("spec.strategy", "objective_without_strategy",
				"the objective belongs to no strategy and serves no other objective", "it will appear in no strategy's roll-up")
		}
		return
	}
	pillars := spec.(*strategyv1.StrategySpec).GetPillars()
	if p := s.GetPillar(); p != "" && len(pillars) > 0 && !slices.Contains(pillars, p) {
		f.Add("spec.pillar", "pillar_unknown", fmt.Sprintf("strategy %q has no pillar %q", s.GetStrategy(), p),
			resource.Suggest(p, pillars))
	}
}
