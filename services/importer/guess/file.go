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
	}
	var found []read
	for _, s := range b.Sheets {
		if s.Hidden {
			continue
		}
		g, err := gridOf(s)
		if err != nil {
			return m, err
		}
		p := Table(g)
		if p.Confidence < least {
			if len(b.Sheets) > 1 {
				m.Questions = append(m.Questions, fmt.Sprintf("sheet %q is left out: no table of measures was found in it. Should it be read?", s.Name))
			}
			continue
		}
		found = append(found, read{s.Name, g, p})
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
	for _, f := range found {
		s, more := sheetOf(f.name, f.grid, f.p, &m, len(found) > 1 || len(b.Sheets) > 1)
		if l := localeOf(f.p.Locale); l != m.Locale {
			s.Locale = &l
		}
		m.Sheets = append(m.Sheets, s)
		for _, q := range slices.Concat(f.p.Questions, more) {
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

// gridOf reads a sheet as far as it is looked at.
func gridOf(s workbook.Sheet) (Grid, error) {
	var g Grid
	for row, err := range s.Rows() {
		if err != nil {
			return nil, err
		}
		if row.Number > mostHeaderRow+mostBody {
			break
		}
		for len(g) < row.Number-1 {
			g = append(g, nil)
		}
		texts := make([]string, len(row.Cells))
		for i, c := range row.Cells {
			texts[i] = strings.TrimSpace(c.Text)
		}
		g = append(g, texts)
	}
	return g, nil
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

func sheetOf(name string, g Grid, p Proposal, m *mapping.Mapping, several bool) (mapping.Sheet, []string) {
	var questions []string
	s := mapping.Sheet{}
	if several {
		s.Name = name
	}
	s.Comment = fmt.Sprintf("%.2f: header in row %s", p.Confidence, rowsText(p.Header))
	for _, h := range p.Header {
		s.Header = append(s.Header, h+1)
	}
	body := g[p.First:min(len(g), p.First+mostBody)]
	year, known := currentYear(p, body)
	headers := map[string]int{}
	for _, c := range p.Columns {
		headers[normalize(c.Header)]++
	}
	chosen := choose(p, &questions)
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
		if col.Role.IsValue() && len(p.Of(Name)) == 0 {
			col.Of = ofHeader(c.Header)
		}
		s.Columns = append(s.Columns, col)
	}
	if finer > 0 {
		questions = append(questions, "columns of months or quarters are left out beside columns of whole years: should they be read, and how do they add up (defaults.aggregation)?")
	}
	if parts(p) {
		questions = append(questions, "actuals are of quarters or months and targets of whole years: how do they add up (defaults.aggregation: last, sum or mean)? Without it they are not read")
	}
	if percent, ok := percentScale(p, body); ok {
		d := mapping.Defaults{Percent: percent}
		if m.Defaults.Percent == "" || m.Defaults.Percent == percent {
			m.Defaults.Percent = percent
		} else {
			s.Defaults = &d
		}
		questions = append(questions, fmt.Sprintf("percentages seem to be written as %s: is that so?", map[string]string{"fraction": "fractions (0.03 is 3 %)", "points": "points (3 is 3 %)"}[percent]))
	}
	if c, ok := scores(p, body, chosen); ok {
		zero, one := 0.0, 1.0
		m.Defaults.Baseline, m.Defaults.Target, m.Defaults.Direction = &zero, &one, string(cell.Increase)
		questions = append(questions, fmt.Sprintf("%q looks like a score from 0 to 1, as key results have: is 1 the target of each?", c.Header))
	}
	if n := p.Of(Name); len(n) == 1 {
		if slices.ContainsFunc(body, func(row []string) bool { return n[0].Index < len(row) && totals.MatchString(row[n[0].Index]) }) {
			column := n[0].Header
			if len(p.Header) > 1 {
				column = "#" + workbook.Letter(n[0].Index)
			}
			s.Skip = append(s.Skip, mapping.Skip{Column: column, Match: totals.String()})
			questions = append(questions, "rows that are named like totals are skipped: are they?")
		}
	}
	if sections(p, body) {
		s.Sections = Objective
		questions = append(questions, "rows with one text only are read as objectives of the rows below: are they?")
	}
	editions(p, body, m, &questions)
	return s, questions
}

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

var totals = regexp.MustCompile(`(?i)^\s*(grand total|total|totals|subtotal|sub-total|gesamt|summe|zwischensumme|insgesamt|total général|sous-total|totale|totaal|totalt|sum)\s*:?\s*$`)

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
func choose(p Proposal, questions *[]string) map[int]string {
	out := map[int]string{}
	groups := map[string][]Column{}
	var order []string
	for _, c := range p.Columns {
		if c.Role != Target && c.Role != Actual {
			continue
		}
		key := fmt.Sprint(c.Role, c.Period, c.Quarter, c.Month, c.Relative, c.Back)
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
				out[c.Index] = fmt.Sprintf("%q says the same of the period and counts", best.Header)
			}
		}
		if g[0].dated() {
			*questions = append(*questions, fmt.Sprintf("%s are all %s of one period and %q is read: is that the one?", strings.Join(names, ", "), g[0].Role, best.Header))
		}
	}
	return out
}

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

var percentWord = regexp.MustCompile(`(?i)^\s*(%|percent|per cent|percentage|pct|prozent|pourcentage|porcentaje|percentuale|percentagem|procent|prosent|percent(age)? points?)\s*$`)

// percentScale tells whether numbers whose unit is a percentage, and which have
// no sign, are fractions or points.
func percentScale(p Proposal, body Grid) (scale string, ok bool) {
	units := p.Of(Measure)
	if len(units) == 0 {
		return "", false
	}
	small, large := 0, 0
	for _, row := range body {
		if units[0].Index >= len(row) || !percentWord.MatchString(row[units[0].Index]) {
			continue
		}
		for _, c := range p.Columns {
			if !c.Role.IsValue() || c.Index >= len(row) {
				continue
			}
			v, err := cell.ParseNumber(row[c.Index], p.Locale)
			if err != nil || v.Percent || v.Value == 0 {
				continue
			}
			if v.Value <= 1.5 && v.Value >= -1.5 {
				small++
			} else {
				large++
			}
		}
	}
	switch {
	case small+large < 3:
		return "", false
	case small >= 9*large:
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
