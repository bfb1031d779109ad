package calendar

import (
	"strings"
	"time"
)

// Calendar says how the line of days is cut into periods. Calendars compare
// with ==; the zero value is that of months with years that start in January.
type Calendar struct {
	first int8 // 0-11: the month, less one, in which fiscal years start
	weeks bool // 4-4-5
	ends  int8 // of a 4-4-5 calendar: the time.Weekday that ends a week
}

// Months is the calendar whose periods are calendar months and multiples of
// them, and ISO weeks. Fiscal years start on the first of month fyStart;
// anything but 1-12 counts as 1.
func Months(fyStart int) Calendar {
	return Calendar{first: int8(startMonth(fyStart) - 1)}
}

// FourFourFive is the calendar whose fiscal years are of 52 or 53 whole weeks:
// a year ends on the last weekEnds of the month before fyStart, each quarter
// has 13 weeks, in periods ("months") of 4, 4 and 5, and the 53rd week, if
// there is one, belongs to the last period. It is the 52-53-week year of the
// US Internal Revenue Code, § 441(f), that ends on a day's last occurrence.
func FourFourFive(fyStart int, weekEnds time.Weekday) Calendar {
	return Calendar{first: int8(startMonth(fyStart) - 1), weeks: true, ends: int8(weekEnds)}
}

// New is the calendar declared by the words of a metric: kind is "", "month"
// or "4-4-5"; weekEnds, of a 4-4-5 calendar only, is the lower-case name of a
// weekday, by default saturday. It reports whether it knows the words.
func New(kind string, fyStart int, weekEnds string) (Calendar, bool) {
	switch kind {
	case "", "month":
		return Months(fyStart), true
	case "4-4-5":
		if weekEnds == "" {
			return FourFourFive(fyStart, time.Saturday), true
		}
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.ToLower(d.String()) == weekEnds {
				return FourFourFive(fyStart, d), true
			}
		}
	}
	return Months(fyStart), false
}

// FiscalYearStart is the month, 1-12, in which (or, of a 4-4-5 calendar, about
// the first of which) a fiscal year starts.
func (k Calendar) FiscalYearStart() int { return int(k.first) + 1 }

// PeriodOf is the period of the cadence that contains d. Years and quarters
// follow the fiscal year; they are named FY2018 and FY2018-Q3 unless the
// fiscal year is the calendar year, 2018 and 2018-Q3 then. The other names are
// 2018-07, 2018-W07 and 2018-07-31; in a 4-4-5 calendar FY2018-P07 and
// FY2018-W07. An unset date or an unknown cadence gives the zero Period.
func (k Calendar) PeriodOf(d Date, c Cadence) Period {
	if d.IsZero() {
		return Period{}
	}
	p := k.Span(d, c)
	if !p.IsZero() {
		p.Name = k.nameOf(p, k.weeks || k.first != 0)
	}
	return p
}

// Span is PeriodOf without the name, for inner loops.
func (k Calendar) Span(d Date, c Cadence) Period {
	if c == Daily {
		return Period{Cadence: c, Start: d, End: d}
	}
	if k.weeks {
		return k.spanOfWeeks(d, c)
	}
	s := int(k.first) + 1
	switch c {
	case Weekly:
		start := d.AddDays(-(int(d.Weekday()) + 6) % 7)
		return Period{Cadence: c, Start: start, End: start.AddDays(6)}
	case Monthly:
		y, m, day := d.civil()
		start := Date{d.n - int32(day-1)}
		return Period{Cadence: c, Start: start, End: Date{start.n + int32(daysIn(y, m)-1)}}
	case Quarterly:
		y, m, _ := d.civil()
		return months(c, y, m-(m-s+12)%3, 3)
	case Yearly:
		y, m, _ := d.civil()
		if m < s {
			y--
		}
		return months(c, y, s, 12)
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
func (k Calendar) nameOf(p Period, fiscal bool) string {
	b := make([]byte, 0, 10)
	if k.weeks && p.Cadence != Daily {
		return k.nameOfWeeks(b, p)
	}
	y, m, d := p.Start.civil()
	switch p.Cadence {
	case Daily:
		return string(appendDate(b, y, m, d))
	case Weekly:
		// The ISO week belongs to the year of its Thursday.
		thursday := p.Start.AddDays(3)
		wy, _, _ := thursday.civil()
		week := (thursday.Sub(Of(wy, 1, 1)) / 7) + 1
		return string(appendTwo(append(appendYear(b, wy), '-', 'W'), week))
	case Monthly:
		return string(appendTwo(append(appendYear(b, y), '-'), m))
	case Quarterly:
		if !fiscal {
			return string(append(appendYear(b, y), '-', 'Q', byte('1'+(m-1)/3)))
		}
		year := k.Span(p.Start, Yearly)
		ey, _, _ := year.End.civil()
		q := (m - 1 - int(k.first) + 12) % 12 / 3
		return string(append(appendYear(append(b, "FY"...), ey), '-', 'Q', byte('1'+q)))
	default:
		ey, _, _ := p.End.civil()
		if fiscal {
			b = append(b, "FY"...)
		}
		return string(appendYear(b, ey))
	}
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// Next is the period after p, named in the same way as p.
func (k Calendar) Next(p Period) Period { return k.neighbour(p, p.End.AddDays(1)) }

// Prev is the period before p, named in the same way as p.
func (k Calendar) Prev(p Period) Period { return k.neighbour(p, p.Start.AddDays(-1)) }

func (k Calendar) neighbour(p Period, d Date) Period {
	if p.IsZero() {
		return Period{}
	}
	fiscal := p.fiscal()
	if p.Cadence == Quarterly && !fiscal && !k.weeks {
		k.first = 0
	}
	q := k.Span(d, p.Cadence)
	q.Name = k.nameOf(q, fiscal)
	return q
}

// Split lists the periods of cadence c that end within p, in order: the months
// of a fiscal year, the days of a week. It is empty if c is coarser than p.
func (k Calendar) Split(p Period, c Cadence) []Period {
	if p.IsZero() || !c.Valid() {
		return nil
	}
	var out []Period
	for q := k.PeriodOf(p.Start, c); !q.End.After(p.End); q = k.Next(q) {
		out = append(out, q)
	}
	return out
}

// CountUntil counts the periods of cadence c that end within p and not after
// d: CountUntil(p, c, p.End) is the length of Split(p, c).
func (k Calendar) CountUntil(p Period, c Cadence, d Date) int {
	if d.After(p.End) {
		d = p.End
	}
	if p.IsZero() || !c.Valid() || d.Before(p.Start) {
		return 0
	}
	if c == Daily {
		return d.Sub(p.Start) + 1
	}
	if d == p.End && c.Finer(p.Cadence) && c != Weekly {
		return c.per(p.Cadence)
	}
	n := 0
	for q := k.Span(p.Start, c); !q.End.After(d); q = k.Span(q.End.AddDays(1), c) {
		n++
	}
	return n
}

// per is how many months or quarters a quarter or year has, in any calendar.
func (c Cadence) per(of Cadence) int {
	switch {
	case c == Quarterly:
		return 4
	case of == Quarterly:
		return 3
	}
	return 12
}

// Divides reports whether every period of cadence c lies within one period of
// cadence p of the calendar of: months divide years, weeks divide months only
// where those are whole weeks.
func (k Calendar) Divides(c Cadence, of Calendar, p Cadence) bool {
	switch {
	case !c.Valid() || p.Finer(c):
		return false
	case c == Daily:
		return true
	case k.weeks != of.weeks:
		return false
	case k.weeks:
		return k == of || (c == Weekly && k.ends == of.ends)
	case c == Weekly:
		return p == Weekly
	case c == Quarterly:
		return k.first%3 == of.first%3
	case c == Yearly:
		return k.first == of.first
	}
	return true
}
