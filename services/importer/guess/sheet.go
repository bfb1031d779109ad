package guess

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
)

// sheetGuess makes the mapping of one sheet of what its columns were found to be.
type sheetGuess struct {
	p       Proposal
	body    Grid
	when    context
	m       *mapping.Mapping // of the file, which takes what holds for all sheets
	several bool             // the file has more sheets than this one

	sheet     mapping.Sheet
	at        []int // where its columns stand
	own       mapping.Defaults
	questions []string
	year      int // the one of columns that name none
	known     bool
	headers   map[string]int // how many columns have one
	ofs       map[int]string // what columns are parts of
	chosen    map[int]string // why another column is read in a column's place
	unnamed   []string       // measures by the headers of their columns
	finer     int            // columns left out beside whole years
	yearless  []string       // columns of parts of a year that is not said
}

func sheetOf(name string, g Grid, p Proposal, when context, m *mapping.Mapping, several bool) (mapping.Sheet, []string) {
	b := &sheetGuess{p: p, body: g[p.First:min(len(g), p.First+mostBody)], when: when, m: m, several: several, headers: map[string]int{}}
	if several {
		b.sheet.Name = name
	}
	for _, h := range p.Header {
		b.sheet.Header = append(b.sheet.Header, h+1)
	}
	for _, c := range p.Columns {
		b.headers[normalize(c.Header)]++
	}
	b.remarks()
	b.sections()
	b.times()
	b.forms()
	b.ofs = partsOf(b.p)
	b.chosen = choose(b.p, b.ofs, &b.questions)
	for _, c := range b.p.Columns {
		if c.Header != "" || c.Role != Ignored {
			b.sheet.Columns = append(b.sheet.Columns, b.column(c))
			b.at = append(b.at, c.Index)
		}
	}
	if b.finer > 0 {
		b.ask("columns of months or quarters are left out beside columns of whole years: should they be read, and how do they make a year (aggregations)?")
	}
	if n := len(b.yearless); n > 0 {
		b.ask("of which year are the columns %s (defaults.period, for example 2024)? Without it nothing of them is read", strings.Join(b.yearless[:min(n, 8)], ", "))
	}
	switch slices.Sort(b.unnamed); {
	case len(slices.Compact(b.unnamed)) == 1:
		b.ask("no column names a measure, and what the values are of is called %q (of): what do they measure?", b.unnamed[0])
	case len(b.unnamed) > 0:
		b.ask("no column names a measure: is each column of values one measure of each row?")
	}
	b.aggregate()
	b.words()
	b.numbers()
	b.rows()
	b.settle()
	return b.sheet, b.questions
}

func (b *sheetGuess) ask(format string, args ...any) {
	b.questions = append(b.questions, fmt.Sprintf(format, args...))
}

// remarks notes where the table begins and what stands above it.
func (b *sheetGuess) remarks() {
	b.sheet.Comment = fmt.Sprintf("%.2f: header in row %s", b.p.Confidence, rowsText(b.p.Header))
	for i, l := range b.when.lines {
		if i == 5 {
			b.sheet.Comment += fmt.Sprintf("\nand %d more lines", len(b.when.lines)-i)
			break
		}
		b.sheet.Comment += "\nabove it stands, and is not read: " + strconv.Quote(clip(l))
	}
}

// times finds the year of columns that name none.
func (b *sheetGuess) times() {
	b.year, b.known = currentYear(b.p, b.body)
	if y, err := strconv.Atoi(strings.TrimPrefix(b.when.period, "FY")); !b.known && err == nil && slices.ContainsFunc(b.p.Columns, Column.dated) {
		b.year, b.known = y, true
		b.p.Fiscal = b.p.Fiscal || strings.HasPrefix(b.when.period, "FY")
		if slices.ContainsFunc(b.p.Columns, func(c Column) bool { return c.part() != "" || c.Relative }) {
			b.ask("%s: are the columns of that year?", b.when.from)
		}
	}
	if slices.ContainsFunc(b.p.Columns, func(c Column) bool { return c.part() != "" }) && !b.known {
		var header string
		if b.year, header, b.known = b.yearOfTargets(); b.known && len(b.wholeYears()) >= b.partColumns() {
			b.known = false // a measure has values of whole years or of parts
		}
		if b.known {
			b.p.Fiscal = b.p.Fiscal || slices.ContainsFunc(b.p.Columns, func(c Column) bool { return strings.HasPrefix(c.Period, "FY") })
			b.ask("the columns of quarters or months name no year, and are read as of that of %q: are they?", header)
		}
	}
	for _, l := range b.when.lines {
		if w := inThousands.FindString(l); w != "" {
			b.ask("above the table stands %q: which values does it hold for (measure, or scale, of their columns)?", strings.TrimSpace(w))
		}
	}
}

// forms finds when the values of a table without periods are of, and whether its
// targets begin at a baseline.
func (b *sheetGuess) forms() {
	p := b.p
	if halves(p, b.body) {
		b.own.HalfYears = "quarter"
		b.ask("half-years are read as the quarters that they end with (halfYears), which holds for states and running totals: are the values totals of each half-year?")
	}
	baselines, targets := p.Of(Baseline), p.Of(Target)
	both := len(baselines) > 0 && len(targets) > 0 && len(p.Of(BaselineAt)) == 0
	dateless := b.when.period != "" && len(p.Of(Period)) == 0 && len(p.Of(mapping.Year)) == 0 && len(p.Of(TargetAt)) == 0 &&
		len(targets)+len(p.Of(Actual))+len(p.Of(Value)) > 0
	if !dateless && both && len(p.Of(TargetAt)) == 0 && len(p.Of(Period)) > 0 && onceEach(p, b.body) {
		b.own.Form = "path"
		b.ask("is %q the value at the beginning of the row's period, and %q due at its end?", baselines[0].Header, targets[0].Header)
	}
	if !dateless {
		return
	}
	b.own.Period = b.when.period
	b.ask("%s: are the values without a period of their own of %s?", b.when.from, b.when.period)
	if both {
		b.own.Form = "path"
		b.ask("is %q the value at the beginning of %s, and %q due at its end?", baselines[0].Header, b.when.period, targets[0].Header)
	}
}

// words gives the words of a column of kinds and of owners their meanings.
func (b *sheetGuess) words() {
	words := kindWords(b.p, b.body)
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if b.m.Kinds == nil {
			b.m.Kinds = map[string]mapping.Role{}
		}
		b.m.Kinds[w] = words[w]
	}
	owners(b.p, b.body, b.m, &b.questions)
}

// numbers tells how percentages and scores are written.
func (b *sheetGuess) numbers() {
	if percent, ok := percentScale(b.p, b.body); ok {
		if b.m.Defaults.Percent == "" || b.m.Defaults.Percent == percent {
			b.m.Defaults.Percent = percent
		} else {
			b.own.Percent = percent
		}
		b.ask("percentages seem to be written as %s: is that so?", map[string]string{"fraction": "fractions (0.03 is 3 %)", "points": "points (3 is 3 %)"}[percent])
	}
	if c, ok := scores(b.p, b.body, b.chosen); ok {
		zero, one := 0.0, 1.0
		b.m.Defaults.Baseline, b.m.Defaults.Target, b.m.Defaults.Direction = &zero, &one, string(cell.Increase)
		b.ask("%q looks like a score from 0 to 1, as key results have: is 1 the target of each?", c.Header)
	}
}

// sections tells what rows with one text are of, and whether the title is the
// first of them.
func (b *sheetGuess) sections() {
	above := ""
	if n := len(b.when.lines); n > 0 && b.when.next && b.p.Repeats {
		above = b.when.lines[n-1]
	}
	switch b.sheet.Sections = sections(b.p, b.body, above); b.sheet.Sections {
	case Objective:
		b.ask("rows with one text only are read as objectives of the rows below: are they?")
	case Period:
		b.ask("rows with one text only are read as the periods of the rows below: are they?")
	case Unit:
		b.ask("rows with one text only are read as the units (departments) of the rows below: are they?")
	}
	// The first may stand above the header.
	if n := len(b.when.lines); b.sheet.Sections != "" && n > 0 && b.when.next && loneText(b.body[0]) == "" && (b.p.Repeats || unitName(b.when.lines[n-1])) {
		b.sheet.Section = b.when.lines[n-1]
	}
	if b.sheet.Sections == Period {
		b.when.period = "" // the title is of one of them
	}
}

// rows tells which rows are none of a measure, and what tells measures apart.
func (b *sheetGuess) rows() {
	for _, c := range b.p.Columns {
		if c.Role != Name && c.Role != Unit && c.Role != Strategy && c.Role != Objective ||
			!slices.ContainsFunc(b.body, func(row []string) bool { return c.Index < len(row) && totals.MatchString(row[c.Index]) }) {
			continue
		}
		column := c.Header
		if b.headers[normalize(c.Header)] > 1 {
			column = "#" + workbook.Letter(c.Index)
		}
		b.sheet.Skip = append(b.sheet.Skip, mapping.Skip{Column: column, Match: totals.String()})
		b.ask("rows that are named like totals are skipped: are they?")
	}
	editions(b.p, b.body, b.m, &b.questions)
	if key := keyOf(b.p, b.body, b.sheet.Sections); key != nil && b.m.Key == nil {
		b.m.Key = key
		b.ask("measures of the same name are told apart by %s (key): are they different ones?", key[len(key)-2])
	}
}

// settle writes what holds where no column says it to the file, where the sheet
// is the only one.
func (b *sheetGuess) settle() {
	if !b.several {
		for _, x := range []struct{ from, to *string }{
			{&b.own.Period, &b.m.Defaults.Period}, {&b.own.Form, &b.m.Defaults.Form}, {&b.own.Unit, &b.m.Defaults.Unit},
			{&b.own.Aggregation, &b.m.Defaults.Aggregation},
			{&b.own.HalfYears, &b.m.Defaults.HalfYears},
		} {
			if *x.from != "" {
				*x.to, *x.from = *x.from, ""
			}
		}
	}
	if b.own != (mapping.Defaults{}) {
		b.sheet.Defaults = &b.own
	}
}

func rowsText(header []int) string {
	out := make([]string, len(header))
	for i, h := range header {
		out[i] = strconv.Itoa(h + 1)
	}
	return strings.Join(out, " and ")
}
