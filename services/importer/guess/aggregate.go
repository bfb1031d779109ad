package guess

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

// mostAggregated is how many measures are listed, each with how its values become one.
const mostAggregated = 500

// aggregate tells how values of months or quarters make those of the years that
// targets are of: added up where a year's are about the target together, the last
// one where each is about the target.
func (b *sheetGuess) aggregate() {
	if !b.parts() || len(b.p.Of(Name)) != 1 || slices.ContainsFunc(b.p.Columns, func(c Column) bool { return c.Kinds }) {
		return
	}
	k := calendar.Months(max(1, b.m.FiscalYearStart))
	found := map[string]string{}
	unknown := map[string]bool{}
	name := b.p.Of(Name)[0].Index
	for _, row := range b.body {
		if name >= len(row) || row[name] == "" {
			continue
		}
		title := strings.Join(strings.Fields(row[name]), " ")
		how, there := b.aggregation(row, k)
		switch before, twice := found[title]; {
		case !there:
		case how == "" || unknown[title] || twice && before != how:
			delete(found, title)
			unknown[title] = true
		default:
			found[title] = how
		}
	}
	sums, all := 0, len(found)
	for _, how := range found {
		if how == "sum" {
			sums++
		}
	}
	switch {
	case all > mostAggregated:
		found, all = nil, 0
	case len(unknown) == 0 && sums == all && all > 0:
		b.own.Aggregation = "sum"
	case len(unknown) == 0 && sums == 0 && all > 0:
		b.own.Aggregation = "last"
	default:
		for title, how := range found {
			if b.m.Aggregations == nil {
				b.m.Aggregations = map[string]string{}
			}
			b.m.Aggregations[title] = how
		}
	}
	if sums > 0 && all > 0 {
		b.ask("actuals are of parts of the years that targets are of: those of %s are added up (sum), since together they are about the target: are they?", measures(sums))
	}
	if all > sums {
		b.ask("actuals are of parts of the years that targets are of: of %s the last one counts (last), since each is about the target, or they run up to it: or is it their mean?", measures(all-sums))
	}
	if all == 0 || len(unknown) > 0 {
		var names []string
		for title := range unknown {
			names = append(names, strconv.Quote(clip(title)))
		}
		slices.Sort(names)
		of := ""
		if n := len(names); n > 0 {
			of = " of " + strings.Join(names[:min(n, 8)], ", ")
		}
		b.ask("how do the actuals%s make those of the whole years that their targets are of (aggregations: last, sum or mean)? Without it they are not read", of)
	}
}

func measures(n int) string {
	if n == 1 {
		return "1 measure"
	}
	return strconv.Itoa(n) + " measures"
}

// partValue is one value of a part of a year.
type partValue struct {
	start calendar.Date
	value float64
}

// aggregation is how the values of one row make a year, or "" where that cannot be
// told; there is false where the row has none.
func (b *sheetGuess) aggregation(row []string, k calendar.Calendar) (how string, there bool) {
	targets := map[calendar.Date]float64{} // by the first day of the year
	parts := map[calendar.Date][]partValue{}
	of, cadence := b.rowYear(row), calendar.Cadence("")
	percent := false
	for i, col := range b.sheet.Columns {
		at := b.at[i]
		if at >= len(row) {
			continue
		}
		name := col.Period
		switch {
		case name == "":
			name = of
		case mapping.IsPart(name):
			name = partOfYear(name, of)
		}
		period, err := k.Parse(name)
		v, verr := cell.ParseNumber(row[at], b.p.Locale)
		if err != nil || verr != nil {
			continue
		}
		year := k.PeriodOf(period.End, calendar.Yearly).Start
		switch {
		case col.Role == Target && period.Cadence == calendar.Yearly:
			targets[year] = v.Value
		case col.Role == Actual && period.Cadence.Finer(calendar.Yearly):
			parts[year] = append(parts[year], partValue{period.Start, v.Value})
			cadence, percent, there = period.Cadence, percent || v.Percent, true
		}
	}
	if percent {
		return "last", there // shares are not added up
	}
	whole := map[calendar.Cadence]int{calendar.Monthly: 12, calendar.Quarterly: 4}[cadence]
	for year, values := range parts {
		target := targets[year]
		if target == 0 || whole == 0 || len(values) > whole {
			continue
		}
		slices.SortFunc(values, func(a, b partValue) int { return a.start.Compare(b.start) })
		said := ofYear(values, target, whole)
		if said == "" || how != "" && how != said {
			return "", there
		}
		how = said
	}
	return how, there
}

// ofYear is how a year's values are to its target.
func ofYear(values []partValue, target float64, whole int) string {
	sum, rising, n := 0.0, true, len(values)
	for i, v := range values {
		sum += v.value
		rising = rising && (i == 0 || v.value > values[i-1].value)
	}
	far := func(v float64) float64 {
		if v/target <= 0 {
			return math.Inf(1)
		}
		return math.Abs(math.Log(v / target))
	}
	added, each, last := far(sum*float64(whole)/float64(n)), far(sum/float64(n)), far(values[n-1].value)
	near := math.Log(2)
	if rising && n > 1 && values[n-1].value >= 1.7*values[0].value {
		// They may run up to the target, or only grow.
		switch {
		case n < whole:
			return ""
		case last < added && last < near:
			return "last"
		}
	}
	switch {
	case added < each && added < near:
		return "sum"
	case each < added && each < near:
		return "last"
	}
	return ""
}

// rowYear is the year of a row, by its column of periods or by the table's; where
// none is known some year, in which its values are compared.
func (b *sheetGuess) rowYear(row []string) string {
	for _, c := range append(b.p.Of(Period), b.p.Of(mapping.Year)...) {
		if c.Index < len(row) {
			if name, err := cell.ParsePeriod(row[c.Index], b.p.Locale); err == nil {
				return name
			}
		}
	}
	return cmp.Or(b.own.Period, "2000")
}

// partOfYear is the name of a part of a year.
func partOfYear(part, year string) string {
	if mapping.PartOfYear(part) == calendar.Monthly {
		return strings.TrimPrefix(year, "FY") + "-" + part[1:]
	}
	return year + "-" + part
}
