package initiative

import (
	"fmt"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// Service is the slice's name in subjects, wire names and reasons.
const Service = "initiative"

// LifeToken is the token, in subjects, of what is done with an initiative: what
// is declared has one of its own, so that acts never hold a declaration up.
const LifeToken = "life"

// Kinds returns this slice's entries of the registry.
func Kinds() []resource.Kind {
	return []resource.Kind{{
		Name: "Initiative", Plural: "initiatives", Service: Service, Token: "initiative",
		DeclaredType: "initiative.initiative_declared.v1",
		RetiredType:  "initiative.initiative_retired.v1",
		NewSpec:      func() proto.Message { return &initiativev1.InitiativeSpec{} },
		NewDeclared:  func() proto.Message { return &initiativev1.InitiativeDeclared{} },
		References:   resource.ReferencesOf(references),
		Check:        resource.CheckOf(Service, check),
		Life:         &resource.Life{Token: LifeToken, Acts: Acts(), Words: inWords},
	}}
}

func references(s *initiativev1.InitiativeSpec) []resource.Reference {
	var out []resource.Reference
	if s.GetObjective() != "" {
		out = append(out, resource.Reference{Field: "spec.objective", Kind: "Objective", Name: s.GetObjective()})
	}
	for i, d := range s.GetDependsOn() {
		out = append(out, resource.Reference{
			Field: fmt.Sprintf("spec.dependsOn[%d].initiative", i), Kind: "Initiative", Name: d.GetInitiative(), Acyclic: true,
		})
	}
	for i, c := range s.GetContributions() {
		out = append(out, resource.Reference{Field: fmt.Sprintf("spec.contributions[%d].target", i), Kind: "Target", Name: c.GetTarget()})
	}
	return append(out, resource.OwnerReference("spec.owner", s.GetOwner())...)
}

func check(s *initiativev1.InitiativeSpec, set resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	start, okStart := f.Date("spec.start", s.GetStart())
	end, okEnd := f.Date("spec.end", s.GetEnd())
	dated := okStart && okEnd
	if dated && end.Before(start) {
		f.Add("spec.end", "end_before_start", fmt.Sprintf("%s is before the start %s", end, start), "an initiative ends on the day it starts or later")
		dated = false
	}
	if s.GetOwner() == "" {
		f.Warn("spec.owner", "without_owner", "nobody owns the initiative", "owner: unit/NAME or person/ID")
	}
	if len(s.GetContributions()) == 0 {
		f.Warn("spec.contributions", "serves_nothing", "the initiative contributes to no target", "say which gap it closes, and by how much")
	}
	checkMilestones(s, start, end, dated, f)
	checkDependencies(s, f)
	checkBudget(s, set, f)
	checkContributions(s, start, dated, f)
}

func checkMilestones(s *initiativev1.InitiativeSpec, start, end calendar.Date, dated bool, f *resource.Findings) {
	seen := map[string]int{}
	for i, m := range s.GetMilestones() {
		field := fmt.Sprintf("spec.milestones[%d]", i)
		if j, again := seen[m.GetName()]; again {
			f.Add(field+".name", "milestone_twice", fmt.Sprintf("%q is milestone %d too", m.GetName(), j), "a name stands for one milestone")
		}
		seen[m.GetName()] = i
		d, ok := f.Date(field+".planned", m.GetPlanned())
		if ok && dated && (d.Before(start) || d.After(end)) {
			f.Add(field+".planned", "milestone_outside", fmt.Sprintf("%s is not between the start %s and the end %s", d, start, end), "move the milestone, or the initiative's dates")
		}
	}
}

func checkDependencies(s *initiativev1.InitiativeSpec, f *resource.Findings) {
	seen := map[string]bool{}
	for i, d := range s.GetDependsOn() {
		if seen[d.GetInitiative()] {
			f.Add(fmt.Sprintf("spec.dependsOn[%d].initiative", i), "dependency_twice", fmt.Sprintf("%q is named twice", d.GetInitiative()), "name each once")
		}
		seen[d.GetInitiative()] = true
	}
}

// organizationCurrency is the organization's, "" if it has none.
func organizationCurrency(set resource.Set) string {
	for _, name := range set.Names("Organization") {
		if spec, ok := set.Spec("Organization", name); ok {
			return spec.(*strategyv1.OrganizationSpec).GetCurrency()
		}
	}
	return ""
}

func checkBudget(s *initiativev1.InitiativeSpec, set resource.Set, f *resource.Findings) {
	currency := Currency(s, organizationCurrency(set))
	var periods []calendar.Period
	for i, b := range s.GetBudget() {
		if d, err := decimal.NewFromString(b.GetAmount()); err == nil && !whole(d, currency) {
			f.Add(fmt.Sprintf("spec.budget[%d].amount", i), "amount_decimals", fmt.Sprintf("%s has more decimals than %s", b.GetAmount(), currency), decimalsHint(currency))
		}
		field := fmt.Sprintf("spec.budget[%d].period", i)
		// Whether a fiscal year starts in January changes no overlap among the
		// periods of one initiative that are written in the same way.
		p, err := parsePeriod(b.GetPeriod(), 1)
		if err != nil {
			f.Add(field, "period", err.Error(), "a period such as FY2025, 2025-Q1 or 2025-03")
			continue
		}
		for j, q := range periods {
			if p.Same(q) || p.Contains(q.Start) || q.Contains(p.Start) {
				f.Add(field, "period_overlap", fmt.Sprintf("%s overlaps %s of budget %d", b.GetPeriod(), s.GetBudget()[j].GetPeriod(), j), "give each day's money once")
			}
		}
		periods = append(periods, p)
	}
}

func checkContributions(s *initiativev1.InitiativeSpec, start calendar.Date, dated bool, f *resource.Findings) {
	seen := map[string]bool{}
	for i, c := range s.GetContributions() {
		field := fmt.Sprintf("spec.contributions[%d]", i)
		if seen[c.GetTarget()] {
			f.Add(field+".target", "contribution_twice", fmt.Sprintf("%q is named twice", c.GetTarget()), "one contribution for each target")
		}
		seen[c.GetTarget()] = true
		if c.Low != nil && c.GetLow() > c.GetLikely() {
			f.Add(field+".low", "contribution_order", fmt.Sprintf("%v is above likely, %v", c.GetLow(), c.GetLikely()), "low ≤ likely ≤ high: the 10th, 50th and 90th percentile, in the direction that is better")
		}
		if c.High != nil && c.GetHigh() < c.GetLikely() {
			f.Add(field+".high", "contribution_order", fmt.Sprintf("%v is below likely, %v", c.GetHigh(), c.GetLikely()), "low ≤ likely ≤ high: the 10th, 50th and 90th percentile, in the direction that is better")
		}
		var from, to calendar.Date
		okFrom, okTo := false, false
		if c.GetRampStart() != "" {
			from, okFrom = f.Date(field+".rampStart", c.GetRampStart())
		}
		if c.GetRampEnd() != "" {
			to, okTo = f.Date(field+".rampEnd", c.GetRampEnd())
		}
		if okFrom && okTo && to.Before(from) {
			f.Add(field+".rampEnd", "ramp_order", fmt.Sprintf("%s is before the ramp's start %s", to, from), "")
		}
		if okFrom && dated && from.Before(start) {
			f.Add(field+".rampStart", "ramp_before_start", fmt.Sprintf("%s is before the initiative starts, %s", from, start), "nothing can be gained before there is an initiative")
		}
		if c.GetBasis() == "" {
			f.Warn(field+".basis", "contribution_without_basis", "nobody says where the estimate comes from", "basis: pilot, benchmark, expert judgement …")
		}
	}
}
