package workbook_test

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
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

func named(sheet string) func(string, []string) bool {
	return func(name string, _ []string) bool { return name == sheet }
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
		sheets, _, err := workbook.Fill(bytes.NewReader(form(t, [][]workbook.Cell{row("m"+text, number)})), named("Due"))
		if err != nil || len(sheets) != 1 {
			t.Fatalf("%+v, %v", sheets, err)
		}
		filled := sheets[0].Rows
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
	filled, sheets, err := workbook.Fill(bytes.NewReader(form(t, nil)), named("Other"))
	if err != nil || filled != nil || len(sheets) != 2 {
		t.Errorf("%v, %v, sheets %q", filled, err, sheets)
	}
}

// A number that is shown as something else is not the number that was typed.
func TestWhatANumberIsShownAsIsRead(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	codes := []string{"", "0.00", "General", "#,##0\" days\"", "0.0\\d", "[Red]0.0;[Blue]-0.0", "[$-409]d/m/yyyy", "yyyy-mm-dd", "[h]:mm:ss", "hh:mm", "mmm yy", "0.0%", "#,##0.0\\ %", "[=1]\"yes\";[=0]\"no\";General"}
	want := []workbook.Shown{0, 0, 0, 0, 0, 0, workbook.AsTime, workbook.AsTime, workbook.AsTime, workbook.AsTime, workbook.AsTime, workbook.AsPercent, workbook.AsPercent, 0}
	for _, builtIn := range []int{9, 14, 20, 47, 2, 4} {
		codes, want = append(codes, "#"+strconv.Itoa(builtIn)), append(want, map[int]workbook.Shown{9: workbook.AsPercent, 14: workbook.AsTime, 20: workbook.AsTime, 47: workbook.AsTime}[builtIn])
	}
	cell := func(k int) string { return "A" + strconv.Itoa(k+3) }
	if err := f.SetCellStr("Sheet1", "A2", "Value"); err != nil { // below a heading
		t.Fatal(err)
	}
	for k, code := range codes {
		if err := f.SetCellFloat("Sheet1", cell(k), 12.5, -1, 64); err != nil {
			t.Fatal(err)
		}
		style := &excelize.Style{CustomNumFmt: &code}
		if n, err := strconv.Atoi(strings.TrimPrefix(code, "#")); err == nil && strings.HasPrefix(code, "#") {
			style = &excelize.Style{NumFmt: n}
		}
		if code == "" {
			continue
		}
		id, err := f.NewStyle(style)
		if err != nil {
			t.Fatal(code, err)
		}
		if err := f.SetCellStyle("Sheet1", cell(k), cell(k), id); err != nil {
			t.Fatal(err)
		}
	}
	codes, want = append(codes, "a truth"), append(want, workbook.AsTruth)
	if err := f.SetCellBool("Sheet1", cell(len(codes)-1), true); err != nil {
		t.Fatal(err)
	}
	if err := f.SetCellStr("Sheet1", "C4", "beside"); err != nil {
		t.Fatal(err)
	}
	content, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	sheets, _, err := workbook.Fill(bytes.NewReader(content.Bytes()), func(_ string, titles []string) bool { return slices.Contains(titles, "Value") })
	if err != nil || len(sheets) != 1 || len(sheets[0].Rows) != len(codes) {
		t.Fatalf("%+v, %v", sheets, err)
	}
	for k, row := range sheets[0].Rows {
		if got := row.Cells["Value"]; got.Shown != want[k] || got.Place() != "Sheet1!"+cell(k) {
			t.Errorf("%q at %s is shown as %d; want %d", codes[k], got.Place(), got.Shown, want[k])
		}
	}
	if beside := sheets[0].Rows[1].Beside; len(beside) != 1 || beside[0].Place() != "Sheet1!C4" || beside[0].Text != "beside" {
		t.Errorf("beside the titles stands %+v", beside)
	}
}

// Whatever is sent in, reading it ends with rows or an error.
func FuzzFill(f *testing.F) {
	f.Add(form(f, [][]workbook.Cell{row("vacant", .03)}))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("metric,observed_at,value\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		rows, _, err := workbook.Fill(bytes.NewReader(content), named("Due"))
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
		sheets, _, err := workbook.Fill(bytes.NewReader(content), named("T"))
		if err != nil || len(sheets) != 1 {
			t.Fatal(sheets, err)
		}
		if known := !math.IsNaN(v) && !math.IsInf(v, 0); known != (len(sheets[0].Rows) == 1) {
			t.Errorf("%v gives %d rows", v, len(sheets[0].Rows))
		}
	})
}

// A wide table is printed on pages side by side, each with its head and its first
// columns; of many categories of a chart not all are named.
func TestWideTablesAndLongChartsCanBeRead(t *testing.T) {
	w := workbook.New("Wide", calendar.MustParse("2026-04-15"))
	columns := []string{"Name", "Value"}
	row := []workbook.Cell{workbook.Text("a"), workbook.Count(3)}
	for i := range 40 {
		columns, row = append(columns, "Column "+strconv.Itoa(i)), append(row, workbook.Text(strings.Repeat("x", 30)))
	}
	rows := slices.Repeat([][]workbook.Cell{row}, 45)
	w.Table("Wide", columns, rows, 2)
	w.Table("Narrow", columns[:2], [][]workbook.Cell{row[:2]}, 0)
	w.Charts("Charts", []workbook.Chart{{Title: "Many", Sheet: "Wide", First: 2, Last: 46, Categories: 1, Series: []workbook.Series{{Column: 2, Color: "0B3C6F"}}, Format: "0"},
		{Title: "Few", Sheet: "Wide", First: 2, Last: 6, Categories: 1, Series: []workbook.Series{{Column: 2, Color: "0B3C6F"}}, Format: "0"}})
	content, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sheet, want := range map[string]int{"Wide": 6, "Narrow": 1} {
		layout, err := f.GetPageLayout(sheet)
		if err != nil || layout.FitToWidth == nil || *layout.FitToWidth != want {
			t.Errorf("%s is printed %+v pages wide, %v; want %d", sheet, layout.FitToWidth, err, want)
		}
	}
	titles := map[string]string{}
	for _, n := range f.GetDefinedName() {
		if n.Name == "_xlnm.Print_Titles" {
			titles[n.Scope] = n.RefersTo
		}
	}
	if titles["Wide"] != "'Wide'!$A:$B,'Wide'!$1:$1" || titles["Narrow"] != "'Narrow'!$1:$1" {
		t.Errorf("repeated on each page are %v", titles)
	}
	for part, want := range map[string]bool{"xl/charts/chart1.xml": true, "xl/charts/chart2.xml": false} {
		stored, _ := f.Pkg.Load(part)
		chart, _ := stored.([]byte)
		if len(chart) == 0 || bytes.Contains(chart, []byte(`tickLblSkip val="4"`)) != want || bytes.Contains(chart, []byte(`rot="-2700000"`)) != want {
			t.Errorf("%s leaves labels out: %v; want %v", part, !want, want)
		}
	}
}
