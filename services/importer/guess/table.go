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
	// Repeats: the header stands in the table again.
	Repeats bool
	// Questions are what could not be told.
	Questions []string
	// Confidence is of the whole: 0 is no table.
	Confidence float64
}

// Column is one column and what it is for.
type Column struct {
	Index  int
	Header string
	// Levels are what each row of the header says of it, from the top.
	Levels []string
	// Below is the unit of measure that the lowest row of the header says.
	Below string
	Role  Role
	// Period is set where the header says one: the column then holds values of
	// the kind in Role.
	Period string
	// Quarter and Month are set where the header is one without its year, Back
	// where it says how many years before the current one (PFY1 is 1, CFY 0).
	Quarter, Month int
	HalfOf         int // the half of a year that is not said
	Relative       bool
	Back           int
	Confidence     float64
	Reason         string
	// Half: Period is a half-year, which the calendar has not.
	Half bool
	// Kinds: the names say what the values of their rows are.
	Kinds bool
	// UnitTitle: the header is the name of the unit whose measures the column names.
	UnitTitle bool
	// Dates: the words for kinds say when as well.
	Dates bool
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

const noDirection = "no column says which way is good: without a direction targets are not judged"

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
func Table(g Grid) Proposal { return tableOf(slices.Clone(g), nil, 0) }

// tableOf is Table from a row on, and takes repeated headers out of g; typed says which cells the file itself holds as numbers and
// dates, whose texts say nothing of how people write them.
func tableOf(g Grid, typed [][]bool, from int) Proposal {
	var best Proposal
	for r := from; r < min(len(g), from+mostHeaderRow); r++ {
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
	best = unitsBelow(g, extend(g, below(g, best, mostBody), mostBody))
	best.Repeats = withoutRepeats(g, best)
	best.details(g, typed)
	return best
}

// try reads depth rows from r as the header of so many rows.
func try(g Grid, r, depth, rows int) (Proposal, bool) {
	width := 0
	for _, row := range g[r:min(len(g), r+depth+rows)] {
		width = max(width, len(row))
	}
	levels := levelsOf(g[r:r+depth], width)
	headers := make([]string, width)
	for i, l := range levels {
		headers[i] = strings.Join(l, " ")
	}
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
	if len(body) > 1 && rowOfUnits(body[0]) {
		body = body[1:]
	}
	p := Proposal{First: r + depth}
	for i := range depth {
		p.Header = append(p.Header, r+i)
	}
	p.Columns = assign(headers, levels, columns(body, width))
	quality, values, name := 0.0, false, false
	seen, headed := map[Role]bool{}, map[string]bool{}
	for _, c := range p.Columns {
		if c.Role == Ignored {
			continue
		}
		// A header that says when is worth more than one that leaves it open, and
		// a second target of the same row says little.
		again := c.dated() && headed[normalize(c.Header)]
		headed[normalize(c.Header)] = true
		switch {
		case again: // a row of the header is missing
			quality += 0.3 * c.Confidence
		case c.dated():
			quality += 1.2 * c.Confidence
		case isValue(c.Role) && seen[c.Role]:
			quality += 0.3 * c.Confidence
		default:
			quality += c.Confidence
		}
		seen[c.Role] = true
		name = name || c.Role == Name || c.Role == Unit || c.Role == ID || c.Role == Period || c.Role == Kind
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
		} else if _, err := cell.ParseNumber(t, cell.Locale{}); err == nil || cell.Missing(t) && kindOf(t) == "" {
			numbers++
		} else {
			words++
		}
	}
	return words > 0 && numbers == 0
}

// levelsOf is mapping.Levels for so many columns.
func levelsOf(rows Grid, width int) [][]string {
	out := mapping.Levels(rows)
	for len(out) < width {
		out = append(out, nil)
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

// isNumber reports whether a column of a role holds numbers of the measure.
func isNumber(r Role) bool { return isValue(r) || r == Min || r == Max || r == Baseline }

// judged are headers of columns whose words, high and low, are of no direction.
var judged = regexp.MustCompile(`(?:^|[^\pL])(?:priority|priorität|priorité|prioridad|prioridade|priorità|prioriteit|risk|risiko|risque|riesgo|risco|rischio|impact|auswirkung|importance|confidence|severity|level|effort|complexity|dot|movement)(?:[^\pL]|$)`)

var (
	quarterWord = regexp.MustCompile(`\b(q|qtr|quarter|quartal|trimestre|trim|kwartaal|kvartal)\b`)
	monthWord   = regexp.MustCompile(`\b(month|monat|mois|mes|mês|mese|maand|månad|måned)\b`)
)

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
		if _, _, err := cell.ParseRange(t, p.Locale); err == nil || spoken(t, p.Locale) {
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
	p.breakdown(body)
	p.parents(body)
	p.trend(body)
	p.undated()
	aims := slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Role == Target || c.Role == Kind || c.Kinds })
	if aims && len(p.Of(Direction)) == 0 {
		p.Questions = append(p.Questions, noDirection)
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
		p.Questions = append(p.Questions, fmt.Sprintf("%s not read: units, objectives, notes?", holding("texts", textsLeft)))
	}
	if n := len(numbersLeft); n > 0 {
		p.Questions = append(p.Questions, fmt.Sprintf("%s not read: of what?", holding("numbers", numbersLeft)))
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
	if len(p.Of(Period)) == 0 && len(p.Of(mapping.Year)) == 0 && len(p.Of(TargetAt)) == 0 && !p.Wide() &&
		!slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Dates }) {
		p.Questions = append(p.Questions, noPeriod)
	}
}

// holding says of columns, by their quoted headers, what is in them.
func holding(what string, headers []string) string {
	if len(headers) == 1 {
		return headers[0] + " holds " + what + " and is"
	}
	shown := strings.Join(headers[:min(len(headers), 8)], ", ")
	if n := len(headers) - 8; n > 0 {
		shown += fmt.Sprintf(" and %d more", n)
	}
	return shown + " hold " + what + " and are"
}
