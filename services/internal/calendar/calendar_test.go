package calendar

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/fault"
)

func TestParseDate(t *testing.T) {
	for _, tc := range []struct{ in, wrong string }{
		{"2018-09-30", ""},
		{"2020-02-29", ""},
		{"2000-02-29", ""},
		{"1900-01-01", ""},
		{"2200-12-31", ""},
		{"2023-02-30", `"2023-02-30" does not exist: February 2023 has 28 days`},
		{"1900-02-29", "February 1900 has 28 days"},
		{"2018-06-31", "June 2018 has 30 days"},
		{"2018-13-01", "no such month"},
		{"2018-00-01", "no such month"},
		{"2018-01-00", "January 2018 has 31 days"},
		{"1899-12-31", "1900 to 2200"},
		{"2201-01-01", "1900 to 2200"},
		{"", "YYYY-MM-DD"},
		{"2018-9-30", "YYYY-MM-DD"},
		{"20180930", "YYYY-MM-DD"},
		{"2018/09/30", "YYYY-MM-DD"},
		{"+018-09-30", "YYYY-MM-DD"},
		{"2018-09-30 ", "YYYY-MM-DD"},
		{"2018-09-30T00:00:00Z", "YYYY-MM-DD"},
	} {
		d, err := ParseDate(tc.in)
		if tc.wrong == "" {
			if err != nil || d.String() != tc.in {
				t.Errorf("ParseDate(%q) = %v, %v", tc.in, d, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("ParseDate(%q) = %v, %v; want an error saying %q", tc.in, d, err, tc.wrong)
		} else if fault.KindOf(err) != fault.Invalid || fault.ReasonOf(err) != "calendar.date" {
			t.Errorf("ParseDate(%q): kind %v reason %q", tc.in, fault.KindOf(err), fault.ReasonOf(err))
		}
		if !d.IsZero() {
			t.Errorf("ParseDate(%q) gives %v beside an error", tc.in, d)
		}
	}
}

func TestDatesAgreeWithTime(t *testing.T) {
	d := Of(1899, 1, 1)
	for ts := time.Date(1899, 1, 1, 0, 0, 0, 0, time.UTC); ts.Year() < 2202; ts = ts.AddDate(0, 0, 1) {
		y, m, day := ts.Date()
		if d != Of(y, m, day) || d.Year() != y || d.Month() != m || d.Day() != day || d.Weekday() != ts.Weekday() {
			t.Fatalf("%v is %v, %v", ts, d, d.Weekday())
		}
		if d != FromTime(ts) || !d.Time().Equal(ts) {
			t.Fatalf("%v: FromTime %v, Time %v", ts, FromTime(ts), d.Time())
		}
		wy, w := ts.ISOWeek()
		if p := PeriodOf(d, Weekly, 1); p.Name != time.Date(wy, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")+"-W"+string([]byte{byte('0' + w/10), byte('0' + w%10)}) {
			t.Fatalf("%v is of week %v", d, p.Name)
		}
		d = d.AddDays(1)
	}
}

func TestOfCarries(t *testing.T) {
	for _, tc := range []struct {
		y, m, d int
		want    string
	}{
		{2023, 2, 30, "2023-03-02"},
		{2023, 13, 1, "2024-01-01"},
		{2023, 0, 1, "2022-12-01"},
		{2023, -11, 1, "2022-01-01"},
		{2023, 3, 0, "2023-02-28"},
		{2024, 3, 0, "2024-02-29"},
	} {
		if got := Of(tc.y, time.Month(tc.m), tc.d).String(); got != tc.want {
			t.Errorf("Of(%d, %d, %d) = %s, want %s", tc.y, tc.m, tc.d, got, tc.want)
		}
	}
}

func TestUnsetDate(t *testing.T) {
	var d Date
	if !d.IsZero() || d.String() != "" || d.Year() != 0 || d.Month() != 0 || d.Day() != 0 || d.AddDays(3) != d || FromTime(time.Time{}) != d || !d.Time().IsZero() {
		t.Error("the zero date is not unset throughout")
	}
	if !d.Before(Of(1, 1, 1)) {
		t.Error("an unset date sorts before all others")
	}
	a, b := Of(2018, 1, 1), Of(2018, 1, 2)
	if Earlier(a, b) != a || Earlier(b, a) != a || Earlier(d, a) != a || Earlier(a, d) != a || Later(a, b) != b || Later(d, a) != a {
		t.Error("Earlier and Later take the set ones")
	}
}

func TestDateText(t *testing.T) {
	type doc struct {
		At Date `json:"at"`
	}
	b, err := json.Marshal(doc{Of(2018, 9, 30)})
	if err != nil || string(b) != `{"at":"2018-09-30"}` {
		t.Fatalf("%s, %v", b, err)
	}
	var got doc
	if err := json.Unmarshal(b, &got); err != nil || got.At != Of(2018, 9, 30) {
		t.Fatalf("%v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"at":""}`), &got); err != nil || !got.At.IsZero() {
		t.Fatalf("empty: %v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"at":"2018-02-30"}`), &got); err == nil {
		t.Fatal("a date that does not exist was read")
	}
}

func TestParsePeriod(t *testing.T) {
	for _, tc := range []struct {
		in         string
		fy         int
		name       string
		cadence    Cadence
		start, end string
	}{
		{"FY2018", 10, "FY2018", Yearly, "2017-10-01", "2018-09-30"},
		{"2018", 10, "FY2018", Yearly, "2017-10-01", "2018-09-30"},
		{"FY2018", 1, "FY2018", Yearly, "2018-01-01", "2018-12-31"},
		{"2018", 1, "2018", Yearly, "2018-01-01", "2018-12-31"},
		{"2018", 0, "2018", Yearly, "2018-01-01", "2018-12-31"},
		{"FY2020", 3, "FY2020", Yearly, "2019-03-01", "2020-02-29"},
		{"FY2018", 2, "FY2018", Yearly, "2017-02-01", "2018-01-31"},
		{"FY2018", 12, "FY2018", Yearly, "2017-12-01", "2018-11-30"},
		{"FY2018-Q1", 10, "FY2018-Q1", Quarterly, "2017-10-01", "2017-12-31"},
		{"FY2018-Q3", 10, "FY2018-Q3", Quarterly, "2018-04-01", "2018-06-30"},
		{"FY2018-Q4", 2, "FY2018-Q4", Quarterly, "2017-11-01", "2018-01-31"},
		{"FY2018-Q3", 1, "FY2018-Q3", Quarterly, "2018-07-01", "2018-09-30"},
		{"2018-Q3", 10, "2018-Q3", Quarterly, "2018-07-01", "2018-09-30"},
		{"2018-Q3", 2, "2018-Q3", Quarterly, "2018-07-01", "2018-09-30"},
		{"2018-Q3", 1, "2018-Q3", Quarterly, "2018-07-01", "2018-09-30"},
		{"2018-07", 10, "2018-07", Monthly, "2018-07-01", "2018-07-31"},
		{"2020-02", 1, "2020-02", Monthly, "2020-02-01", "2020-02-29"},
		{"2018-W07", 10, "2018-W07", Weekly, "2018-02-12", "2018-02-18"},
		{"2018-W01", 1, "2018-W01", Weekly, "2018-01-01", "2018-01-07"},
		{"2020-W53", 1, "2020-W53", Weekly, "2020-12-28", "2021-01-03"},
		{"2018-09-30", 10, "2018-09-30", Daily, "2018-09-30", "2018-09-30"},
	} {
		p, err := ParsePeriod(tc.in, tc.fy)
		if err != nil {
			t.Errorf("ParsePeriod(%q, %d): %v", tc.in, tc.fy, err)
			continue
		}
		if p.Name != tc.name || p.Cadence != tc.cadence || p.Start.String() != tc.start || p.End.String() != tc.end {
			t.Errorf("ParsePeriod(%q, %d) = %+v", tc.in, tc.fy, p)
		}
	}
	for _, tc := range []struct{ in, wrong string }{
		{"", "not the name"}, {"FY", "not the name"}, {"FY18", "not the name"}, {"fy2018", "not the name"},
		{"2018-Q5", "Q1 to Q4"}, {"2018-Q0", "Q1 to Q4"}, {"2018-13", "01 to 12"}, {"2018-W54", "W01 to W52"},
		{"2019-W53", "W01 to W52"}, {"FY2018-07", "not the name"}, {"FY2018-W07", "not the name"}, {"2018-7", "not the name"},
		{"1899", "1900 to 2200"}, {"FY2201", "1900 to 2200"}, {"2018-02-30", "does not exist"}, {"2018Q3", "not the name"},
		{"FY2018-09-30", "not the name"}, {"2018-", "not the name"}, {strings.Repeat("9", 200), "1900 to 2200"},
	} {
		p, err := ParsePeriod(tc.in, 10)
		if err == nil || !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("ParsePeriod(%q) = %v, %v; want an error saying %q", tc.in, p, err, tc.wrong)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParsePeriod(%q): kind %v", tc.in, fault.KindOf(err))
		}
	}
}

func TestSplit(t *testing.T) {
	year, _ := ParsePeriod("FY2018", 10)
	months := year.Split(Monthly, 10)
	if len(months) != 12 || months[0].Name != "2017-10" || months[11].Name != "2018-09" {
		t.Errorf("months of FY2018: %v", months)
	}
	quarters := year.Split(Quarterly, 10)
	if len(quarters) != 4 || quarters[0].Name != "FY2018-Q1" || quarters[3].End != year.End {
		t.Errorf("quarters of FY2018: %v", quarters)
	}
	if n := len(year.Split(Daily, 10)); n != 365 {
		t.Errorf("days of FY2018: %d", n)
	}
	if n := len(year.Split(Weekly, 10)); n != 53 {
		t.Errorf("weeks that end in FY2018: %d", n)
	}
	if got := months[0].Split(Yearly, 10); len(got) != 0 {
		t.Errorf("years of a month: %v", got)
	}
	if got := (Period{}).Split(Daily, 1); got != nil {
		t.Errorf("days of no period: %v", got)
	}
	if n := year.CountUntil(Monthly, Of(2018, 3, 30), 10); n != 5 {
		t.Errorf("months of FY2018 over by 2018-03-30: %d", n)
	}
	if n := year.CountUntil(Monthly, Of(2017, 9, 30), 10); n != 0 {
		t.Errorf("months of FY2018 over before it begins: %d", n)
	}
}

func TestUnknownCadence(t *testing.T) {
	if p := PeriodOf(Of(2018, 1, 1), "hourly", 1); !p.IsZero() || p.Days() != 0 || !p.Next(1).IsZero() {
		t.Errorf("%v", p)
	}
	if p := PeriodOf(Date{}, Daily, 1); !p.IsZero() {
		t.Errorf("%v", p)
	}
	if Cadence("").Valid() || !Monthly.Finer(Yearly) || Yearly.Finer(Yearly) {
		t.Error("order of cadences")
	}
}

var cadences = []Cadence{Daily, Weekly, Monthly, Quarterly, Yearly}

func drawDate(t *rapid.T, label string) Date {
	return Of(1900, 1, 1).AddDays(rapid.IntRange(800, 109000).Draw(t, label))
}

func TestPeriodsTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDate(t, "d")
		c := rapid.SampledFrom(cadences).Draw(t, "cadence")
		fy := rapid.IntRange(1, 12).Draw(t, "fyStart")
		p := PeriodOf(d, c, fy)
		if !p.Contains(d) || p.Cadence != c {
			t.Fatalf("PeriodOf(%v, %s, %d) = %v", d, c, fy, p)
		}
		next, prev := p.Next(fy), p.Prev(fy)
		if next.Start != p.End.AddDays(1) || prev.End != p.Start.AddDays(-1) {
			t.Fatalf("%v is between %v and %v", p, prev, next)
		}
		if next.Prev(fy) != p || prev.Next(fy) != p {
			t.Fatalf("Next and Prev of %v are not inverse: %v, %v", p, next.Prev(fy), prev.Next(fy))
		}
		for _, e := range []Date{p.Start, p.End} {
			if PeriodOf(e, c, fy) != p {
				t.Fatalf("%v is of %v, not %v", e, PeriodOf(e, c, fy), p)
			}
		}
		back, err := ParsePeriod(p.Name, fy)
		if err != nil || back != p {
			t.Fatalf("%v reads back as %v, %v", p, back, err)
		}
		fine := rapid.SampledFrom(cadences).Draw(t, "fine")
		parts := p.Split(fine, fy)
		if n := p.CountUntil(fine, p.End, fy); n != len(parts) {
			t.Fatalf("%v has %d %s parts, counted %d", p, len(parts), fine, n)
		}
		for i, q := range parts {
			if !p.Contains(q.End) || (i > 0 && q.Start != parts[i-1].End.AddDays(1)) {
				t.Fatalf("part %d of %v is %v", i, p, q)
			}
		}
	})
}

// A plain quarter is of the calendar whatever the fiscal year; its neighbours
// are too.
func TestPlainQuartersTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fy := rapid.IntRange(1, 12).Draw(t, "fyStart")
		p, err := ParsePeriod(PeriodOf(drawDate(t, "d"), Quarterly, 1).Name, fy)
		if err != nil {
			t.Fatal(err)
		}
		if next := p.Next(fy); next.Start != p.End.AddDays(1) || next.Prev(fy) != p || strings.HasPrefix(next.Name, "FY") {
			t.Fatalf("after %v comes %v", p, next)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2018-09-30", "2023-02-30", "", "0000-00-00", "2020-02-29", "２018-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err != nil {
			if !d.IsZero() || fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v, %v", s, d, err)
			}
			return
		}
		if ts, err := time.Parse(time.DateOnly, s); err != nil || FromTime(ts) != d || d.String() != s {
			t.Fatalf("%q: %v, but %v, %v", s, d, ts, err)
		}
	})
}

func FuzzParsePeriod(f *testing.F) {
	for _, s := range []string{"FY2018", "2018", "FY2018-Q3", "2018-Q3", "2018-07", "2018-W07", "2018-09-30", "2020-W53", "FY", "2018-Q9"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, fy int) {
		p, err := ParsePeriod(s, fy)
		if err != nil {
			if !p.IsZero() || fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v, %v", s, p, err)
			}
			return
		}
		if p.Days() < 1 || p.Days() > 366 {
			t.Fatalf("%q has %d days", s, p.Days())
		}
		if again, err := ParsePeriod(p.Name, fy); err != nil || again != p {
			t.Fatalf("%q is %v, which reads as %v, %v", s, p, again, err)
		}
	})
}
