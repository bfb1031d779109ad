package gap

import (
	"math"
	"slices"
	"strings"
	"testing"

	"setpoint.dev/services/internal/calendar"
)

// The cases of this file are worked by hand from published data: the US
// General Services Administration's FY2018 Annual Performance Report, state
// greenhouse-gas inventories of the EPA and the targets that C2ES compiled
// from state laws (OpenClimate).

func day(s string) calendar.Date { return calendar.MustParse(s) }

func num(v float64) *float64 { return &v }

func observe(at string, v float64) Observation {
	return Observation{At: day(at), Value: v, Revision: 100}
}

// yearly is a metric of fiscal years that end in September, one value each
// from the year given on.
func yearly(first int, values ...float64) Metric {
	m := Metric{Name: "m", Cadence: calendar.Yearly, Calendar: calendar.Months(10), ReportingLagDays: -1, Aggregation: Last, Revision: 2}
	for i, v := range values {
		m.Observations = append(m.Observations, Observation{At: calendar.Of(first+i, 9, 30), Value: v, Revision: uint64(100 + i)})
	}
	return m
}

// emissions is a metric of calendar years, in Mt CO2e.
func emissions(year int, tonnes float64, tonnes2020 float64) Metric {
	return Metric{Name: "m", Cadence: calendar.Yearly, Calendar: calendar.Months(1), ReportingLagDays: -1, Aggregation: Last, Observations: []Observation{
		{At: calendar.Of(year, 12, 31), Value: tonnes / 1e6, Revision: 7},
		{At: calendar.Of(2020, 12, 31), Value: tonnes2020 / 1e6, Revision: 8},
	}}
}

// reduction is a path to a percentage below the value of a year.
func reduction(year, due int, change float64) Setpoint {
	return Setpoint{Direction: Decrease, Baseline: &Baseline{Date: calendar.Of(year, 12, 31)}, ChangeFromBaseline: &change, Due: calendar.Of(due, 12, 31), Revision: 5}
}

// through is a path from a baseline at the end of a fiscal year through the
// values of the years after it.
func through(year int, baseline float64, values ...float64) Setpoint {
	sp := Setpoint{Baseline: &Baseline{Date: calendar.Of(year, 9, 30), Value: &baseline}, Trajectory: Trajectory{Shape: Points}, Revision: 5}
	for i, v := range values {
		sp.Trajectory.Points = append(sp.Trajectory.Points, Point{calendar.Of(year+1+i, 9, 30), v})
		sp.Value, sp.Due = &v, calendar.Of(year+1+i, 9, 30)
	}
	return sp
}

func eachYear(d Direction, value float64, years ...string) Setpoint {
	sp := Setpoint{Direction: d, Revision: 5}
	for _, y := range years {
		sp.Periods = append(sp.Periods, PeriodTarget{Period: y, Value: &value})
	}
	return sp
}

func one2one(m Metric, versions ...Setpoint) Portfolio {
	return Portfolio{Metrics: []Metric{m}, Targets: []Target{{Name: "t", Metric: "m", Versions: versions}}}
}

func evaluate(p Portfolio, asOf string) TargetResult {
	return Evaluate(p, day(asOf), Default(), Options{Explain: true}).Targets[0]
}

// near allows a relative difference of 2e-5, as the cases are rounded; a nil want is not looked at.
func near(t *testing.T, what string, got, want *float64) {
	t.Helper()
	switch {
	case want == nil:
	case math.IsNaN(*want): // absent
		if got != nil {
			t.Errorf("%s = %v, want none", what, *got)
		}
	case got == nil:
		t.Errorf("%s is absent, want %v", what, *want)
	case math.Abs(*got-*want) > 2e-5*math.Max(math.Abs(*want), 1e-3):
		t.Errorf("%s = %v, want %v", what, *got, *want)
	}
}

var absent = num(math.NaN())

func TestGoldenCases(t *testing.T) {
	fedramp := yearly(2015, 39, 72, 88, 121)
	evs := yearly(2015, .691, .722, .762, .77)
	cost := yearly(2011, .1, .1, .096, .099, .097, .094, .093, .085)
	costEarly := yearly(2011, .1, .1, .096, .099)
	costThen := yearly(2011, .1, .1, .096, .099, .097)
	lower, upper := 0.0, 0.02
	leased := Setpoint{Maintain: &Maintain{Lower: &lower, Upper: &upper, From: day("2012-10-01")}}
	supplier := Setpoint{Direction: Increase, Periods: []PeriodTarget{
		{Period: "FY2018", Value: num(3.8), Excluded: "the method changed"}, {Period: "FY2019", Value: num(3.73)}, {Period: "FY2020", Value: num(3.76)}}}
	for _, tc := range []struct {
		name                                             string
		m                                                Metric
		sp                                               Setpoint
		asOf                                             string
		expected, expectedNow, gap, drift, share, progre *float64
		status                                           Status
		stale                                            bool
	}{
		{"FedRAMP systems", fedramp, through(2017, 88, 110, 145, 165), "2018-12-31",
			num(110), num(118.822), num(44), num(-11), num(-.142857), num(.428571), OnTrack, false},
		{"EVS connection to mission", evs, through(2017, .762, .76, .78, .79), "2019-12-31",
			num(.76), nil, num(.02), num(-.01), num(-.357143), num(.285714), OnTrack, false},
		{"EVS later", evs, through(2017, .762, .76, .78, .79), "2020-04-30",
			nil, nil, nil, nil, nil, nil, NoData, true},
		{"Operating cost", cost, through(2017, .093, .092, .090, .089), "2018-12-31",
			num(.092), nil, num(-.004), num(-.007), num(-1.75), num(2), Achieved, false},
		{"Operating cost FY2014", costEarly, through(2013, .096, .094, .092), "2014-12-31",
			num(.094), nil, num(.007), num(.005), num(1.25), num(-.75), OffTrack, false},
		{"Operating cost FY2015", costThen, through(2013, .096, .094, .092), "2015-12-31",
			num(.092), nil, num(.005), num(.005), num(1.25), num(-.25), Missed, false},
		{"Operating cost FY2015, all of the data", cost, through(2013, .096, .094, .092), "2018-12-31",
			num(.092), nil, num(.005), num(.005), num(1.25), num(-.25), Missed, false},
		{"Vacant space", yearly(2011, .034, .030, .038, .036, .034, .030, .029, .033), eachYear(Decrease, .03, "FY2018", "FY2019", "FY2020"), "2018-12-31",
			absent, absent, num(.003), absent, num(.10), absent, AtRisk, false},
		{"One-bid rate", yearly(2015, .132, .143, .149, .18), eachYear(Decrease, .15, "FY2018", "FY2019", "FY2020"), "2018-12-31",
			absent, absent, num(.03), absent, num(.20), absent, OffTrack, false},
		{"Tenant satisfaction", yearly(2013, .63, .61, .63, .65, .61, .60), eachYear(Increase, .63, "FY2018"), "2018-12-31",
			absent, absent, num(.03), absent, num(.047619), absent, AtRisk, false},
		{"Leased revenue", yearly(2013, .001, -.01, -.0047, -.0116, -.0059, -.004), leased, "2018-12-31",
			absent, absent, num(.004), absent, absent, absent, OffTrack, false},
		{"Supplier satisfaction", yearly(2015, 3.59, 3.7, 3.61, 3.69), supplier, "2018-12-31",
			absent, absent, absent, absent, absent, absent, NoData, false},
		{"CA 2030", emissions(1990, 433014693, 376489921), reduction(1990, 2030, -.4), "2021-06-30",
			num(303.104), nil, num(116.681), num(73.3856), num(.42369), num(.326344), OffTrack, false},
		{"OR 2035", emissions(1990, 43693283, 49946728), reduction(1990, 2035, -.45), "2021-06-30",
			num(30.5845), nil, num(25.9154), num(19.3622), num(.984755), num(-.318048), OffTrack, false},
		{"NJ 2020", emissions(1990, 114307465, 89338441), reduction(1990, 2020, 0), "2021-06-30",
			num(114.3075), nil, num(-24.969), num(-24.969), num(-.218437), absent, Achieved, false},
		{"RI 2020", emissions(1990, 10119887, 10532834), reduction(1990, 2020, -.1), "2021-06-30",
			num(9.1079), nil, num(1.42494), num(1.42494), num(1.40805), num(-.408055), Missed, false},
		{"IL 2030", emissions(2005, 293319426, 210801366), reduction(2005, 2030, -.26), "2021-06-30",
			num(247.558), nil, num(-6.255), num(-36.757), num(-.481975), num(1.08202), Achieved, false},
		{"MI 2030", emissions(2005, 227435144, 168527954), reduction(2005, 2030, -.52), "2021-06-30",
			num(156.470), nil, num(59.3591), num(12.0578), num(.101954), num(.49809), AtRisk, false},
		{"LA 2050", emissions(2005, 229858810, 212563636), reduction(2005, 2050, -1), "2021-06-30",
			num(153.235), nil, num(212.564), num(59.3291), num(.258111), num(.075243), OffTrack, false},
		{"MD 2031", emissions(2006, 88196180, 56873795), reduction(2006, 2031, -.6), "2021-06-30",
			num(58.5586), nil, num(21.5953), num(-1.68476), num(-.031837), num(.591907), OnTrack, false},
		{"MD 2031 on the last fresh day", emissions(2006, 88196180, 56873795), reduction(2006, 2031, -.6), "2022-07-02",
			nil, nil, nil, nil, nil, nil, OnTrack, false},
		{"MD 2031 later", emissions(2006, 88196180, 56873795), reduction(2006, 2031, -.6), "2022-07-03",
			nil, nil, nil, nil, nil, nil, NoData, true},
		{"RI 2020 is missed for good", emissions(1990, 10119887, 10532834), reduction(1990, 2020, -.1), "2030-01-01",
			nil, nil, num(1.42494), nil, nil, nil, Missed, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.sp), tc.asOf)
			if r.Status != tc.status || r.Stale != tc.stale {
				t.Errorf("status %s, stale %v; want %s, %v (%s)", r.Status, r.Stale, tc.status, tc.stale, r.Explanation.Rule)
			}
			if tc.stale && r.LastKnownStatus != OnTrack {
				t.Errorf("last known status %q", r.LastKnownStatus)
			}
			near(t, "expected", r.Expected, tc.expected)
			near(t, "expectedNow", r.ExpectedNow, tc.expectedNow)
			near(t, "gap", r.Gap, tc.gap)
			near(t, "drift", r.Drift, tc.drift)
			near(t, "share", r.Share, tc.share)
			near(t, "progress", r.Progress, tc.progre)
			if r.Explanation.Rule == "" || !strings.HasPrefix(strings.ToLower(r.Explanation.Rule), firstWords(r)) && r.LastKnownStatus == "" {
				t.Errorf("rule %q does not begin with the status %s", r.Explanation.Rule, r.Status)
			}
			if len(r.Explanation.Revisions) < 1 || !slices.IsSorted(r.Explanation.Revisions) {
				t.Errorf("revisions %v", r.Explanation.Revisions)
			}
		})
	}
}

func firstWords(r TargetResult) string { return words(r.Status) }

// Vehicles studied: 5,000 for FY2019, a sum; three months have been reported.
func TestRunningPeriodIsShownNotJudged(t *testing.T) {
	year := Metric{Name: "m", Cadence: calendar.Yearly, Calendar: calendar.Months(10), ReportingLagDays: -1, Aggregation: Sum,
		Observations: []Observation{observe("2018-09-30", 1790)}}
	months := year
	months.ReportedEvery = calendar.Monthly
	months.Observations = []Observation{observe("2018-10-31", 200), observe("2018-11-30", 300), observe("2018-12-31", 150)}
	toDate := year
	toDate.Observations = []Observation{observe("2018-09-30", 1790), observe("2018-12-31", 650)}
	for name, tc := range map[string]struct {
		m      Metric
		actual *float64
		note   string
	}{
		"nothing reported":     {year, nil, "nothing reported yet"},
		"three of 12 months":   {months, num(650), "3 of 12 values reported"},
		"a value to that date": {toDate, num(650), "reported to 2018-12-31"},
	} {
		t.Run(name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, eachYear(Increase, 5000, "FY2019")), "2018-12-31")
			if r.Status != NoData || r.Actual != nil || r.Gap != nil {
				t.Errorf("the running period was judged: %s, %v", r.Status, r.Explanation.Rule)
			}
			near(t, "expected now", r.ExpectedNow, num(1260.274))
			i := slices.IndexFunc(r.Periods, func(p PeriodResult) bool { return p.Period == "FY2019" })
			if i < 0 {
				t.Fatalf("no row for FY2019 in %v", r.Periods)
			}
			row := r.Periods[i]
			if row.State != PeriodRunning || row.Variance != nil || row.Note != tc.note {
				t.Errorf("row %+v", row)
			}
			near(t, "year to date expected", row.Expected, num(1260.274))
			if tc.actual != nil {
				near(t, "year to date", row.Actual, tc.actual)
			} else if row.Actual != nil {
				t.Errorf("actual %v of nothing", *row.Actual)
			}
		})
	}
}

// fixed is a target whose status is the one given on 2018-12-31.
func fixedStatus(name, objective string, w float64, s Status) (Metric, Target) {
	value := map[Status]float64{OnTrack: 100, AtRisk: 90, OffTrack: 50}[s]
	m := yearly(2018, value)
	if s == NoData {
		m = yearly(2018)
	}
	sp := eachYear(Increase, 100, "FY2018", "FY2019")
	if s == NotStarted {
		sp = eachYear(Increase, 100, "FY2020")
	}
	m.Name = name
	return m, Target{Name: name, Metric: name, Objective: objective, Weight: w, Versions: []Setpoint{sp}}
}

type leaf struct {
	objective string
	weight    float64
	status    Status
}

func tree(objectives []Objective, leaves ...leaf) Portfolio {
	p := Portfolio{Objectives: objectives, Strategies: []Strategy{{Name: "s"}}}
	for i, l := range leaves {
		m, t := fixedStatus(string(rune('a'+i)), l.objective, l.weight, l.status)
		p.Metrics, p.Targets = append(p.Metrics, m), append(p.Targets, t)
	}
	return p
}

func TestGoldenRollUp(t *testing.T) {
	p := tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 2, OnTrack}, leaf{"o", 1, AtRisk}, leaf{"o", 1, NoData})
	for _, tc := range []struct {
		missing Missing
		score   float64
		status  Status
	}{
		{MissingUnknown, .8333333, OnTrack},
		{MissingExcluded, .8333333, OnTrack},
		{MissingFailed, .625, AtRisk},
	} {
		policy := Default()
		policy.RollUp.Missing = tc.missing
		r := Evaluate(p, day("2018-12-31"), policy, Options{Explain: true})
		for _, u := range []RollUp{r.Objectives[0], r.Strategies[0]} {
			near(t, string(tc.missing)+" score", u.Score, num(tc.score))
			if u.Status != tc.status || u.Known != .75 || u.Targets != 3 {
				t.Errorf("%s: %+v", tc.missing, u)
			}
			if u.Counts[OnTrack] != 1 || u.Counts[AtRisk] != 1 || u.Counts[NoData] != 1 || u.Explanation.Rule == "" {
				t.Errorf("%s: %+v", tc.missing, u)
			}
		}
	}
}

func TestGoldenSCurve(t *testing.T) {
	near(t, "s-curve at a quarter", num(sCurve(.25)), num(.151784))
	near(t, "s-curve at half", num(sCurve(.5)), num(.5))
	near(t, "s-curve at the ends", num(sCurve(0)+sCurve(1)), num(1))
}
