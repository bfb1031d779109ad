package gap

import (
	"cmp"
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
	for _, t := range before.Targets {
		c := at(t.Name)
		c.StatusBefore, c.GapBefore = t.Status, t.Gap
	}
	for _, t := range after.Targets {
		c := at(t.Name)
		c.StatusAfter, c.GapAfter = t.Status, t.Gap
	}
	for _, x := range coverBefore {
		at(x.Target).ResidualBefore = x.Residual
	}
	for _, x := range coverAfter {
		at(x.Target).ResidualAfter = x.Residual
	}
	for _, c := range targets {
		if c.StatusBefore != c.StatusAfter || !same(c.GapBefore, c.GapAfter) || !same(c.ResidualBefore, c.ResidualAfter) {
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
