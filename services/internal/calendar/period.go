package calendar

// Cadence is how long a period is.
type Cadence string

const (
	Daily     Cadence = "daily"
	Weekly    Cadence = "weekly" // Monday to Sunday (ISO 8601), or as a 4-4-5 calendar says
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

// fiscal says that p's name is that of a fiscal period.
func (p Period) fiscal() bool { return len(p.Name) > 2 && p.Name[:2] == "FY" }

// Same reports whether p and q are the same days.
func (p Period) Same(q Period) bool { return p.Start == q.Start && p.End == q.End }

// PeriodOf is Calendar.PeriodOf of the calendar months.
func PeriodOf(d Date, c Cadence, fyStart int) Period { return Months(fyStart).PeriodOf(d, c) }

// Span is Calendar.Span of the calendar months.
func Span(d Date, c Cadence, fyStart int) Period { return Months(fyStart).Span(d, c) }

// ParsePeriod is Calendar.Parse of the calendar months.
func ParsePeriod(name string, fyStart int) (Period, error) { return Months(fyStart).Parse(name) }

// Next is Calendar.Next of the calendar months.
func (p Period) Next(fyStart int) Period { return Months(fyStart).Next(p) }

// Prev is Calendar.Prev of the calendar months.
func (p Period) Prev(fyStart int) Period { return Months(fyStart).Prev(p) }

// Split is Calendar.Split of the calendar months.
func (p Period) Split(c Cadence, fyStart int) []Period { return Months(fyStart).Split(p, c) }

// CountUntil is Calendar.CountUntil of the calendar months.
func (p Period) CountUntil(c Cadence, d Date, fyStart int) int {
	return Months(fyStart).CountUntil(p, c, d)
}
