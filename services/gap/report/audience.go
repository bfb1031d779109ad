package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
)

// What a board is shown of long lists: the worst, and how many more there are. The
// other audiences have all.

const (
	inGlance = 25 // objectives, units
	inList   = 8  // of one kind of issue, of targets that nobody works on
)

// glanced are the objectives of the overview, and what is left out of it.
func (d *Document) glanced() ([]Objective, string) {
	if !d.shallow() || len(d.Objectives) <= inGlance {
		return d.Objectives, ""
	}
	list := slices.Clone(d.Objectives)
	slices.SortStableFunc(list, func(x, y Objective) int { return worseRollUp(x.RollUp, y.RollUp) })
	return list[:inGlance], leftOut(len(list)-inGlance, "objective")
}

// glancedUnits are the units of the overview, and what is left out of it: those
// without a target have nothing to be judged by and are named below.
func (d *Document) glancedUnits() ([]RollUp, string) {
	var list []RollUp
	var idle []string
	for _, u := range d.Units {
		if u.Targets == 0 {
			idle = append(idle, isolated(u.Title))
			continue
		}
		list = append(list, u)
	}
	foot := ""
	if n := len(idle); n > 0 {
		foot = "Without a target: " + strings.Join(idle[:min(n, inList)], "; ")
		if n > inList {
			foot += "; and " + count(n-inList) + " more"
		}
		foot += "."
	}
	if !d.shallow() || len(list) <= inGlance {
		return list, foot
	}
	slices.SortStableFunc(list, worseRollUp)
	return list[:inGlance], strings.TrimSpace(leftOut(len(list)-inGlance, "unit") + " " + foot)
}

// worseRollUp puts what is behind first; what could not be judged comes last, as
// there is nothing to say about it.
func worseRollUp(x, y RollUp) int {
	rank := func(r RollUp) int {
		if r.Status == gap.NoData {
			return 9
		}
		return gravity(r.Status)
	}
	return cmp.Or(cmp.Compare(rank(x), rank(y)), compareAbsentLast(x.Score, y.Score, 1), -cmp.Compare(x.Targets, y.Targets))
}

func leftOut(n int, noun string) string {
	return fmt.Sprintf("The worst stand first; the report for owners has %s.", plural(n, "more "+noun))
}

// few are the names that are shown of a long list, and how many more there are.
func (d *Document) few(names []string) ([]string, string) {
	if !d.shallow() || len(names) <= inList {
		return names, ""
	}
	return names[:inList], fmt.Sprintf("… and %s more.", count(len(names)-inList))
}

// issuesOf are the issues of a kind that are shown, and how many more there are.
func (d *Document) issuesOf(kind string) ([]Issue, string) {
	var list []Issue
	for _, i := range d.Quality {
		if i.Kind == kind {
			list = append(list, i)
		}
	}
	if !d.shallow() || len(list) <= inList {
		return list, ""
	}
	return list[:inList], fmt.Sprintf("… and %s more.", count(len(list)-inList))
}

// countIssues is how many issues of a kind there are.
func (d *Document) countIssues(kind string) int {
	n := 0
	for _, i := range d.Quality {
		if i.Kind == kind {
			n++
		}
	}
	return n
}

// fallsShown are the objectives whose waterfalls are drawn: for a board those with
// most left unfunded, and how many more there are.
func (d *Document) fallsShown() ([]CoveredObjective, string) {
	list := d.Coverage.Objectives
	if !d.shallow() || len(list) <= inList {
		return list, ""
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y CoveredObjective) int { return cmp.Compare(y.Unfunded, x.Unfunded) })
	return list[:inList], fmt.Sprintf("The least funded; the report for owners has %s.", plural(len(list)-inList, "more objective"))
}

// coveredShown are the targets of the table of coverage, worst first, and how many
// more there are.
func (d *Document) coveredShown() ([]CoveredTarget, string) {
	list := d.Coverage.Targets
	if !d.shallow() || len(list) <= inGlance {
		return list, ""
	}
	return list[:inGlance], leftOut(len(list)-inGlance, "target")
}
