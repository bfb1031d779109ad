package portfolio

import (
	"cmp"
	"strings"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/schedule"
)

// programs reads the change programs, with what their newest closed wave may
// show.
func (l *loader) programs() ([]gap.Program, error) {
	audiences := map[string]*changev1.AudienceSpec{}
	if err := l.each("Audience", func(r *record.Resource) { audiences[r.Name] = r.Spec.(*changev1.AudienceSpec) }); err != nil {
		return nil, err
	}
	frameworks := map[string]*changev1.ChangeFrameworkSpec{}
	if err := l.each("ChangeFramework", func(r *record.Resource) { frameworks[r.Name] = r.Spec.(*changev1.ChangeFrameworkSpec) }); err != nil {
		return nil, err
	}
	list, err := l.v.Resources(l.org, "ChangeProgram", l.at, "", 0)
	if err != nil {
		return nil, err
	}
	var out []gap.Program
	for _, r := range list {
		spec := r.Spec.(*changev1.ChangeProgramSpec)
		state := &changev1.ChangeProgramState{}
		at, err := record.StateOf(l.v, r, "change", "course", l.at, state)
		if err != nil {
			return nil, err
		}
		state = schedule.ProgramOn(state, l.asOf)
		framework := frameworks[spec.GetFramework()]
		g := gap.Program{
			Name: r.Name, Title: spec.GetTitle(), Framework: cmp.Or(framework.GetTitle(), builtIn[spec.GetFramework()], spec.GetFramework()),
			Initiative: spec.GetInitiative(), Start: date(spec.GetStart()), End: date(spec.GetEnd()),
			Basis: basis(spec.GetFramework(), framework), Readiness: state.Readiness, Revision: max(r.From, at),
		}
		g.Audiences = programAudiences(spec, state, audiences)
		titles := map[string]string{}
		for _, s := range framework.GetStages() {
			titles[s.GetName()] = s.GetTitle()
		}
		for _, s := range state.GetStages() {
			g.Stages = append(g.Stages, gap.ProgramStage{Name: s.GetStage(), Title: title(titles, s.GetStage()), Status: s.GetStatus()})
		}
		for _, f := range state.GetForces() {
			if f.GetKind() == "restraining" {
				g.Restraining += int(f.GetStrength())
			} else {
				g.Driving += int(f.GetStrength())
			}
		}
		if g.Wave, err = l.wave(r, state.GetWave(), framework); err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// builtIn are the frameworks that need no declaration.
var builtIn = map[string]string{"adkar": "ADKAR", "kotter": "Kotter", "lewin": "Lewin"}

// basis says what readiness rests on: surveys where elements are assessed, the
// force field in Lewin's framework, stages else.
func basis(name string, declared *changev1.ChangeFrameworkSpec) gap.ReadinessBasis {
	switch {
	case name == "adkar" || len(declared.GetElements()) > 0:
		return gap.BySurvey
	case name == "lewin":
		return gap.ByForces
	}
	return gap.ByStages
}

func programAudiences(spec *changev1.ChangeProgramSpec, state *changev1.ChangeProgramState, audiences map[string]*changev1.AudienceSpec) []gap.ProgramAudience {
	measured := map[string]*changev1.AudienceReadiness{}
	for _, a := range state.GetAudiences() {
		measured[a.GetAudience()] = a
	}
	in := map[string]bool{}
	for _, a := range spec.GetAudiences() {
		in[a.GetAudience()] = true
	}
	var out []gap.ProgramAudience
	for _, a := range spec.GetAudiences() {
		of := audiences[a.GetAudience()]
		if of == nil || partOf(audiences, of.GetParent(), in) {
			continue // counted within the audience above it
		}
		impact := 1.0
		if of.Impact != nil {
			impact = float64(of.GetImpact())
		}
		one := gap.ProgramAudience{
			Name: a.GetAudience(), Title: of.GetTitle(), Size: int(of.GetSize()), Weight: float64(of.GetSize()) * impact,
		}
		if m := measured[a.GetAudience()]; m != nil {
			one.Readiness, one.Respondents = m.Readiness, people(m.Respondents)
		}
		if state.GetWave() == "" {
			one.Readiness = state.Readiness // stages and forces are of the program as a whole
		}
		out = append(out, one)
	}
	return out
}

// wave reads what the newest closed wave of a program shows of everybody asked.
func (l *loader) wave(program *record.Resource, name string, framework *changev1.ChangeFrameworkSpec) (*gap.Wave, error) {
	if name == "" {
		return nil, nil
	}
	have, err := l.v.State(l.org, "change", "wave", program.ID+"~"+name, l.at)
	if err != nil || have == nil {
		return nil, err
	}
	state := &changev1.WaveState{}
	if err := have.Into(state); err != nil {
		return nil, err
	}
	out := &gap.Wave{Name: name, Closed: date(state.GetClosed())}
	cells := state.GetResults().GetCells()
	if len(cells) == 0 || cells[0].GetAudience() != "" {
		return out, nil
	}
	titles := map[string]string{}
	for _, e := range framework.GetElements() {
		titles[e.GetName()] = e.GetTitle()
	}
	all := cells[0]
	invited := all.GetInvited()
	out.Invited, out.Respondents = people(&invited), people(all.Respondents)
	if b := all.GetBarriers(); b != nil {
		for _, e := range b.GetElements() {
			out.Barriers = append(out.Barriers, gap.Barrier{Element: e.GetElement(), Title: title(titles, e.GetElement()), People: int(e.GetCount())})
		}
		out.NoBarrier, out.Unknown = int(b.GetNone()), int(b.GetUnknown())
	}
	return out, nil
}

// title is what a name is called; by default itself, as a word.
func title(titles map[string]string, name string) string {
	if t := titles[name]; t != "" {
		return t
	}
	words := strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(words[:min(1, len(words))]) + words[min(1, len(words)):]
}

func people(n *int32) *int {
	if n == nil {
		return nil
	}
	v := int(*n)
	return &v
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
