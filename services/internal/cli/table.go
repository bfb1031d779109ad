package cli

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// column of a table. Where the terminal is too narrow, the columns with
// Shrink > 0 are shortened, never below that width; where that is not enough,
// the columns with Drop > 0 are left out, the lowest first. Where there is no
// terminal, Cap bounds a column of prose, so that one long title does not pad
// every line.
type column struct {
	Title  string
	Right  bool // numbers
	Shrink int
	Drop   int
	Cap    int
	Name   bool // is cut in its middle: names often differ only at their end
}

// fit shortens a cell to width columns.
func (c column) fit(cell string, width int) string {
	if c.Name {
		return clipMiddle(cell, width)
	}
	return clip(cell, width)
}

// renderTable aligns rows under their titles, two spaces apart, without
// borders. width is that of the terminal, 0 if there is no limit. Where it is too
// narrow, the rows stand one below the other: what is said stays readable.
func renderTable(columns []column, rows [][]string, width int, color paint) string {
	if tooNarrow(columns, rows, width) {
		return stacked(columns, rows, width, color)
	}
	widths := cellWidths(columns, rows)
	for i, c := range columns {
		if width <= 0 && c.Cap > 0 {
			widths[i] = min(widths[i], c.Cap)
		}
	}
	if drop := tooMany(columns, widths, width); drop >= 0 {
		narrower := make([][]string, len(rows))
		for i, r := range rows {
			narrower[i] = slices.Delete(slices.Clone(r), drop, drop+1)
		}
		return renderTable(slices.Delete(slices.Clone(columns), drop, drop+1), narrower, width, color)
	}
	shrink(columns, widths, width)

	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	configs := make([]table.ColumnConfig, len(columns))
	header := make(table.Row, len(columns))
	for i, c := range columns {
		configs[i] = table.ColumnConfig{Number: i + 1}
		if c.Right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
		header[i] = color.with(bold, clip(c.Title, widths[i]))
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, r := range rows {
		row := make(table.Row, len(r))
		for i, cell := range r {
			row[i] = columns[i].fit(cell, widths[i])
		}
		t.AppendRow(row)
	}
	lines := strings.Split(t.Render(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func cellWidths(columns []column, rows [][]string) []int {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = text.StringWidthWithoutEscSequences(c.Title)
		for _, r := range rows {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(r[i]))
		}
	}
	return widths
}

// tooMany is the column to leave out, -1 if all fit once shortened or nothing
// more can be left out.
func tooMany(columns []column, widths []int, width int) int {
	total, drop := 2*(len(columns)-1), -1
	for i, c := range columns {
		if c.Shrink > 0 {
			total += min(widths[i], c.Shrink)
		} else {
			total += widths[i]
		}
		if c.Drop > 0 && (drop < 0 || c.Drop < columns[drop].Drop) {
			drop = i
		}
	}
	if width <= 0 || total <= width {
		return -1
	}
	return drop
}

// shrink takes columns from the widest shrinkable column until all fits.
func shrink(columns []column, widths []int, width int) {
	if width <= 0 {
		return
	}
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i, c := range columns {
			if c.Shrink > 0 && widths[i] > c.Shrink && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}
