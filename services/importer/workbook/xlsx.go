package workbook

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// xlsx is an open XLSX file.
type xlsx struct {
	parts   map[string]*zip.File // by name in lower case
	shared  []string
	formats []format // by style
	date04  bool
}

func readXLSX(r io.ReaderAt, size int64) (*Book, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, damaged(err, "the file is a damaged archive")
	}
	x := &xlsx{parts: map[string]*zip.File{}}
	for _, f := range z.File {
		x.parts[strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))] = f
	}
	main := x.mainPart()
	if strings.HasSuffix(main, ".bin") {
		return nil, fault.New(fault.Invalid, "import.format", "the file is a binary workbook (XLSB), whatever its name says").
			WithHint("save it as XLSX or CSV")
	}
	if main == "" {
		return nil, fault.New(fault.Invalid, "import.format", "the file is an archive, not an XLSX workbook").
			WithHint("save it as XLSX or CSV")
	}
	var wb struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
			ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			// The strict form of the standard has another name for it.
			Strict string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := x.decode(main, &wb); err != nil {
		return nil, err
	}
	x.date04 = wb.Properties.Date1904 == "1" || wb.Properties.Date1904 == "true"
	targets, byType, err := x.relations(main)
	if err != nil {
		return nil, err
	}
	if err := x.readStyles(byType["styles"]); err != nil {
		return nil, err
	}
	if err := x.readShared(byType["sharedStrings"]); err != nil {
		return nil, err
	}
	if len(wb.Sheets) > maxSheets {
		return nil, tooLarge("more than 1,000 sheets")
	}
	b := &Book{Format: "xlsx"}
	for _, s := range wb.Sheets {
		id := s.ID
		if id == "" {
			id = s.Strict
		}
		part := targets[id]
		if x.parts[part] == nil || !strings.Contains(part, "worksheets/") {
			continue // a sheet of a chart has no cells
		}
		b.Sheets = append(b.Sheets, Sheet{
			Name: s.Name, Hidden: s.State == "hidden" || s.State == "veryHidden",
			rows: func(yield func(Row, error) bool) { x.rows(part, yield) },
		})
	}
	if len(b.Sheets) == 0 {
		return nil, fault.New(fault.Invalid, "import.empty", "the workbook has no sheet with cells")
	}
	return b, nil
}

func (x *xlsx) mainPart() string {
	_, byType, err := x.relations("")
	if err == nil && x.parts[byType["officeDocument"]] != nil {
		return byType["officeDocument"]
	}
	if x.parts["xl/workbook.xml"] != nil {
		return "xl/workbook.xml"
	}
	return ""
}

// relations gives the parts that a part refers to, by id and by the last word
// of their type.
func (x *xlsx) relations(part string) (byID, byType map[string]string, err error) {
	folder, file := path.Split(part)
	name := folder + "_rels/" + file + ".rels"
	var rels struct {
		Relations []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
			Mode   string `xml:"TargetMode,attr"`
		} `xml:"Relationship"`
	}
	byID, byType = map[string]string{}, map[string]string{}
	if x.parts[name] == nil {
		return byID, byType, nil
	}
	if err := x.decode(name, &rels); err != nil {
		return nil, nil, err
	}
	for _, r := range rels.Relations {
		if r.Mode == "External" {
			continue
		}
		target := r.Target
		if rest, absolute := strings.CutPrefix(target, "/"); absolute {
			target = rest
		} else {
			target = path.Join(folder, target)
		}
		byID[r.ID] = strings.ToLower(target)
		byType[path.Base(r.Type)] = strings.ToLower(target)
	}
	return byID, byType, nil
}

func (x *xlsx) open(part string, limit int64) (io.ReadCloser, error) {
	f := x.parts[part]
	if f == nil {
		return nil, fault.New(fault.Invalid, "import.unreadable", "the workbook has no part %s", part)
	}
	if f.UncompressedSize64 > uint64(limit) ||
		f.UncompressedSize64 > alwaysSmall && f.UncompressedSize64/max(f.CompressedSize64, 1) > maxExpand {
		return nil, tooLarge("a part that unpacks to more than is legal: " + part)
	}
	r, err := f.Open()
	if err != nil {
		return nil, damaged(err, "%s cannot be unpacked", part)
	}
	return struct {
		io.Reader
		io.Closer
	}{&bounded{r: r, left: limit}, r}, nil
}

func (x *xlsx) decode(part string, into any) error {
	r, err := x.open(part, alwaysSmall)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := xml.NewDecoder(r).Decode(into); err != nil {
		return broken(part, err)
	}
	return nil
}

func broken(part string, err error) error {
	if errors.Is(err, errBomb) {
		return tooLarge("a part that unpacks to more than is legal: " + part)
	}
	return damaged(err, "%s is damaged", part)
}

// readShared reads the texts that cells refer to by number.
func (x *xlsx) readShared(part string) error {
	if part == "" || x.parts[part] == nil {
		return nil
	}
	r, err := x.open(part, maxShared)
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(part, err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "si" {
			text, err := richText(d)
			if err != nil {
				return broken(part, err)
			}
			x.shared = append(x.shared, text)
		}
	}
}

// richText is the text of an element whose start has been read, without what
// tells how it is pronounced.
func richText(d *xml.Decoder) (string, error) {
	var b strings.Builder
	depth, spoken, inText := 1, 0, false
	for depth > 0 {
		token, err := d.Token()
		if err != nil {
			return "", err
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if e.Name.Local == "rPh" {
				spoken = depth
			}
			inText = e.Name.Local == "t" && spoken == 0
		case xml.EndElement:
			if depth == spoken {
				spoken = 0
			}
			depth--
			inText = false
		case xml.CharData:
			if inText {
				b.Write(e)
			}
		}
	}
	return b.String(), nil
}

// covered is a merged range: its rows and columns from 0, inclusive.
type covered struct{ top, left, bottom, right int }

// merged reads the merged ranges of a sheet, which stand behind its rows.
func (x *xlsx) merged(part string) ([]covered, error) {
	r, err := x.open(part, maxPart)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	var out []covered
	cells := 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, broken(part, err)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "mergeCell" {
			continue
		}
		first, last, found := strings.Cut(attr(e, "ref"), ":")
		if !found {
			continue
		}
		c, ok := covered{}, true
		if c.left, c.top, ok = place(first); !ok {
			continue
		}
		if c.right, c.bottom, ok = place(last); !ok || c.right < c.left || c.bottom < c.top {
			continue
		}
		// A title over a whole column covers what nobody wrote.
		c.bottom = min(c.bottom, c.top+maxCovered/(c.right-c.left+1))
		if cells += (c.right - c.left + 1) * (c.bottom - c.top + 1); len(out) >= maxMerged || cells > maxCovered {
			return nil, tooLarge("too many merged cells")
		}
		out = append(out, c)
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// place is the column and row, from 0, of a reference such as B7.
func place(ref string) (column, row int, ok bool) {
	ref = strings.ReplaceAll(ref, "$", "")
	i := strings.IndexFunc(ref, func(r rune) bool { return r >= '0' && r <= '9' })
	if i <= 0 || i > 3 {
		return 0, 0, false
	}
	column = Column(ref[:i])
	row, err := strconv.Atoi(ref[i:])
	return column, row - 1, err == nil && column >= 0 && column < maxColumns && row > 0 && row <= maxRows
}

// is reads an attribute that is true or false.
func is(value string) bool { return value == "1" || value == "true" }

func (x *xlsx) rows(part string, yield func(Row, error) bool) {
	merged, err := x.merged(part)
	if err != nil {
		yield(Row{}, err)
		return
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i].top < merged[j].top })
	r, err := x.open(part, maxPart)
	if err != nil {
		yield(Row{}, err)
		return
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	active := map[covered]Cell{}
	number, total := 0, 0
	var cells []Cell
	hidden, columns := false, [][2]int(nil)
	emit := func() bool {
		row := number - 1
		for len(merged) > 0 && merged[0].top <= row {
			m := merged[0]
			merged = merged[1:]
			if m.bottom >= row {
				c := Cell{}
				if m.top == row && m.left < len(cells) {
					c = cells[m.left]
				}
				active[m] = c
			}
		}
		for m, c := range active {
			if row > m.bottom {
				delete(active, m)
				continue
			}
			if c.Kind == Empty {
				continue
			}
			for len(cells) <= m.right {
				cells = append(cells, Cell{})
			}
			for col := m.left; col <= m.right; col++ {
				if row == m.top && col == m.left {
					continue
				}
				cells[col] = c
				cells[col].Merged = true
			}
		}
		out := Row{Number: number, Cells: cells, Hidden: hidden, hidden: columns}
		return out.Blank() || yield(out, nil)
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(Row{}, broken(part, err))
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "col":
				from, ferr := strconv.Atoi(attr(e, "min"))
				to, terr := strconv.Atoi(attr(e, "max"))
				if is(attr(e, "hidden")) && ferr == nil && terr == nil && len(columns) < maxColumns {
					columns = append(columns, [2]int{from - 1, to - 1})
				}
			case "row":
				hidden = false // of rows that are not in the file
				next := number + 1
				if n, err := strconv.Atoi(attr(e, "r")); err == nil {
					if n < next || n > maxRows {
						yield(Row{}, damaged(nil, "%s is damaged: row %d follows row %d", part, n, number))
						return
					}
					// Rows that are not in the file may be covered by merged cells.
					for len(active) > 0 && next < n {
						number, cells = next, cells[:0]
						if !emit() {
							return
						}
						next++
					}
					next = n
				}
				number, cells, hidden = next, cells[:0], is(attr(e, "hidden"))
			case "c":
				column := len(cells)
				if ref := attr(e, "r"); ref != "" {
					c, _, ok := place(ref)
					if !ok || c < column {
						yield(Row{}, damaged(nil, "%s is damaged: the cell %q in row %d", part, ref, number))
						return
					}
					column = c
				}
				cell, err := x.cell(d, e)
				if err != nil {
					yield(Row{}, broken(part, err))
					return
				}
				if cell.Kind == Empty {
					continue // a format far beyond the table
				}
				if total++; total > maxCells || column >= maxColumns {
					yield(Row{}, tooLarge("too many cells"))
					return
				}
				for len(cells) < column {
					cells = append(cells, Cell{})
				}
				cells = append(cells, cell)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "row":
				if !emit() {
					return
				}
			case "sheetData":
				return
			}
		}
	}
}

// cell reads a cell whose start has been read.
func (x *xlsx) cell(d *xml.Decoder, start xml.StartElement) (Cell, error) {
	value, inline, formula, saved := "", "", "", false
	for {
		token, err := d.Token()
		if err != nil {
			return Cell{}, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "v":
				saved = true
				if value, err = richValue(d); err != nil {
					return Cell{}, err
				}
			case "is":
				if inline, err = richText(d); err != nil {
					return Cell{}, err
				}
			case "f":
				if formula, err = richValue(d); err != nil {
					return Cell{}, err
				}
				if formula == "" {
					formula = "…" // one that is shared with other cells
				}
			default:
				if err := d.Skip(); err != nil {
					return Cell{}, err
				}
			}
			continue
		case xml.EndElement:
			if formula != "" && !saved && inline == "" {
				// What it comes to is not in the file: the cell is not empty.
				return Cell{Kind: Error, Text: "=" + formula[:min(len(formula), maxCell)]}, nil
			}
			return x.read(attr(start, "t"), attr(start, "s"), value, inline), nil
		}
	}
}

func richValue(d *xml.Decoder) (string, error) {
	var b []byte
	for {
		token, err := d.Token()
		if err != nil {
			return "", err
		}
		switch e := token.(type) {
		case xml.CharData:
			b = append(b, e...)
		case xml.StartElement:
			if err := d.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return string(b), nil
		}
	}
}

func (x *xlsx) read(kind, style, value, inline string) Cell {
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || i < 0 || i >= len(x.shared) {
			return Cell{Kind: Error, Text: "a text that the file does not hold"}
		}
		return textOf(x.shared[i])
	case "inlineStr":
		return textOf(inline)
	case "str":
		return textOf(value)
	case "b":
		if value == "1" || value == "true" {
			return Cell{Kind: Bool, Text: "TRUE", Number: 1}
		}
		return Cell{Kind: Bool, Text: "FALSE"}
	case "e":
		return Cell{Kind: Error, Text: value}
	case "d":
		if d, err := calendar.ParseDate(value[:min(len(value), 10)]); err == nil {
			return Cell{Kind: Date, Text: d.String(), Date: d}
		}
		return textOf(value)
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return Cell{}
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return textOf(value)
	}
	f := format{}
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(x.formats) {
		f = x.formats[i]
	}
	// Days before 1 are hours.
	if f.date && v >= 1 {
		if t, err := excelize.ExcelDateToTime(v, x.date04); err == nil && t.Year() >= calendar.FirstYear && t.Year() <= calendar.LastYear {
			day := calendar.Of(t.Year(), t.Month(), t.Day())
			text := day.String()
			switch f.coarse {
			case "month":
				text = text[:len("2006-01")]
			case "year":
				text = text[:len("2006")]
			}
			return Cell{Kind: Date, Text: text, Number: v, Date: day}
		}
	}
	return numberCell(v, f)
}
