package convert

import (
	"fmt"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/fault"
)

// number is a value with what stood beside it.
type number struct {
	value          float64 // a percentage is a fraction
	percent        bool
	currency, unit string
	sign           string // of the currency, where others have it, too
	bound          string
	counted        bool     // in a power of ten that a word says: 13 lakh
	mark           string   // of a footnote
	high           *float64 // of a range, whose lower end is value
	yes            bool     // it is a yes or a no, 1 or 0
	ratio          bool     // it was two numbers with a colon between
	text           string   // what was written, where that is not the number alone
}

// number reads a cell of a value column; there is false where it says that there
// is no value. why is why it is not understood.
func (t *table) number(c workbook.Cell) (n number, there bool, why string) {
	switch c.Kind {
	case workbook.Empty:
		return n, false, ""
	case workbook.Number:
		n = number{value: c.Number, percent: c.Percent, currency: c.Currency}
		if c.Percent {
			n.text = strings.Clone(c.Text)
		}
		return n, true, ""
	case workbook.Date:
		return n, false, "a date where a number is expected"
	case workbook.Bool:
		return number{value: c.Number, yes: true, text: strings.Clone(c.Text)}, true, ""
	case workbook.Error:
		if cell.Missing(c.Text, t.conv.m.Missing...) {
			return n, false, ""
		}
		if strings.HasPrefix(c.Text, "=") {
			return n, false, "the formula has no value in the file: open and save it in a spreadsheet program"
		}
		return n, false, "the cell is an error of the spreadsheet"
	}
	if cell.Missing(c.Text, t.conv.m.Missing...) {
		return n, false, ""
	}
	if v, ok := cell.ParseYes(c.Text); ok {
		n = number{yes: true, text: strings.Clone(c.Written())}
		if v {
			n.value = 1
		}
		return n, true, ""
	}
	got, err := cell.ParseNumber(c.Text, t.locale)
	if err != nil {
		low, high, ranged := cell.ParseRange(c.Text, t.locale)
		if ranged != nil {
			return n, false, reason(err)
		}
		got = low
		got.Mark = high.Mark
		v := high.Value
		if high.Percent {
			v = hundredth(v)
		}
		n.high = &v
	}
	n = number{value: got.Value, percent: got.Percent, currency: got.Currency, sign: got.Sign, unit: got.Unit, bound: got.Bound, mark: got.Mark, counted: got.Magnitude > 0, high: n.high}
	if n.percent {
		n.value = hundredth(got.Value)
	}
	if written := c.Written(); written != display(n.value) {
		n.text = strings.Clone(written) // of a row that is not kept
	}
	return n, true, ""
}

// hundredth moves the digits: 7.75 / 100 is not always the nearest to 0.0775.
func hundredth(v float64) float64 {
	if moved, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 64)+"e-2", 64); err == nil {
		return moved
	}
	return v / 100
}

// reason is an error in words, without the cell's text, which stands beside it.
func reason(err error) string {
	if e, ok := err.(*fault.Error); ok {
		if e.Hint != "" {
			return e.Message + "; " + e.Hint
		}
		return e.Message
	}
	return err.Error()
}

var percentWords = map[string]bool{
	"%": true, "percent": true, "percentage": true, "per cent": true, "pct": true, "prozent": true, "pourcentage": true, "pour cent": true,
	"porcentaje": true, "por ciento": true, "percentagem": true, "porcentagem": true, "por cento": true, "procent": true, "prosent": true,
	"percentuale": true, "procenty": true, "proc.": true, "v.h.": true, "百分比": true, "(%)": true, "in prozent": true, "in percent": true, "% points": false, "per cento": true, "percentages": true, "in %": true, "en %": true, "percentaje": true,
}

func isPercent(unit string) bool {
	return percentWords[strings.ReplaceAll(fold(unit), "％", "%")]
}

// sameUnit compares units without regard to case, points and a plural's s.
func sameUnit(a, b string) bool {
	plain := func(s string) string { return strings.TrimSuffix(strings.Trim(fold(s), ". "), "s") }
	return plain(a) == plain(b)
}

// Trouble is a cell, or a row, that was not understood or contradicts another.
type Trouble struct {
	Sheet string `json:"sheet,omitempty"`
	Row   int    `json:"row,omitempty"`    // from 1; 0 for the whole sheet
	Cell  string `json:"column,omitempty"` // the column's letter, or empty for the row
	Field string `json:"header,omitempty"` // the column's header
	// Content is what stands there.
	Content string `json:"content"`
	// Why it is not in the result.
	Why string `json:"why"`
}

// String is the trouble in one line.
func (t Trouble) String() string {
	place := t.Sheet
	if place != "" {
		place += "!"
	}
	if t.Row > 0 {
		place += t.Cell + strconv.Itoa(t.Row)
	} else {
		place += t.Cell
	}
	return fmt.Sprintf("%s %q %q: %s", place, t.Field, t.Content, t.Why)
}
