package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
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
		{"a percentage as text", func(f *excelize.File) { put(t, f, dueSheet, "F2", "5.5 %") }, 1, nil, ""},
		{"a percentage with a comma", func(f *excelize.File) { put(t, f, dueSheet, "F2", "5,5%") }, 0, []string{"Due!F2"}, "5.5%"},
		{"a percentage as text of visits", func(f *excelize.File) { put(t, f, dueSheet, "F3", "7%") }, 0, []string{"Due!F3"}, "not a number"},
		{"a number among percentages", func(f *excelize.File) { put(t, f, dueSheet, "F2", 5.5) }, 0, []string{"Due!F2"}, "5.5% or 550%"},
		{"not known", func(f *excelize.File) { put(t, f, dueSheet, "F3", "n/a") }, 0, []string{"Due!F3"}, "leave the cell empty"},
		{"yes", func(f *excelize.File) { put(t, f, dueSheet, "F3", "Yes") }, 0, []string{"Due!F3"}, "1 for yes"},
		{"cells merged", func(f *excelize.File) {
			put(t, f, dueSheet, "F3", 120)
			if err := f.MergeCell(dueSheet, "F3", "F4"); err != nil {
				t.Fatal(err)
			}
		}, 0, []string{"Due!F3"}, "down to row 4"},
		{"cells merged that say nothing", func(f *excelize.File) {
			put(t, f, dueSheet, "F2", .05)
			if err := f.MergeCell(dueSheet, "F3", "F4"); err != nil {
				t.Fatal(err)
			}
		}, 1, nil, ""},
		{"a title that is another", func(f *excelize.File) { put(t, f, dueSheet, "F1", "Wert", "F3", 1) }, 0, []string{}, `no column "Value"`},
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
			if c.says == "" {
				return
			}
			says := e.Message
			if len(e.Places) > 0 {
				says = e.Places[0].Message + " " + e.Places[0].Hint
			}
			if !strings.Contains(says, c.says) {
				t.Errorf("it says %q, and not %q", says, c.says)
			}
		})
	}
}

// A check-in that is asked for is about the period it is asked for, also where the
// sheet comes back after its end.
func TestARowThatAsksForACheckInIsAboutItsPeriod(t *testing.T) {
	content := filledIn(t, func(f *excelize.File) {
		put(t, f, dueSheet, "I1", dueBy,
			"B5", "2026-03", "E5", "less-vacant", "H5", "over", "I5", time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC),
			"B6", "2026-04", "E6", "less-vacant", "H6", "running", "I6", "2026-04-30",
			"E7", "less-vacant", "H7", "asked for", "I7", "2026-03-01",
			"A8", "visits", "B8", "2026-01", "E8", "more-visits", "H8", "beside no value", "I8", "2026-02-14")
	})
	rows, _, err := readDueSheet(bytes.NewReader(content), "due.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	const today = "2026-05-05"
	want := map[string][2]string{ // by the note: as the sheet is about a day, and as it is about none
		"over": {"2026-03-31", "2026-03-31"}, "running": {"2026-04-15", "2026-04-30"},
		"asked for": {"2026-04-15", ""}, "beside no value": {"2026-04-15", ""},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		got := [2]string{sheetAbout{day: "2026-04-15"}.dayOf(r, today), sheetAbout{}.dayOf(r, today)}
		if got != want[r.note] {
			t.Errorf("%s: it is about %q, want %q", r.note, got, want[r.note])
		}
	}
}

// A sheet is taken for one that goes round by titles that a table of KPIs has not.
func TestATableOfKPIsIsNoSheetThatGoesRound(t *testing.T) {
	for _, c := range []struct {
		titles []string
		want   bool
	}{
		{[]string{"Metric", "Period", "Value"}, false},
		{[]string{"Metric", "Period", "Unit", "Owner", "Target", "Value", "Note"}, false},
		{[]string{"Metric", "Period", "Targets", "Value", dueConfidence, "Note"}, true},
		{[]string{"Metric", "Period", "Wert", dueConfidence, "Note"}, true},
		{[]string{"Metric", "Period", "What", "Unit", "Owner", "Due", "Last value", "Target", "Value"}, true},
		{[]string{dueConfidence}, false},
		{nil, false},
	} {
		if got := isDueSheet("Due", c.titles); got != c.want {
			t.Errorf("%q: %t", c.titles, got)
		}
	}
}

func TestASheetOfAnotherKindIsRefusedByItsName(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := write("due.csv", "\ufeffMetric,Period,Targets,Value,Confidence (0 to 10),Note\nvisits,2026-03,more-visits,120,,\n")
	session{}.run(t, "observe", "-f", text).want(t, exitError).wantStderr(t, "due.csv:1: this is a sheet of what is due that was saved as CSV", "(XLSX)", "1 fault")
	session{}.run(t, "import", text).want(t, exitError).wantStderr(t, "was saved as CSV; nothing was recorded", "(XLSX)")
	for _, head := range []string{"PK\x03\x04", "\xd0\xcf\x11\xe0\xa1"} {
		session{}.run(t, "observe", "-f", write("due.ods", head+"and so on")).want(t, exitError).wantStderr(t, "a spreadsheet or an archive, not CSV", "NAME.xlsx")
	}
	// One that was written for another organization, which has metrics of the same
	// names.
	other := write("other.xlsx", string(filledIn(t, func(f *excelize.File) {
		put(t, f, dueSheet, "F3", 120)
		if _, err := f.NewSheet(aboutSheet); err != nil {
			t.Fatal(err)
		}
		put(t, f, aboutSheet, "A1", "What", "B1", "Content", "A2", aboutOrganization, "B2", "north")
	})))
	session{}.run(t, "--org", "south", "observe", "-f", other).want(t, exitError).
		wantStderr(t, `written for the organization "north", and would be recorded in "south"; nothing was recorded`, "--org north")
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
