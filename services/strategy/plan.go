package strategy

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones are legal or not whatever the machine has installed

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// maxHorizon is the longest legal horizon, in years.
const maxHorizon = 30

func checkOrganization(s *strategyv1.OrganizationSpec, _ resource.Set, f *findings) {
	if z := s.GetTimeZone(); z != "" {
		if _, err := time.LoadLocation(z); err != nil || z == "Local" {
			f.add("spec.timeZone", "organization_time_zone", fmt.Sprintf("%q is not a time zone", z),
				"use an IANA name such as America/New_York or UTC")
		}
	}
}

// ownerReference turns unit/NAME into a reference; person/ID is opaque.
func ownerReference(field, owner string) []resource.Reference {
	if name, ok := strings.CutPrefix(owner, "unit/"); ok {
		return []resource.Reference{{Field: field, Kind: "Unit", Name: name}}
	}
	return nil
}

func checkOwner(owner string, f *findings) {
	kind, id, ok := strings.Cut(owner, "/")
	if owner == "" || (ok && id != "" && (kind == "unit" || kind == "person")) {
		return
	}
	f.add("spec.owner", "owner", fmt.Sprintf("%q names no owner", owner), "write unit/NAME or person/ID")
}

func unitReferences(s *strategyv1.UnitSpec) []resource.Reference {
	if s.GetParent() == "" {
		return nil
	}
	return []resource.Reference{{Field: "spec.parent", Kind: "Unit", Name: s.GetParent(), Acyclic: true}}
}

func strategyReferences(s *strategyv1.StrategySpec) []resource.Reference {
	return ownerReference("spec.owner", s.GetOwner())
}

func checkStrategy(s *strategyv1.StrategySpec, set resource.Set, f *findings) {
	checkOwner(s.GetOwner(), f)
	adviseOwner(s.GetOwner(), set, f)
	start, ok1 := date("spec.horizon.start", s.GetHorizon().GetStart(), f)
	end, ok2 := date("spec.horizon.end", s.GetHorizon().GetEnd(), f)
	if !ok1 || !ok2 {
		return
	}
	if !end.After(start) {
		f.add("spec.horizon.end", "horizon_order", fmt.Sprintf("%s is not after the start %s", end, start),
			"the horizon ends at least a day after it starts")
	} else if end.After(calendar.Of(start.Year()+maxHorizon, start.Month(), start.Day())) {
		f.add("spec.horizon.end", "horizon_length", fmt.Sprintf("the horizon spans %d days", end.Sub(start)),
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
	return append(out, ownerReference("spec.owner", s.GetOwner())...)
}

func checkObjective(s *strategyv1.ObjectiveSpec, set resource.Set, f *findings) {
	checkOwner(s.GetOwner(), f)
	adviseOwner(s.GetOwner(), set, f)
	seen := map[string]bool{}
	for i, c := range s.GetContributesTo() {
		if seen[c.GetObjective()] {
			f.add(fmt.Sprintf("spec.contributesTo[%d].objective", i), "contribution_twice",
				fmt.Sprintf("%q is named twice", c.GetObjective()), "name each objective once, with its weight")
		}
		seen[c.GetObjective()] = true
	}
	spec, ok := set.Spec("Strategy", s.GetStrategy())
	if !ok {
		if len(s.GetContributesTo()) == 0 {
			f.warn("spec.strategy", "objective_without_strategy",
				"the objective belongs to no strategy and serves no other objective", "it will appear in no strategy's roll-up")
		}
		return
	}
	pillars := spec.(*strategyv1.StrategySpec).GetPillars()
	if p := s.GetPillar(); p != "" && len(pillars) > 0 && !slices.Contains(pillars, p) {
		f.add("spec.pillar", "pillar_unknown", fmt.Sprintf("strategy %q has no pillar %q", s.GetStrategy(), p),
			resource.Suggest(p, pillars))
	}
}

// date parses a required date and reports what is wrong with it.
func date(field, s string, f *findings) (calendar.Date, bool) {
	d, err := calendar.ParseDate(s)
	if err != nil {
		f.add(field, "date", err.Error(), "a calendar date, YYYY-MM-DD")
		return calendar.Date{}, false
	}
	return d, true
}
