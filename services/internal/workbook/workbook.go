// Package workbook writes XLSX files of tables: one sheet a table, numbers as
// numbers in a declared format, days as days, the head frozen and filterable.
//
// Invariants:
//   - The same calls give the same bytes: parts are stored in the order of their
//     names, without times of the file system; the only date inside is the one
//     given to New.
//   - A text is never run as a formula: it is stored as text whatever it begins
//     with.
//   - A number that is not known, or not finite, is an empty cell; never 0.
//
// Start with New, then Table for each sheet and Bytes. Charts draws native
// charts of the tables; form.go makes tables that people fill in.
package workbook

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"setpoint.dev/services/internal/calendar"
)

const (
	longestText = 32_000 // a cell holds 32,767 characters
	widest      = 60.0   // characters; what is longer wraps
	dayFormat   = "yyyy-mm-dd"
	a4          = 9
	lineHeight  = 15.0 // points
	mostLines   = 20   // of a row; a longer text is read in its cell
)

// Workbook is a file under construction. Errors are kept until Bytes.
type Workbook struct {
	f      *excelize.File
	styles map[string]int
	sheets int
	charts int
	err    error
}

// Cell is one value with how it is shown.
type Cell struct {
	value  any    // float64, string, bool, time.Time or nil
	format string // a number format of spreadsheets; "" for general
	wide   int    // characters it takes, about
	left   bool   // aligned so, whatever it is
	open   bool   // to be filled in
}

// Left is c at the left of its column, where numbers and texts share one.
func (c Cell) Left() Cell {
	c.left = true
	return c
}

// Text is a cell of text.
func Text(s string) Cell {
	if s == "" {
		return Cell{}
	}
	n := utf8.RuneCountInString(s)
	if n > longestText {
		s, n = string([]rune(s)[:longestText-1])+"…", longestText
	}
	return Cell{value: s, wide: n}
}

// Number is a cell with a number, shown in a spreadsheet's number format; nil or
// what is not finite is an empty one.
func Number(v *float64, format string) Cell {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return Cell{}
	}
	return Cell{value: *v, format: format, wide: 12}
}

// Count is a cell with a whole number.
func Count(n int) Cell { return Cell{value: float64(n), format: "#,##0", wide: 8} }

// Bool is a cell with TRUE or FALSE.
func Bool(v bool) Cell { return Cell{value: v, wide: 6} }

// firstDay is the first day that every spreadsheet counts alike: before it, one
// counts a 29 February 1900 that did not exist.
var firstDay = calendar.MustParse("1900-03-01")

// Day is a cell with a date; a day before 1 March 1900 is a text.
func Day(d calendar.Date) Cell {
	switch {
	case d.IsZero():
		return Cell{}
	case d.Before(firstDay):
		return Text(d.String())
	}
	return Cell{value: d.Time(), format: dayFormat, wide: 11}
}

// New begins a file. title and day are its properties; a zero day is 1 January
// 1970.
func New(title string, day calendar.Date) *Workbook {
	w := &Workbook{f: excelize.NewFile(), styles: map[string]int{}}
	at := time.Unix(0, 0).UTC()
	if !day.IsZero() {
		at = day.Time().UTC()
	}
	stamp := at.Format(time.RFC3339)
	w.keep(w.f.SetDocProps(&excelize.DocProperties{Title: title, Creator: "setpoint", LastModifiedBy: "setpoint", Created: stamp, Modified: stamp}))
	w.keep(w.f.SetAppProps(&excelize.AppProperties{Application: "setpoint"}))
	return w
}

func (w *Workbook) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// sheet adds an empty sheet; the first takes the place of the one that every
// new file has.
func (w *Workbook) sheet(name string) {
	w.sheets++
	if w.sheets == 1 {
		w.keep(w.f.SetSheetName("Sheet1", name))
	} else {
		_, err := w.f.NewSheet(name)
		w.keep(err)
	}
	// Printed across the page, as wide as it is.
	across, paper, one, all, fit := "landscape", a4, 1, 0, true
	w.keep(w.f.SetPageLayout(name, &excelize.PageLayoutOptions{Orientation: &across, Size: &paper, FitToWidth: &one, FitToHeight: &all}))
	w.keep(w.f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}))
}

// style gives the number of a style, made once.
func (w *Workbook) style(key string, make func() *excelize.Style) int {
	if id, ok := w.styles[key]; ok {
		return id
	}
	id, err := w.f.NewStyle(make())
	w.keep(err)
	w.styles[key] = id
	return id
}

func (w *Workbook) styleOf(c Cell) int {
	wraps := c.wide > int(widest) && c.format == ""
	return w.style(fmt.Sprintf("%s %t %t %t", c.format, wraps, c.left, c.open), func() *excelize.Style {
		s := &excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", WrapText: wraps || c.open && c.format == TextFormat}}
		if c.open {
			s.Protection = &excelize.Protection{Locked: false}
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFF2CC"}}
			s.Border = []excelize.Border{}
			for _, side := range []string{"left", "right", "top", "bottom"} {
				s.Border = append(s.Border, excelize.Border{Type: side, Style: 1, Color: "C9D1DA"})
			}
		}
		switch {
		case c.left:
			s.Alignment.Horizontal = "left"
		case c.format != "" && c.format != TextFormat && !c.open: // not against the text of the next column
			s.Alignment.Horizontal, s.Alignment.Indent = "right", 1
		}
		if c.format != "" {
			s.CustomNumFmt = &c.format
		}
		return s
	})
}

func (w *Workbook) head() int {
	return w.style("head", func() *excelize.Style {
		return &excelize.Style{
			Font:      &excelize.Font{Bold: true, Color: "FFFFFF", Family: "Calibri", Size: 11},
			Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"0B3C6F"}},
			Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
		}
	})
}

// Table adds a sheet with one table: a frozen head, a filter on each column, as
// wide as its content up to 60 characters. frozen is how many columns stay in
// sight when the sheet is scrolled sideways. Column names must differ.
func (w *Workbook) Table(name string, columns []string, rows [][]Cell, frozen int) {
	w.sheet(name)
	if w.err != nil {
		return
	}
	s, err := w.f.NewStreamWriter(name)
	if err != nil {
		w.keep(err)
		return
	}
	width := widths(columns, rows)
	for i, v := range width {
		w.keep(s.SetColWidth(i+1, i+1, v))
	}
	w.keep(s.SetPanes(freeze(frozen)))
	head := make([]any, len(columns))
	for i, c := range columns {
		head[i] = excelize.Cell{StyleID: w.head(), Value: c}
	}
	w.keep(s.SetRow("A1", head, excelize.RowOpts{Height: 30}))
	for i, row := range rows {
		cells := make([]any, len(row))
		lines := 1
		for k, c := range row {
			lines = max(lines, min(mostLines, c.wide/int(width[k]-1)+1))
			if c.value != nil {
				cells[k] = excelize.Cell{StyleID: w.styleOf(c), Value: c.value}
			}
		}
		var height []excelize.RowOpts
		if lines > 1 {
			height = []excelize.RowOpts{{Height: float64(lines) * lineHeight}}
		}
		w.keep(s.SetRow(fmt.Sprintf("A%d", i+2), cells, height...))
	}
	w.print(name, width, frozen)
	last, err := excelize.ColumnNumberToName(len(columns))
	w.keep(err)
	striped := true
	w.keep(s.AddTable(&excelize.Table{
		Range: fmt.Sprintf("A1:%s%d", last, max(2, len(rows)+1)), Name: "Table" + fmt.Sprint(w.sheets), StyleName: "TableStyleLight1", ShowRowStripes: &striped,
	}))
	w.keep(s.Flush())
}

// across is how many characters a printed page has side by side and legible.
const across = 230

// print lays a wide sheet out on so many pages side by side that it can be read, each
// with its head and the columns that stay in sight.
func (w *Workbook) print(name string, width []float64, frozen int) {
	sum := 0.0
	for _, v := range width {
		sum += v
	}
	if pages := int(math.Ceil(sum / across)); pages > 1 {
		w.keep(w.f.SetPageLayout(name, &excelize.PageLayoutOptions{FitToWidth: &pages}))
	}
	titles := fmt.Sprintf("'%s'!$1:$1", name)
	if frozen > 0 {
		last, err := excelize.ColumnNumberToName(frozen)
		w.keep(err)
		titles = fmt.Sprintf("'%s'!$A:$%s,%s", name, last, titles)
	}
	w.keep(w.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: name}))
}

func freeze(columns int) *excelize.Panes {
	p := &excelize.Panes{Freeze: true, YSplit: 1, XSplit: columns, TopLeftCell: "A2", ActivePane: "bottomLeft"}
	if columns > 0 {
		name, _ := excelize.ColumnNumberToName(columns + 1)
		p.TopLeftCell, p.ActivePane = name+"2", "bottomRight"
	}
	return p
}

// widths are in characters, with room for the arrow of the filter.
func widths(columns []string, rows [][]Cell) []float64 {
	out := make([]float64, len(columns))
	for i, c := range columns {
		longest := 0
		for _, word := range strings.Fields(c) {
			longest = max(longest, utf8.RuneCountInString(word))
		}
		out[i] = float64(max(longest+4, (utf8.RuneCountInString(c)+1)/2+4))
	}
	for _, row := range rows {
		for i, c := range row {
			out[i] = min(widest, max(out[i], float64(c.wide)+2))
		}
	}
	return out
}

// Bytes is the finished file.
func (w *Workbook) Bytes() ([]byte, error) {
	defer w.f.Close()
	w.f.SetActiveSheet(0)
	if w.err != nil {
		return nil, w.err
	}
	var b bytes.Buffer
	if err := w.f.Write(&b); err != nil {
		return nil, err
	}
	return settled(b.Bytes())
}

const (
	contents = "[Content_Types].xml"
	// The first day that a zip file knows: 1 January 1980.
	zipEpoch = 1<<5 | 1
)

// settled stores the parts of a file in the order of their names and without
// times: the library writes streamed sheets, and the list of the parts' types,
// in the order of a map. What is packed is copied as it is.
func settled(content []byte) ([]byte, error) {
	in, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(in.File, func(x, y *zip.File) int { return cmp.Compare(x.Name, y.Name) })
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	// Readers look for the list of types first; "[" sorts before small letters.
	for _, f := range in.File {
		if f.Name == contents {
			err = copySorted(out, f)
		} else {
			err = copyRaw(out, f)
		}
		if err != nil {
			return nil, err
		}
	}
	err = out.Close()
	return b.Bytes(), err
}

func copyRaw(out *zip.Writer, f *zip.File) error {
	packed, err := f.OpenRaw()
	if err != nil {
		return err
	}
	part, err := out.CreateRaw(&zip.FileHeader{
		Name: f.Name, Method: f.Method, CRC32: f.CRC32, CompressedSize64: f.CompressedSize64, UncompressedSize64: f.UncompressedSize64,
		//lint:ignore SA1019 what CreateRaw writes; Modified is for those that compress
		ModifiedDate: zipEpoch,
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(part, packed)
	return err
}

var partType = regexp.MustCompile(`<(?:Default|Override) [^>]*>(?:</(?:Default|Override)>)?`)

// copySorted puts the types of the parts in order: the general ones first.
func copySorted(out *zip.Writer, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	list, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	types := partType.FindAllString(string(list), -1)
	slices.Sort(types)
	part, err := out.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return err
	}
	next := -1
	_, err = part.Write(partType.ReplaceAllFunc(list, func([]byte) []byte { next++; return []byte(types[next]) }))
	return err
}
