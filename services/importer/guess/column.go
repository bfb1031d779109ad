package guess

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

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

// wholeYears are the years that columns of actuals hold whole; 0 is among them
// where one is of a year that is not known.
func (b *sheetGuess) wholeYears() map[int]bool {
	out := map[int]bool{}
	for _, c := range b.p.Columns {
		if c.Role != Actual || !c.dated() || c.part() != "" {
			continue
		}
		name, _ := periodOf(c, b.p, b.year, b.known, b.m.FiscalYearStart)
		if y := strings.TrimPrefix(name, "FY"); len(y) <= 4 {
			year, _ := strconv.Atoi(y)
			out[year] = true
		}
	}
	return out
}

// partColumns is how many columns of actuals are of parts of a year that is not
// said.
func (b *sheetGuess) partColumns() int {
	n := 0
	for _, c := range b.p.Columns {
		if c.Role == Actual && c.part() != "" {
			n++
		}
	}
	return n
}

// yearOf is the year that the name of a period begins with.
func yearOf(period string) int {
	y, _, _ := strings.Cut(strings.TrimPrefix(period, "FY"), "-")
	year, _ := strconv.Atoi(y)
	return year
}

// yearOfTargets is the only year that columns of targets name and none of whole
// actuals: the one that is running, which quarters without a year are of.
func (b *sheetGuess) yearOfTargets() (year int, header string, ok bool) {
	whole := b.wholeYears()
	for _, c := range b.p.Columns {
		if c.Role != Target || c.Period == "" || len(strings.TrimPrefix(c.Period, "FY")) != 4 || whole[yearOf(c.Period)] {
			continue
		}
		if ok && year != yearOf(c.Period) {
			return 0, "", false
		}
		year, header, ok = yearOf(c.Period), c.Header, true
	}
	return year, header, ok
}

// parts reports whether columns of actuals are of parts of the years that
// columns of targets are of.
func (b *sheetGuess) parts() bool {
	whole := func(period string) bool { return len(strings.TrimPrefix(period, "FY")) == 4 }
	target, finer := false, false
	for _, c := range b.sheet.Columns {
		target = target || c.Role == Target && (c.Period == "" || whole(c.Period))
		finer = finer || c.Role == Actual && c.Period != "" && !whole(c.Period)
	}
	return target && finer
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
	case c.Quarter > 0, c.HalfOf > 0:
		return fiscal + strconv.Itoa(year) + "-" + c.part(), true
	}
	if p.Fiscal && start > 1 && c.Month >= start {
		year--
	}
	return fmt.Sprintf("%04d-%02d", year, c.Month), true
}

// settled are the words of a target's edition within one table, the last the
// one that counts most.
var settled = []string{"draft", "proposed", "preliminary", "original", "inicial", "recommended", "planned", "amended", "ajustad", "modificad", "revised", "revisad", "révisé", "adopted", "approved", "aprobad", "aprovad", "vigente", "final"}

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
		key += c.part()
		if len(p.Of(Name)) == 0 {
			key += normalize(c.rest())
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
		of := ""
		if g[0].dated() {
			of = " of one period"
		}
		*questions = append(*questions, fmt.Sprintf("%s are all %ss%s and %q is read: is that the one?", strings.Join(names, ", "), g[0].Role, of, best.Header))
	}
	return out
}

// partsOf finds what columns of values are parts of, beside their kind and their
// period: where "North target" and "North actual" stand beside "South target", each
// is a part of the row's measure. It is by the column's index.
func partsOf(p Proposal) map[int]string {
	kinds := map[string]map[Role]bool{}
	count := map[string]int{}
	rest, same := map[int]string{}, map[string][]string{}
	for _, c := range p.Columns {
		if c.Role != Target && c.Role != Actual || toDate.MatchString(normalize(c.Header)) || c.Confidence < 0.5 {
			continue
		}
		r := c.rest()
		if projectYear.MatchString(r) && !c.dated() {
			return nil // of which years is not said
		}
		if isEdition(r) {
			return nil
		}
		rest[c.Index] = r
		key := fmt.Sprint(c.Role, c.Period, c.part(), c.Relative, c.Back)
		if slices.Contains(same[key], r) {
			return nil // it tells no columns apart
		}
		same[key] = append(same[key], r)
		if kinds[r] == nil {
			kinds[r] = map[Role]bool{}
		}
		kinds[r][c.Role] = true
		count[r]++
	}
	paired := 0
	for r := range kinds {
		if r != "" && (len(kinds[r]) == 2 || len(same) > 1 && count[r] == len(same)) {
			paired++
		}
	}
	if paired < 2 {
		return nil
	}
	return rest
}

// isEdition reports whether a header speaks of an edition of its values, not of a
// part of a measure.
func isEdition(rest string) bool {
	return slices.ContainsFunc(strings.Fields(normalize(rest)), func(word string) bool {
		return slices.ContainsFunc(settled, func(w string) bool { return strings.HasPrefix(word, w) })
	})
}

// projectYear is a year that counts from the beginning of a project.
var projectYear = regexp.MustCompile(`(?i)^(?:(?:y|yr|year|jahr|año|ano|année|anno|rok|q|t) ?\d+|\d+(?:er|do|º|ª|e|st|nd|rd|th|\.)? (?:año|ano|year|année|anno|jahr)|lop|life of project|final|end of project)$`)

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
