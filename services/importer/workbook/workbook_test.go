package workbook_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/fault"
)

func open(t testing.TB, content []byte) *workbook.Book {
	t.Helper()
	b, err := workbook.Read(bytes.NewReader(content), int64(len(content)), workbook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// texts are the rows of a sheet as number: cell|cell.
func texts(t testing.TB, s workbook.Sheet) []string {
	t.Helper()
	var out []string
	for row, err := range s.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, c := range row.Cells {
			mark := ""
			if c.Merged {
				mark = "~"
			}
			cells = append(cells, mark+c.Text)
		}
		out = append(out, fmt.Sprintf("%d: %s", row.Number, strings.Join(cells, "|")))
	}
	return out
}

func TestCSV(t *testing.T) {
	table := "Maß;Wert;Straße\n\nA;1,5;\"zwei\nZeilen\"\n;;\nB;2;x\n"
	want := []string{"1: Maß|Wert|Straße", "3: A|1,5|zwei\nZeilen", "5: B|2|x"}
	latin, _ := charmap.Windows1252.NewEncoder().String(table)
	little, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(table)
	big, _ := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(strings.ReplaceAll(table, "ß", "ss"))
	for name, c := range map[string]struct {
		content, encoding string
		want              []string
	}{
		"utf-8":         {table, "utf-8", want},
		"with a mark":   {"\ufeff" + table, "utf-8", want},
		"windows-1252":  {latin, "windows-1252", want},
		"utf-16le":      {little, "utf-16le", want},
		"utf-16be bare": {big, "utf-16be", []string{"1: Mass|Wert|Strasse", want[1], want[2]}},
		"tabs":          {strings.ReplaceAll(table, ";", "\t"), "utf-8", want},
		"bars":          {strings.ReplaceAll(table, ";", "|"), "utf-8", want},
		"crlf":          {strings.ReplaceAll(table, "\n", "\r\n"), "utf-8", want},
		"cr":            {strings.ReplaceAll(strings.ReplaceAll(table, "zwei\nZeilen", "zwei Zeilen"), "\n", "\r"), "utf-8", []string{want[0], "3: A|1,5|zwei Zeilen", "5: B|2|x"}},
		"a late letter": {"a,b\n" + strings.Repeat("x,y\n", 70_000) + "\xe4,z\n", "windows-1252", nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, []byte(c.content))
			if b.Encoding != c.encoding {
				t.Errorf("encoding %q, want %q", b.Encoding, c.encoding)
			}
			got := texts(t, b.Sheets[0])
			if c.want == nil {
				got, c.want = got[len(got)-1:], []string{"70002: ä|z"}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func xlsx(t testing.TB, fill func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestXLSX(t *testing.T) {
	content := xlsx(t, func(f *excelize.File) {
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		percent, err := f.NewStyle(&excelize.Style{NumFmt: 10})
		must(err)
		day, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		must(err)
		own := `[$€-407] #,##0.00;[Red]-[$€-407] #,##0.00`
		euro, err := f.NewStyle(&excelize.Style{CustomNumFmt: &own})
		must(err)
		month := `mmm\-yy`
		mon, err := f.NewStyle(&excelize.Style{CustomNumFmt: &month})
		must(err)
		must(f.MergeCell("Sheet1", "B1", "C1"))
		must(f.MergeCell("Sheet1", "A3", "A5"))
		must(f.SetSheetRow("Sheet1", "B1", &[]any{"2017"}))
		must(f.SetSheetRow("Sheet1", "A2", &[]any{"Unit", "Target", "Actual"}))
		must(f.SetSheetRow("Sheet1", "A3", &[]any{"North", 0.0775, 0.07}))
		must(f.SetCellStyle("Sheet1", "B3", "C3", percent))
		must(f.SetSheetRow("Sheet1", "B4", &[]any{time.Date(2017, 9, 30, 0, 0, 0, 0, time.UTC), 2.5e6}))
		must(f.SetCellStyle("Sheet1", "B4", "B4", day))
		must(f.SetCellStyle("Sheet1", "C4", "C4", euro))
		must(f.SetSheetRow("Sheet1", "B7", &[]any{true, "x", 43000}))
		must(f.SetCellStyle("Sheet1", "D7", "D7", mon))
		_, err = f.NewSheet("Second")
		must(err)
		must(f.SetCellStr("Second", "C3", " padded "))
		must(f.SetSheetVisible("Second", false))
	})
	b := open(t, content)
	if len(b.Sheets) != 2 || b.Sheets[0].Name != "Sheet1" || !b.Sheets[1].Hidden {
		t.Fatalf("sheets: %+v", b.Sheets)
	}
	want := []string{
		"1: |2017|~2017", "2: Unit|Target|Actual", "3: North|7.75%|7%", "4: ~North|2017-09-30|2500000", "5: ~North", "7: |TRUE|x|2017-09",
	}
	if d := cmp.Diff(want, texts(t, b.Sheets[0])); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"3: ||padded"}, texts(t, b.Sheets[1])); d != "" {
		t.Error(d)
	}
	for row, err := range b.Sheets[0].Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if row.Number == 4 && (row.At(2).Currency != "EUR" || row.At(2).Kind != workbook.Number || row.At(1).Kind != workbook.Date) {
			t.Errorf("row 4: %+v", row.Cells)
		}
	}
}

func TestRefused(t *testing.T) {
	good := xlsx(t, func(f *excelize.File) { _ = f.SetCellStr("Sheet1", "A1", "x") })
	for name, c := range map[string]struct {
		content []byte
		reason  string
	}{
		"empty":             {nil, "import.empty"},
		"an old workbook":   {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "import.format"},
		"a damaged archive": {good[:len(good)/2], "import.unreadable"},
		"zeros":             {make([]byte, 100), "import.format"},
	} {
		_, err := workbook.Read(bytes.NewReader(c.content), int64(len(c.content)), workbook.Options{})
		if fault.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v (%s), want %s", name, err, fault.ReasonOf(err), c.reason)
		}
	}
	open := `a,"b` + strings.Repeat("x\n", 10<<20)
	b, err := workbook.Read(strings.NewReader(open), int64(len(open)), workbook.Options{Separator: ','})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range b.Sheets[0].Rows() {
		if fault.ReasonOf(err) != "import.too_large" {
			t.Errorf("a quote that is never closed: %v", err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("\xff\xfea\x00;\x00b\x00\n\x00"))
	f.Add(xlsx(f, func(f *excelize.File) {
		_ = f.SetSheetRow("Sheet1", "A1", &[]any{"x", 1, 0.5})
		_ = f.MergeCell("Sheet1", "A1", "B2")
	}))
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := workbook.Read(bytes.NewReader(content), int64(len(content)), workbook.Options{})
		if err != nil {
			return
		}
		for _, s := range b.Sheets {
			last := 0
			for row, err := range s.Rows() {
				if err != nil {
					break
				}
				if row.Number <= last {
					t.Fatalf("row %d follows %d", row.Number, last)
				}
				last = row.Number
			}
		}
	})
}

func TestLetter(t *testing.T) {
	for n, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA"} {
		if got := workbook.Letter(n); got != want || workbook.Column(want) != n {
			t.Errorf("%d: %s, %d", n, got, workbook.Column(want))
		}
	}
}
