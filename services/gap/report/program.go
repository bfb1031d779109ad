package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Program is the human side of an initiative: how ready people are, and where
// they are stuck.
type Program struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Initiative string `json:"initiative,omitempty"` // title
	Framework  string `json:"framework"`
	Basis      string `json:"basis"` // survey, forces, stages
	Formula    string `json:"formula"`
	// Readiness and adoption are 0 to 1, heuristic; absent if not known.
	Readiness *float64      `json:"readiness,omitempty"`
	Adoption  *float64      `json:"adoption,omitempty"`
	Unknown   string        `json:"unknown,omitempty"` // why readiness is not known
	Audiences []Audience    `json:"audiences"`
	Wave      *Wave         `json:"wave,omitempty"`
	Stages    []StageCount  `json:"stages,omitempty"`
	Regressed []string      `json:"regressed,omitempty"` // titles of stages
	Driving   int           `json:"driving,omitempty"`   // strengths, summed
	Restrain  int           `json:"restraining,omitempty"`
	Start     calendar.Date `json:"start,omitzero"`
	End       calendar.Date `json:"end,omitzero"`
}

// Audience is whom a program asks something of.
type Audience struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	Size      int      `json:"size"`
	Readiness *float64 `json:"readiness,omitempty"` // absent if unmeasured, or not to be shown
}

// Wave is the newest closed round of a survey.
type Wave struct {
	Name        string        `json:"name"`
	Closed      calendar.Date `json:"closed,omitzero"`
	Invited     *int          `json:"invited,omitempty"`
	Respondents *int          `json:"respondents,omitempty"` // absent where not to be shown
	// Barriers count people by the first element that holds them back, in the
	// order of the framework; absent where not to be shown.
	Barriers  []Barrier `json:"barriers,omitempty"`
	NoBarrier int       `json:"noBarrier,omitempty"`
	Unknown   int       `json:"unknown,omitempty"`
}

// Barrier is how many people one element holds back.
type Barrier struct {
	Element string `json:"element"`
	Title   string `json:"title"`
	People  int    `json:"people"`
}

// StageCount is how many stages have a status.
type StageCount struct {
	Status string `json:"status"`
	Count  int    `json:"count"`
}

var formulas = map[gap.ReadinessBasis]string{
	gap.BySurvey: "mean over people of the lowest of their (score − 1)/4, by size × impact of the audiences (heuristic)",
	gap.ByForces: "D/(D + R), the strengths of the driving and the restraining forces (heuristic)",
	gap.ByStages: "mean over the stages before sustainment: in place 1, in progress 0.5, regressed 0.25, not started 0 (heuristic)",
}

const adoptionFormula = "adoption = 0.15 + 0.78 × readiness (heuristic)"

func (b *builder) programs(p gap.Portfolio, chosen []gap.Initiative) []Program {
	titles := map[string]string{}
	for _, i := range chosen {
		titles[i.Name] = cmp.Or(tidy(i.Title), i.Name)
	}
	var out []Program
	for _, g := range p.Programs {
		if titles[g.Initiative] == "" && b.opts.Strategy != "" {
			continue
		}
		one := Program{
			Name: g.Name, Title: cmp.Or(tidy(g.Title), g.Name), Initiative: titles[g.Initiative], Framework: tidy(g.Framework),
			Basis: string(g.Basis), Formula: formulas[g.Basis], Readiness: finite(g.ReadinessOf()), Audiences: []Audience{},
			Start: g.Start, End: g.End, Driving: g.Driving, Restrain: g.Restraining,
		}
		if one.Readiness != nil {
			a := gap.Adoption(*one.Readiness)
			one.Adoption = &a
		}
		for _, a := range g.Audiences {
			one.Audiences = append(one.Audiences, Audience{a.Name, cmp.Or(tidy(a.Title), a.Name), a.Size, finite(a.Readiness)})
		}
		slices.SortFunc(one.Audiences, func(x, y Audience) int { return cmp.Or(cmp.Compare(x.Title, y.Title), cmp.Compare(x.Name, y.Name)) })
		if w := g.Wave; w != nil {
			one.Wave = &Wave{Name: w.Name, Closed: w.Closed, Invited: w.Invited, Respondents: w.Respondents}
			for _, x := range w.Barriers {
				one.Wave.Barriers = append(one.Wave.Barriers, Barrier{x.Element, cmp.Or(tidy(x.Title), x.Element), x.People})
			}
			if w.Barriers != nil {
				one.Wave.NoBarrier, one.Wave.Unknown = w.NoBarrier, w.Unknown
			}
		}
		for _, status := range []string{"regressed", "not_started", "in_progress", "in_place"} {
			n := 0
			for _, s := range g.Stages {
				if s.Status == status {
					n++
					if status == "regressed" {
						one.Regressed = append(one.Regressed, cmp.Or(tidy(s.Title), s.Name))
					}
				}
			}
			if n > 0 {
				one.Stages = append(one.Stages, StageCount{status, n})
			}
		}
		one.Unknown = unknownBecause(g, one)
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y Program) int { return cmp.Or(cmp.Compare(x.Title, y.Title), cmp.Compare(x.Name, y.Name)) })
	return out
}

// unknownBecause says why there is no readiness; "" if there is.
func unknownBecause(g gap.Program, p Program) string {
	var without []string
	for _, a := range p.Audiences {
		if a.Readiness == nil {
			without = append(without, a.Title)
		}
	}
	switch {
	case p.Readiness != nil:
		return ""
	case g.Basis == gap.ByForces:
		return "no forces were named"
	case g.Basis == gap.ByStages:
		return "nobody has said where it stands"
	case g.Wave == nil:
		return "no wave of its survey is closed"
	case len(without) > 0:
		return "nothing may be shown, or nothing was answered, of " + strings.Join(without, ", ")
	}
	return "its audiences weigh nothing"
}

// stuck says in a sentence where people are held back.
func (p *Program) stuck() string {
	switch {
	case p.Wave != nil:
		w := p.Wave
		text := "Wave " + w.Name + ", closed " + w.Closed.String()
		if w.Respondents == nil {
			return text + ": too few people answered to show anything."
		}
		text += fmt.Sprintf(": %s answered", count(*w.Respondents))
		if w.Invited != nil && *w.Invited > 0 {
			share := float64(*w.Respondents) / float64(*w.Invited)
			text += fmt.Sprintf(" of %s asked (%s)", count(*w.Invited), percent(&share))
		}
		if w.Barriers == nil {
			return text + ". Too few to show where they are stuck."
		}
		most := slices.MaxFunc(w.Barriers, func(a, b Barrier) int { return cmp.Compare(a.People, b.People) })
		if most.People == 0 {
			return text + ". Nobody has a barrier point."
		}
		return text + fmt.Sprintf(". Most are stuck at %s: %s.", most.Title, count(most.People))
	case p.Basis == string(gap.ByForces) && p.Driving+p.Restrain > 0:
		return fmt.Sprintf("Driving forces %d, restraining forces %d.", p.Driving, p.Restrain)
	case len(p.Stages) > 0:
		var parts []string
		for _, s := range p.Stages {
			parts = append(parts, fmt.Sprintf("%d %s", s.Count, strings.ReplaceAll(s.Status, "_", " ")))
		}
		text := "Stages: " + strings.Join(parts, ", ") + "."
		if len(p.Regressed) > 0 {
			text += " Went back: " + strings.Join(p.Regressed, ", ") + "."
		}
		return text
	}
	return ""
}

// bars is what the picture of barrier points shows, in order.
func (w *Wave) bars() []Barrier {
	if w == nil || w.Barriers == nil {
		return nil
	}
	out := append(slices.Clone(w.Barriers), Barrier{"", "No barrier", w.NoBarrier})
	if w.Unknown > 0 {
		out = append(out, Barrier{"?", "Not known", w.Unknown})
	}
	return out
}

// readinessWords shows readiness and adoption, or that they are not known.
func (p *Program) readinessWords() string {
	if p.Readiness == nil {
		return "unknown (" + p.Unknown + ")"
	}
	return percent(p.Readiness) + ", adoption " + percent(p.Adoption)
}

func (a *Audience) words() string {
	text := plural(a.Size, "person")
	if a.Size != 1 {
		text = fmt.Sprintf("%s people", count(a.Size))
	}
	if a.Readiness == nil {
		return isolated(a.Title) + " (" + text + "): unknown"
	}
	return isolated(a.Title) + " (" + text + "): " + percent(a.Readiness)
}
