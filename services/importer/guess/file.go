package guess

import (
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
)

// least is the confidence below which a sheet is no table of measures.
const least = 0.5

// File proposes a mapping for a file. Every column of every sheet that is read
// stands in it, those that are not read with the role ignore; reasons,
// confidences and questions are its comments. A file in which no table was
// found is Invalid, import.no_table.
func File(b *workbook.Book) (mapping.Mapping, error) {
	m := mapping.Mapping{APIVersion: mapping.Version}
	type read struct {
		name string
		grid Grid
		p    Proposal
		when context
		last int // row, from 1, where another table follows in the sheet
	}
	var found []read
	for _, s := range b.Sheets {
		if s.Hidden {
			m.Questions = append(m.Questions, fmt.Sprintf("sheet %q is hidden and left out: should it be read?", s.Name))
			continue
		}
		g, typed, hidden, err := gridOf(s)
		if err != nil {
			return m, err
		}
		parts := segments(g)
		tables := make([]read, 0, len(parts))
		for _, part := range parts {
			if p := tableOf(part.grid, typed, part.first); p.Confidence >= least {
				tables = append(tables, read{s.Name, part.grid, p, contextOf(s.Name, part.grid, p), part.last + 1})
			}
		}
		if len(tables) < len(parts) && len(parts) > 1 {
			// They are no tables each: the sheet is one.
			tables = tables[:0]
			if p := tableOf(g, typed, 0); p.Confidence >= least {
				tables = append(tables, read{s.Name, g, p, contextOf(s.Name, g, p), 0})
			}
		}
		if len(tables) == 0 {
			if len(b.Sheets) > 1 {
				m.Questions = append(m.Questions, fmt.Sprintf("sheet %q is left out: no table of measures was found in it. Should it be read?", s.Name))
			}
			continue
		}
		for i := range tables {
			if i > 0 && tables[i].when.period == "" {
				tables[i].when.period, tables[i].when.from = tables[0].when.period, tables[0].when.from
			}
			if i+1 == len(tables) {
				tables[i].last = 0 // to the end
			}
		}
		found = append(found, tables...)
		if hidden != "" {
			m.Questions = append(m.Questions, fmt.Sprintf("%s of the sheet %q: not shown by a spreadsheet program, and read: should that be?", hidden, s.Name))
		}
	}
	if len(found) == 0 {
		return m, fault.New(fault.Invalid, "import.no_table", "no table of measures was found: no row names a measure and its values").
			WithHint("write a mapping by hand; docs/import.md has the reference")
	}
	first := found[0].p
	m.Locale = localeOf(first.Locale)
	if first.Fiscal {
		m.FiscalYearStart = fiscalStart(first)
	}
	var missing []string
	units, sheets := len(found) > 1, map[string]int{}
	for _, f := range found {
		// Sheets of one form, each for a unit: not for a year.
		units = units && sameHeader(f.p, first) && f.when.sheet == "" && len(f.p.Of(Unit)) == 0
		sheets[f.name]++
	}
	asked, order := map[string][]string{}, []string(nil) // questions, and of which tables
	for _, f := range found {
		s, more := sheetOf(f.name, f.grid, f.p, f.when, &m, len(found) > 1 || len(b.Sheets) > 1)
		s.Last = f.last
		title := ""
		if n := len(f.when.lines); n > 0 && f.when.next && sheets[f.name] > 1 && unitName(f.when.lines[n-1]) && len(f.p.Of(Unit)) == 0 {
			title = f.when.lines[n-1]
			more = append(more, fmt.Sprintf("is %q, above the table, the unit of its measures?", title))
		}
		if units && len(sheets) == len(found) {
			title = f.name
		}
		if title != "" && (s.Defaults == nil || s.Defaults.Unit == "") {
			if s.Defaults == nil {
				s.Defaults = &mapping.Defaults{}
			}
			s.Defaults.Unit = title
		}
		if l := localeOf(f.p.Locale); l != m.Locale {
			s.Locale = &l
		}
		m.Sheets = append(m.Sheets, s)
		for _, q := range slices.Concat(f.p.Questions, more) {
			if (q == noPeriod || strings.HasPrefix(q, noPeriodOf)) && (m.Defaults.Period != "" || s.Defaults != nil && s.Defaults.Period != "") {
				continue // the title says it
			}
			if q == noDirection && (m.Defaults.Direction != "" || directed(s)) {
				continue
			}
			where := f.name
			if sheets[f.name] > 1 {
				where = strings.TrimSpace(fmt.Sprintf("%s row %d", f.name, f.p.Header[0]+1))
			}
			if !slices.Contains(asked[q], where) {
				if asked[q] == nil {
					order = append(order, q)
				}
				asked[q] = append(asked[q], where)
			}
		}
		missing = append(missing, f.p.Missing...)
		if n := len(f.p.Texts); n > 0 {
			shown := make([]string, 0, 8)
			for _, t := range f.p.Texts[:min(n, 8)] {
				shown = append(shown, strconv.Quote(clip(t)))
			}
			m.Questions = append(m.Questions, fmt.Sprintf("%s are no numbers (%d different such texts) and will be reported: which of them mean that there is no value (missing)?", strings.Join(shown, ", "), n))
		}
	}
	for _, q := range order {
		if len(asked[q]) < len(found) {
			q = strings.Join(asked[q], ", ") + ": " + q
		}
		m.Questions = append(m.Questions, q)
	}
	if units && len(sheets) == len(found) {
		m.Questions = append(m.Questions, "the sheets have the same columns and are read as one unit each, by their names: are they?")
	}
	slices.Sort(missing)
	m.Missing = slices.Compact(missing)
	if m.FiscalYearStart > 0 {
		m.Questions = slices.DeleteFunc(m.Questions, func(q string) bool { return strings.HasSuffix(q, "in which month does the fiscal year begin?") })
		m.Questions = append(m.Questions, fmt.Sprintf("the twelve months of the table begin with %s: does the fiscal year?", calendarMonth(m.FiscalYearStart)))
	}
	m.Comment = fmt.Sprintf("A proposal from the table's headers and values: look through it before use.\n"+
		"Before each column stand how sure that is (0 to 1) and why. Numbers: %s.", first.LocaleReason)
	return m, m.Check()
}

// gridOf reads a sheet as far as it is looked at; typed are the cells that the
// file holds as numbers or dates, not as texts; hidden are the rows and columns
// that say something and are not shown, in words.
func gridOf(s workbook.Sheet) (g Grid, typed [][]bool, hidden string, err error) {
	var rows, columns []string
	for row, err := range s.Rows() {
		if err != nil {
			return nil, nil, "", err
		}
		if row.Hidden && len(rows) < mostHidden {
			rows = append(rows, strconv.Itoa(row.Number))
		}
		if row.Number > mostHeaderRow+mostBody {
			break
		}
		for len(g) < row.Number-1 {
			g, typed = append(g, nil), append(typed, nil)
		}
		texts, kinds := make([]string, len(row.Cells)), make([]bool, len(row.Cells))
		for i, c := range row.Cells {
			if c.Kind == workbook.Error {
				continue // says nothing of what the column holds
			}
			texts[i] = strings.TrimSpace(c.Text)
			if l := workbook.Letter(i); texts[i] != "" && row.HidesColumn(i) && len(columns) < mostHidden && !slices.Contains(columns, l) {
				columns = append(columns, l)
			}
			kinds[i] = c.Kind == workbook.Number || c.Kind == workbook.Date
		}
		g, typed = append(g, texts), append(typed, kinds)
	}
	if len(rows) > 0 {
		hidden = "rows " + strings.Join(rows, ", ")
	}
	if len(columns) > 0 {
		hidden = strings.TrimPrefix(hidden+" and columns "+strings.Join(columns, ", "), " and ")
	}
	return g, typed, hidden, nil
}

// mostHidden is how many rows and columns that are not shown are named.
const mostHidden = 10

var day = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// directed reports whether each target of a sheet is a change from a baseline,
// which says which way is good.
func directed(s mapping.Sheet) bool {
	targets := 0
	for _, c := range s.Columns {
		if c.Role == mapping.Target {
			targets++
			if c.Change == "" {
				return false
			}
		}
	}
	return targets > 0
}

// sameHeader reports whether two tables have the same columns.
func sameHeader(a, b Proposal) bool {
	return slices.EqualFunc(a.Columns, b.Columns, func(x, y Column) bool { return normalize(x.Header) == normalize(y.Header) && x.Role == y.Role })
}

func localeOf(l cell.Locale) mapping.Locale {
	out := mapping.Locale{Dates: string(l.Dates), YearPairs: l.YearPairs}
	if l.Decimal == ',' {
		out.Decimal = ","
	}
	return out
}

// fiscalStart is the first of twelve columns of months; 0 if there are none.
func fiscalStart(p Proposal) int {
	var months []int
	for _, c := range p.Columns {
		if c.Month > 0 {
			months = append(months, c.Month)
		}
	}
	if len(months) != 12 {
		return 0
	}
	for i, m := range months {
		if m != (months[0]+i-1)%12+1 {
			return 0
		}
	}
	return months[0]
}

func calendarMonth(m int) string {
	return calendar.Of(2000, 1, 1).AddDays(31 * (m - 1)).Time().Month().String()
}

func clip(s string) string {
	r := []rune(s)
	if len(r) <= 40 {
		return s
	}
	return string(r[:40]) + "…"
}
