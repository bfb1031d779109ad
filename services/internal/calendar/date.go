package calendar

import (
	"cmp"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Years that ParseDate and ParsePeriod accept; arithmetic may leave them.
const (
	FirstYear = 1900
	LastYear  = 2200
)

// Date is a day of the Gregorian calendar, without a time or a zone. Dates
// compare with ==; the zero Date is unset and sorts before every other.
type Date struct {
	n int32 // days since 0000-12-31, so that 0001-01-01 is 1; 0 is unset
}

// Of makes a date; a day or month out of range is carried over as in
// time.Date: Of(2023, 2, 30) is 2023-03-02.
func Of(year int, month time.Month, day int) Date {
	m := int(month) - 1
	year += floorDiv(m, 12)
	m -= 12 * floorDiv(m, 12)
	return Date{int32(daysBefore(year, m+1) + day)}
}

// FromTime is the calendar date that t shows in its own location.
func FromTime(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	y, m, d := t.Date()
	return Of(y, m, d)
}

// ParseDate reads a calendar date written YYYY-MM-DD that exists, of the years
// 1900 to 2200. The error is a *fault.Error of kind Invalid.
func ParseDate(s string) (Date, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return Date{}, invalidDate(s, "is not a date written YYYY-MM-DD")
	}
	y, okY := digits(s[:4])
	m, okM := digits(s[5:7])
	d, okD := digits(s[8:])
	switch {
	case !okY || !okM || !okD:
		return Date{}, invalidDate(s, "is not a date written YYYY-MM-DD")
	case y < FirstYear || y > LastYear:
		return Date{}, invalidDate(s, "is not of the years 1900 to 2200")
	case m < 1 || m > 12:
		return Date{}, invalidDate(s, "has no such month: it is 01 to 12")
	case d < 1 || d > daysIn(y, m):
		return Date{}, fault.New(fault.Invalid, "calendar.date", "%q does not exist: %s %d has %d days",
			s, time.Month(m), y, daysIn(y, m)).WithHint("write a date as YYYY-MM-DD, for example 2018-09-30")
	}
	return Of(y, time.Month(m), d), nil
}

func invalidDate(s, what string) error {
	return fault.New(fault.Invalid, "calendar.date", "%q %s", clip(s), what).
		WithHint("write a date as YYYY-MM-DD, for example 2018-09-30")
}

// MustParse is ParseDate for literals; it panics on what is not a date.
func MustParse(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// IsZero reports whether d is unset.
func (d Date) IsZero() bool { return d.n == 0 }

// String is YYYY-MM-DD, or "" if d is unset.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	y, m, day := d.civil()
	return string(appendDate(make([]byte, 0, 10), y, m, day))
}

// Year of d; 0 if d is unset.
func (d Date) Year() int {
	if d.IsZero() {
		return 0
	}
	y, _, _ := d.civil()
	return y
}

// Month of d; 0 if d is unset.
func (d Date) Month() time.Month {
	if d.IsZero() {
		return 0
	}
	_, m, _ := d.civil()
	return time.Month(m)
}

// Day of the month of d; 0 if d is unset.
func (d Date) Day() int {
	if d.IsZero() {
		return 0
	}
	_, _, day := d.civil()
	return day
}

// Time is midnight UTC at the start of d; the zero time if d is unset.
func (d Date) Time() time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	y, m, day := d.civil()
	return time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC)
}

// Compare is -1, 0 or +1 as d is before, the same as or after e.
func (d Date) Compare(e Date) int { return cmp.Compare(d.n, e.n) }

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.n < e.n }

// After reports whether d is a later day than e.
func (d Date) After(e Date) bool { return d.n > e.n }

// Equal is ==.
func (d Date) Equal(e Date) bool { return d == e }

// AddDays is the date n days later; an unset date stays unset.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	return Date{d.n + int32(n)}
}

// Sub is the number of days from e to d, negative if d is before e. Both must
// be set.
func (d Date) Sub(e Date) int { return int(d.n - e.n) }

// Weekday of d, which must be set.
func (d Date) Weekday() time.Weekday {
	// 0001-01-01, day 1, was a Monday.
	return time.Weekday(int(d.n) - 7*floorDiv(int(d.n), 7))
}

// MarshalText is String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDate; an empty text makes d unset.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	p, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = p
	return nil
}

// Earlier is the earlier of two dates; an unset one does not count.
func Earlier(a, b Date) Date {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// Later is the later of two dates; an unset one does not count.
func Later(a, b Date) Date {
	if b.After(a) {
		return b
	}
	return a
}

// civil is the inverse of daysBefore. It counts from 1 March of year 0, so
// that the leap day ends a year, in eras of 400 years (146,097 days).
func (d Date) civil() (year, month, day int) {
	z := int(d.n) + 305 // days since 0000-03-01
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// daysBefore counts the days from 0000-12-31 to the day before the first of
// the month.
func daysBefore(year, month int) int {
	y := year - 1
	n := 365*y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400)
	n += before[month-1]
	if month > 2 && leap(year) {
		n++
	}
	return n
}

var before = [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if leap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// digits reads an unsigned decimal number, nothing else.
func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, len(s) > 0
}

func appendDate(b []byte, y, m, d int) []byte {
	b = appendYear(b, y)
	b = append(b, '-', byte('0'+m/10), byte('0'+m%10))
	return append(b, '-', byte('0'+d/10), byte('0'+d%10))
}

func appendYear(b []byte, y int) []byte {
	if y < 0 {
		b = append(b, '-')
		y = -y
	}
	return append(b, byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10))
}

// clip keeps a message short however long the input is.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
