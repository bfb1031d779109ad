package gap

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Consequences is how two evaluations differ: what is the same in both is left
// out. Before or After is the zero value where it is not there.
type Consequences struct {
	Targets                       []TargetChange
	Objectives, Strategies, Units []RollUpChange
}

// TargetChange is one target in both.
type TargetChange struct {
	Target                        string
	StatusBefore, StatusAfter     Status // "" where it is not there
	GapBefore, GapAfter           *float64
	ResidualBefore, ResidualAfter *float64
	// Probabilities of reaching it, where Options.Forecast asked for them: as the
	// values go on, with initiatives, and with how ready people are.
	AttainmentBefore, AttainmentAfter   *float64
	InitiativesBefore, InitiativesAfter *float64
	ReadinessBefore, ReadinessAfter     *float64
}

// RollUpChange is one objective, strategy or unit in both.
type RollUpChange struct {
	Name                      string
	StatusBefore, StatusAfter Status
	ScoreBefore, ScoreAfter   *float64
}

// Compare says how an evaluation differs from another one of the same day and
// policy, with what Cover made of each.
func Compare(before, after Result, coverBefore, coverAfter []Coverage) Consequences {
	var out Consequences
	targets := map[string]*TargetChange{}
	at := func(name string) *TargetChange {
		if targets[name] == nil {
			targets[name] = &TargetChange{Target: name}
		}
		return targets[name]
	}
	worked := map[string]bool{}
	for _, t := range slices.Concat(before.Targets, after.Targets) {
		worked[t.Name] = worked[t.Name] || t.Outlook != nil && t.Outlook.WithInitiatives != nil
	}
	for _, t := range before.Targets {
		c := at(t.Name)
		c.StatusBefore, c.GapBefore = t.Status, t.Gap
		c.AttainmentBefore, c.InitiativesBefore, c.ReadinessBefore = t.attainments()
	}
	for _, t := range after.Targets {
		c := at(t.Name)
		c.StatusAfter, c.GapAfter = t.Status, t.Gap
		c.AttainmentAfter, c.InitiativesAfter, c.ReadinessAfter = t.attainments()
	}
	for _, x := range coverBefore {
		at(x.Target).ResidualBefore = x.Residual
	}
	for _, x := range coverAfter {
		at(x.Target).ResidualAfter = x.Residual
	}
	for _, c := range targets {
		if !worked[c.Target] {
			c.InitiativesBefore, c.InitiativesAfter, c.ReadinessBefore, c.ReadinessAfter = nil, nil, nil, nil
		}
		if c.StatusBefore != c.StatusAfter || !same(c.GapBefore, c.GapAfter) || !same(c.ResidualBefore, c.ResidualAfter) ||
			!same(c.AttainmentBefore, c.AttainmentAfter) || !same(c.InitiativesBefore, c.InitiativesAfter) || !same(c.ReadinessBefore, c.ReadinessAfter) {
			out.Targets = append(out.Targets, *c)
		}
	}
	slices.SortFunc(out.Targets, func(a, b TargetChange) int { return strings.Compare(a.Target, b.Target) })
	out.Objectives = compareRollUps(before.Objectives, after.Objectives)
	out.Strategies = compareRollUps(before.Strategies, after.Strategies)
	out.Units = compareRollUps(before.Units, after.Units)
	return out
}

func compareRollUps(before, after []RollUp) []RollUpChange {
	all := map[string]*RollUpChange{}
	at := func(name string) *RollUpChange {
		if all[name] == nil {
			all[name] = &RollUpChange{Name: name}
		}
		return all[name]
	}
	for _, r := range before {
		c := at(r.Name)
		c.StatusBefore, c.ScoreBefore = r.Status, r.Score
	}
	for _, r := range after {
		c := at(r.Name)
		c.StatusAfter, c.ScoreAfter = r.Status, r.Score
	}
	var out []RollUpChange
	for _, c := range all {
		if c.StatusBefore != c.StatusAfter || !same(c.ScoreBefore, c.ScoreAfter) {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b RollUpChange) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func same(a, b *float64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

// attainments are the probabilities on the three lines; nil where not known. What
// nothing works on is on each line as the values go on.
func (r *TargetResult) attainments() (quo, with, ready *float64) {
	o := r.Outlook
	switch {
	case o == nil:
		return nil, nil, nil
	case o.WithInitiatives == nil:
		return o.Attainment, o.Attainment, o.Attainment
	case o.WithReadiness != nil:
		ready = o.WithReadiness.Attainment
	}
	return o.Attainment, o.WithInitiatives.Attainment, ready
}

// side is what is declared, by name.
type side struct {
	targets map[string]Target
	metrics map[string]Metric
	works   map[string][]Initiative // on a target
}

// measured is a metric with those that it divides.
func (s side) measured(name string) (out []Metric) {
	m := s.metrics[name]
	out = append(out, m)
	if m.Ratio != nil {
		out = append(out, s.metrics[m.Ratio.Numerator], s.metrics[m.Ratio.Denominator])
	}
	return out
}

// Touched names the targets, by the names they have afterwards, for which
// something else is declared in one portfolio than in the other: themselves, their
// metric, or what initiatives promise. Of the others the forecasts are the same.
// renamed gives the name before of what has another one, by KIND/NAME.
func Touched(before, after Portfolio, renamed map[string]string) map[string]bool {
	index := func(p Portfolio, now func(kind, name string) string) side {
		s := side{map[string]Target{}, map[string]Metric{}, map[string][]Initiative{}}
		for _, t := range p.Targets {
			s.targets[now("Target", t.Name)] = t
		}
		for _, m := range p.Metrics {
			m.Observations = nil
			s.metrics[m.Name] = m
		}
		for _, i := range p.Initiatives {
			of := map[string]bool{}
			for _, c := range i.Contributions {
				if name := now("Target", c.Target); !of[name] {
					of[name] = true
					s.works[name] = append(s.works[name], i)
				}
			}
		}
		return s
	}
	later := map[string]string{}
	for name, old := range renamed {
		kind, _, _ := strings.Cut(name, "/")
		later[kind+"/"+old] = strings.TrimPrefix(name, kind+"/")
	}
	b := index(before, func(kind, name string) string { return cmp.Or(later[kind+"/"+name], name) })
	a := index(after, func(_, name string) string { return name })
	out := map[string]bool{}
	for name, t := range a.targets {
		old, there := b.targets[name]
		if !there || !reflect.DeepEqual(old.Versions, t.Versions) || old.Metric != t.Metric ||
			!reflect.DeepEqual(b.measured(old.Metric), a.measured(t.Metric)) || !reflect.DeepEqual(b.works[name], a.works[name]) {
			out[name] = true
		}
	}
	for name := range b.targets {
		if _, there := a.targets[name]; !there {
			out[name] = true
		}
	}
	return out
}

// Renamed gives what a result says of things the names that they have afterwards;
// renamed is by KIND/NAME, the name before.
func Renamed(r Result, cover []Coverage, renamed map[string]string) (Result, []Coverage) {
	if len(renamed) == 0 {
		return r, cover
	}
	later := map[string]string{}
	for name, old := range renamed {
		kind, now, _ := strings.Cut(name, "/")
		later[kind+"/"+old] = now
	}
	r.Targets, cover = slices.Clone(r.Targets), slices.Clone(cover)
	for i := range r.Targets {
		r.Targets[i].Name = cmp.Or(later["Target/"+r.Targets[i].Name], r.Targets[i].Name)
	}
	for i := range cover {
		cover[i].Target = cmp.Or(later["Target/"+cover[i].Target], cover[i].Target)
	}
	for kind, list := range map[string]*[]RollUp{"Objective": &r.Objectives, "Strategy": &r.Strategies, "Unit": &r.Units} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Name = cmp.Or(later[kind+"/"+(*list)[i].Name], (*list)[i].Name)
		}
	}
	return r, cover
}

// Approved is the portfolio as if a proposed initiative were approved; found is
// false where there is no initiative of the name. The portfolio given is not
// written to.
func Approved(p Portfolio, name string) (more Portfolio, found bool) {
	p.Initiatives = slices.Clone(p.Initiatives)
	for k := range p.Initiatives {
		if i := &p.Initiatives[k]; i.Name == name {
			if i.proposed() {
				i.Stage = "approved"
			}
			return p, true
		}
	}
	return p, false
}

// Without is the portfolio as if an initiative, a target or an objective were
// not declared; kind is its kind in any case. found is false where there is none,
// or kind is none of these. The portfolio given is not written to.
func Without(p Portfolio, kind, name string) (less Portfolio, found bool) {
	n := 0
	switch strings.ToLower(kind) {
	case "initiative":
		n = len(p.Initiatives)
		p.Initiatives = slices.DeleteFunc(slices.Clone(p.Initiatives), func(i Initiative) bool { return i.Name == name })
		n -= len(p.Initiatives)
	case "target":
		n = len(p.Targets)
		p.Targets = slices.DeleteFunc(slices.Clone(p.Targets), func(t Target) bool { return t.Name == name })
		n -= len(p.Targets)
	case "objective":
		n = len(p.Objectives)
		p.Objectives = slices.DeleteFunc(slices.Clone(p.Objectives), func(o Objective) bool { return o.Name == name })
		n -= len(p.Objectives)
	}
	return p, n > 0
}
