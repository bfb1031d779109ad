package guess

import (
	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

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
