package calendar

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/fault"
)

// The ends of Apple's (last Saturday of September) and Cisco's (last Saturday
// of July) fiscal years, as their annual reports give them.
func TestYearsOfWeeks(t *testing.T) {
	for _, tc := range []struct {
		k     Calendar
		name  string
		start string
		end   string
		weeks int
	}{
		{FourFourFive(10, time.Saturday), "FY2012", "2011-09-25", "2012-09-29", 53},
		{FourFourFive(10, time.Saturday), "FY2016", "2015-09-27", "2016-09-24", 52},
		{FourFourFive(10, time.Saturday), "FY2017", "2016-09-25", "2017-09-30", 53},
		{FourFourFive(10, time.Saturday), "FY2018", "2017-10-01", "2018-09-29", 52},
		{FourFourFive(10, time.Saturday), "FY2023", "2022-09-25", "2023-09-30", 53},
		{FourFourFive(8, time.Saturday), "FY2016", "2015-07-26", "2016-07-30", 53},
		{FourFourFive(8, time.Saturday), "FY2017", "2016-07-31", "2017-07-29", 52},
		{FourFourFive(2, time.Saturday), "FY2018", "2017-01-29", "2018-01-27", 52},
		{FourFourFive(1, time.Sunday), "FY2018", "2018-01-01", "2018-12-30", 52},
		{FourFourFive(1, time.Friday), "FY2019", "2018-12-29", "2019-12-27", 52},
	} {
		p, err := tc.k.Parse(tc.name)
		if err != nil || p.Start.String() != tc.start || p.End.String() != tc.end || p.Name != tc.name || p.Days() != 7*tc.weeks {
			t.Errorf("%+v: %+v of %d weeks, %v", tc, p, p.Days()/7, err)
		}
		if n := len(tc.k.Split(p, Weekly)); n != tc.weeks {
			t.Errorf("%s: split into %d weeks", tc.name, n)
		}
	}
}

func TestPeriodsOfWeeks(t *testing.T) {
	k := FourFourFive(10, time.Saturday)
	for _, tc := range []struct {
		name       string
		cadence    Cadence
		start, end string
	}{
		{"FY2018-Q1", Quarterly, "2017-10-01", "2017-12-30"},
		{"FY2018-Q3", Quarterly, "2018-04-01", "2018-06-30"},
		{"FY2018-Q4", Quarterly, "2018-07-01", "2018-09-29"},
		{"FY2017-Q4", Quarterly, "2017-06-25", "2017-09-30"}, // 14 weeks
		{"FY2018-P01", Monthly, "2017-10-01", "2017-10-28"},
		{"FY2018-P02", Monthly, "2017-10-29", "2017-11-25"},
		{"FY2018-P03", Monthly, "2017-11-26", "2017-12-30"},
		{"FY2018-P04", Monthly, "2017-12-31", "2018-01-27"},
		{"FY2018-P07", Monthly, "2018-04-01", "2018-04-28"},
		{"FY2018-P12", Monthly, "2018-08-26", "2018-09-29"},
		{"FY2017-P12", Monthly, "2017-08-20", "2017-09-30"}, // 6 weeks
		{"FY2018-W01", Weekly, "2017-10-01", "2017-10-07"},
		{"FY2017-W53", Weekly, "2017-09-24", "2017-09-30"},
		{"2018-03-31", Daily, "2018-03-31", "2018-03-31"},
	} {
		p, err := k.Parse(tc.name)
		if err != nil || p.Name != tc.name || p.Cadence != tc.cadence || p.Start.String() != tc.start || p.End.String() != tc.end {
			t.Errorf("%s is %+v, %v", tc.name, p, err)
		}
	}
	if p, err := k.Parse("2018"); err != nil || p.Name != "FY2018" {
		t.Errorf("a plain year is %+v, %v", p, err)
	}
	for _, tc := range []struct{ in, wrong string }{
		{"2018-Q3", "fiscal year"}, {"2018-07", "fiscal year"}, {"2018-W07", "fiscal year"},
		{"FY2018-Q5", "Q1 to Q4"}, {"FY2018-P13", "P01 to P12"}, {"FY2018-P00", "P01 to P12"}, {"FY2018-P7", "not the name"},
		{"FY2018-W53", "W01 to W52"}, {"FY2017-W54", "W01 to W53"}, {"FY2018-W00", "W01 to W52"}, {"FY2018-07", "not the name"},
		{"FY2018-", "not the name"}, {"FY18", "not the name"}, {"FY2201", "1900 to 2200"}, {"2018-02-30", "does not exist"},
	} {
		p, err := k.Parse(tc.in)
		if err == nil || !strings.Contains(err.Error(), tc.wrong) || fault.KindOf(err) != fault.Invalid || !p.IsZero() {
			t.Errorf("%q: %v, %v; want an error saying %q", tc.in, p, err, tc.wrong)
		}
	}
	if _, err := Months(10).Parse("FY2018-P07"); err == nil {
		t.Error("calendar months have no P07")
	}
}

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		kind, ends string
		fy         int
		want       Calendar
		ok         bool
	}{
		{"", "", 10, Months(10), true},
		{"month", "", 0, Months(1), true},
		{"month", "", 1, Calendar{}, true},
		{"4-4-5", "", 10, FourFourFive(10, time.Saturday), true},
		{"4-4-5", "sunday", 2, FourFourFive(2, time.Sunday), true},
		{"4-4-5", "Sunday", 2, Months(2), false},
		{"4-5-4", "", 2, Months(2), false},
	} {
		if got, ok := New(tc.kind, tc.fy, tc.ends); got != tc.want || ok != tc.ok || got.FiscalYearStart() != max(1, tc.fy) {
			t.Errorf("New(%q, %d, %q) = %+v, %v", tc.kind, tc.fy, tc.ends, got, ok)
		}
	}
}

func drawWeeks(t *rapid.T) Calendar {
	return FourFourFive(rapid.IntRange(1, 12).Draw(t, "fyStart"), time.Weekday(rapid.IntRange(0, 6).Draw(t, "week ends")))
}

// The periods of a 4-4-5 calendar tile the line of days, are whole weeks, and
// their names read back as what they name.
func TestWeeksTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, d := drawWeeks(t), drawDate(t, "d")
		c := rapid.SampledFrom(cadences).Draw(t, "cadence")
		p := k.PeriodOf(d, c)
		if !p.Contains(d) || p.Cadence != c {
			t.Fatalf("%v is of %v", d, p)
		}
		next, prev := k.Next(p), k.Prev(p)
		if next.Start != p.End.AddDays(1) || prev.End != p.Start.AddDays(-1) || k.Prev(next) != p || k.Next(prev) != p {
			t.Fatalf("%v is between %v and %v", p, prev, next)
		}
		for _, e := range []Date{p.Start, p.End} {
			if k.PeriodOf(e, c) != p {
				t.Fatalf("%v is of %v, not %v", e, k.PeriodOf(e, c), p)
			}
		}
		if back, err := k.Parse(p.Name); err != nil || back != p {
			t.Fatalf("%v reads back as %v, %v", p, back, err)
		}
		if c != Daily && (p.End.Weekday() != time.Weekday(k.ends) || p.Days()%7 != 0) {
			t.Fatalf("%v ends on a %v and has %d days", p, p.End.Weekday(), p.Days())
		}
		fine := rapid.SampledFrom(cadences).Draw(t, "fine")
		parts := k.Split(p, fine)
		if n := k.CountUntil(p, fine, p.End); n != len(parts) {
			t.Fatalf("%v has %d %s parts, counted %d", p, len(parts), fine, n)
		}
		if fine.Finer(c) && (parts[0].Start != p.Start || parts[len(parts)-1].End != p.End) {
			t.Fatalf("the %s parts of %v go from %v to %v", fine, p, parts[0], parts[len(parts)-1])
		}
	})
}

// A year has 52 or 53 weeks, in quarters of 13 (the last of 13 or 14) and
// periods of 4, 4 and 5, and ends on the last such weekday of its month.
func TestYearsHaveWholeWeeks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawWeeks(t)
		year := k.PeriodOf(drawDate(t, "d"), Yearly)
		weeks := year.Days() / 7
		if weeks != 52 && weeks != 53 {
			t.Fatalf("%v has %d weeks", year, weeks)
		}
		if m := int(year.End.Month()); m%12+1 != k.FiscalYearStart() || int(year.End.AddDays(7).Month()) == m {
			t.Fatalf("%v does not end on the last %v of the month before %d", year, time.Weekday(k.ends), k.FiscalYearStart())
		}
		extra := weeks - 52
		for i, q := range k.Split(year, Quarterly) {
			want := 13
			if i == 3 {
				want += extra
			}
			if q.Days() != 7*want {
				t.Fatalf("%v has %d weeks", q, q.Days()/7)
			}
		}
		months := k.Split(year, Monthly)
		if len(months) != 12 {
			t.Fatalf("%v has %d periods", year, len(months))
		}
		for i, p := range months {
			want := []int{4, 4, 5}[i%3]
			if i == 11 {
				want += extra
			}
			if p.Days() != 7*want {
				t.Fatalf("%v has %d weeks", p, p.Days()/7)
			}
		}
	})
}

func FuzzParseWeeks(f *testing.F) {
	for _, s := range []string{"FY2018", "2018", "FY2018-Q3", "FY2018-P07", "FY2018-W07", "FY2017-W53", "2018-09-30", "2018-Q3", "FY2018-P", "FY2018-W٣٣"} {
		f.Add(s, 10, 6)
	}
	f.Fuzz(func(t *testing.T, s string, fy, ends int) {
		k := FourFourFive(fy, time.Weekday(uint(ends)%7))
		p, err := k.Parse(s)
		if err != nil {
			if !p.IsZero() || fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v, %v", s, p, err)
			}
			return
		}
		if p.Days() < 1 || p.Days() > 371 {
			t.Fatalf("%q has %d days", s, p.Days())
		}
		if again, err := k.Parse(p.Name); err != nil || again != p {
			t.Fatalf("%q is %v, which reads as %v, %v", s, p, again, err)
		}
	})
}

// One calendar's periods divide another's if they do so throughout 30 years,
// in which every weekday begins a year.
func TestDivides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Calendar {
			if rapid.Bool().Draw(t, label) {
				return FourFourFive(rapid.SampledFrom([]int{1, 2, 4, 10}).Draw(t, "fyStart"), rapid.SampledFrom([]time.Weekday{0, 6}).Draw(t, "ends"))
			}
			return Months(rapid.SampledFrom([]int{1, 2, 4, 10}).Draw(t, "fyStart"))
		}
		k, of := draw("k"), draw("of")
		c, p := rapid.SampledFrom(cadences).Draw(t, "fine"), rapid.SampledFrom(cadences).Draw(t, "coarse")
		want := true
		for q := k.Span(Of(1990, 1, 1), c); q.Start.Year() < 2020 && want; q = k.Span(q.End.AddDays(1), c) {
			want = of.Span(q.Start, p).Contains(q.End)
		}
		// The weeks of a 4-4-5 calendar that end on Sundays are the ISO weeks,
		// but have other names, so they are not taken for them.
		if got := k.Divides(c, of, p); got && !want || want && !got && k.weeks == of.weeks {
			t.Fatalf("%+v %s divides %+v %s: %v, want %v", k, c, of, p, got, want)
		}
	})
}

func TestNamed(t *testing.T) {
	for _, s := range []string{"FY2018", "2018-Q3", "2018-07", "2018-W07", "2018-09-30", "FY2018-P07", "FY2018-W07", "FY2018-W53", "2020-W53"} {
		if err := Named(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "FY18", "2018-P07", "FY2018-P13", "FY2018-W54", "2018-02-30", "-W53"} {
		if Named(s) == nil {
			t.Errorf("%q is a name", s)
		}
	}
}
