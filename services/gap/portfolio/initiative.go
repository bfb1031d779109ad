package portfolio

import (
	"cmp"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/record"
)

// initiatives reads what is planned and where it stands, with the change
// programs that belong to it. The states are part of the record's contract: they
// travel with the events of the other slices.
func (l *loader) initiatives(p *gap.Portfolio) error {
	programs, err := l.programs()
	if err != nil {
		return err
	}
	list, err := l.v.Resources(l.org, "Initiative", l.at, "", 0)
	if err != nil {
		return err
	}
	for _, r := range list {
		spec := r.Spec.(*initiativev1.InitiativeSpec)
		state := &initiativev1.InitiativeState{}
		at, err := record.StateOf(l.v, r, "initiative", "life", l.at, state)
		if err != nil {
			return err
		}
		i := gap.Initiative{
			Name: r.Name, Title: spec.GetTitle(), Owner: spec.GetOwner(), Stage: cmp.Or(state.GetStage(), "proposed"),
			Start: date(spec.GetStart()), End: date(spec.GetEnd()), Programs: programs[r.Name], Revision: max(r.From, at),
		}
		reached := map[string]string{}
		for _, m := range state.GetMilestones() {
			reached[m.GetName()] = m.GetReached()
		}
		for _, m := range spec.GetMilestones() {
			i.Milestones = append(i.Milestones, gap.InitiativeMilestone{Planned: date(m.GetPlanned()), Reached: date(reached[m.GetName()])})
		}
		for _, c := range spec.GetContributions() {
			x := gap.Contribution{
				Target: c.GetTarget(), Likely: c.GetLikely(), Low: c.Low, High: c.High, Delivery: c.Delivery, Basis: c.GetBasis(), PeopleDependent: 1,
				RampStart: date(cmp.Or(c.GetRampStart(), c.GetRampEnd(), spec.GetEnd())), RampEnd: date(cmp.Or(c.GetRampEnd(), spec.GetEnd())),
			}
			if c.PeopleDependent != nil {
				x.PeopleDependent = c.GetPeopleDependent()
			}
			if x.RampEnd.Before(x.RampStart) {
				x.RampEnd = x.RampStart
			}
			i.Contributions = append(i.Contributions, x)
		}
		p.Initiatives = append(p.Initiatives, i)
	}
	return nil
}

// programs reads the change programs, by initiative.
func (l *loader) programs() (map[string][]gap.Program, error) {
	audiences := map[string]*changev1.AudienceSpec{}
	if err := l.each("Audience", func(r *record.Resource) { audiences[r.Name] = r.Spec.(*changev1.AudienceSpec) }); err != nil {
		return nil, err
	}
	list, err := l.v.Resources(l.org, "ChangeProgram", l.at, "", 0)
	if err != nil {
		return nil, err
	}
	out := map[string][]gap.Program{}
	for _, r := range list {
		spec := r.Spec.(*changev1.ChangeProgramSpec)
		if spec.GetInitiative() == "" {
			continue
		}
		state := &changev1.ChangeProgramState{}
		if _, err := record.StateOf(l.v, r, "change", "course", l.at, state); err != nil {
			return nil, err
		}
		g := gap.Program{Name: r.Name, Title: spec.GetTitle(), Framework: spec.GetFramework(), Readiness: state.Readiness}
		measured := map[string]*float64{}
		for _, a := range state.GetAudiences() {
			measured[a.GetAudience()] = a.Readiness
		}
		in := map[string]bool{}
		for _, a := range spec.GetAudiences() {
			in[a.GetAudience()] = true
		}
		for _, a := range spec.GetAudiences() {
			of := audiences[a.GetAudience()]
			if of == nil || partOf(audiences, of.GetParent(), in) {
				continue // counted within the audience above it
			}
			impact := 1.0
			if of.Impact != nil {
				impact = float64(of.GetImpact())
			}
			one := gap.ProgramAudience{Name: a.GetAudience(), Weight: float64(of.GetSize()) * impact, Readiness: measured[a.GetAudience()]}
			if state.GetWave() == "" {
				one.Readiness = state.Readiness // stages and forces are of the program as a whole
			}
			g.Audiences = append(g.Audiences, one)
		}
		out[spec.GetInitiative()] = append(out[spec.GetInitiative()], g)
	}
	return out, nil
}

// partOf tells whether an audience, or one above it, is one of a program's.
func partOf(audiences map[string]*changev1.AudienceSpec, name string, in map[string]bool) bool {
	for range len(audiences) + 1 {
		if name == "" {
			return false
		}
		if in[name] {
			return true
		}
		name = audiences[name].GetParent()
	}
	return false
}
