package convert

import (
	"fmt"
	"strconv"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

// noYear is why a value of a column that is a part of a year is not read.
const noYear = "of which year the column is, is not said: a column of years, or period in the mapping's defaults"

// partOf is the period of a column that is a part of the row's year: Q3, H1, M07.
// It is nil where the row is of no year, or halfYears does not say what H1 is.
func (t *table) partOf(year *calendar.Period, part string) *calendar.Period {
	if year == nil || year.Cadence != calendar.Yearly {
		return nil
	}
	y := year.End.Year()
	name := fmt.Sprintf("FY%d-%s", y, part)
	switch mapping.PartOfYear(part) {
	case calendar.Monthly:
		month, _ := strconv.Atoi(part[1:])
		name = fmt.Sprintf("%d-%s", t.yearOfMonth(y, month), part[1:])
	case "":
		if t.defaults.HalfYears == "" {
			return nil
		}
		name, _ = cell.LastQuarter(name)
	}
	p, err := t.conv.calendar.Parse(name)
	if err != nil {
		return nil
	}
	return &p
}

// yearOfMonth is the calendar's year of a month of the fiscal year: those before
// January are of the year before.
func (t *table) yearOfMonth(year, month int) int {
	if s := t.conv.calendar.FiscalYearStart(); s > 1 && month >= s {
		year--
	}
	return year
}
