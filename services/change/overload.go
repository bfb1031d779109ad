package change

import (
	"fmt"
	"slices"
	"strings"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// checkLoad advises where a program, with the others of the set, asks more of
// people than they can give: its audiences, and those that are part of them.
func checkLoad(s *changev1.ChangeProgramSpec, set resource.Set, f *resource.Findings) {
	start, errStart := calendar.ParseDate(s.GetStart())
	end, errEnd := calendar.ParseDate(s.GetEnd())
	if errStart != nil || errEnd != nil || end.Before(start) || end.Sub(start) > 366*30 {
		return
	}
	asks := map[string]int{}
	for i, a := range s.GetAudiences() {
		if a.GetHoursPerPerson() > 0 {
			asks[a.GetAudience()] = i
		}
	}
	if len(asks) == 0 {
		return
	}
	programs := map[string]*changev1.ChangeProgramSpec{}
	for _, name := range set.Names("ChangeProgram") {
		if spec, ok := set.Spec("ChangeProgram", name); ok {
			programs[name] = spec.(*changev1.ChangeProgramSpec)
		}
	}
	demands := Demands(programs, nil)
	audience := func(name string) *changev1.AudienceSpec {
		spec, ok := set.Spec("Audience", name)
		if !ok {
			return nil
		}
		return spec.(*changev1.AudienceSpec)
	}
	parent := func(name string) string { return audience(name).GetParent() }
	for _, name := range set.Names("Audience") {
		i, ours := within(name, parent, asks)
		if !ours {
			continue
		}
		var worst *changev1.MonthLoad
		for _, m := range Load(Capacity(audience(name)), Asked(name, parent, demands), start, end) {
			if m.GetLevel() == "overload" && (worst == nil || m.GetLoad() > worst.GetLoad()) {
				worst = m
			}
		}
		if worst == nil {
			continue
		}
		var by []string
		for _, p := range worst.GetPrograms() {
			by = append(by, fmt.Sprintf("%s %.1f", p.GetProgram(), p.GetHours()))
		}
		f.Warn(fmt.Sprintf("spec.audiences[%d].hoursPerPerson", i), "overload",
			fmt.Sprintf("%s is asked for %.1f hours per person in %s and has %.1f for changes, a load of %.2f: %s",
				name, worst.GetHours(), worst.GetMonth(), worst.GetCapacity(), worst.GetLoad(), strings.Join(by, ", ")),
			"ask for less, spread it out, or move a program; setpoint change load --audience "+name)
	}
}

// within finds which of the audiences that are asked an audience is, or is part
// of.
func within(name string, parent func(string) string, asks map[string]int) (int, bool) {
	var visited []string
	for name != "" && !slices.Contains(visited, name) {
		if i, ok := asks[name]; ok {
			return i, true
		}
		visited = append(visited, name)
		name = parent(name)
	}
	return 0, false
}
