package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"setpoint.dev/services/internal/fault"
)

// filledIn is a workbook with a sheet of what is due, changed by somebody.
func filledIn(t *testing.T, change func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetSheetName("Sheet1", dueSheet); err != nil {
		t.Fatal(err)
	}
	rows := [][]any{
		{dueMetric, duePeriod, dueLast, dueTarget, dueTargets, dueValue, dueConfidence, dueNote},
		{"vacant", "2026-02", .058, .03, "less-vacant"},
		{"visits", "2026-02", 110, 137, "more-visits"},
		{"visits", "2026-03", nil, nil, "more-visits"},
	}
	for i, row := range rows {
		at, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := f.SetSheetRow(dueSheet, at, &row); err != nil {
			t.Fatal(err)
		}
	}
	percent, err := f.NewStyle(&excelize.Style{NumFmt: 10})
	if err == nil {
		err = f.SetCellStyle(dueSheet, "C2", "D2", percent)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(f)
	content, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return content.Bytes()
}

// put writes cells of a sheet: A1, content, and so on. A text that ends in a
// percent sign is that percentage.
func put(t *testing.T, f *excelize.File, sheet string, cells ...any) {
	t.Helper()
	for i := 0; i < len(cells); i += 2 {
		at, content := cells[i].(string), cells[i+1]
		if v, ok := content.(percentage); ok {
			id, err := f.NewStyle(&excelize.Style{NumFmt: 9})
			if err == nil {
				err = f.SetCellStyle(sheet, at, at, id)
			}
			if err != nil {
				t.Fatal(err)
			}
			content = float64(v)
		}
		if err := f.SetCellValue(sheet, at, content); err != nil {
			t.Fatal(err)
		}
	}
}

type percentage float64

// What a person means by a cell is told or refused, and never guessed: a day is
// no number of visits, and what stands beside the columns was meant to be read.
func TestAFilledSheetIsReadAsItWasMeant(t *testing.T) {
	day := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		change func(f *excelize.File)
		rows   int
		fields []string // the cells at fault
		says   string
	}{
		{"as it was sent", func(*excelize.File) {}, 0, nil, ""},
		{"numbers", func(f *excelize.File) { put(t, f, dueSheet, "F2", percentage(.055), "F3", 120, "F4", 1e3) }, 3, nil, ""},
		{"a day for a number", func(f *excelize.File) { put(t, f, dueSheet, "F3", day) }, 0, []string{"Due!F3"}, "the day 2026-11-03"},
		{"an hour for a number", func(f *excelize.File) { put(t, f, dueSheet, "F3", 90*time.Minute) }, 0, []string{"Due!F3"}, "holds a time"},
		{"a truth for a number", func(f *excelize.File) { put(t, f, dueSheet, "F3", true) }, 0, []string{"Due!F3"}, "TRUE or FALSE"},
		{"a percentage of visits", func(f *excelize.File) { put(t, f, dueSheet, "F3", percentage(.07)) }, 0, []string{"Due!F3"}, "the percentage 7 %"},
		{"a percentage of what is not known", func(f *excelize.File) { put(t, f, dueSheet, "F4", percentage(.07)) }, 1, nil, ""},
		{"a truth for a confidence", func(f *excelize.File) { put(t, f, dueSheet, "G3", true, "H3", "yes") }, 0, []string{"Due!G3"}, "TRUE or FALSE"},
		{"a day for a period", func(f *excelize.File) { put(t, f, dueSheet, "B3", day, "F3", 1) }, 0, []string{"Due!B3"}, "as text"},
		{"a day for a note", func(f *excelize.File) { put(t, f, dueSheet, "H3", day, "F3", 1) }, 0, []string{"Due!H3"}, "not a text"},
		{"beside the columns", func(f *excelize.File) { put(t, f, dueSheet, "J3", "120, I think") }, 0, []string{"Due!J3"}, "no title"},
		{"a column twice", func(f *excelize.File) { put(t, f, dueSheet, "F3", 1, "I1", dueValue, "I3", 2) }, 0, []string{"Due!I3"}, "an earlier one"},
		{"a column of their own", func(f *excelize.File) { put(t, f, dueSheet, "F3", 1, "I1", "Whom I asked", "I3", "Eve") }, 0, []string{"Due!I3"}, `the column "Whom I asked"`},
		{"below a heading", func(f *excelize.File) {
			if err := f.InsertRows(dueSheet, 1, 2); err != nil {
				t.Fatal(err)
			}
			put(t, f, dueSheet, "A1", "November", "F5", 120)
		}, 1, nil, ""},
		{"renamed", func(f *excelize.File) {
			put(t, f, dueSheet, "F3", 120)
			if err := f.SetSheetName(dueSheet, "November"); err != nil {
				t.Fatal(err)
			}
		}, 1, nil, ""},
		{"a copy that says the same", func(f *excelize.File) {
			put(t, f, dueSheet, "F3", 120, "G4", 5, "H4", "well")
			copied(t, f)
		}, 2, nil, ""},
		{"a copy that is filled in", func(f *excelize.File) {
			copied(t, f)
			put(t, f, "Copy", "F3", 120)
		}, 1, nil, ""},
		{"a copy that says something else", func(f *excelize.File) {
			put(t, f, dueSheet, "F3", 120, "G4", 5, "H4", "well")
			copied(t, f)
			put(t, f, "Copy", "F3", 121, "G4", 4)
		}, 0, []string{"Copy!F3", "Copy!H4"}, "Due!F3 already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, _, err := readDueSheet(bytes.NewReader(filledIn(t, c.change)), "due.xlsx")
			var e *fault.Error
			var fields []string
			if errors.As(err, &e) {
				for _, p := range e.Places {
					fields = append(fields, p.Field)
				}
			}
			if len(rows) != c.rows || !slices.Equal(fields, c.fields) || (err == nil) != (c.fields == nil) {
				t.Fatalf("%d rows, %v, at %q; want %d rows and faults at %q", len(rows), err, fields, c.rows, c.fields)
			}
			if c.says != "" && !strings.Contains(e.Places[0].Message+e.Places[0].Hint, c.says) {
				t.Errorf("it says %q (%s), and not %q", e.Places[0].Message, e.Places[0].Hint, c.says)
			}
		})
	}
}

func copied(t *testing.T, f *excelize.File) {
	t.Helper()
	from, err := f.GetSheetIndex(dueSheet)
	if err != nil {
		t.Fatal(err)
	}
	to, err := f.NewSheet("Copy")
	if err == nil {
		err = f.CopySheet(from, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}
