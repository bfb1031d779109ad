package change

import (
	"strings"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// The formulas of readiness; each is a heuristic and is shown as one.
const (
	StagesFormula = "mean over the stages that are not sustainment of: not started 0, regressed 0.25, in progress 0.5, in place 1 (heuristic)"
	ForcesFormula = "D / (D + R), the sums of the strengths of the driving and the restraining forces (heuristic)"
	SurveyFormula = "mean over the people of the lowest of their (score - 1)/4, by size x impact of the audiences (heuristic)"
)

// Adoption is 0.15 + 0.78 × readiness (heuristic): its ends are the shares of
// projects that met their objectives with poor and with excellent change
// management in Prosci's Best Practices in Change Management.
func Adoption(readiness float64) float64 { return 0.15 + 0.78*readiness }

// Weight is what an audience counts for beside others: size × impact.
func Weight(a *changev1.AudienceSpec) float64 {
	impact := 1.0
	if a.Impact != nil {
		impact = float64(a.GetImpact())
	}
	return float64(a.GetSize()) * impact
}

// ReadinessOf is how ready the people of a program are, 0 to 1, with how that
// came about. weights and parents are of the program's audiences, by name; an
// audience whose parent is one of the program too is counted within it. A
// framework with elements is measured by surveys; Lewin's by its force field;
// others by their stages. Unknown has no value.
func ReadinessOf(p Program, weights map[string]float64, parents map[string]string) *changev1.Readiness {
	switch {
	case len(p.Framework.GetElements()) > 0:
		return surveyed(p, weights, parents)
	case p.Name == Lewin:
		return fromForces(p.State)
	}
	return fromStages(p)
}

func fromStages(p Program) *changev1.Readiness {
	out := &changev1.Readiness{Basis: "stages", Formula: StagesFormula, Inputs: map[string]float64{}}
	worth := map[string]float64{NotStarted: 0, Regressed: 0.25, InProgress: 0.5, InPlace: 1}
	total, n := 0.0, 0
	for _, s := range p.Framework.GetStages() {
		if s.GetSustainment() {
			continue
		}
		v := worth[StageOf(p.State, s.GetName()).GetStatus()]
		out.Inputs[s.GetName()] = v
		total += v
		n++
	}
	if len(p.State.GetStages()) == 0 || n == 0 {
		// Nobody has said anything: not started is an answer, silence is none.
		return &changev1.Readiness{Formula: StagesFormula, Unknown: "nobody has said where it stands"}
	}
	return known(out, total/float64(n))
}

func fromForces(s *State) *changev1.Readiness {
	d, r := Totals(s)
	if d+r == 0 {
		return &changev1.Readiness{Formula: ForcesFormula, Unknown: "no forces were named"}
	}
	out := &changev1.Readiness{Basis: "forces", Formula: ForcesFormula, Inputs: map[string]float64{"D": float64(d), "R": float64(r)}}
	return known(out, float64(d)/float64(d+r))
}

func surveyed(p Program, weights map[string]float64, parents map[string]string) *changev1.Readiness {
	out := &changev1.Readiness{Formula: SurveyFormula, Audiences: p.State.GetAudiences()}
	if p.State.GetWave() == "" {
		out.Unknown = "no wave of its survey is closed"
		return out
	}
	measured := map[string]*changev1.AudienceReadiness{}
	for _, a := range p.State.GetAudiences() {
		measured[a.GetAudience()] = a
	}
	out.Basis, out.Inputs = "survey", map[string]float64{}
	total, weight := 0.0, 0.0
	var without []string
	for _, a := range p.Spec.GetAudiences() {
		if _, within := weights[parents[a.GetAudience()]]; within && parents[a.GetAudience()] != "" {
			continue
		}
		m := measured[a.GetAudience()]
		if m == nil || m.Readiness == nil {
			without = append(without, a.GetAudience())
			continue
		}
		out.Inputs[a.GetAudience()] = m.GetReadiness()
		total += weights[a.GetAudience()] * m.GetReadiness()
		weight += weights[a.GetAudience()]
	}
	switch {
	case len(without) > 0: // one that is not known makes the whole unknown
		out.Unknown = "nothing may be shown, or nothing was answered, of " + strings.Join(without, ", ")
		return out
	case weight == 0:
		out.Unknown = "its audiences weigh nothing"
		return out
	}
	return known(out, total/weight)
}

func known(r *changev1.Readiness, value float64) *changev1.Readiness {
	adoption := Adoption(value)
	r.Value, r.Adoption = &value, &adoption
	return r
}
