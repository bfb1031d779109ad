package convert

import (
	"fmt"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/workbook"
)

// colon reads a cell with two numbers and a colon between them for its measure:
// a ratio, or where the unit is one of time a duration. found is false where there
// is no such thing in the cell; why is why it is not read.
func (t *table) colon(m *measure, c workbook.Cell) (n number, found bool, why string) {
	r, ok := cell.ParseRatio(c.Text, t.locale)
	if c.Kind != workbook.Text || !ok {
		return n, false, ""
	}
	seconds, time := cell.TimeUnit(m.said)
	text := strings.Clone(c.Written())
	switch {
	case r.Clock && time && (seconds == 3600 || seconds == 60): // hours and minutes, or minutes and seconds
		return number{value: r.Left + r.Right/60, text: text}, true, ""
	case time:
		return n, true, fmt.Sprintf("two numbers with a colon, but the unit of the measure is %q", m.said)
	case r.Clock && !cell.SaysRatio(m.said) && !cell.SaysRatio(m.title):
		return n, true, "it may be a ratio or a time: the unit of measure says which (ratio, h or min)"
	}
	v, form := r.Value()
	switch {
	case form != "" && m.ratio != "" && m.ratio != form:
		return n, true, fmt.Sprintf("other ratios of the measure are written %s", m.ratio)
	case m.plains > 0 || m.percents > 0:
		return n, true, "it is a ratio, and other values of the measure are plain numbers"
	case m.said != "" && !m.saidByColumn:
		return n, true, fmt.Sprintf("it is a ratio, and the unit is %q elsewhere", m.said)
	}
	if form != "" {
		m.ratio = form
	}
	m.ratios++
	return number{value: v, ratio: true, text: text}, true, ""
}

// ratioUnit is the unit of a measure whose values are ratios: what is said, and
// which side of them is one.
func (m *measure) ratioUnit() string {
	form := m.ratio
	if form == "" {
		form = cell.ToOne // all are 1:1
	}
	if m.said == "" || strings.Contains(strings.ToLower(strings.ReplaceAll(m.said, " ", "")), form) {
		return form
	}
	return m.said + " (" + form + ")"
}

// isYes reports whether the measure's values are yes or no: some are, and the
// others can be, 0 and 1.
func (m *measure) isYes() bool { return m.yeses > 0 && m.others == 0 }

// spoken is why a yes or a no is not a value of its measure.
func (m *measure) spoken(o origin) string {
	if o.yes && !m.isYes() {
		return "yes or no where other values of the measure are numbers"
	}
	return ""
}
