package workbook

import (
	"fmt"
	"math"
	"strconv"

	"setpoint.dev/services/internal/calendar"
)

// Kind is what a cell holds.
type Kind uint8

// The kinds. A CSV file has Empty and Text only: what a text means is for
// whoever reads it.
const (
	Empty Kind = iota
	Text
	Number
	Date
	Bool
	Error // #DIV/0!, #N/A …
)

// Cell is one cell.
type Cell struct {
	Kind Kind
	// Text is what stands in the cell: of a Number the shortest decimal form (of
	// a percentage with its sign, 7.75%), of a Date YYYY-MM-DD, or YYYY-MM and
	// YYYY where its format shows no more.
	Text string
	// Raw is the text as the file has it where Text has been cleaned of what an
	// export left in it.
	Raw string
	// Number is the value of a Number; a percentage is a fraction (0.0775).
	Number  float64
	Percent bool // the number is shown as a percentage
	// Currency is the sign or the ISO 4217 code in a number's format, if any.
	Currency string
	Date     calendar.Date
	// Merged: the cell is covered by a merged one, whose content it repeats.
	Merged bool
}

// Written is what stands in the cell as the file has it.
func (c Cell) Written() string {
	if c.Raw != "" {
		return c.Raw
	}
	return c.Text
}

// Row is one row that is not empty.
type Row struct {
	Number int // from 1, as a spreadsheet program shows it; in CSV the record's
	Line   int // of a CSV file, the line on which the record begins; else 0
	Cells  []Cell
	// Hidden: the spreadsheet program does not show the row.
	Hidden bool

	hidden [][2]int // columns that it does not show, from and to
}

// HidesColumn reports whether a spreadsheet program does not show a column, from 0.
func (r Row) HidesColumn(column int) bool {
	for _, h := range r.hidden {
		if h[0] <= column && column <= h[1] {
			return true
		}
	}
	return false
}

// At is the cell in a column, from 0; Empty beyond the last.
func (r Row) At(column int) Cell {
	if column < 0 || column >= len(r.Cells) {
		return Cell{}
	}
	return r.Cells[column]
}

// Blank reports whether no cell says anything.
func (r Row) Blank() bool {
	for _, c := range r.Cells {
		if c.Kind != Empty {
			return false
		}
	}
	return true
}

// Letter is the name of a column, from 0: A, B, … AA.
func Letter(column int) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}

// Column is the number, from 0, of a column's name; -1 if it is none.
func Column(letter string) int {
	n := 0
	for _, r := range letter {
		if r < 'A' || r > 'Z' || n > maxColumns {
			return -1
		}
		n = n*26 + int(r-'A') + 1
	}
	return n - 1
}

func numberCell(v float64, f format) Cell {
	if f.clock && v >= 0 && v < 40_000 {
		// What counts days is shown as hours, minutes and seconds, and read as such.
		s := int64(math.Round(v * 86400))
		return Cell{Kind: Text, Text: fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)}
	}
	c := Cell{Kind: Number, Number: v, Percent: f.percent, Currency: f.currency}
	if f.percent {
		// 0.07 × 100 is 7.000000000000001; the digits of the fraction are moved.
		p, _ := strconv.ParseFloat(fmt.Sprintf("%.13g", v*100), 64)
		c.Text = strconv.FormatFloat(p, 'f', -1, 64) + "%"
		return c
	}
	c.Text = strconv.FormatFloat(v, 'f', -1, 64)
	return c
}
