package gap

import (
	"slices"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/calendar"
)

// A percentage of a baseline follows the baseline when the metric restates it,
// which is no target drift; another percentage is.
func TestRestatedBaseline(t *testing.T) {
	m := yearly(2015, 10, 9)
	restated := m
	restated.Observations = append(slices.Clone(m.Observations), Observation{At: day("2015-09-30"), Value: 20, Revision: 300, Corrections: 1})
	change := func(share float64, revision uint64) Setpoint {
		return Setpoint{Direction: Decrease, Baseline: &Baseline{Date: day("2015-09-30")}, ChangeFromBaseline: &share, Due: day("2019-09-30"), Revision: revision}
	}
	for _, tc := range []struct {
		name                                string
		m                                   Metric
		versions                            []Setpoint
		baseline, target, gap, drift, moved float64
		status                              Status
	}{
		// 366 of 1461 days are gone at 2016-09-30.
		{"as stated", m, []Setpoint{change(-.5, 5)}, 10, 5, 4, 9 - (10 - 5*366/1461.0), 0, AtRisk},
		{"restated", restated, []Setpoint{change(-.5, 5)}, 20, 10, -1, 9 - (20 - 10*366/1461.0), 0, Achieved},
		{"loosened", m, []Setpoint{change(-.5, 5), change(-.4, 6)}, 10, 6, 3, 9 - (10 - 4*366/1461.0), 1, OnTrack},
		{"loosened and restated", restated, []Setpoint{change(-.5, 5), change(-.4, 6)}, 20, 12, -3, 9 - (20 - 8*366/1461.0), 2, Achieved},
		{"tightened", m, []Setpoint{change(-.5, 5), change(-.6, 6)}, 10, 4, 5, 9 - (10 - 6*366/1461.0), -1, AtRisk},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.versions...), "2016-12-31")
			near(t, "baseline", r.Baseline, &tc.baseline)
			near(t, "target", r.Target, &tc.target)
			near(t, "gap", r.Gap, &tc.gap)
			near(t, "drift", r.Drift, &tc.drift)
			near(t, "target drift", r.TargetDrift, &tc.moved)
			if r.Status != tc.status {
				t.Errorf("%s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
		})
	}
}

// A path that begins after its reference year: 40 % below 1,000, from 900 on.
func TestTrajectoryStart(t *testing.T) {
	begin := day("2020-01-01")
	d := func(n int) calendar.Date { return begin.AddDays(n) }
	for _, tc := range []struct {
		name                    string
		trajectory              Trajectory
		before, quarter, beyond float64 // expected on days −10, 100 and 399 of 400
	}{
		{"linear", Trajectory{}, 900, 825, 600 + 300/400.0},
		{"exponential", Trajectory{Shape: Exponential}, 900, 813.2417, 600.6085},
		{"s-curve", Trajectory{Shape: SCurve}, 900, 854.4648, 600.2347},
		{"step", Trajectory{Shape: Step}, 900, 900, 900},
		{"points", Trajectory{Shape: Points, Points: []Point{{d(200), 700}, {d(400), 600}}}, 900, 800, 600.5},
		{"points, one from before the start", Trajectory{Shape: Points, Points: []Point{{d(-50), 1}, {d(200), 700}, {d(400), 600}}}, 900, 800, 600.5},
		{"points in steps", Trajectory{Shape: Points, Steps: true, Points: []Point{{d(200), 700}, {d(400), 600}}}, 900, 900, 700},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.trajectory.Start = &Point{begin, 900}
			sp := Setpoint{Direction: Decrease, Baseline: &Baseline{Date: day("1990-12-31"), Value: num(1000)}, ChangeFromBaseline: num(-.4), Due: d(400), Trajectory: tc.trajectory}
			expected := ExpectedPath(&sp, sp.Baseline.Value, 600)
			for n, want := range map[int]float64{-10: tc.before, 100: tc.quarter, 399: tc.beyond, 400: 600, 500: 600} {
				got, ok := expected(d(n))
				if near(t, tc.name, &got, &want); !ok {
					t.Errorf("nothing is expected on day %d", n)
				}
			}
			// Progress and scale are of the whole way from the reference year.
			r := evaluate(one2one(daily(observe(d(100).String(), 800)), sp), d(100).String())
			near(t, "progress", r.Progress, num(.5))
			near(t, "share", r.Share, num((800-tc.quarter)/400))
			if early := evaluate(one2one(daily(observe(d(-10).String(), 950)), sp), d(-10).String()); early.Status != NotStarted {
				t.Errorf("before the start: %s", early.Status)
			}
		})
	}
}

func TestOneSidedBands(t *testing.T) {
	lower := func(v, tau float64) Setpoint { return Setpoint{Tolerance: tau, Maintain: &Maintain{Lower: &v}} }
	upper := func(v, tau float64) Setpoint { return Setpoint{Tolerance: tau, Maintain: &Maintain{Upper: &v}} }
	row := func(lower, upper *float64) Setpoint {
		return Setpoint{Periods: []PeriodTarget{{Period: "FY2018", Lower: lower, Upper: upper}, {Period: "FY2019", Lower: lower, Upper: upper}}}
	}
	for _, tc := range []struct {
		name   string
		sp     Setpoint
		v      float64
		status Status
		gap    float64
		score  float64
	}{
		{"at least 40", lower(40, 0), 40, OnTrack, 0, 1},
		{"at least 40, no end above", lower(40, 0), 1e9, OnTrack, 0, 1},
		{"a twentieth below", lower(40, 0), 38, AtRisk, 2, 1 - 2/6.0},
		{"more than that", lower(40, 0), 37.9, OffTrack, 2.1, 1 - 2.1/6},
		{"three tolerances below", lower(40, 0), 34, OffTrack, 6, 0},
		{"at least 40 with a tolerance of 5", lower(40, 5), 35, AtRisk, 5, 1 - 5/15.0},
		{"at least -40", lower(-40, 0), -42, AtRisk, 2, 1 - 2/6.0},
		{"at least 0: no tolerance follows", lower(0, 0), -.01, OffTrack, .01, 0},
		{"at most 60", upper(60, 0), 60, OnTrack, 0, 1},
		{"a twentieth above", upper(60, 0), 63, AtRisk, 3, 1 - 3/9.0},
		{"more than that above", upper(60, 0), 63.1, OffTrack, 3.1, 1 - 3.1/9},
		{"at most -60", upper(-60, 0), -57, AtRisk, 3, 1 - 3/9.0},
		{"a period's lower bound", row(num(40), nil), 41, OnTrack, 0, 1},
		{"a period below it", row(num(40), nil), 38.5, AtRisk, 1.5, 1 - 1.5/6},
		{"a period's upper bound", row(nil, num(60)), 70, OffTrack, 10, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(yearly(2018, tc.v), tc.sp), "2018-12-31")
			near(t, "gap", r.Gap, &tc.gap)
			near(t, "score", r.Score, &tc.score)
			if r.Status != tc.status || (r.Lower == nil) == (r.Upper == nil) {
				t.Errorf("%s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
		})
	}
}

// Levels that fall, and levels that are declared in part.
func TestLevels(t *testing.T) {
	fall := line("2020-12-31", 100, "2021-12-31", 40)
	fall.Levels = &Levels{Commit: num(60), Target: num(40), Stretch: num(20)}
	noCommit := fall
	noCommit.Levels = &Levels{Target: num(40), Stretch: num(20)}
	noStretch := fall
	noStretch.Levels = &Levels{Commit: num(60), Target: num(40)}
	noBase := Setpoint{Direction: Decrease, Value: num(40), Due: day("2021-12-31"), Levels: fall.Levels}
	for _, tc := range []struct {
		name   string
		sp     Setpoint
		v      float64
		score  *float64
		status Status
	}{
		{"at the baseline", fall, 100, num(0), OffTrack},
		{"half way to commit", fall, 80, num(.15), OffTrack},
		{"at commit", fall, 60, num(.3), OffTrack},
		{"half way to target", fall, 50, num(.5), AtRisk},
		{"at target", fall, 40, num(.7), OnTrack},
		{"half way to stretch", fall, 30, num(.85), OnTrack},
		{"at stretch", fall, 20, num(1), Achieved},
		{"beyond", fall, 0, num(1), Achieved},
		{"worse than the baseline", fall, 120, num(0), OffTrack},
		{"no commit: from baseline to target", noCommit, 70, num(.35), OffTrack},
		{"no stretch: no more than the target's", noStretch, 0, num(.7), OnTrack},
		{"no baseline: known from commit on", noBase, 50, num(.5), AtRisk},
		{"no baseline: not known before", noBase, 61, absent, OffTrack},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Evaluate(one2one(daily(observe("2021-06-30", tc.v)), tc.sp), day("2021-06-30"), OKR(), Options{Explain: true}).Targets[0]
			near(t, "score", r.Score, tc.score)
			if r.Status != tc.status {
				t.Errorf("%s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
		})
	}
}

// Every form can be judged by what was declared first.
func TestOriginalTargets(t *testing.T) {
	then := func(sp Setpoint) Setpoint { sp.Revision, sp.Effective = 3, day("2015-10-01"); return sp }
	now := func(sp Setpoint) Setpoint { sp.Revision, sp.Effective = 8, day("2016-10-01"); return sp }
	low := func(v float64) Setpoint { return Setpoint{Maintain: &Maintain{Lower: &v}} }
	change := func(share float64) Setpoint {
		return Setpoint{Direction: Decrease, Baseline: &Baseline{Date: day("2015-09-30"), Value: num(100)}, ChangeFromBaseline: &share, Due: day("2019-09-30")}
	}
	done := func(due string) Setpoint {
		return Setpoint{Due: day(due), Baseline: &Baseline{Date: day("2018-01-01")}, Milestone: &Milestone{Forecast: day("2019-06-30")}}
	}
	values := yearly(2016, 70, 60, 55)
	for _, tc := range []struct {
		name           string
		first, last    Setpoint
		m              Metric
		is, was        Status
		target, before *float64 // shown
	}{
		{"a path", line("2015-09-30", 100, "2019-09-30", 30), line("2015-09-30", 100, "2019-09-30", 60), values, Achieved, AtRisk, num(60), num(30)},
		{"a change from the baseline", change(-.9), change(-.4), values, Achieved, OffTrack, num(60), num(10)},
		{"periods", eachYear(Decrease, 40, "FY2018", "FY2019"), eachYear(Decrease, 60, "FY2018", "FY2019"), values, OnTrack, OffTrack, num(60), num(40)},
		{"a range", low(80), low(50), values, OnTrack, OffTrack, nil, nil},
		{"a milestone", done("2018-12-31"), done("2019-12-31"), monthly(Last), OnTrack, NoData, num(1), num(1)},
		{"another form", low(80), line("2015-09-30", 100, "2019-09-30", 60), values, Achieved, OffTrack, num(60), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asOf := "2018-12-31"
			if tc.name == "a milestone" {
				asOf = "2019-03-31"
			}
			p := one2one(tc.m, now(tc.last), then(tc.first))
			is := evaluate(p, asOf)
			was := Evaluate(p, day(asOf), Default(), Options{Explain: true, OriginalTargets: true}).Targets[0]
			if is.Status != tc.is || was.Status != tc.was {
				t.Errorf("%s and originally %s, want %s and %s: %s", is.Status, was.Status, tc.is, tc.was, was.Explanation.Rule)
			}
			near(t, "target", is.Target, tc.target)
			near(t, "original target", was.Target, tc.before)
			if !slices.Contains(was.Explanation.Revisions, 3) || slices.Contains(was.Explanation.Revisions, 8) {
				t.Errorf("rests on %v", was.Explanation.Revisions)
			}
			if was.TargetDrift != nil && *was.TargetDrift != 0 {
				t.Errorf("the original drifts by %v", *was.TargetDrift)
			}
		})
	}
}

// Values of a 4-4-5 calendar: quarters of 13 weeks, reported by its periods or
// weeks.
func TestWeeksAsPeriods(t *testing.T) {
	k := calendar.FourFourFive(10, time.Saturday)
	quarter := func(every calendar.Cadence, name string) Metric {
		m := Metric{Name: "m", Cadence: calendar.Quarterly, ReportedEvery: every, Calendar: k, ReportingLagDays: -1, Aggregation: Sum}
		q, err := k.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range k.Split(q, every) {
			m.Observations = append(m.Observations, Observation{At: p.End, Value: 10, Revision: uint64(100 + i)})
		}
		return m
	}
	for _, tc := range []struct {
		name   string
		m      Metric
		period string
		asOf   string
		actual *float64
		state  PeriodState
		note   string
	}{
		{"three periods", quarter(calendar.Monthly, "FY2018-Q3"), "FY2018-Q3", "2018-06-30", num(30), PeriodMet, ""},
		{"the day before the last Saturday", quarter(calendar.Monthly, "FY2018-Q3"), "FY2018-Q3", "2018-06-29", absent, PeriodRunning, "2 of 3 values reported"},
		{"13 weeks", quarter(calendar.Weekly, "FY2018-Q4"), "FY2018-Q4", "2018-09-29", num(130), PeriodMet, ""},
		{"14 weeks", quarter(calendar.Weekly, "FY2017-Q4"), "FY2017-Q4", "2017-09-30", num(140), PeriodMet, ""},
		{"the 53rd is awaited", quarter(calendar.Weekly, "FY2017-Q4"), "FY2017-Q4", "2017-09-29", absent, PeriodRunning, "13 of 14 values reported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sp := Setpoint{Direction: Increase, Periods: []PeriodTarget{{Period: tc.period, Value: num(30)}, {Period: "FY2019-Q1", Value: num(30)}}}
			r := evaluate(one2one(tc.m, sp), tc.asOf)
			near(t, "actual", r.Actual, tc.actual)
			i := slices.IndexFunc(r.Periods, func(p PeriodResult) bool { return p.Period == tc.period })
			if i < 0 || r.Periods[i].State != tc.state || r.Periods[i].Note != tc.note {
				t.Errorf("%+v", r.Periods)
			}
		})
	}
	// The next quarter ends on 2018-09-29, and half of the 91 days after it is
	// the time to report.
	r := evaluate(one2one(quarter(calendar.Monthly, "FY2018-Q3"), line("2018-03-31", 0, "2019-09-28", 60)), "2018-06-30")
	if r.Quality.NextDue != day("2018-11-14") || r.Period != "FY2018-Q3" {
		t.Errorf("%s, next due %s", r.Period, r.Quality.NextDue)
	}
	plain := evaluate(one2one(quarter(calendar.Monthly, "FY2018-Q3"), eachYear(Increase, 1, "2018-Q3")), "2018-06-30")
	if plain.Status != NoData || !strings.Contains(plain.Explanation.Rule, `"2018-Q3" cannot be read`) {
		t.Errorf("%s: %s", plain.Status, plain.Explanation.Rule)
	}
}
