package calendar

// A 4-4-5 year is told by its weeks, counted from 0: quarters begin in weeks
// 0, 13, 26 and 39, and the periods of each 0, 4 and 8 weeks into it.

// yearEnd is the last day of the fiscal year that ends in year y.
func (k Calendar) yearEnd(y int) Date {
	month := int(k.first) // the one before the first
	if month == 0 {
		month = 12
	}
	last := daysBefore(y, month) + daysIn(y, month)
	d := Date{int32(last)}
	return d.AddDays(-((int(d.Weekday()) - int(k.ends) + 7) % 7))
}

// yearOfWeeks is the fiscal year that contains d: its name, first and last day.
func (k Calendar) yearOfWeeks(d Date) (y int, start, end Date) {
	y, _, _ = d.civil()
	end = k.yearEnd(y)
	if d.After(end) {
		y++
		return y, end.AddDays(1), k.yearEnd(y)
	}
	return y, k.yearEnd(y - 1).AddDays(1), end
}

// spanOfWeeks is Span in a 4-4-5 calendar, of anything but a day.
func (k Calendar) spanOfWeeks(d Date, c Cadence) Period {
	if c == Weekly {
		start := d.AddDays(-((int(d.Weekday()) - int(k.ends) + 6) % 7))
		return Period{Cadence: c, Start: start, End: start.AddDays(6)}
	}
	_, start, end := k.yearOfWeeks(d)
	week := min(d.Sub(start)/7, 51) // the 53rd is of the last period
	switch c {
	case Monthly:
		return partOfYear(c, start, end, week/13*3+min(week%13/4, 2))
	case Quarterly:
		q := partOfYear(c, start, end, week/13*3)
		q.End = partOfYear(c, start, end, week/13*3+2).End
		return q
	case Yearly:
		return Period{Cadence: c, Start: start, End: end}
	}
	return Period{}
}

// partOfYear is period n, 0 to 11, of the year from start to end.
func partOfYear(c Cadence, start, end Date, n int) Period {
	first := n/3*13 + n%3*4
	p := Period{Cadence: c, Start: start.AddDays(7 * first), End: end}
	if n < 11 {
		weeks := 4
		if n%3 == 2 {
			weeks = 5
		}
		p.End = p.Start.AddDays(7*weeks - 1)
	}
	return p
}

func (k Calendar) nameOfWeeks(b []byte, p Period) string {
	y, start, _ := k.yearOfWeeks(p.Start)
	b = appendYear(append(b, "FY"...), y)
	week := p.Start.Sub(start) / 7
	switch p.Cadence {
	case Weekly:
		b = appendTwo(append(b, '-', 'W'), week+1)
	case Monthly:
		b = appendTwo(append(b, '-', 'P'), week/13*3+min(week%13/4, 2)+1)
	case Quarterly:
		b = append(b, '-', 'Q', byte('1'+week/13))
	}
	return string(b)
}

// parseWeeks reads what follows the year y in the name of a period.
func (k Calendar) parseWeeks(name, rest string, y int, fiscal bool) (Period, error) {
	start, end := k.yearEnd(y-1).AddDays(1), k.yearEnd(y)
	n := 0
	if len(rest) > 2 {
		var ok bool
		if n, ok = digits(rest[2:]); !ok {
			return Period{}, invalidPeriod(name, "is not the name of a period", hintOfWeeks)
		}
	}
	var p Period
	switch {
	case rest == "":
		p = Period{Cadence: Yearly, Start: start, End: end}
	case !fiscal:
		return Period{}, invalidPeriod(name, "is not of a 4-4-5 calendar, whose quarters, periods and weeks are those of a fiscal year", hintOfWeeks)
	case len(rest) == 3 && rest[:2] == "-Q":
		if n < 1 || n > 4 {
			return Period{}, invalidPeriod(name, "has no such quarter: it is Q1 to Q4", hintOfWeeks)
		}
		p = k.Span(start.AddDays(91*(n-1)), Quarterly)
	case len(rest) == 4 && rest[:2] == "-P":
		if n < 1 || n > 12 {
			return Period{}, invalidPeriod(name, "has no such period: it is P01 to P12", hintOfWeeks)
		}
		p = partOfYear(Monthly, start, end, n-1)
	case len(rest) == 4 && rest[:2] == "-W":
		if weeks := (end.Sub(start) + 1) / 7; n < 1 || n > weeks {
			return Period{}, invalidPeriod(name, "has no such week: it is W01 to W"+string(appendTwo(nil, weeks)), hintOfWeeks)
		}
		p = k.Span(start.AddDays(7*(n-1)), Weekly)
	default:
		return Period{}, invalidPeriod(name, "is not the name of a period", hintOfWeeks)
	}
	p.Name = k.nameOf(p, true)
	return p, nil
}

const hintOfWeeks = "write FY2018, FY2018-Q3, FY2018-P07, FY2018-W07 or 2018-09-30"
