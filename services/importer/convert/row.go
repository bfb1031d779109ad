package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/calendar"
)

// row is what one row says beside its values.
type row struct {
	number            int
	text              map[mapping.Role]string
	units, objectives []string
	notes             []note
	marks             []string // of footnotes, behind names
	period            *calendar.Period
	edition           string // its day, or empty
	kind              mapping.Role
	at                map[mapping.Role]*column // where a text stands
}

type note struct{ header, text string }

// read takes a row of data in.
func (t *table) read(r workbook.Row) {
	for _, s := range t.skip {
		if c := r.At(s.index); s.match.MatchString(c.Text) {
			t.conv.counts.Skipped++
			return
		}
	}
	if t.isHeader(r) || t.isSection(r) {
		t.conv.counts.Skipped++
		return
	}
	if t.below == 0 && t.isOther(r) {
		t.below = r.Number
	}
	if t.below > 0 {
		t.tellBelow(r)
		return
	}
	said := row{number: r.Number, text: map[mapping.Role]string{}, at: map[mapping.Role]*column{}}
	var values []*column
	something := false
	for i := range t.columns {
		col := &t.columns[i]
		c := r.At(col.index)
		if col.Role.IsValue() || col.Role == mapping.Baseline {
			// What is merged stands in the first of its cells, for that row alone.
			if c.Kind != workbook.Empty && !c.Merged {
				t.conv.counts.Cells++
				something = true
				values = append(values, col)
			}
			continue
		}
		text := c.Text
		if c.Kind != workbook.Empty {
			t.conv.counts.Cells++
			something = something || !c.Merged
		}
		if col.Kinds {
			if rest, kind, ok := cell.CutKind(text); ok {
				text, said.kind = rest, mapping.Role(kind)
			}
		}
		if col.Split != "" {
			text, _, _ = strings.Cut(text, col.Split)
			text = strings.TrimSpace(text)
		}
		switch {
		case col.Fill && text == "":
			text = col.above
		case col.Fill:
			col.above = t.conv.keep(text)
		}
		t.take(&said, col, text)
	}
	if !something {
		return
	}
	if t.isRemark(r) {
		return
	}
	t.conv.counts.Rows++
	t.section.used = true
	if t.defaults.Unit != "" && len(said.units) == 0 {
		said.units = []string{t.defaults.Unit}
	}
	if t.sheet.Sections != "" && t.section.text != "" {
		switch t.sheet.Sections {
		case mapping.Unit:
			said.units = append([]string{t.section.text}, said.units...)
		case mapping.Objective:
			if len(said.objectives) == 0 {
				said.objectives = []string{t.section.text}
			}
		case mapping.Period:
			if said.text[mapping.Period] == "" {
				// The section may say more: Results for 2022.
				said.text[mapping.Period] = t.section.text
				if name, _, ok := cell.FindPeriod(t.section.text, t.locale); ok {
					said.text[mapping.Period] = name
				}
				said.at[mapping.Period] = &column{index: t.section.at}
			}
		default:
			if said.text[t.sheet.Sections] == "" {
				said.text[t.sheet.Sections] = t.section.text
			}
		}
	}
	if !t.when(&said, r) || !t.edition(&said) || !t.kindOf(&said) {
		for _, col := range values {
			if _, there, why := t.number(r.At(col.index)); !there && why == "" {
				t.conv.counts.Missing++
				continue
			}
			// Why is said at the cell that is not understood.
			t.trouble(r.Number, *col, r.At(col.index).Text, "the row is not read: see its other cells")
		}
		return
	}
	t.values(&said, r, values)
}

func (t *table) isHeader(r workbook.Row) bool {
	same := 0
	for _, col := range t.columns {
		text := mapping.HeaderText(r.At(col.index).Text)
		if text == "" {
			continue
		}
		// Of a header of several rows each is one.
		if !slices.ContainsFunc(t.headers, func(h []workbook.Cell) bool {
			return col.index < len(h) && fold(mapping.HeaderText(h[col.index].Text)) == fold(text)
		}) && fold(text) != fold(col.header) {
			return false
		}
		same++
	}
	return same > 1
}

// isOther reports whether a row is the header of another table, below the one
// that the mapping is for: its columns of values name kinds or periods, and its
// name is the header's.
func (t *table) isOther(r workbook.Row) bool {
	words, named := 0, false
	for _, col := range t.columns {
		c := r.At(col.index)
		switch {
		case c.Kind == workbook.Empty || c.Merged:
		case col.Role == mapping.Name || col.Role == mapping.ID:
			named = named || fold(c.Text) == fold(col.header)
		case col.Role.IsValue():
			if c.Kind != workbook.Text && len(c.Text) != 4 || c.Kind == workbook.Text && !strings.ContainsFunc(c.Text, unicode.IsLetter) {
				return false // most rows end here
			}
			_, kind := cell.ParseKind(c.Text)
			period := false
			if !kind {
				_, _, period = cell.FindPeriod(c.Text, t.locale)
			}
			switch {
			case c.Kind == workbook.Text && (kind || period && !cell.Missing(c.Text)):
				words++
			case c.Kind == workbook.Number && period: // 2023, which may be a value
			default:
				return false
			}
		}
	}
	return words >= 2 || named
}

// tellBelow tells of the cells of a row below another header.
func (t *table) tellBelow(r workbook.Row) {
	for _, col := range t.columns {
		if c := r.At(col.index); col.Role.IsValue() && c.Kind != workbook.Empty && !c.Merged {
			t.trouble(r.Number, col, c.Text, fmt.Sprintf("row %d is the header of another table: give it a sheet of its own in the mapping (header, first, last)", t.below))
		}
	}
}

// alone is the only text of a row, which may be merged over several cells; at is
// its column. ok is false where the row says more, or no text.
func alone(r workbook.Row) (text string, at int, ok bool) {
	for i, c := range r.Cells {
		switch {
		case c.Kind == workbook.Empty, c.Merged && c.Text == text:
		case c.Kind != workbook.Text || text != "":
			return "", 0, false
		default:
			text, at = c.Text, i
		}
	}
	return text, at, text != ""
}

// aloneYear is the year that is all a row says, as a number.
func aloneYear(r workbook.Row) (text string, at int, ok bool) {
	for i, c := range r.Cells {
		switch {
		case c.Kind == workbook.Empty, c.Merged && c.Text == text:
		case c.Kind == workbook.Number && text == "" && len(c.Text) == 4 && c.Text > "1900" && c.Text < "2200":
			text, at = c.Text, i
		default:
			return "", 0, false
		}
	}
	return text, at, text != ""
}

// section is a row that names a group for those below it.
type section struct {
	text    string
	row, at int
	used    bool // there were rows below it
}

// isSection takes such a row in.
func (t *table) isSection(r workbook.Row) bool {
	if t.sheet.Sections == "" {
		return false
	}
	text, at, ok := alone(r)
	if !ok && t.sheet.Sections == mapping.Period {
		text, at, ok = aloneYear(r)
	}
	if ok {
		t.endSection()
		t.section = section{text: t.conv.keep(text), row: r.Number, at: at}
	}
	return ok
}

// endSection tells of one with no rows below it: it was a remark.
func (t *table) endSection() {
	if s := t.section; s.text != "" && !s.used {
		t.remark(s.row, s.at, s.text)
	}
}

// fewColumns is how many columns are read of a table of which a row with one text
// may still be a measure that nothing is known of yet.
const fewColumns = 2

// isRemark tells of a row with one text alone, beside columns that all say
// nothing: a note below the table, or a heading.
func (t *table) isRemark(r workbook.Row) bool {
	text, at, ok := alone(r)
	if !ok || len(t.columns) <= fewColumns || t.defaults.Target != nil {
		return false
	}
	if i := slices.IndexFunc(t.columns, func(c column) bool { return c.index == at }); i >= 0 && t.columns[i].Role.IsValue() {
		return false
	}
	t.remark(r.Number, at, text)
	return true
}

func (t *table) remark(row, at int, text string) {
	c := column{index: at}
	if i := slices.IndexFunc(t.columns, func(c column) bool { return c.index == at }); i >= 0 {
		c = t.columns[i]
	}
	t.trouble(row, c, text, "the row has one text only: a remark, or a heading (sections in the mapping says what of)")
}

// take notes what a cell beside the values says.
func (t *table) take(said *row, col *column, text string) {
	if text == "" {
		return
	}
	switch col.Role {
	case mapping.Name, mapping.ID, mapping.Vintage, mapping.Kind: // words of the table's own
	case mapping.Measure:
		// % and $ alone say nothing in a column of numbers, and all in this one.
		if strings.Trim(text, "%％‰$€£¥₹ ") != "" && cell.Missing(text, t.conv.m.Missing...) {
			return
		}
	case mapping.Direction:
		if _, ok := cell.ParseDirection(text); !ok && cell.Missing(text, t.conv.m.Missing...) {
			return
		}
	default:
		if cell.Missing(text, t.conv.m.Missing...) {
			return
		}
	}
	switch col.Role {
	case mapping.Name, mapping.ID, mapping.Unit, mapping.Objective, mapping.Strategy, mapping.Owner, mapping.Measure, mapping.Direction, mapping.Kind, mapping.Vintage:
		text = strings.Join(strings.Fields(text), " ") // lines within a cell are no part of a title
	}
	switch col.Role {
	case mapping.Name, mapping.Unit, mapping.Objective, mapping.Strategy:
		// The next edition may mark another one.
		if rest, sign := cell.NameMark(text); sign != "" {
			text = rest
			said.marks = append(said.marks, "the table marks the "+string(col.Role)+" "+sign)
		}
	}
	switch col.Role {
	case mapping.Unit:
		said.units = append(said.units, t.conv.keep(text))
	case mapping.Objective:
		said.objectives = append(said.objectives, t.conv.keep(text))
	case mapping.Name:
		// Parts of a name stand in several columns.
		if before := said.text[mapping.Name]; before != "" {
			text = before + " – " + text
		}
		said.text[mapping.Name] = t.conv.keep(text)
	case mapping.Note, mapping.Status:
		said.notes = append(said.notes, note{col.header, t.conv.keep(text)})
	default:
		if said.text[col.Role] == "" {
			said.text[col.Role] = t.conv.keep(text)
		}
	}
	said.at[col.Role] = col
}

// when finds the period of the row; false where it is not understood.
func (t *table) when(said *row, r workbook.Row) bool {
	text, role := said.text[mapping.Period], mapping.Period
	if text == "" && said.text[mapping.Year] != "" {
		role = mapping.Year
		text = said.text[mapping.Year]
		p, why := t.period(text)
		if why != "" || p.Cadence != calendar.Yearly {
			t.trouble(r.Number, *said.at[role], text, orElse(why, "it is not a year"))
			return false
		}
		year := p.End.Year()
		switch {
		case said.text[mapping.Month] != "":
			m, ok := cell.ParseMonth(said.text[mapping.Month])
			if n, err := strconv.Atoi(said.text[mapping.Month]); err == nil && n >= 1 && n <= 12 {
				m, ok = n, true
			}
			if !ok {
				t.trouble(r.Number, *said.at[mapping.Month], said.text[mapping.Month], "it is not a month")
				return false
			}
			text = fmt.Sprintf("%d-%02d", t.yearOfMonth(year, m), m)
		case said.text[mapping.Quarter] != "":
			q, ok := cell.ParseQuarter(said.text[mapping.Quarter])
			if n, err := strconv.Atoi(said.text[mapping.Quarter]); err == nil && n >= 1 && n <= 4 {
				q, ok = n, true
			}
			if !ok {
				t.trouble(r.Number, *said.at[mapping.Quarter], said.text[mapping.Quarter], "it is not a quarter")
				return false
			}
			text = fmt.Sprintf("FY%d-Q%d", year, q)
		}
	}
	if text == "" {
		if text = t.defaults.Period; text == "" {
			return true
		}
	}
	p, why := t.period(text)
	if why != "" {
		t.trouble(r.Number, *said.at[role], text, why)
		return false
	}
	if col := said.at[role]; col != nil && col.Span != "" && p.Cadence == calendar.Daily {
		p = t.conv.calendar.PeriodOf(p.Start, spans[col.Span])
	}
	said.period = &p
	return true
}

// spans are what a date may stand for.
var spans = map[string]calendar.Cadence{"week": calendar.Weekly, "month": calendar.Monthly, "quarter": calendar.Quarterly, "year": calendar.Yearly}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// edition finds the day from which the row's targets count.
func (t *table) edition(said *row) bool {
	said.edition = t.conv.o.Vintage
	if said.edition == "" {
		said.edition = t.conv.m.Vintage
	}
	text := said.text[mapping.Vintage]
	if text == "" {
		return true
	}
	for word, day := range t.conv.m.Vintages {
		if fold(word) == fold(text) {
			said.edition = day
			return true
		}
	}
	d, err := cell.ParseDate(text, t.locale)
	if err != nil {
		t.trouble(said.number, *said.at[mapping.Vintage], text, "the edition is not among the mapping's vintages, and no date")
		return false
	}
	said.edition = d.String()
	return true
}

// kindOf finds what the row's value is, where a column says it.
func (t *table) kindOf(said *row) bool {
	text := said.text[mapping.Kind]
	if text == "" {
		return true
	}
	for word, role := range t.conv.m.Kinds {
		if fold(word) == fold(text) {
			said.kind = role
			return true
		}
	}
	role, ok := cell.ParseKind(text)
	if !ok {
		// It may say when as well: Target 2023.
		if name, rest, found := cell.FindPeriod(text, t.locale); found {
			if role, ok = t.kindWord(rest); ok {
				p, why := t.period(name)
				if why != "" {
					t.trouble(said.number, *said.at[mapping.Kind], text, why)
					return false
				}
				said.period = &p
			}
		}
	}
	if !ok {
		t.trouble(said.number, *said.at[mapping.Kind], text, "the word is not among the mapping's kinds")
		return false
	}
	said.kind = mapping.Role(role)
	return true
}

// kindWord is the kind that a word says, by the mapping or else by itself.
func (t *table) kindWord(text string) (kind string, ok bool) {
	for word, role := range t.conv.m.Kinds {
		if fold(word) == fold(text) {
			return string(role), true
		}
	}
	return cell.ParseKind(text)
}

// values takes the row's values in, each for its measure.
func (t *table) values(said *row, r workbook.Row, columns []*column) {
	touched := map[*measure]bool{}
	for _, col := range columns {
		c := r.At(col.index)
		m := t.measure(said, col.Of)
		if m == nil {
			if _, there, why := t.number(c); there || why != "" {
				t.trouble(r.Number, *col, c.Text, "the row names no measure")
			} else {
				t.conv.counts.Missing++
			}
			continue
		}
		if !touched[m] {
			touched[m] = true
			t.describe(m, said, col)
		}
		t.value(m, said, col, c)
	}
	// A row without values still declares its measure, once it has a name.
	if len(columns) == 0 || t.defaults.Target != nil {
		if m := t.measure(said, ""); m != nil {
			if !touched[m] {
				t.describe(m, said, nil)
			}
			if t.defaults.Target != nil && said.period != nil {
				t.setpoint(m, said, &column{Column: mapping.Column{Role: mapping.Target}}, number{value: *t.defaults.Target}, mapping.Target, true)
			}
		}
	}
	for m := range touched {
		t.bands(m, said)
	}
}

// value takes one value in.
func (t *table) value(m *measure, said *row, col *column, c workbook.Cell) {
	role := col.Role
	if role == mapping.Value {
		if role = said.kind; role == "" {
			t.trouble(said.number, *col, c.Text, "nothing says what the value is: the kind is empty")
			return
		}
	}
	switch role {
	case mapping.Planned:
		role = mapping.Target
	case mapping.Executed:
		role = mapping.Actual
	case mapping.Ignore:
		return
	}
	n, there, why := t.number(c)
	if why != "" {
		if r, found, unread := t.colon(m, c); found {
			n, there, why = r, unread == "", unread
		}
	}
	if why != "" {
		t.trouble(said.number, *col, c.Text, why)
		return
	}
	if !there {
		t.conv.counts.Missing++
		return
	}
	if col.Scale != 0 {
		n.value *= col.Scale
		if n.high != nil {
			*n.high *= col.Scale
		}
	}
	m.sameTime(&n)
	m.sameCount(&n)
	weight := 1
	if role == mapping.Actual {
		weight = 2 // a target may be a change: +5 %
	}
	if why := m.unitOf(n, col.Change != "", weight); why != "" {
		t.trouble(said.number, *col, c.Text, why)
		return
	}
	switch {
	case n.high == nil:
	case role == mapping.Target && col.Change == "" && !t.isPath(said, col):
		// A range is a band: its ends are the bounds.
		high := n
		high.value = *n.high
		t.setpoint(m, said, col, n, mapping.Min, false)
		t.setpoint(m, said, col, high, mapping.Max, false)
		return
	default:
		t.trouble(said.number, *col, c.Text, "a range is no single value")
		return
	}
	switch role {
	case mapping.Actual:
		t.actual(m, said, col, n, c.Text)
	case mapping.Baseline:
		t.baseline(m, said, col, n, c.Text)
	default:
		t.setpoint(m, said, col, n, role, false)
	}
}
