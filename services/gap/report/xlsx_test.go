package report

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func opened(t *testing.T, d Document) *excelize.File {
	t.Helper()
	content, err := XLSX(d)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("REPORT_OUT"); keep != "" {
		if err := os.WriteFile(keep+".xlsx", content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// column gives the cells under a heading, by the first column's text.
func column(t *testing.T, f *excelize.File, sheet, heading string, raw bool) map[string]string {
	t.Helper()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: raw})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], heading)
	if at < 0 {
		t.Fatalf("%s has no column %q: %q", sheet, heading, rows[0])
	}
	out := map[string]string{}
	for _, r := range rows[1:] {
		if at < len(r) {
			out[r[0]] = r[at]
		}
	}
	return out
}

func TestXLSXHoldsNumbersInTheFormatOfTheirMetric(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{Strategy: "plan", Organization: "General Services"})
	f := opened(t, d)
	raw, shown := column(t, f, "Targets", "Actual", true), column(t, f, "Targets", "Actual", false)
	numbers := 0
	for _, target := range d.Targets {
		if target.Actual == nil {
			if raw[target.Name] != "" {
				t.Errorf("%s: an unknown number reads %q; want an empty cell", target.Name, raw[target.Name])
			}
			continue
		}
		numbers++
		if want := fmt.Sprint(*target.Actual); raw[target.Name] != want {
			t.Errorf("%s: the cell holds %q; want %q", target.Name, raw[target.Name], want)
		}
		// A percent sign stands beside the number here, as spreadsheets have it.
		if want := strings.ReplaceAll(strings.ReplaceAll(target.Metric.value(target.Actual), " %", "%"), minus, "-"); shown[target.Name] != want {
			t.Errorf("%s: the cell shows %q; want %q", target.Name, shown[target.Name], want)
		}
	}
	if numbers < 5 {
		t.Fatalf("only %d numbers were compared", numbers)
	}
	for _, sheet := range f.GetSheetList() {
		if sheet == "Charts" {
			continue
		}
		panes, err := f.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("%s: the head is not frozen: %+v, %v", sheet, panes, err)
		}
		tables, err := f.GetTables(sheet)
		if err != nil || len(tables) != 1 {
			t.Errorf("%s has %d tables, %v; want one", sheet, len(tables), err)
		}
	}
}

func TestXLSXOfTheSameDocumentIsTheSameBytes(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{})
	first, err := XLSX(d)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := XLSX(d)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("the bytes differ")
		}
	}
}

// Of a waterfall neither what holds the place before a step, which is drawn without a
// fill, nor the gap, which its bar names, is in the legend.
func TestXLSXLegendsNameWhatIsSeen(t *testing.T) {
	p, r := acting()
	content, err := XLSX(Build(p, r, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	stacked := 0
	for _, f := range z.File {
		if !strings.HasPrefix(f.Name, "xl/charts/chart") {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		is := bytes.Contains(text, []byte(`<grouping val="stacked">`))
		if is {
			stacked++
		}
		if hides := bytes.Contains(text, []byte(`<legendEntry><idx val="0"></idx><delete val="1"></delete></legendEntry><legendEntry><idx val="5"></idx><delete val="1"></delete></legendEntry>`)); hides != is {
			t.Errorf("%s: stacked %v, hides its ends in the legend %v", f.Name, is, hides)
		}
	}
	if stacked == 0 {
		t.Error("there is no waterfall")
	}
}

func TestXLSXNeverRunsAText(t *testing.T) {
	p, r := fixture()
	const formula = `=HYPERLINK("http://example.org")`
	f := opened(t, Build(p, r, Options{Strategy: "plan", Title: formula}))
	for i := 2; i < 12; i++ {
		cell := fmt.Sprintf("B%d", i)
		run, err := f.GetCellFormula("Summary", cell)
		if err != nil || run != "" {
			t.Errorf("%s holds the formula %q, %v", cell, run, err)
		}
	}
	if got := column(t, f, "Summary", "Content", false)["Title"]; got != formula {
		t.Errorf("the title reads %q", got)
	}
}

func TestXLSXOfNothing(t *testing.T) {
	f := opened(t, Document{})
	if got := column(t, f, "Summary", "Content", false)["Revision"]; got != "0" {
		t.Errorf("the revision reads %q", got)
	}
}
