package workbook_test

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/workbook"
)

func form(t interface{ Fatal(...any) }, rows [][]workbook.Cell) []byte {
	w := workbook.New("What is due", calendar.MustParse("2026-04-15"))
	w.Form("Due", []workbook.Field{{Title: "Metric"}, {Title: "Last"}, {Title: "Value", Input: workbook.AnyNumber}, {Title: "Confidence", Input: workbook.ZeroToTen}, {Title: "Note", Input: workbook.FreeText}}, rows)
	w.Table("About", []string{"What", "Content"}, [][]workbook.Cell{{workbook.Text("As of"), workbook.Day(calendar.MustParse("2026-04-15"))}}, 0)
	content, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func row(metric string, last float64) []workbook.Cell {
	return []workbook.Cell{workbook.Text(metric), workbook.Number(&last, "0.0%"), workbook.Open("0.0%"), workbook.Open("0"), workbook.Open(workbook.TextFormat)}
}

func TestAFormOpensOnlyWhatIsFilledIn(t *testing.T) {
	content := form(t, [][]workbook.Cell{row("vacant", .03), row("visits", .5)})
	f, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if p, err := f.GetSheetProtection("Due"); err != nil || p == (excelize.SheetProtectionOptions{}) {
		t.Errorf("the sheet is not protected: %+v, %v", p, err)
	}
	for cell, want := range map[string]bool{"A1": true, "A2": true, "B3": true, "C1": true, "C2": false, "D3": false, "E2": false} {
		id, err := f.GetCellStyle("Due", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		if locked := style.Protection == nil || style.Protection.Locked; locked != want {
			t.Errorf("%s is locked: %t; want %t", cell, locked, want)
		}
	}
	rules, err := f.GetDataValidations("Due")
	if err != nil || len(rules) != 3 {
		t.Errorf("%d rules for what may be written, %v; want 3", len(rules), err)
	}
}

func TestWhatIsWrittenReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-1e12, 1e12).Draw(t, "number")
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab =+-@'\"<&é✓世"))).Draw(t, "text")
		filled, _, err := workbook.Fill(bytes.NewReader(form(t, [][]workbook.Cell{row("m"+text, number)})), "Due")
		if err != nil || len(filled) != 1 || filled[0].Row != 2 {
			t.Fatalf("%+v, %v", filled, err)
		}
		if got := filled[0].Cells["Metric"]; got.Text != "m"+text || got.At != "A2" || got.Formula {
			t.Fatalf("the text reads %+v", got)
		}
		if got, err := strconv.ParseFloat(filled[0].Cells["Last"].Text, 64); err != nil || math.Abs(got-number) > 1e-14*math.Abs(number) {
			t.Fatalf("the number reads %v, %v; want %v", got, err, number)
		}
	})
}

func TestASheetThatIsNotThereIsNamed(t *testing.T) {
	_, sheets, err := workbook.Fill(bytes.NewReader(form(t, nil)), "Other")
	if !errors.Is(err, workbook.ErrNoSheet) || len(sheets) != 2 {
		t.Errorf("%v, sheets %q", err, sheets)
	}
}

// Whatever is sent in, reading it ends with rows or an error.
func FuzzFill(f *testing.F) {
	f.Add(form(f, [][]workbook.Cell{row("vacant", .03)}))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("metric,observed_at,value\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		rows, _, err := workbook.Fill(bytes.NewReader(content), "Due")
		if err != nil && rows != nil {
			t.Errorf("rows and an error: %v", err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	f.Add(.1)
	f.Fuzz(func(t *testing.T, v float64) {
		w := workbook.New("", calendar.Date{})
		w.Table("T", []string{"N"}, [][]workbook.Cell{{workbook.Number(&v, "0.0")}}, 0)
		content, err := w.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		rows, _, err := workbook.Fill(bytes.NewReader(content), "T")
		if err != nil {
			t.Fatal(err)
		}
		if known := !math.IsNaN(v) && !math.IsInf(v, 0); known != (len(rows) == 1) {
			t.Errorf("%v gives %d rows", v, len(rows))
		}
	})
}
