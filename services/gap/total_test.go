package gap

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
)

func totalled(m Metric) Metric {
	m.Accumulate, m.Aggregation = true, Sum
	return m
}

// Homes built a year from FY2016 on; 1,000 are to be built in FY2018-FY2021.
func TestRunningTotalOfAPath(t *testing.T) {
	homes := totalled(yearly(2016, 900, 800, 200, 250, 300))
	path := line("2017-09-30", 0, "2021-09-30", 1000) // 1461 days
	within := func(change func(*Metric)) Metric {
		m := homes
		m.Observations = slices.Clone(m.Observations)
		change(&m)
		return m
	}
	noValue := path
	noValue.Baseline, noValue.Direction = &Baseline{Date: day("2017-09-30")}, Increase
	already := line("2017-09-30", 500, "2021-09-30", 1500)
	later := path
	later.Trajectory.Start = &Point{day("2018-09-30"), 100}
	undated := Setpoint{Direction: Increase, Value: num(1000), Due: day("2021-09-30"), Effective: day("2018-03-01")}
	for _, tc := range []struct {
		name     string
		m        Metric
		sp       Setpoint
		asOf     string
		actual   *float64
		expected *float64
		status   Status
	}{
		{"a year", homes, path, "2018-12-31", num(200), num(1000 * 365 / 1461.0), OnTrack},
		{"two years", homes, path, "2019-12-31", num(450), num(1000 * 730 / 1461.0), OnTrack},
		{"three years", homes, path, "2020-12-31", num(750), num(1000 * 1096 / 1461.0), OnTrack},
		{"a baseline without value is where nothing is counted yet", homes, noValue, "2019-12-31", num(450), num(1000 * 730 / 1461.0), OnTrack},
		{"a baseline's value was there before", homes, already, "2019-12-31", num(950), num(500 + 1000*730/1461.0), OnTrack},
		{"a path that begins later", homes, later, "2019-12-31", num(350), num(100 + 900*365/1096.0), OnTrack},
		{"no baseline: since it was declared for", homes, undated, "2019-12-31", num(450), absent, OffTrack},
		{"a year is missing", within(func(m *Metric) { m.Observations = slices.Delete(m.Observations, 3, 4) }), path, "2020-12-31", num(200), num(1000 * 365 / 1461.0), NoData}, // stale
		{"the first is missing", within(func(m *Metric) { m.Observations = slices.Delete(m.Observations, 2, 3) }), path, "2020-12-31", absent, absent, NoData},
		{"what came before is not missed", within(func(m *Metric) { m.Observations = m.Observations[2:] }), path, "2019-12-31", num(450), nil, OnTrack},
		{"the method changed within", within(func(m *Metric) { m.Breaks = []Break{{day("2018-10-01"), "recount"}} }), path, "2019-09-30", num(200), nil, OnTrack},
		{"the method changed before", within(func(m *Metric) { m.Breaks = []Break{{day("2017-10-01"), "recount"}} }), path, "2019-12-31", num(450), nil, OnTrack},
		{"at due", totalled(yearly(2018, 200, 250, 300, 249)), path, "2021-12-31", num(999), num(1000), Missed},
		{"at due, there", totalled(yearly(2018, 200, 250, 300, 250)), path, "2021-12-31", num(1000), num(1000), Achieved},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.sp), tc.asOf)
			near(t, "actual", r.Actual, tc.actual)
			near(t, "expected", r.Expected, tc.expected)
			if r.Status != tc.status {
				t.Errorf("%s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
		})
	}
	// The grid shows the totals; what follows a missing year is partial.
	holed := within(func(m *Metric) { m.Observations = slices.Delete(m.Observations, 3, 4) })
	r := evaluate(one2one(holed, path), "2020-12-31")
	var got []string
	for _, p := range r.Periods {
		got = append(got, strings.TrimSpace(p.Period+" "+string(p.State)+" "+p.Note))
	}
	if want := []string{"FY2018 met", "FY2019 no_data", "FY2020 partial FY2019 is missing from the total", "FY2021 running nothing reported yet"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	near(t, "shown all the same", r.Periods[2].Actual, num(500))
	// Every value of the total is named in the explanation, none from before it.
	r = evaluate(one2one(homes, path), "2019-12-31")
	if want := []uint64{2, 5, 102, 103}; !slices.Equal(r.Explanation.Revisions, want) {
		t.Errorf("rests on %v, want %v", r.Explanation.Revisions, want)
	}
}

// Totals declared period by period, of monthly values.
func TestRunningTotalOfPeriods(t *testing.T) {
	m := totalled(Metric{Name: "m", Cadence: calendar.Quarterly, ReportedEvery: calendar.Monthly, ReportingLagDays: 400})
	for month := 1; month <= 8; month++ {
		m.Observations = append(m.Observations, Observation{At: calendar.Of(2020, 1, 1).AddDays(30 * month), Value: 10, Revision: uint64(month)})
	}
	for i := range m.Observations { // the last of each month
		m.Observations[i].At = calendar.Span(calendar.Of(2020, 1, 15).AddDays(30*i), calendar.Monthly, 1).End
	}
	sp := Setpoint{Direction: Increase, Periods: []PeriodTarget{
		{Period: "2020-Q3", Value: num(120)}, {Period: "2020-Q1", Value: num(30)}, {Period: "2020-Q2", Value: num(60)}}}
	r := evaluate(one2one(m, sp), "2020-08-31")
	near(t, "total at the half year", r.Actual, num(60))
	if r.Status != OnTrack || r.Period != "2020-Q2" {
		t.Errorf("%s of %s: %s", r.Status, r.Period, r.Explanation.Rule)
	}
	running := r.Periods[2]
	near(t, "running", running.Actual, num(80))
	near(t, "running, expected", running.Expected, num(60+60*62/92.0))
	near(t, "expected now", r.ExpectedNow, num(60+60*62/92.0))
	if running.State != PeriodRunning || running.Note != "2 of 3 values reported" {
		t.Errorf("%+v", running)
	}
	// From the second quarter on, the first does not count.
	sp.Periods = []PeriodTarget{{Period: "2020-Q2", Value: num(30)}, {Period: "2020-Q3", Value: num(90)}}
	near(t, "total since the second quarter", evaluate(one2one(m, sp), "2020-08-31").Actual, num(30))
	// A range of the total, from a date on.
	band := Setpoint{Maintain: &Maintain{Upper: num(45), From: day("2020-04-01")}}
	near(t, "total of a range", evaluate(one2one(m, band), "2020-08-31").Actual, num(30))
}

// The total of all periods but the missing is the sum of the values since the
// start, however they fall, and a missing period makes what follows unknown.
func TestTotalIsTheSumSinceTheStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.IntRange(0, 20).Draw(t, "start")
		m := totalled(monthly(Sum))
		m.Calendar = calendar.Months(rapid.IntRange(1, 12).Draw(t, "fiscal year"))
		if rapid.Bool().Draw(t, "4-4-5") {
			m.Calendar = calendar.FourFourFive(m.Calendar.FiscalYearStart(), 6)
		}
		first := m.Calendar.Span(day("2018-06-15"), calendar.Monthly)
		ends := []calendar.Period{first}
		for range 29 {
			ends = append(ends, m.Calendar.Next(ends[len(ends)-1]))
		}
		var want *float64
		sum, whole := 0.0, true
		for i, p := range ends {
			if rapid.IntRange(0, 15).Draw(t, "missing") == 0 {
				whole = whole && i < start
				continue
			}
			v := float64(rapid.IntRange(-5, 50).Draw(t, "v"))
			m.Observations = append(m.Observations, Observation{At: p.End, Value: v})
			if sum += v; i < start {
				sum = 0
			} else if whole {
				want = num(sum)
			}
		}
		sp := Setpoint{Direction: Increase, Value: num(1e6), Due: day("2030-12-31"), Baseline: &Baseline{Date: ends[start].Start.AddDays(-1), Value: num(0)}}
		r := Evaluate(one2one(m, sp), ends[29].End, Default(), Options{}).Targets[0]
		if (want == nil) != (r.Actual == nil) || (want != nil && *want != *r.Actual) {
			t.Fatalf("%v, want %v", show(r.Actual), show(want))
		}
	})
}
