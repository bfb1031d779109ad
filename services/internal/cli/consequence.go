package cli

import (
	"fmt"
	"math"
	"strings"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// consequenceSheet has a column for each side, for programs.
func consequenceSheet(c *gapv1.Consequences) (columns []column, rows [][]string) {
	for _, title := range []string{"WHAT", "STATUS BEFORE", "STATUS AFTER", "GAP BEFORE", "GAP AFTER", "UNCOVERED BEFORE", "UNCOVERED AFTER", "SCORE BEFORE", "SCORE AFTER",
		"ATTAINED BEFORE", "ATTAINED AFTER", "WITH INITIATIVES BEFORE", "WITH INITIATIVES AFTER", "WITH READINESS BEFORE", "WITH READINESS AFTER"} {
		columns = append(columns, column{Title: title})
	}
	row := func(what, before, after string, numbers ...*float64) {
		r := []string{what, before, after}
		for _, v := range numbers {
			r = append(r, optional(v, exactNumber))
		}
		rows = append(rows, r)
	}
	for _, t := range c.GetTargets() {
		row("target/"+t.GetTarget(), t.GetStatusBefore(), t.GetStatusAfter(), t.GapBefore, t.GapAfter, t.ResidualBefore, t.ResidualAfter, nil, nil,
			t.AttainmentBefore, t.AttainmentAfter, t.WithInitiativesBefore, t.WithInitiativesAfter, t.WithReadinessBefore, t.WithReadinessAfter)
	}
	rollUps := func(kind string, list []*gapv1.RollUpConsequence) {
		for _, r := range list {
			row(kind+"/"+r.GetName(), r.GetStatusBefore(), r.GetStatusAfter(), nil, nil, nil, nil, r.ScoreBefore, r.ScoreAfter, nil, nil, nil, nil, nil, nil)
		}
	}
	rollUps("objective", c.GetObjectives())
	rollUps("strategy", c.GetStrategies())
	rollUps("unit", c.GetUnits())
	return columns, rows
}

// noticed is from when on a difference of a probability or a score is worth a line
// of a plan.
const noticed = 0.005

// consequenceRows shows what differs, targets first; with brief only what flips,
// and probabilities and scores that move by what can be noticed. New targets have a
// line of their own in full only.
func consequenceRows(c *gapv1.Consequences, brief bool, color paint) (columns []column, rows [][]string, left int) {
	columns = []column{
		{Title: "WHAT", Shrink: 16, Name: true}, {Title: "STATUS"}, {Title: "GAP", Drop: 3}, {Title: "UNCOVERED", Drop: 2}, {Title: "SCORE", Drop: 4},
		{Title: "ATTAINED", Drop: 6}, {Title: "WITH INITIATIVES", Drop: 7}, {Title: "WITH READINESS", Drop: 5},
	}
	for _, t := range c.GetTargets() {
		flips := t.GetStatusBefore() != t.GetStatusAfter()
		if brief && (t.GetStatusBefore() == "" || !flips && !moves(t.AttainmentBefore, t.AttainmentAfter) &&
			!moves(t.WithInitiativesBefore, t.WithInitiativesAfter) && !moves(t.WithReadinessBefore, t.WithReadinessAfter)) {
			if t.GetStatusBefore() != "" {
				left++
			}
			continue
		}
		rows = append(rows, []string{
			"target/" + printable(t.GetTarget()), turned(t.GetStatusBefore(), t.GetStatusAfter(), color),
			both(t.GapBefore, t.GapAfter, formatNumber), both(t.ResidualBefore, t.ResidualAfter, formatNumber), "",
			both(t.AttainmentBefore, t.AttainmentAfter, formatPercent), both(t.WithInitiativesBefore, t.WithInitiativesAfter, formatPercent),
			both(t.WithReadinessBefore, t.WithReadinessAfter, formatPercent),
		})
	}
	rollUps := func(kind string, list []*gapv1.RollUpConsequence) {
		for _, r := range list {
			if brief && (r.GetStatusBefore() == "" || r.GetStatusBefore() == r.GetStatusAfter() && !moves(r.ScoreBefore, r.ScoreAfter)) {
				continue
			}
			rows = append(rows, []string{
				kind + "/" + printable(r.GetName()), turned(r.GetStatusBefore(), r.GetStatusAfter(), color), "", "",
				both(r.ScoreBefore, r.ScoreAfter, scoreText(r.ScoreBefore, r.ScoreAfter)), "", "", "",
			})
		}
	}
	rollUps("objective", c.GetObjectives())
	rollUps("strategy", c.GetStrategies())
	rollUps("unit", c.GetUnits())
	return columns, rows, left
}

// scoreText has more digits where two would look the same.
func scoreText(a, b *float64) func(float64) string {
	digits := 2
	if a != nil && b != nil && fmt.Sprintf("%.2f", *a) == fmt.Sprintf("%.2f", *b) {
		digits = 4
	}
	return func(v float64) string { return fmt.Sprintf("%.*f", digits, v) }
}

func moves(a, b *float64) bool {
	return (a == nil) != (b == nil) || a != nil && math.Abs(*a-*b) >= noticed
}

// turned is a status before and after; one alone where it is the same.
func turned(before, after string, color paint) string {
	switch {
	case before == after:
		return statusText(before, color)
	case before == "":
		return "new: " + statusText(after, color)
	case after == "":
		return statusText(before, color) + " → gone"
	}
	return statusText(before, color) + " → " + statusText(after, color)
}

// both is a number before and after, "-" where it is not known; one alone where it
// is shown the same.
func both(before, after *float64, format func(float64) string) string {
	if before == nil && after == nil {
		return ""
	}
	a, b := "-", "-"
	if before != nil {
		a = format(*before)
	}
	if after != nil {
		b = format(*after)
	}
	if a == b {
		return a
	}
	return a + " → " + b
}

// newTargets counts the statuses of targets that are not there yet.
func newTargets(c *gapv1.Consequences) string {
	n, of := 0, map[string]int{}
	for _, t := range c.GetTargets() {
		if t.GetStatusBefore() == "" {
			n++
			of[t.GetStatusAfter()]++
		}
	}
	if n == of["no_data"]+of["not_started"] {
		return "" // what is new has no data: no reader is told that
	}
	var parts []string
	for _, s := range statusStyles {
		if of[s.status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", of[s.status], s.word))
		}
	}
	return counted(n, "new target", "new targets") + ": " + strings.Join(parts, ", ")
}

// renderConsequences shows what a change would bring about; "" where that is
// nothing that a plan is read for.
func renderConsequences(c *gapv1.Consequences, brief bool, width int, color paint) string {
	if c == nil {
		return ""
	}
	columns, rows, left := consequenceRows(c, brief, color)
	var lines []string
	if brief {
		if s := newTargets(c); s != "" {
			lines = append(lines, s)
		}
		if left > 0 {
			lines = append(lines, fmt.Sprintf("%s by less: setpoint whatif -f shows all", counted(left, "target differs", "targets differ")))
		}
	}
	if n := c.GetUnforecast(); n > 0 {
		lines = append(lines, fmt.Sprintf("probabilities left out: %d targets are too many to forecast before and after", n))
	}
	if len(rows) == 0 && (len(lines) == 0 || brief && len(c.GetTargets()) == left) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", color.with(bold, fmt.Sprintf("Consequences as of %s, policy %s:", c.GetAsOf(), printable(c.GetPolicy()))))
	if len(rows) > 0 {
		b.WriteString(indent(renderTable(dropEmpty(columns, rows, narrower(width), color))))
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	return b.String()
}

// indent moves lines to the right by two.
func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

// narrower is what is left of a terminal for indented lines; 0: no limit.
func narrower(width int) int {
	if width <= 0 {
		return 0
	}
	return max(1, width-2)
}
