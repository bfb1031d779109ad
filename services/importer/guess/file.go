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
