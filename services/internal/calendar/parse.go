package calendar

import (
	"strings"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Parse reads the name of a period:
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
// is the calendar year. A 4-4-5 calendar has fiscal periods only: FY2018 (and
// 2018, which is renamed), FY2018-Q3, FY2018-P07, FY2018-W07 and days. The
// error is a *fault.Error of kind Invalid.
func (k Calendar) Parse(name string) (Period, error) {
	rest, fiscal := strings.CutPrefix(name, "FY")
	if len(rest) == 10 && !fiscal {
		d, err := ParseDate(rest)
		if err != nil {
			return Period{}, err
		}
		return k.PeriodOf(d, Daily), nil
	}
	if len(rest) < 4 {
		return Period{}, invalidPeriod(name, "is not the name of a period", k.hint())
	}
	y, ok := digits(rest[:4])
	if !ok {
		return Period{}, invalidPeriod(name, "is not the name of a period", k.hint())
	}
	if y < FirstYear || y > LastYear {
		return Period{}, invalidPeriod(name, "is not of the years 1900 to 2200", k.hint())
	}
	if k.weeks {
		return k.parseWeeks(name, rest[4:], y, fiscal)
	}
	return k.parseMonths(name, rest[4:], y, fiscal)
}

func (k Calendar) parseMonths(name, rest string, y int, fiscal bool) (Period, error) {
	s := k.FiscalYearStart()
	var p Period
	switch {
	case rest == "":
		// The day before the start month of y+1's fiscal year is the last of y's.
		p = k.Span(Of(y, time.Month(s), 1).AddDays(-1), Yearly)
		if s == 1 {
			p = k.Span(Of(y, 1, 1), Yearly)
		}
		fiscal = fiscal || s != 1
	case len(rest) == 3 && rest[:2] == "-Q":
		q, ok := digits(rest[2:])
		if !ok || q < 1 || q > 4 {
			return Period{}, invalidPeriod(name, "has no such quarter: it is Q1 to Q4", periodHint)
		}
		if !fiscal {
			k, s = Calendar{}, 1
		}
		first := y
		if s != 1 {
			first--
		}
		p = k.Span(Of(first, time.Month(s+3*(q-1)), 1), Quarterly)
	case fiscal:
		return Period{}, invalidPeriod(name, "is not the name of a period", periodHint)
	case len(rest) == 4 && rest[:2] == "-W":
		w, ok := digits(rest[2:])
		if !ok || w < 1 || w > weeksIn(y) {
			return Period{}, fault.New(fault.Invalid, "calendar.period", "%q has no such week: %d has W01 to W%d", name, y, weeksIn(y)).
				WithHint(periodHint)
		}
		p = k.Span(Of(y, 1, 4).AddDays(7*(w-1)), Weekly)
	case len(rest) == 3 && rest[0] == '-':
		m, ok := digits(rest[1:])
		if !ok || m < 1 || m > 12 {
			return Period{}, invalidPeriod(name, "has no such month: it is 01 to 12", periodHint)
		}
		p = k.Span(Of(y, time.Month(m), 1), Monthly)
	default:
		return Period{}, invalidPeriod(name, "is not the name of a period", periodHint)
	}
	p.Name = k.nameOf(p, fiscal)
	return p, nil
}

const periodHint = "write FY2018, 2018, FY2018-Q3, 2018-Q3, 2018-07, 2018-W07 or 2018-09-30"

func (k Calendar) hint() string {
	if k.weeks {
		return hintOfWeeks
	}
	return periodHint
}

func invalidPeriod(name, what, hint string) error {
	return fault.New(fault.Invalid, "calendar.period", "%q %s", clip(name), what).WithHint("%s", hint)
}

// weeksIn is 53 where the year's 28 December lies in week 53, else 52.
func weeksIn(y int) int {
	thursday := Span(Of(y, 12, 28), Weekly, 1).Start.AddDays(3)
	return thursday.Sub(Of(y, 1, 1))/7 + 1
}

// Named reports whether some calendar may have a period of this name, which is
// all that can be told of a name before it is known whose it is. The error is
// that of calendar months.
func Named(name string) error {
	_, err := Months(1).Parse(name)
	if err == nil || strings.HasSuffix(name, "-W53") && Named(strings.TrimSuffix(name, "3")+"2") == nil {
		return nil
	}
	if _, weeks := FourFourFive(1, time.Saturday).Parse(name); weeks == nil {
		return nil
	}
	return err
}
