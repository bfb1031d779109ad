package guess

import (
	"slices"
	"strings"

	"setpoint.dev/services/importer/cell"
)

// segment is a part of a sheet that holds one table: the rows outside it are
// empty, so that rows keep their numbers.
type segment struct {
	grid        Grid
	first, last int // rows, from 0, inclusive
}

// segments parts a sheet at the headers of further tables below the first: rows
// that name measures and values in other words than the header above them, behind
// an empty row or a title. Headers that are repeated are of one table.
func segments(g Grid) []segment {
	var starts []int
	var before []string
	for i := range g {
		head := headAt(g, i)
		if head == nil || slices.Equal(head, before) {
			continue
		}
		before = head
		at := i
		for at > 0 && isGroups(g[at-1]) {
			at--
		}
		for at > 0 && loneText(g[at-1]) != "" {
			at-- // its title
		}
		starts = append(starts, at)
	}
	if len(starts) < 2 || len(starts) > mostSegments {
		return []segment{{g, 0, len(g) - 1}}
	}
	starts[0] = 0
	var out []segment
	for n, from := range starts {
		end := len(g)
		if n+1 < len(starts) {
			end = starts[n+1]
		}
		part := slices.Clone(g[:end])
		for i := range from {
			part[i] = nil
		}
		last := end - 1
		for last > from && blank(g[last]) {
			last--
		}
		out = append(out, segment{part, from, last})
	}
	return out
}

// mostSegments is how many tables are looked for in one sheet.
const mostSegments = 30

// headAt is what row i says where it is the header of a table, or else nil.
func headAt(g Grid, i int) []string {
	row := g[i]
	// It stands at the top, below an empty row or a title, or below a row of groups
	// that does: most rows of data end here.
	top := func(i int) bool { return i == 0 || blank(g[i-1]) || loneText(g[i-1]) != "" }
	if !top(i) && !(top(i-1) && isGroups(g[i-1])) || !headerLike(row) {
		return nil
	}
	names, values := 0, 0
	head := make([]string, 0, len(row))
	for _, t := range row {
		head = append(head, normalize(t))
		if t == "" || len([]rune(t)) > 60 {
			continue
		}
		if when, _, ok := dated(t, cell.Locale{}); ok && (when.Period != "" || when.part() != "") || kindOf(withoutUnit(t)) != "" {
			values++
			continue
		}
		for _, r := range []Role{Name, ID, Objective, Unit, Measure} {
			if s, _ := headerScore(withoutUnit(t), r); s >= 0.65 {
				names++
				break
			}
		}
	}
	if names == 0 || values == 0 || names+values < 3 {
		return nil
	}
	for len(head) > 0 && head[len(head)-1] == "" {
		head = head[:len(head)-1]
	}
	return head
}

func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(t string) bool { return strings.TrimSpace(t) != "" })
}
