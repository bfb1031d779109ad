package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// The pictures of acts need this many columns, and have another form for narrower
// terminals, in which what stands beside a drawing stands below it: it fits 40.
const (
	wideTimeline = 120
	wideStages   = 110
	wideForces   = 92
	wideElements = 72
)

// narrow tells whether a terminal is too narrow for a picture; 0 is no terminal,
// and as wide as it takes.
func narrow(width, needs int) bool { return width > 0 && width < needs }

// flow indents text and breaks it at blanks, so that it fits the terminal.
func flow(indent, s string, width int) string {
	if width <= 0 {
		return indent + s + "\n"
	}
	var b strings.Builder
	for _, l := range wrapped(s, max(10, width-len(indent))) {
		b.WriteString(indent + l + "\n")
	}
	return b.String()
}

// labelled is a label with a value that goes on below itself where it is longer
// than the terminal is wide.
func labelled(label, value string, width int, color paint) string {
	if value == "" {
		return ""
	}
	if label != "" {
		label += ":"
	}
	lines := []string{value}
	if width > 0 {
		lines = wrapped(value, max(10, width-14))
	}
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&b, "%s%s\n", color.with(bold, fmt.Sprintf("%-14s", label)), l)
	}
	return b.String()
}

// tooNarrow tells that a table does not fit, with its columns shortened as far as
// they like to be and without those that may be left out.
func tooNarrow(columns []column, rows [][]string, width int) bool {
	least := -2
	for i, w := range cellWidths(columns, rows) {
		switch c := columns[i]; {
		case c.Drop > 0:
		case c.Shrink > 0:
			least += 2 + min(w, c.Shrink)
		default:
			least += 2 + w
		}
	}
	return width > 0 && least > width
}

// stacked is a table as its rows one below the other, each with a line for each
// cell that says something.
func stacked(columns []column, rows [][]string, width int, color paint) string {
	labels := 0
	for _, c := range columns {
		labels = max(labels, text.StringWidthWithoutEscSequences(c.Title))
	}
	var b strings.Builder
	for i, r := range rows {
		if i > 0 {
			b.WriteString("\n")
		}
		for j, c := range columns {
			if r[j] == "" {
				continue
			}
			room := max(10, width-labels-2)
			for k, l := range wrapped(r[j], room) {
				title := c.Title
				if k > 0 {
					title = ""
				}
				fmt.Fprintf(&b, "%s  %s\n", color.with(bold, fmt.Sprintf("%-*s", labels, title)), c.fit(l, room))
			}
		}
	}
	return b.String()
}
