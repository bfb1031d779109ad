// Package sheet writes CSV (RFC 4180, UTF-8) that spreadsheets open as data and
// never run.
//
// Invariants:
//   - A number is the shortest text that reads back as the same number: no
//     thousands separators, no unit, no magnitude. An unknown number is an empty
//     cell.
//   - A text that a spreadsheet would take for a formula (it begins with = + - @,
//     a tab or a line break) gets an apostrophe in front, as OWASP advises
//     against CSV injection; Plain takes it away again, so that no text is lost.
//   - Every row has as many cells as the header; lines end in CRLF.
package sheet

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sheet is a table under construction.
type Sheet struct {
	b       bytes.Buffer
	columns int
	cells   int // of the row being written
}

// New begins a table with a header. Column names are ours: plain words.
func New(columns ...string) *Sheet {
	s := &Sheet{columns: len(columns)}
	for _, c := range columns {
		s.cell(c)
	}
	s.End()
	return s
}

// Text adds a cell of text.
func (s *Sheet) Text(v string) { s.cell(Inert(v)) }

// Number adds a cell with a number; nil or what is not finite is unknown.
func (s *Sheet) Number(v *float64) {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		s.cell("")
		return
	}
	s.cell(Digits(*v))
}

// Integer adds a cell with a whole number.
func (s *Sheet) Integer(v int64) { s.cell(strconv.FormatInt(v, 10)) }

// Bool adds true or false.
func (s *Sheet) Bool(v bool) { s.cell(strconv.FormatBool(v)) }

// End ends a row. It panics if the row has not as many cells as the header: a
// shifted column is worse than no table.
func (s *Sheet) End() {
	if s.cells != s.columns {
		panic(fmt.Sprintf("sheet: a row of %d cells under %d columns", s.cells, s.columns))
	}
	s.cells = 0
	s.b.WriteString("\r\n")
}

// Bytes is the table as far as it has been written.
func (s *Sheet) Bytes() []byte { return s.b.Bytes() }

func (s *Sheet) cell(text string) {
	if s.cells > 0 {
		s.b.WriteByte(',')
	}
	s.cells++
	text = strings.ToValidUTF8(text, "\uFFFD")
	// A single empty cell would be an empty line, which readers pass over.
	if text == "" && s.columns == 1 || strings.ContainsAny(text, "\",\r\n") || text != strings.TrimSpace(text) {
		s.b.WriteString(`"` + strings.ReplaceAll(text, `"`, `""`) + `"`)
		return
	}
	s.b.WriteString(text)
}

// Digits is a number with every digit and without an exponent where one can do
// without. It never shows a negative zero.
func Digits(v float64) string {
	if v == 0 {
		return "0"
	}
	if size := math.Abs(v); size < 1e-9 || size >= 1e21 {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

const starters = "=+-@\t\r\n＝＋－＠"

// risky reports whether a spreadsheet might run text, or has it quoted already.
func risky(text string) bool {
	text = strings.TrimLeft(text, "'")
	return text != "" && strings.ContainsRune(starters, []rune(text)[0])
}

// Inert is text with an apostrophe in front if a spreadsheet might run it.
func Inert(text string) string {
	if risky(text) {
		return "'" + text
	}
	return text
}

// Plain gives back what Inert was given.
func Plain(cell string) string {
	if rest, quoted := strings.CutPrefix(cell, "'"); quoted && risky(rest) {
		return rest
	}
	return cell
}
