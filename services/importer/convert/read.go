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
	bound          string
	text           string // what was written, where that is not the number alone
}

// number reads a cell of a value column; there is false where it says that there
// is no value. why is why it is not understood.
func (t *table) number(c workbook.Cell) (n number, there bool, why string) {
	switch c.Kind {
	case workbook.Empty:
		return n, false, ""
	case workbook.Number:
		return number{value: c.Number, percent: c.Percent, currency: c.Currency}, true, ""
	case workbook.Date:
		return n, false, "a date where a number is expected"
	case workbook.Bool:
		return n, false, "true or false where a number is expected"
	case workbook.Error:
		if cell.Missing(c.Text, t.conv.m.Missing...) {
			return n, false, ""
		}
		return n, false, "the cell is an error of the spreadsheet"
	}
	if cell.Missing(c.Text, t.conv.m.Missing...) {
		return n, false, ""
	}
	got, err := cell.ParseNumber(c.Text, t.locale)
	if err != nil {
		return n, false, reason(err)
	}
	n = number{value: got.Value, percent: got.Percent, currency: got.Currency, unit: got.Unit, bound: got.Bound}
	if n.percent {
		// The digits are moved: 7.75 / 100 is not always the nearest to 0.0775.
		if v, err := strconv.ParseFloat(strconv.FormatFloat(got.Value, 'g', -1, 64)+"e-2", 64); err == nil {
			n.value = v
		} else {
			n.value = got.Value / 100
		}
	}
	if c.Text != display(n.value) {
		n.text = strings.Clone(c.Text) // of a row that is not kept
	}
	return n, true, ""
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
	"percentuale": true, "per cento": true, "percentages": true, "in %": true, "en %": true, "percentaje": true,
}

func isPercent(unit string) bool { return percentWords[fold(unit)] }

// sameUnit compares units without regard to case, points and a plural's s.
func sameUnit(a, b string) bool {
	plain := func(s string) string { return strings.TrimSuffix(strings.Trim(fold(s), ". "), "s") }
	return plain(a) == plain(b)
}

// kinds are words of the column that says what a value is.
var kinds = map[string]string{
	"target": "target", "targets": "target", "goal": "target", "plan": "target", "planned": "target", "budget": "target", "soll": "target",
	"ziel": "target", "zielwert": "target", "cible": "target", "objectif": "target", "prévu": "target", "meta": "target", "programado": "target",
	"planeado": "target", "previsto": "target", "doel": "target", "streefwaarde": "target", "mål": "target", "obiettivo": "target", "projected": "target",
	"actual": "actual", "actuals": "actual", "result": "actual", "achieved": "actual", "ist": "actual", "istwert": "actual", "réalisé": "actual",
	"réel": "actual", "résultat": "actual", "real": "actual", "resultado": "actual", "ejecutado": "actual", "realizado": "actual", "executado": "actual",
	"executed": "actual", "realisatie": "actual", "utfall": "actual", "consuntivo": "actual", "risultato": "actual", "observed": "actual",
	"baseline": "baseline", "basis": "baseline", "référence": "baseline", "línea base": "baseline", "linha de base": "baseline",
	"min": "min", "minimum": "min", "max": "max", "maximum": "max",
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
