package calendar

import (
	"strings"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Cadence is how long a period is.
type Cadence string

const (
	Daily     Cadence = "daily"
	Weekly    Cadence = "weekly" // ISO 8601: Monday to Sunday
	Monthly   Cadence = "monthly"
	Quarterly Cadence = "quarterly"
	Yearly    Cadence = "yearly"
)

// Valid reports whether c is one of the five.
func (c Cadence) Valid() bool { return c.rank() > 0 }

// Finer reports whether the periods of c are shorter than those of d.
func (c Cadence) Finer(d Cadence) bool { return c.rank() < d.rank() }

func (c Cadence) rank() int {
	switch c {
	case Daily:
		return 1
	case Weekly:
		return 2
	case Monthly:
		return 3
	case Quarterly:
		return 4
	case Yearly:
		return 5
	}
	return 0
}

// Period is a stretch of days with a name. Two periods are the same if Start
// and End are; FY2018 and 2018 name the same period where the fiscal year is
// the calendar year.
type Period struct {
	Name       string
	Cadence    Cadence
	Start, End Date // first and last day, inclusive
}

// IsZero reports whether p is unset.
func (p Period) IsZero() bool { return p.Start.IsZero() }

// Contains reports whether d is one of p's days.
func (p Period) Contains(d Date) bool { return !d.Before(p.Start) && !d.After(p.End) }

// Days is the number of days of p; 0 if p is unset.
func (p Period) Days() int {
	if p.IsZero() {
		return 0
	}
	return p.End.Sub(p.Start) + 1
}

// Same reports whether p and q are the same days.
func (p Period) Same(q Period) bool { return p.Start == q.Start && p.End == q.End }

// PeriodOf is the period of the cadence that contains d. Years and quarters
// follow the fiscal year, which starts on the first of month fyStart (anything
// but 1-12 counts as 1); they are named FY2018 and FY2018-Q3 unless the fiscal
// year is the calendar year, 2018 and 2018-Q3 then. The other names are
// 2018-07, 2018-W07 and 2018-07-31. An unset date or an unknown cadence gives
// the zero Period.
func PeriodOf(d Date, c Cadence, fyStart int) Period {
	if d.IsZero() {
		return Period{}
	}
	p := Span(d, c, fyStart)
	if !p.IsZero() {
		p.Name = nameOf(p, fyStart, startMonth(fyStart) != 1)
	}
	return p
}

// Span is PeriodOf without the name, for inner loops.
func Span(d Date, c Cadence, fyStart int) Period {
	switch c {
	case Daily:
		return Period{Cadence: c, Start: d, End: d}
	case Weekly:
		start := d.AddDays(-(int(d.Weekday()) + 6) % 7)
		return Period{Cadence: c, Start: start, End: start.AddDays(6)}
	case Monthly:
		y, m, _ := d.civil()
		return months(c, y, m, 1)
	case Quarterly:
		y, m, _ := d.civil()
		into := (m - startMonth(fyStart) + 12) % 3
		return months(c, y, m-into, 3)
	case Yearly:
		y, m, _ := d.civil()
		if s := startMonth(fyStart); m < s {
			return months(c, y-1, s, 12)
		} else {
			return months(c, y, s, 12)
		}
	}
	return Period{}
}

func months(c Cadence, y, m, n int) Period {
	start := Of(y, time.Month(m), 1)
	return Period{Cadence: c, Start: start, End: Of(y, time.Month(m+n), 0)}
}

func startMonth(fyStart int) int {
	if fyStart < 1 || fyStart > 12 {
		return 1
	}
	return fyStart
}

// nameOf names a period by its dates. fiscal chooses FY names for years and
// quarters.
func nameOf(p Period, fyStart int, fiscal bool) string {
	b := make([]byte, 0, 10)
	y, m, d := p.Start.civil()
	switch p.Cadence {
	case Daily:
		return string(appendDate(b, y, m, d))
	case Weekly:
		// The ISO week belongs to the year of its Thursday.
		thursday := p.Start.AddDays(3)
		wy, _, _ := thursday.civil()
		week := (thursday.Sub(Of(wy, 1, 1)) / 7) + 1
		b = append(appendYear(b, wy), '-', 'W')
		return string(append(b, byte('0'+week/10), byte('0'+week%10)))
	case Monthly:
		return string(append(appendYear(b, y), '-', byte('0'+m/10), byte('0'+m%10)))
	case Quarterly:
		if !fiscal {
			return string(append(appendYear(b, y), '-', 'Q', byte('1'+(m-1)/3)))
		}
		year := Span(p.Start, Yearly, fyStart)
		ey, _, _ := year.End.civil()
		q := (m - startMonth(fyStart) + 12) % 12 / 3
		return string(append(appendYear(append(b, "FY"...), ey), '-', 'Q', byte('1'+q)))
	default:
		ey, _, _ := p.End.civil()
		if fiscal {
			b = append(b, "FY"...)
		}
		return string(appendYear(b, ey))
	}
}

// Next is the period after p, named in the same way as p.
func (p Period) Next(fyStart int) Period { return p.neighbour(p.End.AddDays(1), fyStart) }

// Prev is the period before p, named in the same way as p.
func (p Period) Prev(fyStart int) Period { return p.neighbour(p.Start.AddDays(-1), fyStart) }

func (p Period) neighbour(d Date, fyStart int) Period {
	if p.IsZero() {
		return Period{}
	}
	fiscal := strings.HasPrefix(p.Name, "FY")
	s := startMonth(fyStart)
	if p.Cadence == Quarterly && !fiscal {
		s = 1
	}
	q := Span(d, p.Cadence, s)
	q.Name = nameOf(q, s, fiscal)
	return q
}

// Split lists the periods of cadence c that end within p, in order: the months
// of a fiscal year, the days of a week. It is empty if c is coarser than p.
func (p Period) Split(c Cadence, fyStart int) []Period {
	if p.IsZero() || !c.Valid() {
		return nil
	}
	var out []Period
	for q := PeriodOf(p.Start, c, fyStart); !q.End.After(p.End); q = q.Next(fyStart) {
		out = append(out, q)
	}
	return out
}

// CountUntil counts the periods of cadence c that end within p and not after
// d: CountUntil(c, p.End, …) is the length of Split.
func (p Period) CountUntil(c Cadence, d Date, fyStart int) int {
	if d.After(p.End) {
		d = p.End
	}
	if p.IsZero() || !c.Valid() || d.Before(p.Start) {
		return 0
	}
	if c == Daily {
		return d.Sub(p.Start) + 1
	}
	n := 0
	for q := Span(p.Start, c, fyStart); !q.End.After(d); q = Span(q.End.AddDays(1), c, fyStart) {
		n++
	}
	return n
}

// ParsePeriod reads the name of a period:
//
//	FY2018      the fiscal year that ends in 2018
//	2018        the same: where the fiscal year is not the calendar year, a
//	            plain year is the fiscal year and is renamed FY2018
//	FY2018-Q3   the third quarter of the fiscal year
//	2018-Q3     July to September 2018, whatever the fiscal year
//	2018-07     a month
//	2018-W07    an ISO 8601 week
//	2018-09-30  a day
//
// for the years 1900 to 2200. FY2018 keeps its name also where the fiscal year
// is the calendar year. The error is a *fault.Error of kind Invalid.
func ParsePeriod(name string, fyStart int) (Period, error) {
	s := startMonth(fyStart)
	rest, fiscal := strings.CutPrefix(name, "FY")
	if len(rest) == 10 && !fiscal {
		d, err := ParseDate(rest)
		if err != nil {
			return Period{}, err
		}
		return PeriodOf(d, Daily, s), nil
	}
	if len(rest) < 4 {
		return Period{}, invalidPeriod(name, "is not the name of a period")
	}
	y, ok := digits(rest[:4])
	if !ok {
		return Period{}, invalidPeriod(name, "is not the name of a period")
	}
	if y < FirstYear || y > LastYear {
		return Period{}, invalidPeriod(name, "is not of the years 1900 to 2200")
	}
	var p Period
	switch rest = rest[4:]; {
	case rest == "":
		// The day before the start month of y+1's fiscal year is the last of y's.
		p = Span(Of(y, time.Month(s), 1).AddDays(-1), Yearly, s)
		if s == 1 {
			p = Span(Of(y, 1, 1), Yearly, 1)
		}
		fiscal = fiscal || s != 1
	case len(rest) == 3 && rest[:2] == "-Q":
		q, ok := digits(rest[2:])
		if !ok || q < 1 || q > 4 {
			return Period{}, invalidPeriod(name, "has no such quarter: it is Q1 to Q4")
		}
		if !fiscal {
			s = 1
		}
		first := y
		if s != 1 {
			first--
		}
		p = Span(Of(first, time.Month(s+3*(q-1)), 1), Quarterly, s)
	case fiscal:
		return Period{}, invalidPeriod(name, "is not the name of a period")
	case len(rest) == 4 && rest[:2] == "-W":
		w, ok := digits(rest[2:])
		if !ok || w < 1 || w > weeksIn(y) {
			return Period{}, fault.New(fault.Invalid, "calendar.period", "%q has no such week: %d has W01 to W%d", name, y, weeksIn(y)).
				WithHint(periodHint)
		}
		p = Span(Of(y, 1, 4).AddDays(7*(w-1)), Weekly, s)
	case len(rest) == 3 && rest[0] == '-':
		m, ok := digits(rest[1:])
		if !ok || m < 1 || m > 12 {
			return Period{}, invalidPeriod(name, "has no such month: it is 01 to 12")
		}
		p = Span(Of(y, time.Month(m), 1), Monthly, s)
	default:
		return Period{}, invalidPeriod(name, "is not the name of a period")
	}
	p.Name = nameOf(p, s, fiscal)
	return p, nil
}

const periodHint = "write FY2018, 2018, FY2018-Q3, 2018-Q3, 2018-07, 2018-W07 or 2018-09-30"

func invalidPeriod(name, what string) error {
	return fault.New(fault.Invalid, "calendar.period", "%q %s", clip(name), what).WithHint(periodHint)
}

// weeksIn is 53 where the year's 28 December lies in week 53, else 52.
func weeksIn(y int) int {
	thursday := Span(Of(y, 12, 28), Weekly, 1).Start.AddDays(3)
	return thursday.Sub(Of(y, 1, 1))/7 + 1
}
