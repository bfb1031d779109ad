package convert

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Options are what neither the table nor the mapping say.
type Options struct {
	// FiscalYearStart is the organization's, where the mapping has none; 0 is 1.
	FiscalYearStart int
	// Vintage is the day from which the file's targets count, in place of the
	// mapping's.
	Vintage string
	// Today is the last day that targets may count from by default; unset for any.
	Today calendar.Date
}

// Converter takes a file in, row by row.
type Converter struct {
	m        mapping.Mapping
	o        Options
	calendar calendar.Calendar
	periods  map[string]calendar.Period // by text
	intern   map[string]string

	measures   map[string]*measure
	objectives map[string]*objective
	units      map[string]*unit
	pillars    []string
	troubles   []Trouble
	counts     Counts
	unknown    map[string]bool // words that were reported once
	owners     map[string]*unknownOwner
}

// Counts are what was read.
type Counts struct {
	Rows, Cells     int // rows of data and their cells that say something, in mapped columns
	Missing         int // cells of values that say that there is none
	Skipped         int // rows that the mapping skips, repeated headers, sections
	Targets, Actual int // cells with a target, or an actual
}

// New begins to convert a file by a mapping, which has been checked.
func New(m mapping.Mapping, o Options) *Converter {
	fy := m.FiscalYearStart
	if fy == 0 {
		fy = o.FiscalYearStart
	}
	return &Converter{
		m: m, o: o, calendar: calendar.Months(fy),
		periods: map[string]calendar.Period{}, intern: map[string]string{}, unknown: map[string]bool{}, owners: map[string]*unknownOwner{},
		measures: map[string]*measure{}, objectives: map[string]*objective{}, units: map[string]*unit{},
	}
}

// Counts are what has been read so far.
func (c *Converter) Counts() Counts { return c.counts }

// column is a mapped column in its place.
type column struct {
	mapping.Column
	index  int
	header string
	period *calendar.Period // its own
	part   string           // of the row's year
	above  string           // for Fill
}

// table is a sheet that is being read.
type table struct {
	conv     *Converter
	sheet    mapping.Sheet
	name     string
	locale   cell.Locale
	defaults mapping.Defaults
	headers  [][]workbook.Cell
	columns  []column
	skip     []skip
	section  section
	now      workbook.Row // that is being read
	below    int          // the row of another header, below which nothing is read
	bound    bool
	err      error
}

type skip struct {
	index int
	match *regexp.Regexp
}

// Table reads one sheet; every row of it goes to Row, from the top.
type Table interface {
	// Row takes the next row. The error is a *fault.Error: the table is not the
	// one that the mapping is for.
	Row(workbook.Row) error
	// End says that there are no more rows.
	End() error
}

// Sheet begins a sheet of the mapping under the name it has in the file.
func (c *Converter) Sheet(s mapping.Sheet, name string) Table {
	clear(c.periods) // another sheet may write them in another way
	return &table{conv: c, sheet: s, name: name, locale: c.m.LocaleOf(s), defaults: c.m.DefaultsOf(s), section: section{text: s.Section, used: true}}
}

// End implements Table.
func (t *table) End() error {
	if t.err == nil && !t.bound {
		t.err = t.bind()
	}
	if t.err == nil {
		t.endSection()
	}
	return t.err
}

// Row implements Table.
func (t *table) Row(r workbook.Row) error {
	if t.err != nil {
		return t.err
	}
	if slices.Contains(t.sheet.HeaderRows(), r.Number) {
		t.headers = append(t.headers, slices.Clone(r.Cells))
		return nil
	}
	if r.Number < t.sheet.FirstRow() || t.sheet.Last > 0 && r.Number > t.sheet.Last {
		return nil
	}
	if !t.bound {
		if t.err = t.bind(); t.err != nil {
			return t.err
		}
	}
	t.now = r
	t.read(r)
	t.now = workbook.Row{}
	return nil
}

// headerTexts are the joined headers of the columns.
func (t *table) headerTexts() []string {
	rows := make([][]string, len(t.headers))
	for i, r := range t.headers {
		rows[i] = make([]string, len(r))
		for k, c := range r {
			rows[i][k] = c.Text
		}
	}
	return mapping.Headers(rows)
}

func (t *table) fail(hint, format string, args ...any) error {
	where := ""
	if t.name != "" {
		where = fmt.Sprintf(" (sheet %q)", t.name)
	}
	return fault.New(fault.Invalid, "import.mapping_differs", "%s%s", fmt.Sprintf(format, args...), where).WithHint("%s", hint)
}

// bind finds the mapped columns.
func (t *table) bind() error {
	t.bound = true
	headers := t.headerTexts()
	if len(headers) == 0 {
		return t.fail("header names the rows that name the columns, from 1", "the header, row %d, is empty", t.sheet.HeaderRows()[0])
	}
	taken := map[int]bool{}
	for _, col := range t.sheet.Columns {
		found, err := t.find(col, headers)
		if err != nil {
			return err
		}
		if len(found) == 0 && !col.Optional {
			return t.fail(suggestHeader(col, headers), "no column %s", selector(col))
		}
		for _, i := range found {
			if taken[i] {
				if col.Match != "" {
					continue // one that is named before a pattern stands for itself
				}
				return t.fail("", "the column %s is mapped twice", workbook.Letter(i))
			}
			taken[i] = true
			b := column{Column: col, index: i, header: t.conv.keep(headerAt(headers, i))}
			if err := t.place(&b); err != nil {
				return err
			}
			if b.Role != mapping.Ignore {
				t.columns = append(t.columns, b)
			}
		}
	}
	for _, k := range t.sheet.Skip {
		i := workbook.Column(strings.TrimPrefix(k.Column, "#"))
		if !strings.HasPrefix(k.Column, "#") {
			if i = slices.IndexFunc(headers, func(h string) bool { return fold(h) == fold(mapping.HeaderText(k.Column)) }); i < 0 {
				return t.fail("", "no column %q, by which rows are skipped", k.Column)
			}
		}
		t.skip = append(t.skip, skip{i, regexp.MustCompile(k.Match)})
	}
	for i, h := range headers {
		if h != "" && !taken[i] {
			t.trouble(0, column{index: i, header: h}, "", "the column is not in the mapping: nothing of it was read (role: ignore says so)")
		}
	}
	return nil
}

func headerAt(headers []string, i int) string {
	if i < len(headers) {
		return headers[i]
	}
	return ""
}

func selector(c mapping.Column) string {
	switch {
	case c.Letter != "":
		return c.Letter
	case c.Match != "":
		return "matches " + strconv.Quote(c.Match)
	}
	return strconv.Quote(c.Header)
}

func suggestHeader(c mapping.Column, headers []string) string {
	if s := resource.Suggest(c.Header, headers); c.Header != "" && s != "" {
		return s
	}
	var shown []string
	for _, h := range headers {
		if h != "" && len(shown) < 30 {
			shown = append(shown, strconv.Quote(h))
		}
	}
	return "the table has " + strings.Join(shown, ", ")
}

func (t *table) find(c mapping.Column, headers []string) ([]int, error) {
	switch {
	case c.Letter != "":
		return []int{workbook.Column(c.Letter)}, nil
	case c.Match != "":
		re := regexp.MustCompile(c.Match)
		var out []int
		for i, h := range headers {
			if h != "" && re.MatchString(h) {
				out = append(out, i)
			}
		}
		return out, nil
	}
	var out []int
	for i, h := range headers {
		if fold(h) == fold(mapping.HeaderText(c.Header)) {
			out = append(out, i)
		}
	}
	if len(out) > 1 {
		return nil, t.fail("select it by its letter", "%d columns are called %q", len(out), c.Header)
	}
	return out, nil
}

// place finds the period of a value column.
func (t *table) place(b *column) error {
	name := b.Period
	switch {
	case name == "" || !b.Role.IsValue() && b.Role != mapping.Baseline:
		return nil
	case mapping.IsPart(name):
		b.part = name
		return nil
	case name == "header":
		found, _, ok := cell.FindPeriod(b.header, t.locale)
		if half, _, is := cell.FindHalf(b.header); is {
			found, ok = half, true
		}
		if !ok {
			return t.fail("write the period out", "the header %q names no period", b.header)
		}
		name = t.conv.nendo(b.header, found)
	case b.Match != "":
		re := regexp.MustCompile(b.Match)
		name = string(re.ExpandString(nil, name, b.header, re.FindStringSubmatchIndex(b.header)))
	}
	p, err := t.conv.calendar.Parse(name)
	if err != nil {
		var why string
		if p, why = t.period(name); why == halfYear {
			return t.fail(halfHint, "the column %q is of a half-year, %s", b.header, name)
		} else if why == "" {
			err = nil
		}
	}
	if err != nil {
		return t.fail("for example FY2018, 2018-Q3, 2018-07", "the column %q has the period %q, which is none", b.header, name)
	}
	b.period = &p
	return nil
}

// trouble tells of a cell, with what the file has there.
func (t *table) trouble(row int, c column, content, why string) {
	if row > 0 && row == t.now.Number {
		content = cmp.Or(t.now.At(c.index).Raw, content)
	}
	t.conv.troubles = append(t.conv.troubles, Trouble{
		Sheet: t.name, Row: row, Cell: workbook.Letter(c.index), Field: c.header, Content: clip(content), Why: why,
	})
}

func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:199]) + "…"
	}
	return s
}

// keep keeps each text once: few different ones make up a large table.
func (c *Converter) keep(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := c.intern[s]; ok {
		return known
	}
	s = strings.Clone(s)
	if len(s) < 400 {
		c.intern[s] = s
	}
	return s
}

const (
	halfYear = "a half-year, which the calendar has not: halfYears in the mapping says what it stands for"
	halfHint = "halfYears: quarter in the mapping's defaults reads it as the quarter that it ends with"
)

// period reads a period, among them a half-year where the mapping says what those
// stand for.
func (t *table) period(text string) (calendar.Period, string) {
	half, is := cell.ParseHalf(text)
	if is && t.defaults.HalfYears != "" {
		text, _ = cell.LastQuarter(half)
	}
	p, why := t.conv.period(text, t.locale)
	if why != "" && is {
		why = halfYear
	}
	return p, why
}

// period reads a period of the table's calendar.
func (c *Converter) period(text string, l cell.Locale) (calendar.Period, string) {
	if p, ok := c.periods[text]; ok {
		return p, ""
	}
	name, err := cell.ParsePeriod(text, l)
	if err != nil {
		return calendar.Period{}, reason(err)
	}
	p, err := c.calendar.Parse(c.nendo(text, name))
	if err != nil {
		return p, reason(err)
	}
	c.periods[strings.Clone(text)] = p
	return p, ""
}

// nendo is the fiscal year, or the quarter of one, that 年度 says: it is called by
// the year in which it begins, ours by the one in which it ends.
func (c *Converter) nendo(text, name string) string {
	if c.calendar.FiscalYearStart() == 1 || !strings.Contains(text, "年度") || len(name) < 4 || len(name) > 4 && name[5] != 'Q' {
		return name
	}
	year, err := strconv.Atoi(name[:4])
	if err != nil {
		return name
	}
	return "FY" + strconv.Itoa(year+1) + name[4:]
}
