package workbook

import (
	"io"
	"regexp"
	"strings"

	"github.com/xuri/excelize/v2"
)

// FilledSheet is a sheet as it came back.
type FilledSheet struct {
	Name   string
	Titles []string // of its columns, as they stand; "" where one has none
	Rows   []Filled // without those that hold nothing
}

// Filled is a row of a sheet as it came back: the raw content of its cells, by
// the title of their column.
type Filled struct {
	Row   int // from 1
	Cells map[string]FilledCell
	// Beside are cells with content that no title leads to: their column has
	// none, or an earlier one has the same.
	Beside []FilledCell
}

// FilledCell is where a cell stands and what it holds; a number has no format, and
// 15 significant digits, with which spreadsheets count.
type FilledCell struct {
	Sheet, At string // Due, B7
	Text      string
	// Formula tells that the content is the result of one; without a result the
	// text is "".
	Formula bool
	// Failed tells that the content is the name of an error, such as #DIV/0!.
	Failed bool
	// Merged is the last row that the cell was merged with, 0 if it is one of its row.
	Merged int
	Shown  Shown
}

// Place is the cell as people write it: Due!B7.
func (c FilledCell) Place() string { return c.Sheet + "!" + c.At }

// Shown is what a spreadsheet shows a number as. To a file it is a number all the
// same, and not the one that was typed.
type Shown int

const (
	// AsItIs is a number or a text.
	AsItIs Shown = iota
	// AsPercent is 0.12 that is shown as 12 %.
	AsPercent
	// AsTime is a day or a time of day, counted in days since 1900.
	AsTime
	// AsTruth is 1 for true, 0 for false.
	AsTruth
)

const (
	// maxUnpacked bounds what a file may unpack to.
	maxUnpacked = 512 << 20
	// maxAbove is how many rows people may have written above the titles.
	maxAbove = 20
)

// Fill reads the sheets that are wanted: by their name, or by the titles of their
// columns, which are in one of the first rows. It also says which sheets there
// are. A sheet that is wanted by its name alone has its titles in the first row.
func Fill(r io.Reader, wanted func(name string, titles []string) bool) ([]FilledSheet, []string, error) {
	f, err := excelize.OpenReader(r, excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked, RawCellValue: true})
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var out []FilledSheet
	names := f.GetSheetList()
	styles := map[int]Shown{}
	for _, name := range names {
		at, err := titlesAt(f, name, wanted)
		if err != nil {
			return nil, nil, err
		}
		if at < 0 {
			continue
		}
		one, err := fillSheet(f, name, at, styles)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, one)
	}
	return out, names, nil
}

// titlesAt is the row that makes a sheet wanted, -1 if none does.
func titlesAt(f *excelize.File, name string, wanted func(string, []string) bool) (int, error) {
	rows, err := f.Rows(name)
	if err != nil {
		return -1, nil // a sheet of a chart has no rows
	}
	defer rows.Close()
	for i := 0; i <= maxAbove && rows.Next(); i++ {
		titles, err := rows.Columns()
		if err != nil {
			return -1, err
		}
		if wanted(name, titles) {
			return i, nil
		}
	}
	return -1, rows.Error()
}

func fillSheet(f *excelize.File, name string, titlesAt int, styles map[int]Shown) (FilledSheet, error) {
	rows, err := f.GetRows(name)
	if err != nil || len(rows) <= titlesAt {
		return FilledSheet{Name: name}, err
	}
	merged, err := mergedRows(f, name)
	if err != nil {
		return FilledSheet{}, err
	}
	sheet := FilledSheet{Name: name, Titles: rows[titlesAt]}
	for i, row := range rows[titlesAt+1:] {
		one := Filled{Row: titlesAt + i + 2, Cells: map[string]FilledCell{}}
		content := false
		for k := range max(len(row), len(sheet.Titles)) {
			text, title := "", ""
			if k < len(row) {
				text = row[k]
			}
			if k < len(sheet.Titles) {
				title = sheet.Titles[k]
			}
			c, err := filledCell(f, name, k+1, one.Row, text, styles)
			if err != nil {
				return FilledSheet{}, err
			}
			c.Merged = merged[c.At]
			here := c.Text != "" || c.Formula
			content = content || here
			if _, taken := one.Cells[title]; title != "" && !taken {
				one.Cells[title] = c
			} else if here {
				one.Beside = append(one.Beside, c)
			}
		}
		if content {
			sheet.Rows = append(sheet.Rows, one)
		}
	}
	return sheet, nil
}

// mergedRows tells of the first cells of those that were merged over several rows
// which the last one is.
func mergedRows(f *excelize.File, name string) (map[string]int, error) {
	list, err := f.GetMergeCells(name, true)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, m := range list {
		_, first, err := excelize.CellNameToCoordinates(m.GetStartAxis())
		if err != nil {
			return nil, err
		}
		_, last, err := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err != nil {
			return nil, err
		}
		if last > first {
			out[m.GetStartAxis()] = last
		}
	}
	return out, nil
}

func filledCell(f *excelize.File, sheet string, column, row int, text string, styles map[int]Shown) (FilledCell, error) {
	at, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		return FilledCell{}, err
	}
	formula, err := f.GetCellFormula(sheet, at)
	if err != nil {
		return FilledCell{}, err
	}
	c := FilledCell{Sheet: sheet, At: at, Text: text, Formula: formula != ""}
	if text == "" {
		return c, nil
	}
	switch kind, err := f.GetCellType(sheet, at); {
	case err != nil:
		return FilledCell{}, err
	case kind == excelize.CellTypeBool:
		c.Shown = AsTruth
	case kind == excelize.CellTypeError:
		c.Failed = true
	case kind == excelize.CellTypeDate:
		c.Shown = AsTime
	case kind == excelize.CellTypeNumber, kind == excelize.CellTypeUnset:
		id, err := f.GetCellStyle(sheet, at)
		if err != nil {
			return FilledCell{}, err
		}
		shown, known := styles[id]
		if !known {
			if style, err := f.GetStyle(id); err == nil { // a style that is broken shows nothing else
				shown = shownBy(style)
			}
			styles[id] = shown
		}
		c.Shown = shown
	}
	return c, nil
}

// said is what a number format writes as it stands, and its colours, conditions
// and locales.
var said = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.|\[[^\]hms][^\]]*\]`)

// shownBy reads a number format. Some have a number and no code (ECMA-376-1,
// 18.8.30); 27 to 36 and 50 to 58 are days in East Asian languages.
func shownBy(style *excelize.Style) Shown {
	if style.CustomNumFmt == nil {
		switch n := style.NumFmt; {
		case n == 9 || n == 10:
			return AsPercent
		case n >= 14 && n <= 22, n >= 27 && n <= 36, n >= 45 && n <= 47, n >= 50 && n <= 58:
			return AsTime
		}
		return AsItIs
	}
	code, _, _ := strings.Cut(strings.ToLower(said.ReplaceAllString(*style.CustomNumFmt, "")), ";")
	switch {
	case strings.Contains(code, "general"):
		return AsItIs
	case strings.Contains(code, "%"):
		return AsPercent
	case strings.ContainsAny(code, "ydhs") || strings.Contains(code, "mm"):
		return AsTime
	}
	return AsItIs
}
