package guess

import (
	"fmt"
	"maps"
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
	}
	var found []read
	for _, s := range b.Sheets {
		if s.Hidden {
			m.Questions = append(m.Questions, fmt.Sprintf("sheet %q is hidden and left out: should it be read?", s.Name))
			continue
		}
		g, typed, err := gridOf(s)
		if err != nil {
			return m, err
		}
		p := tableOf(g, typed)
		if p.Confidence < least {
			if len(b.Sheets) > 1 {
				m.Questions = append(m.Questions, fmt.Sprintf("sheet %q is left out: no table of measures was found in it. Should it be read?", s.Name))
			}
			continue
		}
		found = append(found, read{s.Name, g, p, contextOf(s.Name, g, p)})
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
	units := len(found) > 1
	for _, f := range found {
		// Sheets of one form, each for a unit: not for a year.
		units = units && sameHeader(f.p, first) && f.when.sheet == "" && len(f.p.Of(Unit)) == 0
	}
	for _, f := range found {
		s, more := sheetOf(f.name, f.grid, f.p, f.when, &m, len(found) > 1 || len(b.Sheets) > 1)
		if units {
			if s.Defaults == nil {
				s.Defaults = &mapping.Defaults{}
			}
			s.Defaults.Unit = f.name
		}
		if l := localeOf(f.p.Locale); l != m.Locale {
			s.Locale = &l
		}
		m.Sheets = append(m.Sheets, s)
		for _, q := range slices.Concat(f.p.Questions, more) {
			if q == noPeriod && (m.Defaults.Period != "" || s.Defaults != nil && s.Defaults.Period != "") {
				continue // the title says it
			}
			if len(found) > 1 {
				q = f.name + ": " + q
			}
			if !slices.Contains(m.Questions, q) {
				m.Questions = append(m.Questions, q)
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
	if units {
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
// file holds as numbers or dates, not as texts.
func gridOf(s workbook.Sheet) (g Grid, typed [][]bool, err error) {
	for row, err := range s.Rows() {
		if err != nil {
			return nil, nil, err
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
			kinds[i] = c.Kind == workbook.Number || c.Kind == workbook.Date
		}
		g, typed = append(g, texts), append(typed, kinds)
	}
	return g, typed, nil
}

// context is what stands around a table: when it is about, as its title or the
// name of its sheet say.
type context struct {
	period string   // the only one in the lines above the header, or else the sheet's
	from   string   // where it stands
	sheet  string   // the one in the sheet's name
	lines  []string // above the header
}

func contextOf(sheet string, g Grid, p Proposal) context {
	c := context{}
	found := map[string]string{}
	for _, row := range g[:p.Header[0]] {
		line := ""
		for _, t := range row {
			if t != "" && !strings.HasSuffix(line, t) {
				line = strings.TrimSpace(line + " " + t)
			}
		}
		if line == "" {
			continue
		}
		c.lines = append(c.lines, line)
		// A day is when the table was made, two periods are what it runs through.
		if name, _, ok := cell.FindPeriod(line, p.Locale); ok && !day.MatchString(name) {
			found[name] = line
		}
	}
	if name, _, ok := cell.FindPeriod(sheet, p.Locale); ok && !day.MatchString(name) {
		c.sheet = name
	}
	switch {
	case len(found) == 1:
		for name, line := range found {
			c.period, c.from = name, "above the table stands "+strconv.Quote(clip(line))
		}
	case len(found) == 0 && c.sheet != "":
		c.period, c.from = c.sheet, "the sheet is called "+strconv.Quote(sheet)
	}
	return c
}

// inThousands is what a title says of the values below it.
var inThousands = regexp.MustCompile(`(?i)(?:\b(?:in|en|em|w|i)\s+(?:thousands?|millions?|billions?|tausend|tsd|mio|mrd|milliers|miles|millones|milhares|milhões|migliaia|milioni|duizend|miljoen|tys|mln|tusental|crore|lakhs?)\b[^()\n]{0,20}|[$£€]\s?(?:000|m|mn|bn)\b|単位：?[^\s)）]{1,8}|单位：?[^\s)）]{1,8})`)

var day = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

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

func sheetOf(name string, g Grid, p Proposal, when context, m *mapping.Mapping, several bool) (mapping.Sheet, []string) {
	var questions []string
	s := mapping.Sheet{}
	if several {
		s.Name = name
	}
	s.Comment = fmt.Sprintf("%.2f: header in row %s", p.Confidence, rowsText(p.Header))
	for i, l := range when.lines {
		if i == 5 {
			s.Comment += fmt.Sprintf("\nand %d more lines", len(when.lines)-i)
			break
		}
		s.Comment += "\nabove it stands, and is not read: " + strconv.Quote(clip(l))
	}
	for _, h := range p.Header {
		s.Header = append(s.Header, h+1)
	}
	body := g[p.First:min(len(g), p.First+mostBody)]
	own := mapping.Defaults{}
	year, known := currentYear(p, body)
	fiscal := p.Fiscal
	if y, err := strconv.Atoi(strings.TrimPrefix(when.period, "FY")); !known && err == nil && slices.ContainsFunc(p.Columns, Column.dated) {
		year, known = y, true
		fiscal = fiscal || strings.HasPrefix(when.period, "FY")
		if slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Quarter > 0 || c.Month > 0 || c.Relative }) {
			questions = append(questions, fmt.Sprintf("%s: are the columns of that year?", when.from))
		}
	}
	p.Fiscal = fiscal
	for _, l := range when.lines {
		if w := inThousands.FindString(l); w != "" {
			questions = append(questions, fmt.Sprintf("above the table stands %q: which values does it hold for (measure, or scale, of their columns)?", strings.TrimSpace(w)))
		}
	}
	dateless := when.period != "" && len(p.Of(Period)) == 0 && len(p.Of(mapping.Year)) == 0 && len(p.Of(TargetAt)) == 0 &&
		len(p.Of(Target))+len(p.Of(Actual))+len(p.Of(Value)) > 0
	if b, t := p.Of(Baseline), p.Of(Target); !dateless && len(b) > 0 && len(t) > 0 && len(p.Of(BaselineAt))+len(p.Of(TargetAt)) == 0 && len(p.Of(Period)) > 0 && onceEach(p, body) {
		own.Form = "path"
		questions = append(questions, fmt.Sprintf("is %q the value at the beginning of the row's period, and %q due at its end?", b[0].Header, t[0].Header))
	}
	if dateless {
		own.Period = when.period
		questions = append(questions, fmt.Sprintf("%s: are the values without a period of their own of %s?", when.from, when.period))
		if len(p.Of(Baseline)) > 0 && len(p.Of(Target)) > 0 && len(p.Of(BaselineAt)) == 0 {
			own.Form = "path"
			questions = append(questions, fmt.Sprintf("is %q the value at the beginning of %s, and %q due at its end?", p.Of(Baseline)[0].Header, when.period, p.Of(Target)[0].Header))
		}
	}
	headers := map[string]int{}
	for _, c := range p.Columns {
		headers[normalize(c.Header)]++
	}
	ofs := partsOf(p)
	chosen := choose(p, ofs, &questions)
	finer := 0
	for _, c := range p.Columns {
		if c.Header == "" && c.Role == Ignored {
			continue
		}
		col := mapping.Column{Role: c.Role, Comment: "not read"}
		if c.Header == "" || headers[normalize(c.Header)] > 1 || len(p.Header) > 1 {
			col.Letter = workbook.Letter(c.Index)
		} else {
			col.Header = c.Header
		}
		if c.Role != Ignored || c.Reason != "" {
			col.Comment = fmt.Sprintf("%.2f: %s", c.Confidence, c.Reason)
		}
		if col.Letter != "" && c.Header != "" {
			col.Comment = strconv.Quote(c.Header) + " " + col.Comment
		}
		if c.dated() {
			period, ok := periodOf(c, p, year, known, m.FiscalYearStart)
			switch {
			case c.Relative && len(p.Of(mapping.Quarter))+len(p.Of(mapping.Month)) > 0:
				col.Role = Ignored
				col.Comment += "; of the year before the row's period, whose own rows hold it"
			case !ok:
				col.Role = Ignored
				col.Comment += "; of which year is not said"
				questions = append(questions, fmt.Sprintf("of which year is the column %q?", c.Header))
			case (c.Month > 0 || c.Quarter > 0) && yearly(p):
				// The same year stands in a column of its own.
				col.Role, finer = Ignored, finer+1
				col.Comment += "; " + period + ", a part of a year that has a column of its own"
			default:
				col.Period = period
			}
		}
		if why, out := chosen[c.Index]; out {
			col.Role, col.Period = Ignored, ""
			col.Comment += "; " + why
		}
		if c.Role == Target && col.Role == Target && len(p.Of(BaselineAt)) > 0 && reduction(p, body) {
			col.Change = "below"
			questions = append(questions, fmt.Sprintf("is %q in percent below the baseline?", c.Header))
		}
		if col.Role.IsValue() || col.Role == mapping.Baseline {
			if rest, unit, ok := cell.NameUnit(c.Header); ok {
				col.Measure, c.Header = unit, rest
			}
		}
		switch {
		case !col.Role.IsValue():
		case len(p.Of(Name)) == 0 && c.dated():
			// The column is a period of something that the title may name.
			col.Of = "Value"
			if n := len(when.lines); n > 0 && len([]rune(when.lines[n-1])) <= 100 {
				col.Of = when.lines[n-1]
			}
			if _, rest, ok := dated(c.Header, p.Locale); ok && ofHeader(rest) != "" && kindOf(rest) == "" {
				col.Of = ofHeader(rest)
			}
			q := "no column names a measure: what do the values measure (of)?"
			if !slices.Contains(questions, q) {
				questions = append(questions, q)
			}
		case len(p.Of(Name)) == 0:
			col.Of = ofHeader(c.Header)
		case ofs[c.Index] != "":
			col.Of = ofs[c.Index]
			col.Comment += "; " + strconv.Quote(ofs[c.Index]) + " is a part of the measure"
		}
		if c.UnitTitle {
			own.Unit = c.Header
			questions = append(questions, fmt.Sprintf("is %q the unit whose measures are below it?", c.Header))
		}
		if c.Role == Period && !c.dated() {
			if span := spanOf(c.Index, body, p.Locale); span != "" {
				col.Span = span
				questions = append(questions, fmt.Sprintf("the dates in %q are all the first or all the last of a %s: are the values of the whole %[2]s?", c.Header, span))
			}
		}
		if c.Kinds {
			col.Kinds = true
			questions = append(questions, "the last words of the names are read as what the values are (target, actual): are they?")
		}
		if fills(c, p, body) {
			col.Fill = true
			col.Comment += "; an empty cell says what the one above says"
		}
		s.Columns = append(s.Columns, col)
	}
	if finer > 0 {
		questions = append(questions, "columns of months or quarters are left out beside columns of whole years: should they be read, and how do they add up (defaults.aggregation)?")
	}
	if parts(p) {
		questions = append(questions, "actuals are of quarters or months and targets of whole years: how do they add up (defaults.aggregation: last, sum or mean)? Without it they are not read")
	}
	words := kindWords(p, body)
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if m.Kinds == nil {
			m.Kinds = map[string]mapping.Role{}
		}
		m.Kinds[w] = words[w]
	}
	owners(p, body, m, &questions)
	if percent, ok := percentScale(p, body); ok {
		if m.Defaults.Percent == "" || m.Defaults.Percent == percent {
			m.Defaults.Percent = percent
		} else {
			own.Percent = percent
		}
		questions = append(questions, fmt.Sprintf("percentages seem to be written as %s: is that so?", map[string]string{"fraction": "fractions (0.03 is 3 %)", "points": "points (3 is 3 %)"}[percent]))
	}
	if c, ok := scores(p, body, chosen); ok {
		zero, one := 0.0, 1.0
		m.Defaults.Baseline, m.Defaults.Target, m.Defaults.Direction = &zero, &one, string(cell.Increase)
		questions = append(questions, fmt.Sprintf("%q looks like a score from 0 to 1, as key results have: is 1 the target of each?", c.Header))
	}
	for _, c := range p.Columns {
		if c.Role != Name && c.Role != Unit && c.Role != Strategy && c.Role != Objective ||
			!slices.ContainsFunc(body, func(row []string) bool { return c.Index < len(row) && totals.MatchString(row[c.Index]) }) {
			continue
		}
		column := c.Header
		if len(p.Header) > 1 || headers[normalize(c.Header)] > 1 {
			column = "#" + workbook.Letter(c.Index)
		}
		s.Skip = append(s.Skip, mapping.Skip{Column: column, Match: totals.String()})
		questions = append(questions, "rows that are named like totals are skipped: are they?")
	}
	if sections(p, body) {
		s.Sections = Objective
		questions = append(questions, "rows with one text only are read as objectives of the rows below: are they?")
	}
	editions(p, body, m, &questions)
	if key := keyOf(p, body, s.Sections); key != nil && m.Key == nil {
		m.Key = key
		questions = append(questions, fmt.Sprintf("measures of the same name are told apart by %s (key): are they different ones?", key[len(key)-2]))
	}
	if own != (mapping.Defaults{}) {
		if !several {
			if own.Period != "" {
				m.Defaults.Period = own.Period
			}
			if own.Form != "" {
				m.Defaults.Form = own.Form
			}
			if own.Unit != "" {
				m.Defaults.Unit = own.Unit
			}
			own.Period, own.Form, own.Unit = "", "", ""
		}
		if own != (mapping.Defaults{}) {
			s.Defaults = &own
		}
	}
	return s, questions
}

// keyOf is what tells measures apart where their names alone, with their units,
// do not: rows of the same name and period under another goal, objective or
// heading, or of the same id in another unit.
func keyOf(p Proposal, body Grid, sections mapping.Role) []mapping.Role {
	base, named := mapping.ID, p.Of(ID)
	if len(named) == 0 {
		base, named = Name, p.Of(Name)
	}
	if len(named) != 1 {
		return nil
	}
	rows := slices.Concat(p.Of(Period), p.Of(mapping.Year), p.Of(mapping.Quarter), p.Of(mapping.Month), p.Of(Kind), p.Of(Vintage), p.Of(TargetAt))
	columns := map[mapping.Role][]Column{mapping.Unit: p.Of(Unit), mapping.Strategy: p.Of(Strategy), mapping.Objective: p.Of(Objective)}
	// A few rows that are there twice are slips, not measures of their own: another
	// key would part what later editions say of one.
	slips := len(body) / 20
	twice := func(roles ...mapping.Role) bool {
		seen, above, section, n := map[string]bool{}, map[int]string{}, "", 0
		for _, row := range body {
			text, filled := "", 0
			for _, t := range row {
				if t != "" && t != text {
					text, filled = t, filled+1
				}
			}
			if filled == 1 {
				section = text
			}
			if filled < 2 || named[0].Index >= len(row) || row[named[0].Index] == "" {
				continue
			}
			key := normalize(row[named[0].Index])
			for _, c := range rows {
				if c.Index < len(row) {
					key += "\x1f" + row[c.Index]
				}
			}
			for _, r := range roles {
				if r == sections {
					key += "\x1f" + section
				}
				for _, c := range columns[r] {
					if c.Index < len(row) && row[c.Index] != "" {
						above[c.Index] = row[c.Index]
					}
					key += "\x1f" + above[c.Index]
				}
			}
			if seen[key] {
				n++
			}
			seen[key] = true
		}
		return n > slips
	}
	if base == mapping.ID {
		if len(columns[mapping.Unit]) > 0 && twice() && !twice(mapping.Unit) {
			return []mapping.Role{mapping.Unit, mapping.ID}
		}
		return nil
	}
	if !twice(mapping.Unit) {
		return nil
	}
	for _, r := range []mapping.Role{mapping.Objective, mapping.Strategy} {
		if (len(columns[r]) > 0 || sections == r) && !twice(mapping.Unit, r) {
			return []mapping.Role{mapping.Unit, r, mapping.Name}
		}
	}
	return nil
}

// onceEach reports whether every measure has one row, as key results have.
func onceEach(p Proposal, body Grid) bool {
	seen := map[string]bool{}
	for _, row := range body {
		for _, c := range p.Of(Name) {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			if key := normalize(row[c.Index]); seen[key] {
				return false
			} else {
				seen[key] = true
			}
		}
	}
	return len(seen) > 0
}

// fills reports whether a column names each of its groups once, in their first
// row: its texts are all different, and empty cells stand beside full ones.
func fills(c Column, p Proposal, body Grid) bool {
	switch c.Role {
	case Name:
		// Of a measure with one row an empty name is a row of its own.
		if len(p.Of(Kind))+len(p.Of(Period))+len(p.Of(mapping.Year)) == 0 {
			return false
		}
	case Unit, Strategy, Objective:
	default:
		return false
	}
	seen, empty := map[string]bool{}, 0
	for i, row := range body {
		text, others := "", 0
		for k, t := range row {
			if k == c.Index {
				text = t
			} else if t != "" {
				others++
			}
		}
		switch {
		case text == "" && others >= 2:
			if len(seen) == 0 {
				return false
			}
			empty++
		case text == "" || others == 0:
		case i > 0 && seen[text]:
			return false
		default:
			seen[text] = true
		}
	}
	return empty > 0
}

// spanOf tells whether a column's dates are the last days of their months (or of
// their quarters or years), all of them and more than one, or the first days.
func spanOf(column int, body Grid, l cell.Locale) string {
	seen := map[calendar.Date]bool{}
	spans := []calendar.Cadence{calendar.Yearly, calendar.Quarterly, calendar.Monthly}
	starts, ends := map[calendar.Cadence]bool{}, map[calendar.Cadence]bool{}
	for _, c := range spans {
		starts[c], ends[c] = true, true
	}
	for _, row := range body {
		if column >= len(row) || row[column] == "" {
			continue
		}
		name, err := cell.ParsePeriod(row[column], l)
		if err != nil || !day.MatchString(name) {
			return ""
		}
		d, err := calendar.ParseDate(name)
		if err != nil {
			return ""
		}
		seen[d] = true
		for _, c := range spans {
			p := calendar.Months(1).PeriodOf(d, c)
			starts[c], ends[c] = starts[c] && p.Start == d, ends[c] && p.End == d
		}
	}
	if len(seen) < 2 {
		return ""
	}
	for _, c := range spans {
		if starts[c] || ends[c] {
			return map[calendar.Cadence]string{calendar.Yearly: "year", calendar.Quarterly: "quarter", calendar.Monthly: "month"}[c]
		}
	}
	return ""
}

// kindWords are the words of a column of kinds that are guessed, not known.
func kindWords(p Proposal, body Grid) map[string]mapping.Role {
	out := map[string]mapping.Role{}
	for _, c := range p.Of(Kind) {
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			if _, known := cell.ParseKind(row[c.Index]); known {
				continue
			}
			if k := kindOf(row[c.Index]); k != "" && len(out) < mostKinds {
				out[row[c.Index]] = k
			}
		}
	}
	return out
}

// mostOwners is how many words of an owner column a mapping lists.
const mostOwners = 40

// owners lists the words of an owner column that name units, to be declared, and
// asks who the others are. The names of people are not written down.
func owners(p Proposal, body Grid, m *mapping.Mapping, questions *[]string) {
	others := map[string]bool{}
	for _, c := range p.Of(Owner) {
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" || cell.Missing(row[c.Index]) {
				continue
			}
			text := row[c.Index]
			switch {
			case !unitName(text):
				others[text] = true
			case len(m.Owners) < mostOwners:
				if m.Owners == nil {
					m.Owners = map[string]string{}
				}
				m.Owners[text] = "unit"
			}
		}
	}
	if len(m.Owners) > 0 {
		*questions = append(*questions, "owners that are named like units are declared as units (owners): are they?")
	}
	if len(others) > 0 {
		*questions = append(*questions, fmt.Sprintf("who are the %d owners that are not named like units? owners says it, WORD: person/ID or unit/NAME; without it they are reported", len(others)))
	}
}

// orgWords are words of the names of units, in lower case: what a person has in
// a title (director, head, manager) is none.
var orgWords = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:department|dept|office|division|directorate|team|desk|unit|bureau|agency|authority|committee|board|ministry|council|service|services|section|branch|group|centre|center|` +
	`amt|abteilung|referat|dezernat|fachbereich|stabsstelle|verwaltung|direktion|ministerium|direction|service|département|ministère|bureau|mission|agence|` +
	`secretaría|secretaria|ministerio|ministério|dirección|direccion|oficina|departamento|gerencia|gerência|subsecretaría|coordinación|coordenação|diretoria|instituto|` +
	`ufficio|direzione|dipartimento|settore|servizio|afdeling|directie|dienst|avdelning|förvaltning|nämnd|avdeling|etat|wydział|biuro|urząd|ministerstwo|departament)(?:[^\pL]|$)|(?:amt|abteilung|förvaltning|nämnd|kontor|部|課|局|司|厅|委员会|委)$`)

var titleWords = regexp.MustCompile(`(?i)\b(?:director of|head of|manager|chief|officer|leiter|leiterin|directeur|directrice|chef|jefe|jefa|coordinador|coordinadora|diretor|diretora|responsabile|dirigente|hoofd)\b`)

func unitName(text string) bool { return orgWords.MatchString(text) && !titleWords.MatchString(text) }

// scores finds the column of actuals that are scores from 0 to 1, in a table that
// has no targets.
func scores(p Proposal, body Grid, left map[int]string) (Column, bool) {
	if slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Role == Target || c.Role == Kind }) {
		return Column{}, false
	}
	for _, c := range p.Of(Actual) {
		if _, out := left[c.Index]; out || !scoreWord.MatchString(normalize(c.Header)) {
			continue
		}
		column := make([]string, 0, len(body))
		for _, row := range body {
			if c.Index < len(row) {
				column = append(column, row[c.Index])
			}
		}
		if prof := profileOf(column); prof.numbers > 0 && prof.least >= 0 && prof.most <= 1 {
			return c, true
		}
	}
	return Column{}, false
}

var scoreWord = regexp.MustCompile(`\b(score|grade|progress|fortschritt|avance|progrès|progreso|progresso|voortgang)\b`)

var totals = regexp.MustCompile(`(?i)^\s*(grand total|total|totals|subtotal|sub-total|gesamt|summe|zwischensumme|insgesamt|total général|sous-total|totale|totaal|totalt|sum|razem|suma|ogółem|total geral|total generale|合計|合计|总计|alle|all)\s*:?\s*$`)

func rowsText(header []int) string {
	out := make([]string, len(header))
	for i, h := range header {
		out[i] = strconv.Itoa(h + 1)
	}
	return strings.Join(out, " and ")
}

// ofHeader names the measure of a column: its header without the word of its
// kind, where there is another.
func ofHeader(header string) string {
	words := strings.Fields(strings.ReplaceAll(header, "_", " "))
	kept := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return kindOf(w) != "" || strings.EqualFold(w, "value") })
	if len(kept) == 0 {
		kept = words
	}
	return strings.Join(kept, " ")
}

// currentYear is the year that relative columns count back from: the only one
// in a column of years.
func currentYear(p Proposal, body Grid) (year int, ok bool) {
	for _, c := range append(p.Of(Period), p.Of(mapping.Year)...) {
		seen := map[string]bool{}
		for _, row := range body {
			if c.Index < len(row) && row[c.Index] != "" {
				seen[row[c.Index]] = true
			}
		}
		if len(seen) != 1 {
			continue
		}
		for text := range seen {
			if name, err := cell.ParsePeriod(text, p.Locale); err == nil {
				year, err := strconv.Atoi(strings.TrimPrefix(name, "FY"))
				return year, err == nil
			}
		}
	}
	return 0, false
}

// yearly reports whether columns of whole years hold actuals too.
func yearly(p Proposal) bool {
	return slices.ContainsFunc(p.Columns, func(c Column) bool {
		return c.Role == Actual && (c.Relative || c.Period != "" && len(strings.TrimPrefix(c.Period, "FY")) == 4)
	})
}

// parts reports whether columns of actuals are of parts of the years that
// columns of targets are of.
func parts(p Proposal) bool {
	whole := func(period string) bool { return len(strings.TrimPrefix(period, "FY")) == 4 }
	target, finer := false, false
	for _, c := range p.Columns {
		target = target || c.Role == Target && (c.Relative || whole(c.Period))
		finer = finer || c.Role == Actual && c.Period != "" && !whole(c.Period)
	}
	return target && finer && !yearly(p)
}

// periodOf is the name of a dated column's period.
func periodOf(c Column, p Proposal, year int, known bool, start int) (string, bool) {
	fiscal := ""
	if p.Fiscal {
		fiscal = "FY"
	}
	switch {
	case c.Period != "":
		return c.Period, true
	case !known:
		return "", false
	case c.Relative:
		return fiscal + strconv.Itoa(year-c.Back), true
	case c.Quarter > 0:
		return fiscal + strconv.Itoa(year) + "-Q" + strconv.Itoa(c.Quarter), true
	}
	if p.Fiscal && start > 1 && c.Month >= start {
		year--
	}
	return fmt.Sprintf("%04d-%02d", year, c.Month), true
}

// settled are the words of a target's edition within one table, the last the
// one that counts most.
var settled = []string{"draft", "proposed", "preliminary", "original", "recommended", "planned", "amended", "revised", "adopted", "approved", "final"}

// choose takes one of several columns that say the same of one period; the
// others are not read.
func choose(p Proposal, parts map[int]string, questions *[]string) map[int]string {
	out := map[int]string{}
	groups := map[string][]Column{}
	var order []string
	for _, c := range p.Columns {
		if c.Role != Target && c.Role != Actual {
			continue
		}
		key := fmt.Sprint(c.Role, c.Period, c.Quarter, c.Month, c.Relative, c.Back)
		if len(p.Of(Name)) == 0 {
			key += normalize(ofHeader(c.Header))
		}
		key += parts[c.Index]
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	for _, key := range order {
		g := groups[key]
		if len(g) < 2 {
			continue
		}
		rank := func(c Column) float64 {
			h := normalize(c.Header)
			for i := len(settled) - 1; i >= 0; i-- {
				if strings.Contains(h, settled[i]) {
					return float64(i + 2)
				}
			}
			return c.Confidence
		}
		best := g[0]
		for _, c := range g[1:] {
			if rank(c) > rank(best) {
				best = c
			}
		}
		var names []string
		for _, c := range g {
			names = append(names, strconv.Quote(c.Header))
			if c.Index != best.Index {
				out[c.Index] = fmt.Sprintf("%q is read in its place", best.Header)
			}
		}
		if g[0].dated() {
			*questions = append(*questions, fmt.Sprintf("%s are all %s of one period and %q is read: is that the one?", strings.Join(names, ", "), g[0].Role, best.Header))
		}
	}
	return out
}

// partsOf finds what undated columns of values are parts of, beside their kind:
// where "North target" and "North actual" stand beside "South target", each is a
// part of the row's measure. It is by the column's index.
func partsOf(p Proposal) map[int]string {
	kinds := map[string]map[Role]bool{}
	rest := map[int]string{}
	for _, c := range p.Columns {
		if c.Role != Target && c.Role != Actual || c.dated() || toDate.MatchString(normalize(c.Header)) {
			continue
		}
		r := ofHeader(c.Header)
		if r == strings.Join(strings.Fields(strings.ReplaceAll(c.Header, "_", " ")), " ") {
			r = "" // nothing but the word for the kind
		}
		if projectYear.MatchString(r) {
			return nil // of which years is not said
		}
		rest[c.Index] = r
		if kinds[r] == nil {
			kinds[r] = map[Role]bool{}
		}
		kinds[r][c.Role] = true
	}
	paired := 0
	for r, k := range kinds {
		if r != "" && len(k) == 2 {
			paired++
		}
	}
	if paired < 2 {
		return nil
	}
	return rest
}

// projectYear is a year that counts from the beginning of a project.
var projectYear = regexp.MustCompile(`(?i)^(?:(?:y|yr|year|jahr|año|ano|année|anno|rok|q|t) ?\d+|\d+(?:er|do|º|ª|e|st|nd|rd|th|\.)? (?:año|ano|year|année|anno|jahr)|lop|life of project|final|end of project)$`)

var cut = regexp.MustCompile(`(?i)\b(reduction|reduce|decrease|below|cut|senkung|minderung|reduzierung|réduction|reducción|redução|riduzione|reductie)\b`)

// reduction reports whether targets seem to be changes from a baseline: the
// unit is a percentage and some column says so in every row.
func reduction(p Proposal, body Grid) bool {
	percent, said := false, false
	for _, c := range p.Columns {
		n, hits, percents := 0, 0, 0
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			n++
			if cut.MatchString(row[c.Index]) {
				hits++
			}
			if percentWord.MatchString(row[c.Index]) {
				percents++
			}
		}
		said = said || n > 0 && hits == n || cut.MatchString(c.Header)
		percent = percent || c.Role == Measure && n > 0 && percents == n
	}
	return percent && said
}

var percentWord = regexp.MustCompile(`(?i)^\s*(%|percent|per cent|percentage|pct|prozent|pourcentage|porcentaje|percentuale|percentagem|procent|prosent|percent(age)? points?|％|v\.\s?h\.|proc\.?|in %|en %)\s*$`)

// percentScale tells whether numbers whose unit is a percentage, and which have
// no sign, are fractions or points.
func percentScale(p Proposal, body Grid) (scale string, ok bool) {
	at := func(row []string, c Column) string {
		if c.Index < len(row) {
			return row[c.Index]
		}
		return ""
	}
	small, fine, large := 0, 0, 0
	for _, row := range body {
		unit := ""
		for _, c := range p.Of(Measure) {
			unit = at(row, c)
		}
		for _, c := range p.Columns {
			if !c.Role.IsValue() && c.Role != mapping.Baseline {
				continue
			}
			v, err := cell.ParseNumber(at(row, c), p.Locale)
			if err != nil || v.Percent || v.Value == 0 || !percentWord.MatchString(unit) {
				continue
			}
			if v.Value > 1.5 || v.Value < -1.5 {
				large++
				continue
			}
			small++
			if v.Decimals >= 2 || v.Value == 1 {
				fine++
			}
		}
	}
	switch {
	case small+large < 3:
		return "", false
	// Rates of errors may all be below one per cent: 0.5 and 0.8 are no fractions.
	case small >= 9*large && 2*fine >= small:
		return "fraction", true
	case large >= 4*small:
		return "points", true
	}
	return "", false
}

// sections reports whether rows with one text only stand above groups of rows.
func sections(p Proposal, body Grid) bool {
	if len(p.Of(Objective)) > 0 || len(p.Of(Strategy)) > 0 {
		return false
	}
	alone, full := 0, 0
	for i, row := range body {
		n, text := 0, ""
		for _, t := range row {
			if t != "" && t != text {
				n++
				text = t
			}
		}
		switch {
		case n > 2:
			full++
		case n == 1 && i+1 < len(body) && len(body[i+1]) > 1:
			if _, err := cell.ParseNumber(text, p.Locale); err != nil {
				alone++
			}
		}
	}
	return alone >= 2 && full >= 2*alone
}

// editions gives each edition of a vintage column a day, for review.
func editions(p Proposal, body Grid, m *mapping.Mapping, questions *[]string) {
	c := p.Of(Vintage)
	if len(c) == 0 {
		return
	}
	k := calendar.Months(max(1, m.FiscalYearStart))
	for _, row := range body {
		if c[0].Index >= len(row) || row[c[0].Index] == "" {
			continue
		}
		word := row[c[0].Index]
		if _, done := m.Vintages[word]; done {
			continue
		}
		name, rest, ok := cell.FindPeriod(word, p.Locale)
		if !ok {
			*questions = append(*questions, fmt.Sprintf("from which day do the targets of the edition %q count (vintages)?", word))
			continue
		}
		period, err := k.Parse(name)
		if err != nil {
			continue
		}
		day := period.Start
		if i := slices.IndexFunc(settled, func(w string) bool { return strings.Contains(normalize(rest), w) }); i >= 0 && i < slices.Index(settled, "amended") {
			day = day.AddDays(-90) // a draft is older than what became of it
		}
		if m.Vintages == nil {
			m.Vintages = map[string]string{}
		}
		m.Vintages[word] = day.String()
	}
	if len(m.Vintages) > 0 {
		*questions = append(*questions, "the days of the editions (vintages) are assumed from their names: when was each in force?")
	}
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
