package gap

import (
	"slices"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/calendar"
)

// line is a linear path from a baseline to a value.
func line(from string, b float64, due string, g float64) Setpoint {
	return Setpoint{Baseline: &Baseline{Date: day(from), Value: &b}, Value: &g, Due: day(due), Revision: 5}
}

func monthly(agg Aggregation, obs ...Observation) Metric {
	return Metric{Name: "m", Cadence: calendar.Monthly, Calendar: calendar.Months(1), ReportingLagDays: 10, Aggregation: agg, Observations: obs}
}

func daily(obs ...Observation) Metric {
	return Metric{Name: "m", Cadence: calendar.Daily, Calendar: calendar.Months(1), ReportingLagDays: 400, Aggregation: Last, Observations: obs}
}

func TestPathStatuses(t *testing.T) {
	up := line("2020-12-31", 100, "2021-12-31", 200) // 100 in 365 days
	tolerant := up
	tolerant.Tolerance = 20
	falling := line("2020-12-31", 200, "2021-12-31", 100)
	noBase := Setpoint{Direction: Increase, Value: num(100), Due: day("2021-12-31")}
	noDirection := noBase
	noDirection.Direction = Undirected
	flat := line("2020-12-31", 100, "2021-12-31", 100)
	flat.Direction = Increase
	toZero := line("2020-12-31", 0, "2021-12-31", 0)
	toZero.Direction = Decrease
	scaled := toZero
	scaled.Scale = 10
	begun := Setpoint{Direction: Decrease, Baseline: &Baseline{Date: day("1990-12-31"), Value: num(1000)}, Value: num(600), Due: day("2030-12-31"),
		Trajectory: Trajectory{Start: &Point{day("2020-12-31"), 900}}}
	for _, tc := range []struct {
		name     string
		sp       Setpoint
		m        Metric
		asOf     string
		status   Status
		expected *float64
		share    *float64
	}{
		{"on the line", up, daily(observe("2021-04-10", 100+100*100.0/365)), "2021-04-10", OnTrack, num(100 + 100*100.0/365), num(0)},
		{"5 % behind, inclusive", up, daily(observe("2020-12-31", 95)), "2020-12-31", OnTrack, num(100), num(.05)},
		{"just beyond 5 %", up, daily(observe("2020-12-31", 94.99)), "2020-12-31", AtRisk, num(100), num(.0501)},
		{"15 % behind, inclusive", up, daily(observe("2020-12-31", 85)), "2020-12-31", AtRisk, num(100), num(.15)},
		{"beyond 15 %", up, daily(observe("2020-12-31", 84.99)), "2020-12-31", OffTrack, num(100), num(.1501)},
		{"a tolerance widens on track", tolerant, daily(observe("2020-12-31", 80)), "2020-12-31", OnTrack, num(100), num(.2)},
		{"a tolerance widens at risk", tolerant, daily(observe("2020-12-31", 40)), "2020-12-31", AtRisk, num(100), num(.6)},
		{"beyond three tolerances", tolerant, daily(observe("2020-12-31", 39)), "2020-12-31", OffTrack, num(100), num(.61)},
		{"falling, ahead", falling, daily(observe("2021-04-10", 150)), "2021-04-10", OnTrack, num(200 - 100*100.0/365), nil},
		{"falling, behind", falling, daily(observe("2021-12-30", 200)), "2021-12-30", OffTrack, nil, nil},
		{"at the goal before due", up, daily(observe("2021-04-10", 200)), "2021-04-10", Achieved, nil, nil},
		{"achieved does not stick", up, daily(observe("2021-04-10", 200), observe("2021-04-11", 100)), "2021-04-11", OffTrack, nil, nil},
		{"at the goal, but stale", line("2020-12-31", 100, "2025-12-31", 200), daily(observe("2021-04-10", 200)), "2022-05-17", NoData, nil, nil},
		{"exactly at due", up, daily(observe("2021-12-31", 200)), "2021-12-31", Achieved, num(200), num(0)},
		{"within the tolerance at due", tolerant, daily(observe("2021-12-31", 180)), "2021-12-31", Achieved, num(200), num(.2)},
		{"missed at due", up, daily(observe("2021-12-31", 199)), "2021-12-31", Missed, num(200), num(.01)},
		{"what comes after due changes nothing", up, daily(observe("2021-12-31", 199), observe("2022-01-01", 300)), "2022-02-01", Missed, num(200), nil},
		{"nor does time", up, daily(observe("2021-12-31", 200)), "2029-01-01", Achieved, num(200), nil},
		{"before the path", up, daily(observe("2020-12-30", 1)), "2020-12-30", NotStarted, num(100), nil},
		{"no observation", up, daily(), "2021-04-10", NoData, absent, absent},
		{"only later observations", up, daily(observe("2021-04-11", 150)), "2021-04-10", NoData, absent, absent},
		{"no baseline: by the gap, near", noBase, daily(observe("2021-04-10", 96)), "2021-04-10", OnTrack, absent, num(.04)},
		{"no baseline: by the gap, far", noBase, daily(observe("2021-04-10", 50)), "2021-04-10", OffTrack, absent, num(.5)},
		{"no baseline, there", noBase, daily(observe("2021-04-10", 100)), "2021-04-10", Achieved, absent, num(0)},
		{"no direction", noDirection, daily(observe("2021-04-10", 100)), "2021-04-10", NoData, absent, absent},
		{"flat, behind by 10 % of the value", flat, daily(observe("2021-04-10", 90)), "2021-04-10", AtRisk, num(100), num(.1)},
		{"no scale: any shortfall is off track", toZero, daily(observe("2021-04-10", .001)), "2021-04-10", OffTrack, num(0), absent},
		{"no scale, there", toZero, daily(observe("2021-04-10", 0)), "2021-04-10", Achieved, num(0), absent},
		{"a declared scale", scaled, daily(observe("2021-04-10", 1)), "2021-04-10", AtRisk, num(0), num(.1)},
		{"begins after the reference year", begun, daily(observe("2025-12-31", 750)), "2025-12-31", OnTrack, num(900 - 300*1826.0/3652), nil},
		{"before it begins", begun, daily(observe("2019-12-31", 950)), "2019-12-31", NotStarted, num(900), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.sp), tc.asOf)
			if r.Status != tc.status {
				t.Errorf("status %s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
			near(t, "expected", r.Expected, tc.expected)
			near(t, "share", r.Share, tc.share)
		})
	}
}

func TestTrajectories(t *testing.T) {
	b, g := num(100), num(400)
	at := func(tr Trajectory) Setpoint {
		return Setpoint{Baseline: &Baseline{Date: day("2020-01-01"), Value: b}, Value: g, Due: day("2020-01-01").AddDays(400), Trajectory: tr}
	}
	d := func(n int) calendar.Date { return day("2020-01-01").AddDays(n) }
	pts := []Point{{d(200), 150}, {d(300), 350}, {d(400), 400}}
	negative := at(Trajectory{Shape: Exponential})
	negative.Baseline = &Baseline{Date: day("2020-01-01"), Value: num(-100)}
	bothNegative := negative
	bothNegative.Value = num(-400)
	zero := at(Trajectory{Shape: Exponential})
	zero.Value, zero.Direction = num(0), Decrease
	backwards := []Point{pts[2], pts[0], pts[1]}
	noBase := Setpoint{Direction: Increase, Value: g, Due: d(400), Trajectory: Trajectory{Shape: Points, Points: pts}}
	same := at(Trajectory{})
	same.Due = d(0)
	for _, tc := range []struct {
		name string
		sp   Setpoint
		day  int
		want *float64
	}{
		{"linear", at(Trajectory{}), 100, num(175)},
		{"linear, before", at(Trajectory{Shape: Linear}), -50, num(100)},
		{"linear, after", at(Trajectory{Shape: Linear}), 500, num(400)},
		{"exponential", at(Trajectory{Shape: Exponential}), 200, num(200)},
		{"exponential, both negative", bothNegative, 200, num(-200)},
		{"exponential through zero", negative, 200, absent},
		{"exponential to zero", zero, 200, absent},
		{"s-curve", at(Trajectory{Shape: SCurve}), 100, num(100 + 300*.151784)},
		{"step", at(Trajectory{Shape: Step}), 399, num(100)},
		{"step, due", at(Trajectory{Shape: Step}), 400, num(400)},
		{"points, on the first line", at(Trajectory{Shape: Points, Points: pts}), 100, num(125)},
		{"points, on one", at(Trajectory{Shape: Points, Points: pts}), 200, num(150)},
		{"points, between", at(Trajectory{Shape: Points, Points: pts}), 250, num(250)},
		{"points, before the last", at(Trajectory{Shape: Points, Points: pts}), 399, num(399.5)},
		{"points, in any order", at(Trajectory{Shape: Points, Points: backwards}), 250, num(250)},
		{"points, the last left out", at(Trajectory{Shape: Points, Points: pts[:2]}), 350, num(375)},
		{"points, in steps", at(Trajectory{Shape: Points, Points: pts, Steps: true}), 299, num(150)},
		{"points, at a step", at(Trajectory{Shape: Points, Points: pts, Steps: true}), 300, num(350)},
		{"points, before the first step", at(Trajectory{Shape: Points, Points: pts, Steps: true}), 199, num(100)},
		{"points, no baseline, before the first", noBase, 100, absent},
		{"points, no baseline, after it", noBase, 250, num(250)},
		{"due on the baseline's day", same, 0, num(400)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var k track
			k.load(&tc.sp, value(tc.sp.Baseline), tc.sp.Baseline != nil, *tc.sp.Value)
			v, ok := k.at(d(tc.day))
			var got, base *float64
			if ok {
				got = &v
			}
			near(t, "expected", got, tc.want)
			if tc.sp.Baseline != nil {
				base = tc.sp.Baseline.Value
			}
			if w, also := ExpectedPath(&tc.sp, base, *tc.sp.Value)(d(tc.day)); w != v || also != ok {
				t.Errorf("the exported path expects %v, %v", w, also)
			}
		})
	}
	r := evaluate(one2one(daily(observe("2020-07-19", 1)), negative), "2020-07-19")
	if r.Status != NoData || r.Expected != nil || !strings.Contains(r.Explanation.Rule, "same sign") {
		t.Errorf("%s, expected %v: %s", r.Status, r.Expected, r.Explanation.Rule)
	}
}

func value(b *Baseline) float64 {
	if b == nil {
		return 0
	}
	return *b.Value
}

func TestBaselineFromTheMetric(t *testing.T) {
	m := yearly(2015, 10, 20, 30, 40)
	broken := m
	broken.Breaks = []Break{{day("2017-10-01"), "new survey"}}
	path := func(from string) Setpoint {
		return Setpoint{Direction: Increase, Baseline: &Baseline{Date: day(from)}, Value: num(60), Due: day("2020-09-30")}
	}
	for _, tc := range []struct {
		name, from string
		m          Metric
		want       *float64
		status     Status
		rule       string
	}{
		{"period ends on it", "2016-09-30", m, num(20), OnTrack, ""},
		{"the next day", "2016-10-01", m, num(20), OnTrack, ""},
		{"within the first period", "2015-01-01", m, num(10), AtRisk, ""},
		{"nothing there", "2013-09-30", m, absent, NoData, "no value at 2013-09-30"},
		{"across a break", "2016-09-30", broken, absent, NoData, "2017-10-01 (new survey)"},
		{"after a break", "2018-09-30", broken, num(40), OnTrack, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, path(tc.from)), "2018-12-31")
			near(t, "baseline", r.Baseline, tc.want)
			if r.Status != tc.status || !strings.Contains(r.Explanation.Rule, tc.rule) {
				t.Errorf("%s: %s", r.Status, r.Explanation.Rule)
			}
		})
	}
}

func TestMethodBreak(t *testing.T) {
	m := yearly(2015, 10, 20, 30)
	m.Breaks = []Break{{day("2017-10-01"), "new survey"}}
	old := line("2015-09-30", 10, "2020-09-30", 60)
	old.Effective = day("2015-10-01")
	if r := evaluate(one2one(m, old), "2017-12-31"); r.Status != OnTrack {
		t.Errorf("old target, old value: %s: %s", r.Status, r.Explanation.Rule)
	}
	revised := old
	revised.Effective = day("2017-11-01")
	r := evaluate(one2one(m, revised), "2017-12-31")
	if r.Status != NoData || r.Gap != nil || r.Actual == nil || !slices.Contains(r.Conditions, "MethodChanged") || !strings.Contains(r.Explanation.Rule, "new survey") {
		t.Errorf("new target, old value: %+v", r)
	}
	if r := evaluate(one2one(m, revised), "2017-09-30"); r.Status != OnTrack {
		t.Errorf("before the break: %s: %s", r.Status, r.Explanation.Rule)
	}
}

func TestAggregation(t *testing.T) {
	quarter := func(agg Aggregation, every calendar.Cadence, breaks ...Break) Metric {
		return Metric{Name: "m", Cadence: calendar.Quarterly, ReportedEvery: every, Calendar: calendar.Months(1), ReportingLagDays: 400, Aggregation: agg, Breaks: breaks,
			Observations: []Observation{observe("2020-01-31", 3), observe("2020-02-29", 9), observe("2020-03-31", 6)}}
	}
	two := quarter(Sum, calendar.Monthly)
	two.Observations = two.Observations[:2]
	duplicate := quarter(Sum, calendar.Monthly)
	duplicate.Observations = append(slices.Clone(duplicate.Observations),
		Observation{At: day("2020-02-29"), Value: 90, Revision: 50, Source: "late"}, Observation{At: day("2020-02-29"), Value: 12, Revision: 300, Corrections: 1})
	mid := quarter(Sum, calendar.Monthly, Break{day("2020-03-01"), "recount"})
	midLast := quarter(Last, calendar.Monthly, Break{day("2020-03-01"), "recount"})
	for _, tc := range []struct {
		name   string
		m      Metric
		asOf   string
		want   *float64
		status Status
		state  PeriodState
	}{
		{"last", quarter(Last, ""), "2020-03-31", num(6), OnTrack, PeriodMet},
		{"none declared is last", quarter("", ""), "2020-03-31", num(6), OnTrack, PeriodMet},
		{"sum", quarter(Sum, calendar.Monthly), "2020-03-31", num(18), OnTrack, PeriodMet},
		{"mean", quarter(Mean, calendar.Monthly), "2020-03-31", num(6), OnTrack, PeriodMet},
		{"min", quarter(Min, calendar.Monthly), "2020-03-31", num(3), OnTrack, PeriodMet},
		{"max", quarter(Max, calendar.Monthly), "2020-03-31", num(9), OnTrack, PeriodMet},
		{"running", quarter(Sum, calendar.Monthly), "2020-03-30", absent, NoData, PeriodRunning},
		{"partial", two, "2020-03-31", absent, NoData, PeriodPartial},
		{"highest revision of a date", duplicate, "2020-03-31", num(21), OnTrack, PeriodMet},
		{"a sum over a change of method", mid, "2020-03-31", absent, NoData, PeriodPartial},
		{"a sum that begins with a change of method", quarter(Sum, calendar.Monthly, Break{day("2020-01-01"), "recount"}), "2020-03-31", num(18), OnTrack, PeriodMet},
		{"the last after a change of method", midLast, "2020-03-31", num(6), OnTrack, PeriodMet},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, eachYear(Increase, 1, "2020-Q1", "2020-Q2")), tc.asOf)
			near(t, "actual", r.Actual, tc.want)
			if r.Status != tc.status {
				t.Errorf("status %s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
			if i := slices.IndexFunc(r.Periods, func(p PeriodResult) bool { return p.Period == "2020-Q1" }); r.Periods[i].State != tc.state || (r.Periods[i].Actual == nil) {
				t.Errorf("row %+v, want %s", r.Periods[i], tc.state)
			}
		})
	}
}

// A yearly target on a monthly metric judges the year's sum.
func TestTargetsOfLongerPeriods(t *testing.T) {
	m := monthly(Sum)
	for i := range 12 {
		m.Observations = append(m.Observations, Observation{At: calendar.Span(calendar.Of(2020, time.Month(i+1), 1), calendar.Monthly, 1).End, Value: 10})
	}
	r := evaluate(one2one(m, eachYear(Increase, 130, "2020", "2021")), "2020-12-31")
	near(t, "actual", r.Actual, num(120))
	if r.Status != AtRisk || r.Period != "2020" {
		t.Errorf("%s of %s", r.Status, r.Period)
	}
	if len(r.Periods) != 2 {
		t.Errorf("months of a declared year have rows of their own: %v", r.Periods)
	}
	m.Observations = m.Observations[:11]
	if r := evaluate(one2one(m, eachYear(Increase, 130, "2020", "2021")), "2020-12-31"); r.Status != NoData {
		t.Errorf("eleven months: %s", r.Status)
	}
}

func TestPeriodsForm(t *testing.T) {
	m := yearly(2016, 50, 100)
	tol := eachYear(Increase, 100, "FY2017", "FY2018", "FY2019")
	tol.Tolerance = 10
	low, high := 40.0, 60.0
	bandRow := Setpoint{Periods: []PeriodTarget{{Period: "FY2016", Lower: &low, Upper: &high}, {Period: "FY2017", Lower: &low}}}
	noDirection := Setpoint{Periods: []PeriodTarget{{Period: "FY2017", Value: num(100)}, {Period: "FY2018", Value: num(100)}}}
	skipped := Setpoint{Direction: Increase, Periods: []PeriodTarget{{Period: "FY2016", Value: num(50)}, {Period: "FY2017"}, {Period: "FY2019", Value: num(9)}}}
	zero := Setpoint{Direction: Decrease, Periods: []PeriodTarget{{Period: "FY2017", Value: num(0)}, {Period: "FY2018", Value: num(0)}}}
	misspelt := Setpoint{Direction: Increase, Periods: []PeriodTarget{{Period: "FY17", Value: num(0)}}}
	for _, tc := range []struct {
		name    string
		m       Metric
		sp      Setpoint
		asOf    string
		status  Status
		period  string
		stale   bool
		pending bool
	}{
		{"met", m, eachYear(Increase, 100, "FY2017", "FY2018"), "2017-09-30", OnTrack, "FY2017", false, false},
		{"met within the tolerance", yearly(2016, 50, 90), tol, "2017-12-31", OnTrack, "FY2017", false, false},
		{"the tolerance widens at risk", yearly(2016, 50, 70), tol, "2017-12-31", AtRisk, "FY2017", false, false},
		{"and no further", yearly(2016, 50, 69), tol, "2017-12-31", OffTrack, "FY2017", false, false},
		{"the day before the end", m, eachYear(Increase, 100, "FY2017", "FY2018"), "2017-09-29", NoData, "FY2017", false, false},
		{"not begun", m, eachYear(Increase, 100, "FY2019"), "2018-09-30", NotStarted, "FY2019", false, false},
		{"last met, reporting open", m, eachYear(Increase, 100, "FY2017"), "2018-04-01", OnTrack, "FY2017", false, true},
		{"last met", m, eachYear(Increase, 100, "FY2017"), "2018-04-02", Achieved, "FY2017", false, false},
		{"last missed", m, eachYear(Increase, 120, "FY2017"), "2029-09-30", Missed, "FY2017", false, false},
		{"last awaited", m, eachYear(Increase, 100, "FY2017", "FY2018"), "2019-04-01", OnTrack, "FY2017", false, true},
		{"last did not come", m, eachYear(Increase, 100, "FY2017", "FY2018"), "2019-04-02", NoData, "FY2017", true, true},
		{"red, last did not come", m, eachYear(Increase, 900, "FY2017", "FY2018"), "2019-04-02", NoData, "FY2017", true, true},
		{"stale green", m, eachYear(Increase, 100, "FY2017", "FY2018", "FY2022"), "2019-04-02", NoData, "FY2017", true, false},
		{"stale red stays", m, eachYear(Increase, 900, "FY2017", "FY2018", "FY2022"), "2019-04-02", OffTrack, "FY2017", true, false},
		{"a range, inside", m, bandRow, "2016-12-31", OnTrack, "FY2016", false, false},
		{"a range, for good", m, bandRow, "2018-04-02", Achieved, "FY2017", false, false},
		{"neither direction nor range", m, noDirection, "2017-12-31", NoData, "FY2017", false, false},
		{"a period without target", m, skipped, "2017-12-31", OnTrack, "FY2016", false, false},
		{"a target of zero", m, zero, "2017-12-31", OffTrack, "FY2017", false, false},
		{"a name that cannot be read", m, misspelt, "2017-12-31", NoData, "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.sp), tc.asOf)
			if r.Status != tc.status || r.Period != tc.period || r.Stale != tc.stale || slices.Contains(r.Conditions, "FinalPending") != tc.pending {
				t.Errorf("%s of %q, stale %v, %v: %s", r.Status, r.Period, r.Stale, r.Conditions, r.Explanation.Rule)
			}
			if tc.stale && (r.LastKnownStatus == "" || r.LastKnownStatus == NoData) {
				t.Errorf("last known status %q", r.LastKnownStatus)
			}
		})
	}
	// Shown, not judged.
	r := evaluate(one2one(m, noDirection), "2017-12-31")
	near(t, "actual", r.Actual, num(100))
	near(t, "gap", r.Gap, absent)
}

func TestFinalPendingOnAPath(t *testing.T) {
	m := yearly(2016, 50, 100)
	sp := line("2015-09-30", 40, "2018-09-30", 110)
	for asOf, want := range map[string]Status{"2018-09-29": OnTrack, "2018-09-30": OnTrack, "2019-04-01": OnTrack, "2019-04-02": NoData} {
		r := evaluate(one2one(m, sp), asOf)
		if pending := asOf != "2018-09-29"; r.Status != want || slices.Contains(r.Conditions, "FinalPending") != pending {
			t.Errorf("%s: %s %v: %s", asOf, r.Status, r.Conditions, r.Explanation.Rule)
		}
	}
	m = yearly(2016, 50, 100, 0, 120)
	m.Observations = slices.Delete(m.Observations, 2, 3) // FY2018 never came, FY2019 did
	if r := evaluate(one2one(m, sp), "2019-12-31"); r.Status != NoData || r.LastKnownStatus != OnTrack {
		t.Errorf("a later value is no verdict: %s, %s", r.Status, r.Explanation.Rule)
	}
}

func TestMaintain(t *testing.T) {
	low, high := 40.0, 60.0
	sp := func(tau float64, from, to string) Setpoint {
		out := Setpoint{Tolerance: tau, Maintain: &Maintain{Lower: &low, Upper: &high}}
		if from != "" {
			out.Maintain.From = day(from)
		}
		if to != "" {
			out.Maintain.To = day(to)
		}
		return out
	}
	oneSided := Setpoint{Maintain: &Maintain{Upper: &high}}
	for _, tc := range []struct {
		name   string
		v      float64
		sp     Setpoint
		asOf   string
		status Status
		gap    *float64
		score  *float64
	}{
		{"on the bound", 40, sp(0, "", ""), "2020-06-30", OnTrack, num(0), num(1)},
		{"a tenth of the width below", 38, sp(0, "", ""), "2020-06-30", AtRisk, num(2), num(1 - 2/6.0)},
		{"further below", 37.9, sp(0, "", ""), "2020-06-30", OffTrack, num(2.1), num(1 - 2.1/6)},
		{"far above", 100, sp(0, "", ""), "2020-06-30", OffTrack, num(40), num(0)},
		{"a declared tolerance", 65, sp(5, "", ""), "2020-06-30", AtRisk, num(5), num(1 - 5/15.0)},
		{"one-sided, a twentieth", 63, oneSided, "2020-06-30", AtRisk, num(3), num(1 - 3/9.0)},
		{"one-sided, no end below", -1e6, oneSided, "2020-06-30", OnTrack, num(0), num(1)},
		{"not begun", 50, sp(0, "2020-07-01", ""), "2020-06-30", NotStarted, nil, nil},
		{"no value since it began", 50, sp(0, "2020-07-01", ""), "2020-07-02", NoData, nil, nil},
		{"over, inside", 50, sp(0, "", "2020-06-30"), "2020-06-30", Achieved, num(0), num(1)},
		{"over, within the tolerance", 61, sp(0, "", "2020-06-30"), "2020-06-30", Achieved, num(1), nil},
		{"over, outside", 70, sp(0, "", "2020-06-30"), "2029-06-30", Missed, num(10), nil},
		{"over, value missing", 50, sp(0, "", "2020-12-31"), "2029-06-30", NoData, nil, nil},
		{"stale", 50, sp(0, "", ""), "2020-08-11", NoData, nil, nil},
		{"no bounds", 50, Setpoint{Maintain: &Maintain{}}, "2020-06-30", NoData, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(monthly(Last, observe("2020-06-30", tc.v)), tc.sp), tc.asOf)
			if r.Status != tc.status {
				t.Errorf("status %s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
			near(t, "gap", r.Gap, tc.gap)
			near(t, "score", r.Score, tc.score)
			near(t, "drift", r.Drift, absent)
			near(t, "share", r.Share, absent)
		})
	}
}

func TestMilestone(t *testing.T) {
	sp := func(forecast string) Setpoint {
		out := Setpoint{Due: day("2020-12-31"), Milestone: &Milestone{}, Baseline: &Baseline{Date: day("2020-01-01")}}
		if forecast != "" {
			out.Milestone.Forecast = day(forecast)
		}
		return out
	}
	for _, tc := range []struct {
		name   string
		m      Metric
		sp     Setpoint
		asOf   string
		status Status
		stale  bool
	}{
		{"no forecast", monthly(Last), sp(""), "2020-06-15", NoData, false},
		{"forecast in time", monthly(Last), sp("2020-12-31"), "2020-06-15", OnTrack, false},
		{"forecast a little late", monthly(Last), sp("2021-02-23"), "2020-06-15", AtRisk, false},
		{"forecast too late", monthly(Last), sp("2021-02-24"), "2020-06-15", OffTrack, false},
		{"forecast gone by, news may come", monthly(Last), sp("2020-06-15"), "2020-07-10", OnTrack, false},
		{"forecast gone by", monthly(Last), sp("2020-06-15"), "2020-07-11", NoData, true},
		{"not begun", monthly(Last), sp("2020-12-31"), "2019-12-31", NotStarted, false},
		{"done", monthly(Last, observe("2020-06-10", 1)), sp(""), "2020-06-15", Achieved, false},
		{"done on the day", monthly(Last, observe("2020-12-31", 1)), sp(""), "2029-06-15", Achieved, false},
		{"done late", monthly(Last, observe("2020-11-30", 0), observe("2021-01-01", 1)), sp(""), "2021-06-15", Missed, false},
		{"done in time and said again", monthly(Last, observe("2020-11-30", 1), observe("2021-01-31", 1)), sp(""), "2021-06-15", Achieved, false},
		{"not done on the day", monthly(Last, observe("2020-12-31", 0)), sp("2021-01-31"), "2020-12-31", Missed, false},
		{"no word at due", monthly(Last), sp("2020-12-31"), "2021-01-10", OnTrack, false},
		{"no word after", monthly(Last), sp("2020-12-31"), "2021-01-11", NoData, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.sp), tc.asOf)
			if r.Status != tc.status || r.Stale != tc.stale {
				t.Errorf("status %s, stale %v, want %s: %s", r.Status, r.Stale, tc.status, r.Explanation.Rule)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	m := yearly(2015, 10, 20, 30)
	first := line("2015-09-30", 10, "2020-09-30", 60)
	first.Effective, first.Revision = day("2015-10-01"), 10
	later := line("2015-09-30", 10, "2020-09-30", 35)
	later.Effective, later.Revision = day("2017-01-01"), 20
	p := one2one(m, later, first)
	if r := evaluate(p, "2016-12-31"); *r.Target != 60 || *r.TargetDrift != 0 {
		t.Errorf("before the change: target %v, drift %v", *r.Target, *r.TargetDrift)
	}
	r := evaluate(p, "2017-12-31")
	if *r.Target != 35 || *r.TargetDrift != 25 {
		t.Errorf("after it: target %v, drift %v; want 35, loosened by 25", *r.Target, *r.TargetDrift)
	}
	// History is scored against the target then in force.
	for _, row := range r.Periods {
		switch row.Period {
		case "FY2016": // a fifth of the way to 60
			near(t, "FY2016 target", row.Target, num(10+50*366/1827.0))
		case "FY2017": // two fifths of the way to 35
			near(t, "FY2017 target", row.Target, num(10+25*731/1827.0))
		}
	}
	o := Evaluate(p, day("2017-12-31"), Default(), Options{OriginalTargets: true}).Targets[0]
	if *o.Target != 60 || *o.TargetDrift != 0 {
		t.Errorf("as first declared: %v", *o.Target)
	}
	// What is declared after the end does not change the verdict.
	after := line("2015-09-30", 10, "2017-09-30", 25)
	after.Effective, after.Revision = day("2017-11-01"), 30
	was := line("2015-09-30", 10, "2017-09-30", 40)
	was.Effective, was.Revision = day("2015-10-01"), 10
	if r := evaluate(one2one(m, was, after), "2017-12-31"); r.Status != Missed || *r.Target != 40 {
		t.Errorf("lowered after the end: %s against %v", r.Status, *r.Target)
	}
	// Nor does what is declared after a period's end.
	pWas := eachYear(Increase, 40, "FY2017", "FY2018")
	pWas.Effective, pWas.Revision = day("2015-10-01"), 10
	pAfter := eachYear(Increase, 25, "FY2017", "FY2018")
	pAfter.Effective, pAfter.Revision = day("2017-11-01"), 20
	if r := evaluate(one2one(m, pWas, pAfter), "2017-12-31"); r.Status != OffTrack || *r.Target != 40 {
		t.Errorf("periods lowered after the end: %s against %v", r.Status, *r.Target)
	}
	// A plan loaded after the fact can be put right: no version was in force then.
	pWas.Effective, pAfter.Effective = day("2024-01-01"), day("2024-02-01")
	if r := evaluate(one2one(m, pWas, pAfter), "2024-03-01"); *r.Periods[2].Target != 25 {
		t.Errorf("periods put right afterwards: %v", *r.Periods[2].Target)
	}
	was.Effective, after.Effective = day("2024-01-01"), day("2024-02-01")
	if r := evaluate(one2one(m, was, after), "2024-03-01"); r.Status != Achieved || *r.Target != 25 {
		t.Errorf("path put right afterwards: %s against %v", r.Status, *r.Target)
	}
	// A percentage of a baseline that was restated is no target drift.
	half := 0.5
	pct := Setpoint{Baseline: &Baseline{Date: day("2015-09-30"), Value: num(10)}, ChangeFromBaseline: &half, Due: day("2020-09-30"), Revision: 1}
	restated := pct
	restated.Baseline, restated.Revision = &Baseline{Date: day("2015-09-30"), Value: num(12)}, 2
	if r := evaluate(one2one(m, pct, restated), "2017-12-31"); *r.Target != 18 || *r.TargetDrift != 0 {
		t.Errorf("restated baseline: target %v, drift %v", *r.Target, *r.TargetDrift)
	}
}

func TestInForce(t *testing.T) {
	v := func(effective string, revision uint64) Setpoint {
		sp := Setpoint{Revision: revision}
		if effective != "" {
			sp.Effective = day(effective)
		}
		return sp
	}
	target := Target{Versions: []Setpoint{v("2020-01-01", 3), v("2018-01-01", 1), v("2018-01-01", 2), v("2019-01-01", 5)}}
	for at, want := range map[string]uint64{"2017-01-01": 2, "2018-01-01": 2, "2018-12-31": 2, "2019-01-01": 5, "2020-01-01": 3, "2030-01-01": 3} {
		if got := target.InForce(day(at)).Revision; got != want {
			t.Errorf("at %s revision %d is in force, want %d", at, got, want)
		}
	}
	if target.FirstDeclared().Revision != 1 {
		t.Errorf("first declared: %d", target.FirstDeclared().Revision)
	}
	if (&Target{}).InForce(day("2020-01-01")) != nil || (&Target{}).FirstDeclared() != nil {
		t.Error("a version of none")
	}
}

func TestNothingToCompare(t *testing.T) {
	for name, p := range map[string]Portfolio{
		"empty":             {},
		"no versions":       {Targets: []Target{{Name: "t"}}},
		"unknown metric":    {Targets: []Target{{Name: "t", Metric: "x", Versions: []Setpoint{line("2020-01-01", 1, "2021-01-01", 2)}}}},
		"unknown objective": {Targets: []Target{{Name: "t", Objective: "x", Versions: []Setpoint{{}}}}, Metrics: []Metric{{Name: ""}}},
		"no form":           one2one(daily(), Setpoint{}),
		"no cadence":        one2one(Metric{Name: "m"}, line("2020-01-01", 1, "2021-01-01", 2)),
		"no due":            one2one(daily(observe("2020-01-01", 1)), Setpoint{Value: num(1), Direction: Increase}),
		"dangling":          {Objectives: []Objective{{Name: "o", Strategy: "x", ContributesTo: []Edge{{"y", 0}}}}, Strategies: []Strategy{{Name: "s"}}, Units: []Unit{{Name: "u", Parent: "z"}}},
		"milestone, no due": one2one(daily(), Setpoint{Milestone: &Milestone{}}),
	} {
		for _, asOf := range []calendar.Date{{}, day("2020-06-30")} {
			for _, policy := range []Policy{Default(), OKR()} {
				r := Evaluate(p, asOf, policy, Options{Explain: true})
				for _, u := range r.Targets {
					if u.Status != NoData || u.Explanation.Rule == "" {
						t.Errorf("%s: %s: %q", name, u.Status, u.Explanation.Rule)
					}
				}
				for _, u := range slices.Concat(r.Objectives, r.Strategies, r.Units) {
					if u.Status != NoData || u.Known != 0 || u.Score != nil {
						t.Errorf("%s: %+v", name, u)
					}
				}
			}
		}
	}
}

func TestLeapYears(t *testing.T) {
	m := daily(observe("2020-02-29", 1), observe("2021-02-28", 2))
	r := evaluate(one2one(m, line("2020-02-29", 0, "2024-02-29", 1461)), "2021-02-28")
	near(t, "expected after 365 of 1461 days", r.Expected, num(365))
}

func TestQualityAndNextDue(t *testing.T) {
	m := yearly(2013, .63, .61, .63)
	m.Observations = slices.Delete(m.Observations, 1, 2)
	m.Observations[1].Corrections = 2
	sp := eachYear(Increase, .6, "FY2013", "FY2016")
	sp.Periods = append(sp.Periods, PeriodTarget{Period: "FY2017", Excluded: "no survey"})
	r := evaluate(one2one(m, sp), "2016-10-15")
	want := Quality{Observations: 2, Missing: 2, Excluded: 1, Corrected: 1, LastValueAt: day("2015-09-30"), NextDue: day("2017-04-01")}
	if r.Quality != want {
		t.Errorf("%+v, want %+v", r.Quality, want)
	}
}

func TestGrid(t *testing.T) {
	m := yearly(2016, 72, 88, 121)
	m.Breaks = []Break{{day("2016-10-01"), "recount"}}
	r := evaluate(one2one(m, through(2017, 88, 110, 145, 165)), "2018-12-31")
	var got []string
	for _, p := range r.Periods {
		got = append(got, p.Period+" "+string(p.State)+" "+p.Note)
	}
	want := []string{"FY2016 no_target ", "FY2017 no_target the method changed on 2016-10-01: recount", "FY2018 met ", "FY2019 running nothing reported yet", "FY2020 future "}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	near(t, "FY2018 variance", r.Periods[2].Variance, num(-11))
	near(t, "FY2020 target", r.Periods[4].Target, num(165))
}

func TestHintWhenAllIsStale(t *testing.T) {
	a, b, c := yearly(2015, 1, 1, 1, 1), yearly(2015, 1, 1, 1, 1), yearly(2013, 1)
	a.Name, b.Name, c.Name = "a", "b", "c"
	p := Portfolio{Metrics: []Metric{a, b, c}}
	for _, n := range []string{"a", "b", "c"} {
		p.Targets = append(p.Targets, Target{Name: n, Metric: n, Versions: []Setpoint{eachYear(Increase, 1, "FY2013", "FY2018", "FY2024")}})
	}
	r := Evaluate(p, day("2023-01-01"), Default(), Options{})
	if r.SuggestedAsOf != day("2018-09-30") || len(r.Hints) != 1 || !strings.Contains(r.Hints[0], "2 of 3 targets") {
		t.Errorf("%v: %q", r.SuggestedAsOf, r.Hints)
	}
	p.Targets = p.Targets[1:] // as many were fresh on one day as on the other: the later one
	if r := Evaluate(p, day("2023-01-01"), Default(), Options{}); r.SuggestedAsOf != day("2018-09-30") {
		t.Errorf("of two days as good: %v", r.SuggestedAsOf)
	}
	if r := Evaluate(p, day("2018-12-31"), Default(), Options{}); len(r.Hints) != 0 || !r.SuggestedAsOf.IsZero() {
		t.Errorf("fresh data: %q", r.Hints)
	}
}

// A path whose final value follows from a baseline that lies ahead has not
// started; it is not that somebody failed to report.
func TestAPathFromABaselineAheadHasNotStarted(t *testing.T) {
	m := yearly(2015, 100)
	share := -.5
	sp := Setpoint{ChangeFromBaseline: &share, Baseline: &Baseline{Date: calendar.MustParse("2019-09-30")}, Due: calendar.MustParse("2025-09-30")}
	p := Portfolio{Metrics: []Metric{m}, Targets: []Target{{Name: "t", Metric: m.Name, Versions: []Setpoint{sp}}}}
	for day, want := range map[string]Status{"2016-01-01": NotStarted, "2019-09-29": NotStarted, "2019-09-30": NoData} {
		if got := Evaluate(p, calendar.MustParse(day), Default(), Options{}).Targets[0].Status; got != want {
			t.Errorf("on %s: %s, want %s", day, got, want)
		}
	}
}
