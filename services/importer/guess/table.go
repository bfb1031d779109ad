package guess

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

// Grid is a sheet: rows of cells as text, merged cells filled with what the
// first of them says.
type Grid [][]string

// Proposal is how one sheet is to be read.
type Proposal struct {
	// Header is the rows that name the columns, from 0; their texts are joined
	// by a blank. First is the first row of data.
	Header []int
	First  int
	// Columns are in the order of the sheet.
	Columns []Column
	// Locale is how the value columns are written, with how sure that is.
	Locale       cell.Locale
	LocaleReason string
	// Fiscal says that years are marked as fiscal somewhere.
	Fiscal bool
	// Missing are the texts in number columns that seem to say "no value" and
	// are not among the known words; Texts those that are no numbers otherwise,
	// the most frequent first.
	Missing []string
	Texts   []string
	// Questions are what could not be told.
	Questions []string
	// Confidence is of the whole: 0 is no table.
	Confidence float64
}

// Column is one column and what it is for.
type Column struct {
	Index  int
	Header string
	Role   Role
	// Period is set where the header says one: the column then holds values of
	// the kind in Role.
	Period string
	// Quarter and Month are set where the header is one without its year, Back
	// where it says how many years before the current one (PFY1 is 1, CFY 0).
	Quarter, Month int
	Relative       bool
	Back           int
	Confidence     float64
	Reason         string
	// Kinds: the names say what the values of their rows are.
	Kinds bool
	// UnitTitle: the header is the name of the unit whose measures the column names.
	UnitTitle bool
	// Partial: the header names a part of a period that has no name of its own.
	Partial bool
	// Unknown: the header says when, and whether it is a target cannot be told.
	Unknown bool
}

// Wide reports whether the columns are periods.
func (p Proposal) Wide() bool {
	n := 0
	for _, c := range p.Columns {
		if c.dated() {
			n++
		}
	}
	return n >= 2
}

// Of gives the columns of a role, of rows that have one (not those of a
// period).
func (p Proposal) Of(r Role) []Column {
	var out []Column
	for _, c := range p.Columns {
		if c.Role == r && !c.dated() {
			out = append(out, c)
		}
	}
	return out
}

func (c Column) dated() bool {
	return c.Period != "" || c.Quarter > 0 || c.Month > 0 || c.Relative
}

const noPeriod = "no column says when: which period are the values of?"

const (
	mostHeaderRow = 40     // a header is looked for in the first rows
	mostBody      = 20_000 // rows that are looked at
	aFew          = 120    // rows that are enough to tell a header from data
)

// noValue are texts that say that there is nothing, in words of their own.
var noValue = regexp.MustCompile(`(?i)^(?:(?:no|not|none|kein|keine|nicht|sans|non|sin|sem|nessun|geen|niet|ikke|ingen|inte|new|neu|nouveau|nuevo|novo|nuovo|nieuw|see|siehe|voir|ver)\b.*\pL|pending)`)

// Table proposes how a sheet is to be read. Confidence 0 means that no table
// with measures was found.
func Table(g Grid) Proposal { return tableOf(g, nil) }

// tableOf is Table; typed says which cells the file itself holds as numbers and
// dates, whose texts say nothing of how people write them.
func tableOf(g Grid, typed [][]bool) Proposal {
	var best Proposal
	for r := 0; r < min(len(g), mostHeaderRow); r++ {
		for _, depth := range []int{1, 2, 3} {
			if r+depth >= len(g) {
				break
			}
			if p, ok := try(g, r, depth, aFew); ok && p.Confidence > best.Confidence+1e-9 {
				best = p
			}
		}
	}
	if best.Confidence == 0 {
		best.Questions = append(best.Questions, "no row was found that names a measure and its values: which row is the header?")
		return best
	}
	if p, ok := try(g, best.Header[0], len(best.Header), mostBody); ok {
		best = p
	}
	best.details(g, typed)
	return best
}

// try reads depth rows from r as the header of so many rows.
func try(g Grid, r, depth, rows int) (Proposal, bool) {
	width := 0
	for _, row := range g[r:min(len(g), r+depth+rows)] {
		width = max(width, len(row))
	}
	headers := join(g[r:r+depth], width)
	named, numeric := 0, 0
	for _, h := range headers {
		if h == "" {
			continue
		}
		named++
		if _, err := cell.ParseNumber(h, cell.Locale{}); err == nil {
			if _, _, ok := dated(h, cell.Locale{}); !ok {
				numeric++
			}
		}
	}
	if named < 2 || numeric*3 > named || depth > 1 && isTitle(g[r]) {
		return Proposal{}, false
	}
	for i := 1; i < depth; i++ {
		// A lower row of the header says words or periods where a row of data
		// says numbers.
		if !headerLike(g[r+i]) {
			return Proposal{}, false
		}
	}
	body := g[r+depth : min(len(g), r+depth+rows)]
	p := Proposal{First: r + depth}
	for i := range depth {
		p.Header = append(p.Header, r+i)
	}
	p.Columns = assign(headers, columns(body, width))
	quality, values, name := 0.0, false, false
	seen := map[Role]bool{}
	for _, c := range p.Columns {
		if c.Role == Ignored {
			continue
		}
		// A header that says when is worth more than one that leaves it open, and
		// a second target of the same row says little.
		switch {
		case c.dated():
			quality += 1.2 * c.Confidence
		case isValue(c.Role) && seen[c.Role]:
			quality += 0.3 * c.Confidence
		default:
			quality += c.Confidence
		}
		seen[c.Role] = true
		name = name || c.Role == Name || c.Role == Unit || c.Role == ID || c.Role == Period
		values = values || isValue(c.Role)
	}
	if !name || !values {
		return Proposal{}, false
	}
	// Rows of the header must pay for themselves: one that names nothing new
	// is a title or data.
	p.Confidence = quality / (quality + 1) * (1 - 0.02*float64(depth-1))
	return p, true
}

// isTitle reports whether a row says one thing only, from its first cell on: a
// title, which may be merged over the whole table.
func isTitle(row []string) bool {
	first := ""
	for i, t := range row {
		if t = strings.TrimSpace(t); t == "" {
			if i == 0 {
				return false
			}
			continue
		}
		if first != "" && t != first {
			return false
		}
		first = t
	}
	return first != ""
}

// merged reports whether a row says one thing in several cells: a heading over
// the columns, whose text says nothing of any of them.
func merged(row []string) bool {
	first, n := "", 0
	for _, t := range row {
		switch {
		case t == "":
		case first == "" || t == first:
			first, n = t, n+1
		default:
			return false
		}
	}
	if n < 2 {
		return false
	}
	_, err := cell.ParseNumber(first, cell.Locale{})
	return err != nil
}

func headerLike(row []string) bool {
	words, numbers := 0, 0
	for _, t := range row {
		if strings.TrimSpace(t) == "" {
			continue
		}
		if _, err := cell.ParsePeriod(t, cell.Locale{}); err == nil {
			words++
		} else if _, err := cell.ParseNumber(t, cell.Locale{}); err == nil || cell.Missing(t) {
			numbers++
		} else {
			words++
		}
	}
	return words > 0 && numbers == 0
}

// join makes one header of several rows: an upper cell holds for the empty
// ones to its right as long as the row below says something.
func join(rows Grid, width int) []string {
	out := make([]string, width)
	for i, row := range rows {
		above := ""
		for c := range width {
			t := ""
			if c < len(row) {
				t = strings.TrimSpace(row[c])
			}
			last := i == len(rows)-1
			if t == "" && !last && above != "" && c < len(rows[len(rows)-1]) && strings.TrimSpace(rows[len(rows)-1][c]) != "" {
				t = above
			}
			if t != "" {
				above = t
			}
			if t != "" && !strings.HasSuffix(out[c], t) {
				out[c] = strings.TrimSpace(out[c] + " " + t)
			}
		}
	}
	return out
}

func columns(body Grid, width int) []profile {
	out := make([]profile, width)
	column := make([]string, len(body))
	heading := make([]bool, len(body))
	for i, row := range body {
		heading[i] = merged(row)
	}
	for c := range width {
		for i, row := range body {
			column[i] = ""
			if c < len(row) && !heading[i] {
				column[i] = row[c]
			}
		}
		out[c] = profileOf(column)
	}
	return out
}

func isValue(r Role) bool { return r == Value || r == Target || r == Actual }

var relativeYear = regexp.MustCompile(`(?i)^(?:(c|p)fy ?(\d)?|(current|this|prior|previous|last) (?:fiscal )?year|n ?- ?(\d)|(vorjahr)|(laufendes jahr))\b`)

// yearLetter is a year as finance writes it: 2023A is an actual, 2024B a budget.
var yearLetter = regexp.MustCompile(`\b((?:FY ?)?(?:20\d\d|'?\d\d))([ABPTEF])\b`)

// shortPair is a pair of years without their centuries, as headers have it: 23/24.
var shortPair = regexp.MustCompile(`(^|[\s(])'?([1-4]\d)[/–-]'?([1-4]\d)($|[\s)])`)

// part is what says beside a period that it is only a part of it, or more than
// one: H1 2024, Jan-Jun 2024, 2024 YTD.
var part = regexp.MustCompile(`(?i)\b(?:h ?[12]|[12] ?h|hj ?[12]|[12]\. ?hj|s[12]|halbjahr|half|halves|semest\w*|semestr\w*|mid[- ]?year|halvår|półrocze|ytd|to date|\d{1,2} ?m|\d{1,2} (?:months?|monate|mois|meses|mesi)|first|bis|jusqu|hasta|q\d ?[-–+/] ?q?\d|t\d ?[-–+/] ?t?\d|trim\w* \d ?[-–] ?\d|cuatrienio|quadriênio|quinquenio)\b|上半年|下半年|上期|下期`)

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
	words := strings.Fields(plain)
	for i, w := range words {
		rest := strings.Join(append(slices.Clone(words[:i]), words[i+1:]...), " ")
		if q, ok := cell.ParseQuarter(w); ok {
			return Column{Quarter: q}, rest, true
		}
		if m, ok := cell.ParseMonth(w); ok && len(words) <= 2 {
			return Column{Month: m}, rest, true
		}
	}
	return Column{}, header, false
}

// assign gives each column its role.
func assign(headers []string, profiles []profile) []Column {
	out := make([]Column, len(headers))
	type candidate struct {
		column int
		role   Role
		score  float64
		reason string
	}
	var all []candidate
	partial := map[int]bool{}
	assumed := map[int]string{} // what else the headers say of which no word is known
	for i, h := range headers {
		out[i] = Column{Index: i, Header: h, Role: Ignored}
		p := profiles[i]
		if when, rest, ok := dated(h, cell.Locale{}); ok && (p.numeric() || p.known() == 0 && p.rows > 0 || kindOf(withoutUnit(rest)) != "" && p.share(p.numbers) >= 0.25) {
			rest = withoutUnit(rest)
			kind, phrase := kindOf(rest), rest
			if rest == "" && when.Relative && p.share(p.years) >= 0.9 {
				out[i].Role, out[i].Confidence = Period, 0.8
				out[i].Reason = "the values are years, which the other columns count back from"
				continue
			}
			confidence, reason := 0.9, fmt.Sprintf("the header says when, and %q what", phrase)
			switch {
			case when.Period != "" && isPart(rest):
				kind, confidence = Ignored, 0.8
				reason = fmt.Sprintf("%q is a part of the period, or more than it", rest)
				partial[i] = true
			case kind != "":
			case isComputed(rest):
				kind, confidence = Ignored, 0.8
				reason = fmt.Sprintf("%q is computed from other columns", rest)
			case kindOf(firstWord(rest)) != "":
				kind, confidence = kindOf(firstWord(rest)), 0.7
				reason = fmt.Sprintf("the header says when, and %q what", firstWord(rest))
			default:
				kind, confidence = Actual, 0.5
				reason = "the header says when; that it holds actuals is assumed"
				assumed[i] = normalize(rest)
			}
			when.Index, when.Header, when.Role, when.Confidence, when.Reason = i, h, kind, confidence, reason
			if identifier.MatchString(normalize(h)) || kind == Ignored {
				delete(assumed, i)
				when = Column{Index: i, Header: h, Role: Ignored, Confidence: confidence, Reason: reason}
				when.Partial = partial[i]
				if kind != Ignored {
					when.Confidence, when.Reason = 0, "a number that names something else"
				}
			}
			out[i] = when
			continue
		}
		if p.numeric() && isComputed(h) {
			out[i].Reason = isTotal
			out[i].Confidence = 0.8
			continue
		}
		for role := range phrases {
			score, phrase := headerScore(withoutUnit(h), role)
			fit, why := fits(role, p)
			if s := score * fit; s > 0.2 {
				all = append(all, candidate{i, role, s, fmt.Sprintf("%q in the header; %s", phrase, why)})
			}
		}
		if m := ofDate.FindStringSubmatch(normalize(h)); m != nil && p.share(p.periods) >= 0.6 {
			switch kindOf(m[1]) {
			case Target:
				all = append(all, candidate{i, TargetAt, 1.1, fmt.Sprintf("%q in the header; %d years or dates", m[1]+" "+m[2], p.periods)})
			case Baseline:
				all = append(all, candidate{i, BaselineAt, 1.1, fmt.Sprintf("%q in the header; %d years or dates", m[1]+" "+m[2], p.periods)})
			}
		}
		// Values alone, where the header says nothing.
		if p.known() > 0 && p.share(p.words) >= 0.8 && p.letters > 1 {
			all = append(all, candidate{i, Direction, 0.55, "the values are words of direction"})
		}
		if p.known() > 0 && p.share(p.kinds) >= 0.9 && p.distinct >= 2 && p.distinct <= 8 {
			all = append(all, candidate{i, Kind, 0.8, "the values say target or actual"})
		}
		if p.known() > 1 && p.share(p.periods) >= 0.95 && p.share(p.numbers) < 0.5 && !slices.ContainsFunc(p.texts, func(t string) bool { return bare(t) }) {
			all = append(all, candidate{i, Period, 0.5, "the values are periods"})
		}
		if p.known() > 0 && p.share(p.periods) >= 0.95 && p.distinct >= 2 && p.share(p.years) >= 0.95 {
			all = append(all, candidate{i, Period, 0.45, "the values are years"})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.column, b.column), cmp.Compare(a.role, b.role))
	})
	taken := map[Role]int{}
	done := map[int]bool{}
	for _, c := range out {
		if c.dated() {
			done[c.Index] = true
		}
	}
	for _, c := range all {
		if done[c.column] || taken[c.role] >= most(c.role) {
			continue
		}
		done[c.column] = true
		taken[c.role]++
		out[c.column].Role, out[c.column].Confidence, out[c.column].Reason = c.role, min(1, c.score), c.reason
	}
	if taken[Name] == 0 && !namesUnderUnit(out, profiles) {
		nameByValues(out, profiles)
	}
	monthsAsDates(out)
	unknownKinds(out, assumed)
	kindsInNames(out, profiles)
	totalAlone(out)
	runningTotals(out)
	kindsOfRows(out)
	yearAndPart(out, profiles)
	rowNumbers(out, profiles)
	for i, c := range out {
		// Numbers that a header calls a unit are its code beside a name.
		if c.Role == Unit && c.Confidence < 0.4 {
			out[i] = Column{Index: c.Index, Header: c.Header, Role: Ignored, Confidence: c.Confidence, Reason: "may be the code of a unit that another column names"}
		}
	}
	measuresInColumns(out, profiles)
	actualOfTarget(out, profiles)
	valueAlone(out)
	return out
}

// ofDate are headers that say when another column's value is due, or was true.
var ofDate = regexp.MustCompile(`^(.+) (date|year|by|jahr|datum|frist|année|échéance|año|fecha|ano|data|anno|jaar|år|rok|termin|deadline|period|end date)$`)

// computed are headers of columns that follow from others, or judge them.
var computed = regexp.MustCompile(`^(?:(?:sub ?)?total|grand total|gesamt|summe|sum|insgesamt|totale|totaal|totalt|razem|suma|合計|合计|ytd average)$|` +
	`(?:^|[^\pL\d])(?:variance|var|difference|diff|deviation|delta|gap|abweichung|abw|differenz|écart|ecart|variación|variacion|variação|desviación|desvio|scostamento|afwijking|avvikelse|odchylenie|差異|差异|` +
	`change|veränderung|évolution|evolution|yoy|cagr|zielerreichung|erreichungsgrad|zielerreichungsgrad|taux de réalisation|cumplimiento|% de avance|% cumplimiento|% executed|% ejecutado|% of target|% achieved|% achievement|achievement %|percent of target|rank|ranking|rang)(?:[^\pL\d]|$)|(?:達成率|完成率|増減|前年差|前年比|差額)`)

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

var sumWord = regexp.MustCompile(`^(?:total|gesamt|summe|insgesamt|totale|totaal|totalt|razem|suma) | (?:total|gesamt|insgesamt|totale|totaal|totalt|razem)$`)

// isComputed reports whether a header's column follows from others: by its word,
// or as the sum of columns of a kind ("Total planned").
func isComputed(header string) bool {
	h := normalize(header)
	if computed.MatchString(h) {
		return true
	}
	rest := sumWord.ReplaceAllString(h, "")
	return rest != h && kindOf(rest) != ""
}

// withoutUnit is a header without the unit in parentheses behind it.
func withoutUnit(header string) string {
	rest, _, _ := cell.NameUnit(header)
	return rest
}

// monthsAsDates reads headers that are all the first or all the last days of
// months as those months.
func monthsAsDates(out []Column) {
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

// unknownKinds takes the role from dated columns of which it was only assumed
// that they hold actuals, where the headers tell kinds apart by words that are
// not known: one of them may well be the target.
func unknownKinds(out []Column, assumed map[int]string) {
	count := map[string]int{}
	for _, rest := range assumed {
		count[rest]++
	}
	known, actual := false, false
	for _, c := range out {
		if _, open := assumed[c.Index]; c.dated() && !open {
			known, actual = true, actual || c.Role == Actual
		}
	}
	for i, rest := range assumed {
		if rest == "" || !known && len(count) == 1 || known && !actual && count[rest] > 1 {
			continue
		}
		if s, _ := headerScore(rest, Value); s >= 0.5 {
			continue
		}
		out[i] = Column{Index: i, Header: out[i].Header, Role: Ignored, Confidence: 0.3, Unknown: true,
			Reason: fmt.Sprintf("the header says when, but whether %q is a target or an actual is not known", rest)}
	}
}

var toDate = regexp.MustCompile(`(?:^|[^\pL\d])(?:ytd|year to date|cumulative|cumulated|kumuliert|kum|acumulado|acumulada|cumulé|cumulée|cumul|progressivo|cumulatief|ackumulerat|narastająco)(?:[^\pL\d]|$)|累計|累计`)

// runningTotals takes the role from a column of totals so far that stands beside
// columns of the same kind: of the whole period it is not the value.
func runningTotals(out []Column) {
	some := func(header string) bool { return toDate.MatchString(normalize(header)) || isPart(header) }
	for i, c := range out {
		if c.Role != Actual && c.Role != Target || c.dated() {
			continue
		}
		if y := ofHeader(c.Header); projectYear.MatchString(y) && strings.ContainsAny(y, "0123456789") {
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.7, Partial: true, Reason: "a year of a project: which it is, is not said"}
			continue
		}
		if !some(c.Header) {
			continue
		}
		if slices.ContainsFunc(out, func(o Column) bool { return o.Index != c.Index && o.Role == c.Role && !some(o.Header) }) {
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.7, Partial: true, Reason: "a running total, or a part, of what the columns beside it hold"}
		}
	}
}

// kindsOfRows makes values of dated columns that say no kind, where a column says
// it for each row.
func kindsOfRows(out []Column) {
	if !slices.ContainsFunc(out, func(c Column) bool { return c.Role == Kind }) {
		return
	}
	for i, c := range out {
		if c.dated() && c.Role == Actual && c.Confidence <= 0.5 {
			out[i].Role, out[i].Confidence, out[i].Reason = Value, 0.9, "the header says when, and a column says what each row holds"
		}
	}
}

// kindsInNames makes values of dated columns that say no kind, where the names
// of the rows end in one: "Sales - Target" above "Sales - Actual".
func kindsInNames(out []Column, profiles []profile) {
	name := slices.IndexFunc(out, func(c Column) bool { return c.Role == Name })
	if name < 0 || slices.ContainsFunc(out, func(c Column) bool { return c.Role == Kind }) {
		return
	}
	of := map[string]map[string]bool{}
	for _, t := range profiles[name].texts {
		if rest, kind, ok := cell.CutKind(t); ok {
			if of[rest] == nil {
				of[rest] = map[string]bool{}
			}
			of[rest][kind] = true
		}
	}
	pairs := 0
	for _, kinds := range of {
		if len(kinds) > 1 {
			pairs++
		}
	}
	if pairs == 0 || 4*pairs < len(profiles[name].texts) {
		return
	}
	for i, c := range out {
		if c.dated() && c.Role == Actual && c.Confidence <= 0.5 {
			out[i].Role, out[i].Confidence, out[i].Reason = Value, 0.8, "the header says when, and the names say what each row holds"
			out[name].Kinds = true
		}
	}
}

// totalAlone reads a column that is called a total where there is no other value.
func totalAlone(out []Column) {
	if slices.ContainsFunc(out, func(c Column) bool { return isValue(c.Role) }) {
		return
	}
	for i, c := range out {
		if c.Role == Ignored && c.Reason == isTotal && totals.MatchString(c.Header) {
			out[i].Role, out[i].Confidence, out[i].Reason = Actual, 0.4, "there is no other column of values; that they are actuals is assumed"
			return
		}
	}
}

const isTotal = "is computed from other columns"

// actualOfTarget takes a column of numbers that is called like a target without
// the word for one ("Share", "Target share") as its actuals, where there are none.
func actualOfTarget(out []Column, profiles []profile) {
	if slices.ContainsFunc(out, func(c Column) bool { return c.Role == Actual || c.Role == Value }) {
		return
	}
	for _, t := range out {
		rest := normalize(ofHeader(t.Header))
		if t.Role != Target || t.dated() || rest == normalize(t.Header) {
			continue
		}
		for i, c := range out {
			if c.Role == Ignored && c.Reason == "" && normalize(c.Header) == rest && profiles[i].numeric() {
				out[i].Role, out[i].Confidence = Actual, 0.7
				out[i].Reason = fmt.Sprintf("%q is its target", t.Header)
			}
		}
	}
}

// measuresInColumns makes a measure of each column of numbers in a table that has
// a row for each period and nothing else that names measures or values.
func measuresInColumns(out []Column, profiles []profile) {
	period := slices.IndexFunc(out, func(c Column) bool { return c.Role == Period && !c.dated() })
	if period < 0 || profiles[period].distinct < profiles[period].filled || profiles[period].distinct < 2 {
		return
	}
	for _, c := range out {
		if c.Role == Target || c.Role == Actual || c.Role == Name || c.Role == ID || c.dated() {
			return
		}
	}
	for i, c := range out {
		if p := profiles[i]; (c.Role == Ignored && c.Reason == "" && !identifier.MatchString(normalize(c.Header)) || c.Role == Value) && c.Header != "" && p.numeric() {
			out[i].Role, out[i].Confidence = Actual, 0.6
			out[i].Reason = "a number for each period, and the header names the measure; that they are actuals is assumed"
		}
	}
}

// bare reports whether a text is a month or a quarter without its year.
func bare(text string) bool {
	_, month := cell.ParseMonth(text)
	_, quarter := cell.ParseQuarter(text)
	return month || quarter
}

// valueAlone makes actuals of values where no column says what they are.
func valueAlone(out []Column) {
	if slices.ContainsFunc(out, func(c Column) bool { return c.Role == Kind || c.Kinds }) {
		return
	}
	for i, c := range out {
		if c.Role == Value && twoValues(out, i) {
			// "Value A" beside "Value B": one of them may well be the target.
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.3, Unknown: true, Reason: "one of several columns of values, of which it is not known what they are"}
			continue
		}
		if c.Role == Value {
			out[i].Role = Actual
			out[i].Reason += "; that they are actuals is assumed"
		}
	}
}

// twoValues reports whether a header names its value by more than the word for
// one, and another column without a role does so as well.
func twoValues(out []Column, i int) bool {
	more := func(c Column) bool {
		s, phrase := headerScore(withoutUnit(c.Header), Value)
		return s > 0.4 && phrase != normalize(withoutUnit(c.Header))
	}
	return more(out[i]) && slices.ContainsFunc(out, func(o Column) bool {
		return o.Index != i && (o.Role == Ignored || o.Role == Value) && o.Reason == "" && more(o)
	})
}

// rowNumbers takes the role from an id that numbers something else than
// measures: the rows of a table with several rows a measure, or groups of them.
func rowNumbers(out []Column, profiles []profile) {
	at := func(r Role) int {
		return slices.IndexFunc(out, func(c Column) bool { return c.Role == r && !c.dated() })
	}
	id := at(ID)
	if id < 0 {
		return
	}
	long := at(Period) >= 0 && profiles[at(Period)].distinct > 1 || at(mapping.Year) >= 0 && profiles[at(mapping.Year)].distinct > 1
	name := at(Name)
	why := ""
	switch {
	case counts(profiles[id].texts):
		why = "it counts the rows"
	case profiles[id].distinct == profiles[id].filled && (long || name < 0 && at(Unit) >= 0 && at(TargetAt) >= 0):
		why = "another one in each row, where a measure has several rows"
	case name >= 0 && profiles[id].distinct < profiles[name].distinct:
		why = fmt.Sprintf("fewer (%d) than measures (%d)", profiles[id].distinct, profiles[name].distinct)
	default:
		return
	}
	out[id].Role, out[id].Confidence, out[id].Reason = Ignored, 0.6, "looks like an id, and numbers something else: "+why
}

// counts reports whether texts are 1, 2, 3 and so on.
func counts(texts []string) bool {
	for i, t := range texts {
		if t != strconv.Itoa(i+1) {
			return false
		}
	}
	return len(texts) >= 3
}

// yearAndPart reads a column of years beside one of quarters or months as the
// two parts of a period.
func yearAndPart(out []Column, profiles []profile) {
	year := slices.IndexFunc(out, func(c Column) bool { return c.Role == Period })
	if year < 0 {
		return
	}
	if p := profiles[year]; p.share(p.years) < 0.9 {
		// The quarter or month was taken for the period: is there a year?
		for i, c := range out {
			if y := profiles[i]; c.Role == Ignored && y.known() > 0 && y.share(y.years) >= 0.9 {
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

var (
	quarterWord = regexp.MustCompile(`\b(q|qtr|quarter|quartal|trimestre|trim|kwartaal|kvartal)\b`)
	monthWord   = regexp.MustCompile(`\b(month|monat|mois|mes|mês|mese|maand|månad|måned)\b`)
)

var identifier = regexp.MustCompile(`\b(id|ids|key|code)$`)

// most is how many columns may have a role.
func most(r Role) int {
	switch r {
	case Unit, Strategy, Objective:
		return 4
	case Note, Description:
		return 6
	case Target, Actual:
		return 4
	case Status:
		return 2
	}
	return 1
}

// fits is from 0 to 1: how well values fit a role.
func fits(r Role, p profile) (fit float64, why string) {
	switch r {
	case Target, Actual, Value, Min, Max, Baseline, Weight:
		switch {
		case p.known() == 0:
			return 0.3, "no values"
		case p.flag() && isValue(r):
			return 0.2, "only 0 and 1"
		case p.numeric():
			return 1, fmt.Sprintf("%d numbers", p.numbers)
		case p.share(p.numbers) > 0.3:
			return 0.6, fmt.Sprintf("%d numbers of %d", p.numbers, p.known())
		}
		return 0, ""
	case Period:
		if p.share(p.periods) >= 0.8 {
			return 1, fmt.Sprintf("%d periods", p.periods)
		}
		return 0, ""
	case BaselineAt, TargetAt:
		if p.share(p.periods) >= 0.6 {
			return 1, fmt.Sprintf("%d years or dates", p.periods)
		}
		return 0, ""
	case Direction:
		if p.share(p.words) >= 0.5 {
			return 1, "words of direction"
		}
		return 0, ""
	case Kind:
		if p.share(p.kinds) >= 0.8 {
			return 1, "target or actual"
		}
		return 0, ""
	case ID:
		if p.known() == 0 || p.letters > 40 {
			return 0, ""
		}
		if p.distinct == p.filled {
			return 1, "all different"
		}
		return 0.5, fmt.Sprintf("%d different", p.distinct)
	case Name:
		switch {
		case p.textual() && p.distinct >= 2 && p.letters >= 4:
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		case p.textual():
			return 0.6, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0, ""
	case Description, Note:
		if p.textual() {
			return 1, "texts"
		}
		if p.known() == 0 {
			return 0.6, "empty"
		}
		return 0.2, ""
	case Strategy, Objective, Owner:
		if p.textual() && (p.letters >= 3 || r == Owner || len(p.texts) > 0 && unparted(p.texts[0])) {
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0, ""
	case Unit:
		if p.textual() {
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0.25, fmt.Sprintf("%d different", p.distinct)
	case Measure, Frequency, Status:
		if p.known() == 0 {
			return 0.3, "empty"
		}
		if p.textual() && p.distinct <= max(12, p.rows/4) && p.letters < 40 {
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0, ""
	case Vintage:
		if p.distinct >= 1 && p.distinct <= 20 {
			return 1, fmt.Sprintf("%d editions", p.distinct)
		}
		return 0, ""
	}
	return 0, ""
}

// namesUnderUnit reads the measures of a table whose first column has the name of
// a unit as its header, as budget books have it: "Police Department" above what
// that measures. A header that is no more than the word for a unit names units.
func namesUnderUnit(out []Column, profiles []profile) bool {
	dated := 0
	for _, c := range out {
		if c.dated() {
			dated++
		}
	}
	for i, c := range out {
		if c.dated() || !profiles[i].textual() {
			continue
		}
		score, phrase := headerScore(c.Header, Unit)
		if p := profiles[i]; c.Role != Unit || score == 0 || phrase == normalize(c.Header) || !unitName(c.Header) || p.distinct != p.filled || p.distinct < 2 || dated < 2 {
			return false
		}
		out[i].Role, out[i].Confidence, out[i].UnitTitle = Name, 0.5, true
		out[i].Reason = "no header speaks of measures; the texts are all different, and the header is the name of a unit, whose measures they seem to be"
		return true
	}
	return false
}

// nameByValues takes the column with the most different texts of a name's
// length where no header speaks of measures.
func nameByValues(out []Column, profiles []profile) {
	best := -1
	for i, p := range profiles {
		if out[i].dated() || !p.textual() || p.letters < 6 || p.letters > 120 || p.distinct < 2 {
			continue
		}
		if out[i].Role != Ignored && out[i].Role != Description && out[i].Role != Objective {
			continue
		}
		if best < 0 || p.distinct > profiles[best].distinct {
			best = i
		}
	}
	if best >= 0 {
		out[best].Role, out[best].Confidence = Name, 0.4
		out[best].Reason = fmt.Sprintf("no header speaks of measures; this column has the most different texts (%d)", profiles[best].distinct)
	}
}

// unitsInNames reports whether most measures have their unit behind their name,
// or the columns of values in their headers.
func unitsInNames(columns []Column, body Grid) bool {
	names, units := 0, 0
	for _, c := range columns {
		if c.Role.IsValue() {
			if _, _, ok := cell.NameUnit(c.Header); ok {
				return true
			}
		}
		if c.Role != Name {
			continue
		}
		for _, row := range body {
			if c.Index < len(row) && row[c.Index] != "" {
				names++
				if _, _, ok := cell.NameUnit(row[c.Index]); ok {
					units++
				}
			}
		}
	}
	return units > 0 && 2*units >= names
}

// commaLanguage reports whether headers are in a language that writes a decimal
// comma, by letters that English has not and by the most usual words.
func (p *Proposal) commaLanguage() bool {
	return slices.ContainsFunc(p.Columns, func(c Column) bool { return commaWord.MatchString(strings.ToLower(c.Header)) })
}

var commaWord = regexp.MustCompile(`[äöüßéèêàçñóíúãõåøæłżźćńěščřž]|\b(?:kennzahl|ziel|einheit|ist|soll|bereich|indicateur|cible|indicador|meta|metas|unidad|unidade|realizado|indicatore|obiettivo|eenheid|indicatoren|streefwaarde|cel|enhet|utfall)\b`)

// details fills in what is read once the columns are known.
func (p *Proposal) details(g Grid, typed [][]bool) {
	body := g[p.First:min(len(g), p.First+mostBody)]
	written := func(i, column int) bool { // row i of the body
		i += p.First
		return i >= len(typed) || column >= len(typed[i]) || !typed[i][column]
	}
	var numbers, dates []string
	odd := map[string]int{}
	for _, c := range p.Columns {
		if c.Role == Ignored {
			continue
		}
		values := isValue(c.Role) || slices.Contains([]Role{Min, Max, Baseline}, c.Role)
		if !values && c.Role != Period && c.Role != mapping.Year && c.Role != BaselineAt && c.Role != TargetAt {
			continue
		}
		column := make([]string, 0, len(body))
		for _, row := range body {
			if c.Index < len(row) && !merged(row) {
				column = append(column, row[c.Index])
			}
		}
		if values {
			for i, row := range body {
				if c.Index < len(row) && written(i, c.Index) {
					numbers = append(numbers, row[c.Index])
				}
			}
			prof := profileOf(column)
			for t, n := range prof.odd {
				odd[t] += n
			}
			continue
		}
		for i, row := range body {
			if c.Index < len(row) && written(i, c.Index) {
				dates = append(dates, row[c.Index])
			}
		}
	}
	in, when := cell.Infer(numbers), cell.Infer(dates)
	if in.Decimal.Open() && strings.Contains(in.Decimal.Example, ".") && p.commaLanguage() {
		// A few numbers such as 1.234, between words of a language that groups
		// digits so.
		in.Locale.Decimal = ','
	}
	p.Locale = cell.Locale{Decimal: in.Locale.Decimal, Dates: when.Locale.Dates, YearPairs: when.Locale.YearPairs}
	switch {
	case in.Decimal.Sure():
		p.LocaleReason = fmt.Sprintf("%d values such as %q have no other reading", in.Decimal.For, in.Decimal.Example)
	case in.Decimal.Open():
		p.LocaleReason = fmt.Sprintf("%d values such as %q could be read both ways", in.Decimal.Either, in.Decimal.Example)
		p.Questions = append(p.Questions, fmt.Sprintf("is %q written with a decimal %q?", in.Decimal.Example, p.Locale.Decimal))
	case in.Decimal.Against > 0:
		p.LocaleReason = fmt.Sprintf("%d values speak for it and %d against", in.Decimal.For, in.Decimal.Against)
		p.Questions = append(p.Questions, "numbers are written in two ways: which columns or rows are the odd ones?")
	default:
		p.LocaleReason = "no value has a fraction or groups of digits"
	}
	if when.Dates.Open() {
		p.Questions = append(p.Questions, fmt.Sprintf("is %q day/month/year or month/day/year?", when.Dates.Example))
	}
	for _, t := range slices.Sorted(maps.Keys(odd)) {
		if _, err := cell.ParseNumber(t, p.Locale); err == nil {
			continue
		}
		if _, _, err := cell.ParseRange(t, p.Locale); err == nil {
			continue
		}
		if noValue.MatchString(t) {
			p.Missing = append(p.Missing, t)
		} else {
			p.Texts = append(p.Texts, t)
		}
	}
	slices.SortStableFunc(p.Texts, func(a, b string) int { return cmp.Compare(odd[b], odd[a]) })
	for _, c := range p.Columns {
		p.Fiscal = p.Fiscal || strings.HasPrefix(c.Period, "FY") || c.Relative && strings.Contains(strings.ToLower(c.Header), "fy") ||
			c.Role == Period && strings.Contains(normalize(c.Header), "fiscal")
	}
	for _, t := range dates {
		if name, err := cell.ParsePeriod(t, p.Locale); err == nil && strings.HasPrefix(name, "FY") {
			p.Fiscal = true
			break
		}
	}
	if p.Fiscal {
		p.Questions = append(p.Questions, "years are fiscal: in which month does the fiscal year begin?")
	}
	if len(p.Of(Direction)) == 0 {
		p.Questions = append(p.Questions, "no column says which way is good: without a direction targets are not judged")
	}
	if len(p.Of(Name)) == 0 {
		p.Questions = append(p.Questions, "no column names a measure: is each column of values one measure of each row?")
	}
	var numbersLeft, textsLeft []string
	for _, c := range p.Columns {
		if c.Role != Ignored || c.Reason != "" || c.Header == "" || identifier.MatchString(normalize(c.Header)) {
			continue
		}
		column := make([]string, 0, len(body))
		for _, row := range body {
			if c.Index < len(row) && !merged(row) {
				column = append(column, row[c.Index])
			}
		}
		if prof := profileOf(column); prof.numeric() && !prof.flag() {
			numbersLeft = append(numbersLeft, strconv.Quote(c.Header))
		} else if prof.textual() && prof.filled > 0 && prof.share(prof.periods) < 0.8 {
			textsLeft = append(textsLeft, strconv.Quote(c.Header))
		}
	}
	if n := len(textsLeft); n > 0 {
		p.Questions = append(p.Questions, fmt.Sprintf("%s hold texts and are not read: are they units, objectives, notes?", strings.Join(textsLeft[:min(n, 8)], ", ")))
	}
	if n := len(numbersLeft); n > 0 {
		p.Questions = append(p.Questions, fmt.Sprintf("%s hold numbers and are not read: what are they?", strings.Join(numbersLeft[:min(n, 8)], ", ")))
	}
	for _, c := range p.Columns {
		if c.Partial {
			p.Questions = append(p.Questions, fmt.Sprintf("the column %q is of a part of a period, of several, or of one that is not said, and is left out: what is it of?", c.Header))
		}
		if c.Unknown {
			p.Questions = append(p.Questions, fmt.Sprintf("what does the column %q hold, a target or an actual? It is left out", c.Header))
		}
	}
	if len(p.Of(Measure)) == 0 && !unitsInNames(p.Columns, body) {
		p.Questions = append(p.Questions, "no column says the unit of measure")
	}
	if len(p.Of(Period)) == 0 && len(p.Of(mapping.Year)) == 0 && len(p.Of(TargetAt)) == 0 && !p.Wide() {
		p.Questions = append(p.Questions, noPeriod)
	}
	for _, r := range []Role{Target, Actual} {
		if cs := p.Of(r); len(cs) > 1 {
			var names []string
			for _, c := range cs {
				names = append(names, strconv.Quote(c.Header))
			}
			p.Questions = append(p.Questions, fmt.Sprintf("%s may all be %s: which one counts?", strings.Join(names, ", "), r))
		}
	}
}
