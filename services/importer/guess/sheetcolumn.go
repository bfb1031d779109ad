package guess

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
)

// column is the mapping of one column.
func (b *sheetGuess) column(c Column) mapping.Column {
	col := mapping.Column{Role: c.Role, Comment: "not read"}
	if c.Header == "" || b.headers[normalize(c.Header)] > 1 {
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
		b.date(c, &col)
	}
	if c.Role == Baseline && col.Period != "" && slices.ContainsFunc(b.p.Columns, func(o Column) bool { return o.Role == Actual && o.Period == c.Period }) {
		col.Role, col.Period = Ignored, ""
		col.Comment += "; the base of the year, not its value, which has a column of its own"
		b.ask("%q is the base of a period that has actuals, and is left out: is it the value of the one before?", c.Header)
	}
	if why, out := b.chosen[c.Index]; out {
		col.Role, col.Period = Ignored, ""
		col.Comment += "; " + why
	}
	if c.Role == Target && col.Role == Target && len(b.p.Of(BaselineAt)) > 0 && (percentCut.MatchString(normalize(c.Header)) || reduction(b.p, b.body)) {
		col.Change = "below"
		b.ask("is %q in percent below the baseline?", c.Header)
	}
	if col.Role.IsValue() || col.Role == mapping.Baseline {
		col.Measure = c.unit()
	}
	if col.Role.IsValue() {
		b.measureOf(c, &col)
	}
	if c.UnitTitle {
		b.own.Unit = c.Header
		b.ask("is %q the unit whose measures are below it?", c.Header)
	}
	if c.Role == Period && !c.dated() {
		if span := spanOf(c.Index, b.body, b.p.Locale); span != "" {
			col.Span = span
			b.ask("the dates in %q are all the first or all the last of a %s: are the values of the whole %[2]s?", c.Header, span)
		}
	}
	if c.Kinds {
		col.Kinds = true
		b.ask("the last words of the names are read as what the values are (target, actual): are they?")
	}
	if fills(c, b.p, b.body) {
		col.Fill = true
		col.Comment += "; an empty cell says what the one above says"
	}
	return col
}

// date gives a column the period that its header says.
func (b *sheetGuess) date(c Column, col *mapping.Column) {
	period, ok := periodOf(c, b.p, b.year, b.known, b.m.FiscalYearStart)
	switch {
	case c.Relative && len(b.p.Of(mapping.Quarter))+len(b.p.Of(mapping.Month)) > 0:
		col.Role = Ignored
		col.Comment += "; of the year before the row's period, whose own rows hold it"
	case !ok && c.part() != "" && len(b.wholeYears()) == 0:
		col.Period = c.part()
		if len(b.p.Of(Period))+len(b.p.Of(mapping.Year)) > 0 {
			col.Comment += "; of the year of the row"
		} else {
			col.Comment += "; of which year is not said"
			b.yearless = append(b.yearless, strconv.Quote(c.Header))
		}
	case !ok && c.part() != "":
		col.Role = Ignored
		b.finer++
		col.Comment += "; a part of a year, beside a column of a whole one"
	case !ok:
		col.Role = Ignored
		col.Comment += "; of which year is not said"
		b.ask("of which year is the column %q?", c.Header)
	case c.part() != "" && b.wholeYears()[yearOf(period)]:
		// The same year stands in a column of its own.
		col.Role = Ignored
		b.finer++
		col.Comment += "; " + period + ", a part of a year that has a column of its own"
	case strings.Contains(c.Header, "年度") && c.Period != "":
		// Which year that is depends on the month in which the organization's begin.
		col.Period = "header"
		if q := nendo; !slices.Contains(b.questions, q) {
			b.ask("%s", q)
		}
	default:
		col.Period = period
	}
}

const nendo = "年度 is called by the year in which it begins: in which month is that (fiscalYearStart, where the organization's is not the same)?"

// measureOf says of which measure, or which part of one, a column of values is.
func (b *sheetGuess) measureOf(c Column, col *mapping.Column) {
	switch {
	case len(b.p.Of(Name)) == 0 && c.dated():
		// The column is a period of something that the title may name.
		col.Of = "Value"
		if n := len(b.when.lines); n > 0 && len([]rune(b.when.lines[n-1])) <= 100 {
			col.Of = b.when.lines[n-1]
		}
		if rest := c.rest(); rest != "" {
			col.Of = rest
			b.unnamed = append(b.unnamed, rest)
			return
		}
		q := "no column names a measure: what do the values measure (of)?"
		if !slices.Contains(b.questions, q) {
			b.ask("%s", q)
		}
	case len(b.p.Of(Name)) == 0:
		col.Of = cmp.Or(c.rest(), ofHeader(withoutUnit(c.Header)))
		b.unnamed = append(b.unnamed, col.Of)
	case b.ofs[c.Index] != "":
		col.Of = b.ofs[c.Index]
		col.Comment += "; " + strconv.Quote(b.ofs[c.Index]) + " is a part of the measure"
	}
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
