// Package importer reads a file of KPI tables by a mapping.
//
// It joins what its folders hold: workbook reads rows, mapping says what they
// are, cell reads what people type into cells, convert makes manifests and
// observations of it, guess proposes a mapping.
package importer

import (
	"regexp"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/convert"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/fault"
)

// every is after how many rows progress is told.
const every = 1000

// Read reads the sheets that the mapping names. progress, if there is one, is
// told now and then how many rows have been read; it ends the reading by false. The error is a *fault.Error.
func Read(b *workbook.Book, m mapping.Mapping, o convert.Options, progress func(rows int) bool) (*convert.Converter, error) {
	c := convert.New(m, o)
	rows := 0
	for i, s := range m.Sheets {
		sheets, err := pick(b, s, i)
		if err != nil {
			return nil, err
		}
		for _, sheet := range sheets {
			t := c.Sheet(s, sheet.Name)
			for row, err := range sheet.Rows() {
				if err != nil {
					return nil, err
				}
				if err := t.Row(row); err != nil {
					return nil, err
				}
				if rows++; progress != nil && rows%every == 0 && !progress(rows) {
					return nil, fault.New(fault.Unavailable, "import.interrupted", "interrupted")
				}
			}
			if err := t.End(); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// pick finds the sheets that entry i of the mapping names.
func pick(b *workbook.Book, s mapping.Sheet, i int) ([]workbook.Sheet, error) {
	if b.Format == "csv" {
		return b.Sheets, nil
	}
	var out []workbook.Sheet
	var names []string
	match := regexp.MustCompile(s.Match)
	for _, sheet := range b.Sheets {
		names = append(names, strconv.Quote(sheet.Name))
		switch {
		case s.Name != "" && strings.EqualFold(strings.TrimSpace(sheet.Name), strings.TrimSpace(s.Name)),
			s.Match != "" && match.MatchString(sheet.Name),
			s.Name == "" && s.Match == "" && len(out) == 0 && !sheet.Hidden:
			out = append(out, sheet)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "import.mapping_differs", "the workbook has no sheet for sheets[%d] of the mapping", i).
			WithHint("it has %s", strings.Join(names, ", "))
	}
	return out, nil
}
