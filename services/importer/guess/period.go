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

func (c Column) dated() bool {
	return c.Period != "" || c.part() != "" || c.Relative
}

// part is the part of a year that a header says without the year, as
// mapping.Column.Period has it.
func (c Column) part() string {
	switch {
	case c.Quarter > 0:
		return "Q" + strconv.Itoa(c.Quarter)
	case c.HalfOf > 0:
		return "H" + strconv.Itoa(c.HalfOf)
	case c.Month > 0:
		return fmt.Sprintf("M%02d", c.Month)
	}
	return ""
}

// quarterWords are quarters in words and Roman figures: Trimestre II, third quarter.
var quarterWords = regexp.MustCompile(`(?i)(^|[^\pL])(?:(?:trimestre|trim\.?|quarter|quartal|kwartaal|kwartał|kvartal) (iii|ii|iv|i)|(iii|ii|iv|i|first|second|third|fourth|primer|segundo|tercer|cuarto|primeiro|terceiro|quarto|premier|deuxième|troisième|quatrième|erstes|zweites|drittes|viertes|primo|secondo|terzo)\.? (?:trimestre|trim\.?|quarter|qtr|quartal|kwartaal|kwartał|kvartal))($|[^\pL])`)

var ordinals = map[string]string{
	"i": "1", "first": "1", "primer": "1", "primeiro": "1", "premier": "1", "erstes": "1", "primo": "1",
	"ii": "2", "second": "2", "segundo": "2", "deuxième": "2", "zweites": "2", "secondo": "2",
	"iii": "3", "third": "3", "tercer": "3", "terceiro": "3", "troisième": "3", "drittes": "3", "terzo": "3",
	"iv": "4", "fourth": "4", "cuarto": "4", "quarto": "4", "quatrième": "4", "viertes": "4",
}

// halfAlone is a half-year without its year.
var halfAlone = regexp.MustCompile(`(?i)^(?:h([12])|([12])\. ?(?:halbjahr|hj\.?)|([12])(?:er|do|e|ème|º|o)? semestre|semestre ([12])|(first|second) half)$`)

var relativeYear = regexp.MustCompile(`(?i)^(?:(c|p)fy ?(\d)?|(current|this|prior|previous|last) (?:fiscal )?year|n ?- ?(\d)|(vorjahr)|(laufendes jahr))\b`)

// yearLetter is a year as finance writes it: 2023A is an actual, 2024B a budget.
var yearLetter = regexp.MustCompile(`\b((?:FY ?)?(?:20\d\d|'?\d\d))([ABPTEF])\b`)

// shortPair is a pair of years without their centuries, as headers have it: 23/24.
var shortPair = regexp.MustCompile(`(^|[\s(])'?([1-4]\d)[/–-]'?([1-4]\d)($|[\s)])`)

// blankPair is one as names without signs have it: y1_2026_27.
var blankPair = regexp.MustCompile(`\b(20\d\d) (\d\d)\b`)

// part is what says beside a period that it is only a part of it, or more than
// one: H1 2024, Jan-Jun 2024, 2024 YTD.
var part = regexp.MustCompile(`(?i)\b(?:h ?[12]|[12] ?h|hj ?[12]|[12]\. ?hj|s[12]|halbjahr|half|halves|semest\w*|semestr\w*|mid[- ]?year|halvår|półrocze|ytd|to date|\d{1,2} ?m|\d{1,2} (?:months?|monate|mois|meses|mesi)|first|bis|jusqu|hasta|q\d ?[-–+/] ?q?\d|t\d ?[-–+/] ?t?\d|trim\w* \d ?[-–] ?\d|cuatrienio|quadriênio|quinquenio|(?:week|woche|kw|uke|vecka|semaine|semana|hafta|v\.) ?\d{1,2}|spring|autumn|winter|term|terms|frühjahr|herbst|wise|sose|à date)\b|上半年|下半年|上期|下期`)

// upTo is said before the month that a running total goes to.
var upTo = regexp.MustCompile(`(?i)\b(?:up ?to|upto|till|until|through)$`)

// isPart reports whether the rest of a header that names a period says that the
// column is of a part of it.
func isPart(rest string) bool {
	if part.MatchString(rest) {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(" -–/", r) }), func(w string) bool {
		if len([]rune(strings.Trim(w, "."))) < 3 {
			return false
		}
		_, month := cell.ParseMonth(w)
		return month
	})
}

// dated reads a header that says when: a period, a month or quarter without
// its year, or a year before the current one.
func dated(header string, l cell.Locale) (c Column, rest string, ok bool) {
	plain := strings.TrimSpace(strings.ReplaceAll(header, "_", " "))
	plain = yearLetter.ReplaceAllStringFunc(plain, func(found string) string {
		m := yearLetter.FindStringSubmatch(found)
		return m[1] + " " + map[string]string{"A": "actual", "B": "budget", "P": "plan", "T": "target", "E": "estimate", "F": "forecast estimate"}[m[2]]
	})
	if m := shortPair.FindStringSubmatchIndex(plain); m != nil {
		from, _ := strconv.Atoi(plain[m[4]:m[5]])
		to, _ := strconv.Atoi(plain[m[6]:m[7]])
		if to == from+1 {
			plain = plain[:m[4]] + "20" + plain[m[4]:m[5]] + "-" + plain[m[6]:]
		}
	}
	plain = blankPair.ReplaceAllStringFunc(plain, func(found string) string {
		m := blankPair.FindStringSubmatch(found)
		from, _ := strconv.Atoi(m[1][2:])
		if to, _ := strconv.Atoi(m[2]); to != from+1 {
			return found
		}
		return m[1] + "-" + m[2]
	})
	plain = quarterWords.ReplaceAllStringFunc(plain, func(found string) string {
		m := quarterWords.FindStringSubmatch(found)
		return m[1] + "Q" + ordinals[strings.ToLower(m[2]+m[3])] + m[4]
	})
	if name, rest, found := cell.FindHalf(plain); found && !isPart(rest) {
		return Column{Period: name, Half: true}, rest, true
	}
	if name, rest, found := cell.FindPeriod(plain, l); found {
		return Column{Period: name}, rest, true
	}
	if m := relativeYear.FindStringSubmatch(plain); m != nil {
		c := Column{Relative: true}
		switch {
		case m[2] != "":
			c.Back, _ = strconv.Atoi(m[2])
		case strings.EqualFold(m[1], "p"), m[5] != "":
			c.Back = 1
		case m[3] != "" && !strings.EqualFold(m[3], "current") && !strings.EqualFold(m[3], "this"):
			c.Back = 1
		case m[4] != "":
			c.Back, _ = strconv.Atoi(m[4])
		}
		return c, strings.TrimSpace(plain[len(m[0]):]), true
	}
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ", "[", " ", "]", " ").Replace(plain))
	for _, size := range []int{2, 1} {
		for i := 0; i+size <= len(words); i++ {
			w := strings.Trim(strings.Join(words[i:i+size], " "), ",:- ")
			rest := strings.Trim(strings.Join(append(slices.Clone(words[:i]), words[i+size:]...), " "), " -–:,")
			if q, ok := cell.ParseQuarter(w); ok {
				return Column{Quarter: q}, rest, true
			}
			if m := halfAlone.FindStringSubmatch(w); m != nil {
				half := 1
				if n := strings.ToLower(m[1] + m[2] + m[3] + m[4] + m[5]); n == "2" || n == "second" {
					half = 2
				}
				return Column{HalfOf: half}, rest, true
			}
			if m, ok := cell.ParseMonth(w); ok && len(words) <= 2 {
				return Column{Month: m}, rest, true
			}
		}
	}
	return Column{}, header, false
}

// ofDate are headers that say when another column's value is due, or was true.
var ofDate = regexp.MustCompile(`^(.+) (date|year|by|jahr|datum|frist|année|échéance|año|fecha|ano|data|anno|jaar|år|rok|termin|deadline|period|end date)$`)

// halfYears takes the role from columns of half-years that stand beside such of
// whole years: they are parts of those. So does a series of weeks by S1, S2, S3.
func halfYears(out []Column) {
	whole := slices.ContainsFunc(out, func(c Column) bool { return c.dated() && !c.Half && c.HalfOf == 0 })
	for i, c := range out {
		if (c.Half || c.HalfOf > 0) && whole {
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.8, Partial: true,
				Reason: fmt.Sprintf("%q is a half-year, beside columns of other periods", c.Period+c.part())}
		}
	}
}

// dateOfOther are the same words the other way round: year of the target.
var dateOfOther = regexp.MustCompile(`^(date|year|datum|jahr|année|año|fecha|ano|data|anno|jaar|rok) (?:of |for |to |de |de la |del |da |do |du |d |der |des |di |van )?(?:the )?(.+)$`)

// dateOf is TargetAt or BaselineAt where a column holds when another one's value
// is due or was true; words is what says so.
func dateOf(header string, p profile) (r Role, words string) {
	if p.share(p.periods) < 0.6 {
		return "", ""
	}
	h, kind := normalize(header), Role("")
	if m := ofDate.FindStringSubmatch(h); m != nil {
		kind, words = kindOf(m[1]), m[1]+" "+m[2]
	}
	if m := dateOfOther.FindStringSubmatch(h); m != nil && kind != Target && kind != Baseline {
		kind, words = kindOf(m[2]), h
	}
	switch kind {
	case Target:
		return TargetAt, words
	case Baseline:
		return BaselineAt, words
	}
	return "", ""
}

// former is what was current before: where the current one has a column, too, that
// one counts.
var former = regexp.MustCompile(`(?:^|[^\pL])(?:previous|prior|former|last period|vorperiode|vorheriger?|précédente?|precedente|anterior|poprzedni[ae]?|vorige|föregående|forrige)(?:[^\pL]|$)`)

// ofTime are headers of a month, a quarter or a day, whose numbers are no values.
var ofTime = regexp.MustCompile(`(?:^| )(?:month|quarter|mois|monat|mes|mês|mese|maand|month number)$`)

// yearMonth is a year with its month in six digits.
var yearMonth = regexp.MustCompile(`^(?:19|20)\d{2}(?:0[1-9]|1[0-2])$`)

// monthsAsDates reads headers that are all the first or all the last days of
// months as those months.
func monthsAsDates(out []Column) {
	lastOfYear(out)
	first, last, n := true, true, 0
	for _, c := range out {
		if !day.MatchString(c.Period) {
			continue
		}
		d, err := calendar.ParseDate(c.Period)
		if err != nil {
			return
		}
		n++
		first = first && d.Day() == 1
		last = last && d.AddDays(1).Day() == 1
	}
	if n < 2 || !first && !last {
		return
	}
	for i, c := range out {
		if day.MatchString(c.Period) {
			out[i].Period = c.Period[:len("2006-01")]
			out[i].Reason += "; that the day stands for its month is assumed"
		}
	}
}

// lastOfYear reads a header that is the last day of a year, beside such of whole
// years, as that year.
func lastOfYear(out []Column) {
	years, days := 0, 0
	for _, c := range out {
		switch {
		case len(c.Period) == 4:
			years++
		case strings.HasSuffix(c.Period, "-12-31") && day.MatchString(c.Period):
			days++
		case c.dated():
			return
		}
	}
	if years == 0 || days == 0 {
		return
	}
	for i, c := range out {
		if day.MatchString(c.Period) {
			out[i].Period = c.Period[:4]
			out[i].Reason += "; that its last day stands for the year is assumed"
		}
	}
}

// yearAndPart reads a column of years beside one of quarters or months as the
// two parts of a period.
func yearAndPart(out []Column, profiles []profile) {
	year := slices.IndexFunc(out, func(c Column) bool { return c.Role == Period })
	if year < 0 {
		return
	}
	if p := profiles[year]; !p.onlyYears() {
		// The quarter or month was taken for the period: is there a year?
		for i, c := range out {
			if y := profiles[i]; c.Role == Ignored && y.known() > 0 && y.onlyYears() {
				if part := partOf(out[year].Header, p); part != "" {
					out[i].Role, out[i].Confidence, out[i].Reason = mapping.Year, 0.8, "the values are years"
					out[year].Role = part
					return
				}
			}
		}
		return
	}
	for i, c := range out {
		if c.Role != Ignored {
			continue
		}
		if part := partOf(c.Header, profiles[i]); part != "" {
			out[year].Role = mapping.Year
			out[i].Role, out[i].Confidence = part, 0.8
			out[i].Reason = fmt.Sprintf("beside a column of years; %d different values", profiles[i].distinct)
			return
		}
	}
}

// partOf is Quarter or Month where a column holds one without its year.
func partOf(header string, p profile) Role {
	h := normalize(header)
	quarter, month := quarterWord.MatchString(h), monthWord.MatchString(h)
	all := func(ok func(text string) bool) bool {
		return len(p.texts) > 0 && !slices.ContainsFunc(p.texts, func(t string) bool { return !ok(t) })
	}
	number := func(most int) func(string) bool {
		return func(t string) bool {
			n, err := strconv.Atoi(strings.TrimSpace(t))
			return err == nil && n >= 1 && n <= most
		}
	}
	switch {
	case all(func(t string) bool { _, ok := cell.ParseQuarter(t); return ok }) || quarter && all(number(4)):
		return mapping.Quarter
	case all(func(t string) bool { _, ok := cell.ParseMonth(t); return ok }) || month && all(number(12)):
		return mapping.Month
	}
	return ""
}

// halves reports whether the periods of a table are half-years: in its columns, or
// in a column of periods, where no week 3 says that S1 is one.
func halves(p Proposal, body Grid) bool {
	if slices.ContainsFunc(p.Columns, func(c Column) bool { return (c.Half || c.HalfOf > 0) && c.Role != Ignored }) {
		return true
	}
	for _, c := range p.Of(Period) {
		found := 0
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			if _, half := cell.ParseHalf(row[c.Index]); half {
				found++
			} else if name, err := cell.ParsePeriod(row[c.Index], p.Locale); err == nil && strings.Contains(name, "-W") {
				return false
			}
		}
		if found > 0 {
			return true
		}
	}
	return false
}
