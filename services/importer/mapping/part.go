package mapping

import (
	"regexp"

	"setpoint.dev/services/internal/calendar"
)

var partOfYear = regexp.MustCompile(`^(?:(Q[1-4])|(M(?:0[1-9]|1[0-2]))|(H[12]))$`)

// IsPart reports whether the period of a column is a part of a year that the row
// says: Q3, H1 or M07.
func IsPart(period string) bool { return partOfYear.MatchString(period) }

// PartOfYear is the cadence of such a part; a half-year, which the calendar has
// not, has none.
func PartOfYear(period string) calendar.Cadence {
	switch m := partOfYear.FindStringSubmatch(period); {
	case m == nil:
	case m[1] != "":
		return calendar.Quarterly
	case m[2] != "":
		return calendar.Monthly
	}
	return ""
}
