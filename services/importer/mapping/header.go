package mapping

import (
	"strings"

	"setpoint.dev/services/importer/cell"
)

// Levels are what the rows of a header say of each column, from the top: the year
// above its target and its actual. A text holds for the empty cells to its right
// as long as the lowest row says something there; one that stands in several
// cells, as merged ones do, ends where it ends. The lowest row holds for its own
// columns alone, and what a row repeats of the one above is left out.
//
// Signs of footnotes are no part of it: the next edition may have others.
func Levels(rows [][]string) [][]string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	text := func(row, col int) string {
		if col < 0 || col >= len(rows[row]) {
			return ""
		}
		return HeaderText(rows[row][col])
	}
	out, joined := make([][]string, width), make([]string, width)
	for i := range rows {
		above := ""
		last := i == len(rows)-1
		for c := range width {
			s := text(i, c)
			if s == "" && text(i, c-1) != "" && text(i, c-1) == text(i, c-2) {
				above = "" // it stood in as many cells as it holds for
			}
			if s == "" && !last && above != "" && text(len(rows)-1, c) != "" {
				s = above
			}
			if s == "" {
				continue
			}
			above = s
			if !strings.HasSuffix(joined[c], s) {
				out[c] = append(out[c], s)
				joined[c] = strings.TrimSpace(joined[c] + " " + s)
			}
		}
	}
	return out
}

// Headers are the levels of each column, joined by a blank: what Column.Header
// and Match look at.
func Headers(rows [][]string) []string {
	levels := Levels(rows)
	out := make([]string, len(levels))
	for i, l := range levels {
		out[i] = strings.Join(l, " ")
	}
	return out
}

// HeaderText is a cell of a header as headers are compared: on one line, and
// without the signs of footnotes.
func HeaderText(text string) string {
	return cell.CutHeaderMarks(strings.Join(strings.Fields(text), " "))
}
