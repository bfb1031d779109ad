// Package importertest makes spreadsheets of tables that are written down as
// text (importer/testdata/tables), so that what a file holds and what it means
// can be read side by side.
//
// A file begins with a line about the table, then has directives, then the
// table, then what it says, each under a line "-- NAME --":
//
//	A town's report.
//	encoding: windows-1252
//	-- table --
//	Kennzahl;Ist 2022
//	Radwege;12,5
//	-- values --
//	Radwege [km]: 2022-12-31=12.5
//	-- not read --
//	B7 in Planung
//
// Directives are later (target or actual, and the one value that the next edition
// has otherwise), encoding, fiscal (the month in which the organization's years
// begin), period (what a person answers where the table does not say when),
// format: xlsx, and for a sheet merge and hide (a row). A cell of a workbook is a
// text, #12.5{0%} a number with its format, !#N/A an error, =A1+B1->#3 a formula
// with the value saved with it, 'text a number kept as text; \n in it is a new line.
package importertest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Table is one file of the corpus.
type Table struct {
	Name string
	// About is what is peculiar about it.
	About string
	// Fiscal and Period are what the organization and a person say.
	Fiscal int
	Period string
	// Later is the kind of the value that a later edition has otherwise, target or
	// actual; From and To are its text in both.
	Later, From, To string
	// Values and NotRead are what the table says: a line each, sorted.
	Values, NotRead []string

	directives map[string]string
	parts      []part
}

type part struct {
	title string
	lines []string
}

// Tables reads every table of a folder.
func Tables(t testing.TB, folder string) []Table {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables in %s: %v", folder, err)
	}
	var out []Table
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parse(t, strings.TrimSuffix(filepath.Base(f), ".txt"), string(content)))
	}
	return out
}

func parse(t testing.TB, name, content string) Table {
	t.Helper()
	table := Table{Name: name, directives: map[string]string{}}
	title := ""
	for n, line := range strings.Split(strings.TrimSuffix(content, "\n"), "\n") {
		if s, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(s, " --") {
			title = strings.TrimSuffix(s, " --")
			if title != "values" && title != "not read" {
				table.parts = append(table.parts, part{title: title})
			}
			continue
		}
		key, value, directive := strings.Cut(line, ": ")
		switch {
		case n == 0:
			table.About = line
		case title == "":
			if !directive {
				t.Fatalf("%s: line %d is no directive: %q", name, n+1, line)
			}
			table.directives[key] = value
		case title == "values":
			table.Values = append(table.Values, line)
		case title == "not read":
			table.NotRead = append(table.NotRead, line)
		default:
			p := &table.parts[len(table.parts)-1]
			p.lines = append(p.lines, line)
		}
	}
	for _, kind := range []string{"target", "actual"} {
		if from, to, ok := strings.Cut(table.directives["later "+kind], " => "); ok {
			table.Later, table.From, table.To = kind, from, to
		}
	}
	if table.Later == "" {
		t.Fatalf("%s: no directive says what a later edition changes", name)
	}
	table.Fiscal, _ = strconv.Atoi(table.directives["fiscal"])
	table.Period = table.directives["period"]
	slices.Sort(table.Values)
	slices.Sort(table.NotRead)
	return table
}

// Ext is the end of the file's name, with its point.
func (t Table) Ext() string {
	if t.directives["format"] == "xlsx" {
		return ".xlsx"
	}
	return ".csv"
}

var encodings = map[string]encoding.Encoding{
	"":             encoding.Nop,
	"utf-8-bom":    unicode.UTF8BOM,
	"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"windows-1252": charmap.Windows1252,
}

// Bytes is the file.
func (t Table) Bytes(tb testing.TB) []byte {
	tb.Helper()
	if t.Ext() == ".xlsx" {
		return t.workbook(tb)
	}
	enc, ok := encodings[t.directives["encoding"]]
	if !ok || len(t.parts) != 1 {
		tb.Fatalf("%s: encoding %q, %d tables", t.Name, t.directives["encoding"], len(t.parts))
	}
	content, err := enc.NewEncoder().String(strings.Join(t.parts[0].lines, "\r\n") + "\r\n")
	if err != nil {
		tb.Fatalf("%s: %v", t.Name, err)
	}
	return []byte(content)
}

// Next is the table as the later edition has it.
func (t Table) Next(tb testing.TB) Table {
	tb.Helper()
	n := 0
	parts := make([]part, len(t.parts))
	for i, p := range t.parts {
		parts[i] = part{p.title, slices.Clone(p.lines)}
		for k, l := range p.lines {
			n += strings.Count(l, t.From)
			parts[i].lines[k] = strings.Replace(l, t.From, t.To, 1)
		}
	}
	if n != 1 {
		tb.Fatalf("%s: %q stands there %d times", t.Name, t.From, n)
	}
	t.parts = parts
	return t
}

func (t Table) workbook(tb testing.TB) []byte {
	tb.Helper()
	f := excelize.NewFile()
	defer f.Close()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatalf("%s: %v", t.Name, err)
		}
	}
	for i, p := range t.parts {
		sheet, hidden := strings.CutSuffix(strings.TrimPrefix(p.title, "sheet "), " hidden")
		if i == 0 {
			must(f.SetSheetName("Sheet1", sheet))
		} else {
			_, err := f.NewSheet(sheet)
			must(err)
		}
		row := 0
		for _, line := range p.lines {
			if ranges, ok := strings.CutPrefix(line, "merge: "); ok {
				for _, r := range strings.Fields(ranges) {
					first, last, _ := strings.Cut(r, ":")
					must(f.MergeCell(sheet, first, last))
				}
				continue
			}
			if rows, ok := strings.CutPrefix(line, "hide: "); ok {
				n, err := strconv.Atoi(rows)
				must(err)
				must(f.SetRowVisible(sheet, n, false))
				continue
			}
			row++
			for col, text := range strings.Split(line, "|") {
				at, err := excelize.CoordinatesToCellName(col+1, row)
				must(err)
				must(put(f, sheet, at, strings.TrimSpace(text)))
			}
		}
		if hidden {
			must(f.SetSheetVisible(sheet, false))
		}
	}
	for i, p := range t.parts {
		if !strings.HasSuffix(p.title, " hidden") {
			f.SetActiveSheet(i)
		}
	}
	var b bytes.Buffer
	must(f.Write(&b))
	return b.Bytes()
}

// put writes one cell.
func put(f *excelize.File, sheet, at, text string) error {
	formula := ""
	if strings.HasPrefix(text, "=") {
		formula, text, _ = strings.Cut(text[1:], "->")
	}
	var err error
	switch {
	case text == "":
	case strings.HasPrefix(text, "#"):
		text, code, _ := strings.Cut(text[1:], "{")
		var v float64
		if v, err = strconv.ParseFloat(text, 64); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if err = f.SetCellFloat(sheet, at, v, -1, 64); err != nil {
			return err
		}
		if code = strings.TrimSuffix(code, "}"); code != "" {
			style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
			if err != nil {
				return err
			}
			if err := f.SetCellStyle(sheet, at, at, style); err != nil {
				return err
			}
		}
	case strings.HasPrefix(text, "!"):
		// The library writes no errors of its own: a formula that gives one has it
		// as its saved value.
		if err = f.SetCellStr(sheet, at, text[1:]); err == nil && formula == "" {
			formula = "NA()"
		}
	default:
		err = f.SetCellStr(sheet, at, strings.ReplaceAll(strings.TrimPrefix(text, "'"), `\n`, "\n"))
	}
	if err == nil && formula != "" {
		err = f.SetCellFormula(sheet, at, formula)
	}
	return err
}
