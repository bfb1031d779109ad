package gap

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
)

// named gives a metric a name, and its observations revisions of their own.
func named(name string, first uint64, m Metric) Metric {
	m.Name, m.Revision = name, first
	m.Observations = slices.Clone(m.Observations)
	for i := range m.Observations {
		m.Observations[i].Revision = first + 1 + uint64(i)
	}
	return m
}

// shareOf is a quarterly ratio of two metrics reported monthly, with a target
// of a half in each quarter of 2020.
func shareOf(numerator, denominator Metric, change ...func(*Portfolio)) Portfolio {
	p := Portfolio{
		Metrics: []Metric{named("n", 200, numerator), named("d", 300, denominator),
			{Name: "m", Cadence: calendar.Quarterly, ReportingLagDays: 400, Aggregation: RatioOf, Ratio: &Ratio{"n", "d"}, Revision: 9}},
		Targets: []Target{{Name: "t", Metric: "m", Versions: []Setpoint{eachYear(Increase, .5, "2020-Q1", "2020-Q2")}}},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func TestRatio(t *testing.T) {
	n := monthly(Sum, observe("2020-01-31", 10), observe("2020-02-29", 90), observe("2020-03-31", 20))
	d := monthly(Sum, observe("2020-01-31", 100), observe("2020-02-29", 100), observe("2020-03-31", 40))
	without := func(m Metric, i int) Metric {
		m.Observations = slices.Delete(slices.Clone(m.Observations), i, i+1)
		return m
	}
	zero := monthly(Sum, observe("2020-01-31", 100), observe("2020-02-29", -100), observe("2020-03-31", 0))
	weekly := d
	weekly.ReportedEvery = calendar.Weekly
	broken := d
	broken.Breaks = []Break{{day("2020-02-01"), "recount"}}
	lasting := n
	lasting.Aggregation = Last
	lasting.Observations = append(slices.Clone(n.Observations), observe("2020-01-15", 7))
	for _, tc := range []struct {
		name   string
		p      Portfolio
		asOf   string
		want   *float64
		status Status
		state  PeriodState
		value  *float64 // in the grid
		note   string
	}{
		// 120 of 240: the mean of .1, .9 and .5 happens to be .5 too, so see below.
		{"sums are divided", shareOf(n, d), "2020-03-31", num(.5), OnTrack, PeriodMet, num(.5), ""},
		{"never a mean of ratios", shareOf(n, monthly(Sum, observe("2020-01-31", 20), observe("2020-02-29", 100), observe("2020-03-31", 180))), "2020-03-31", num(.4), OffTrack, PeriodNotMet, num(.4), ""},
		{"running", shareOf(n, d), "2020-03-30", absent, NoData, PeriodRunning, num(.5), "2 of 3 values reported"},
		{"running, one ahead of the other", shareOf(n, without(d, 1)), "2020-03-01", absent, NoData, PeriodRunning, num(.1), "1 of 3 values reported"},
		{"a month without denominator", shareOf(n, without(d, 1)), "2020-03-31", absent, NoData, PeriodPartial, num(30.0 / 140), "2 of 3 values reported"},
		{"a month without numerator", shareOf(without(n, 0), d), "2020-03-31", absent, NoData, PeriodPartial, num(110.0 / 140), "2 of 3 values reported"},
		{"no denominator", shareOf(n, monthly(Sum)), "2020-03-31", absent, NoData, PeriodNoData, absent, "numerator or denominator is missing"},
		{"neither", shareOf(monthly(Sum), monthly(Sum)), "2020-03-31", absent, NoData, PeriodNoData, absent, ""},
		{"a denominator of zero", shareOf(n, zero), "2020-03-31", absent, NoData, PeriodNoData, absent, "the denominator is zero"},
		{"weeks are missing", shareOf(n, weekly), "2020-03-31", absent, NoData, PeriodPartial, num(.5), "0 of 3 values reported"},
		{"a method that changed within", shareOf(n, broken), "2020-03-31", absent, NoData, PeriodPartial, num(.5), ""},
		{"what is not a sum is taken a period at a time", shareOf(lasting, d), "2020-03-31", num(.5), OnTrack, PeriodMet, num(.5), ""},
		{"its own values do not count", shareOf(n, d, func(p *Portfolio) {
			p.Metrics[2].Observations = []Observation{observe("2020-03-31", 7)}
		}), "2020-03-31", num(.5), OnTrack, PeriodMet, num(.5), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(tc.p, tc.asOf)
			near(t, "actual", r.Actual, tc.want)
			if r.Status != tc.status {
				t.Errorf("%s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
			i := slices.IndexFunc(r.Periods, func(p PeriodResult) bool { return p.Period == "2020-Q1" })
			row := r.Periods[i]
			near(t, "value in the grid", row.Actual, tc.value)
			if row.State != tc.state || (tc.note != "" && row.Note != tc.note) {
				t.Errorf("row %s %q, want %s %q", row.State, row.Note, tc.state, tc.note)
			}
		})
	}
	r := evaluate(shareOf(n, d), "2020-03-31")
	if want := []uint64{5, 9, 200, 201, 202, 203, 300, 301, 302, 303}; !slices.Equal(r.Explanation.Revisions, want) {
		t.Errorf("rests on %v, want %v", r.Explanation.Revisions, want)
	}
	if r.Quality.Observations != 6 || r.Quality.LastValueAt != day("2020-03-31") {
		t.Errorf("quality %+v", r.Quality)
	}
}

// A path on a ratio takes its baseline from the ratio too.
func TestPathOnARatio(t *testing.T) {
	p := shareOf(yearly(2018, 10, 30), yearly(2018, 100, 100), func(p *Portfolio) {
		p.Metrics[2].Cadence, p.Metrics[2].Calendar = calendar.Yearly, calendar.Months(10)
		p.Targets[0].Versions = []Setpoint{{Baseline: &Baseline{Date: day("2018-09-30")}, Value: num(.5), Direction: Increase, Due: day("2022-09-30")}}
	})
	r := evaluate(p, "2019-12-31")
	near(t, "baseline", r.Baseline, num(.1))
	near(t, "actual", r.Actual, num(.3))
	near(t, "expected", r.Expected, num(.1+.4*365/1461))
	near(t, "progress", r.Progress, num(.5))
	if r.Status != OnTrack {
		t.Errorf("%s: %s", r.Status, r.Explanation.Rule)
	}
}

func TestRatiosThatCannotBe(t *testing.T) {
	for want, change := range map[string]func(*Portfolio){
		`"d", which "m" is a ratio of, is not declared`:     func(p *Portfolio) { p.Metrics[1].Name = "x" },
		`"n", which "m" is a ratio of, is a ratio itself`:   func(p *Portfolio) { p.Metrics[0].Aggregation, p.Metrics[0].Ratio = RatioOf, &Ratio{"d", "d"} },
		`"m", which "m" is a ratio of, is a ratio itself`:   func(p *Portfolio) { p.Metrics[2].Ratio = &Ratio{"m", "m"} },
		`"n", which "m" is a ratio of, has no cadence`:      func(p *Portfolio) { p.Metrics[0].Cadence = "" },
		`"m" says not what it divides`:                      func(p *Portfolio) { p.Metrics[2].Ratio = nil },
		`the metric "m" has no cadence, so its periods are`: func(p *Portfolio) { p.Metrics[2].Cadence = "" },
	} {
		n := monthly(Sum, observe("2020-01-31", 10), observe("2020-02-29", 90), observe("2020-03-31", 20))
		r := evaluate(shareOf(n, n, change), "2020-03-31")
		if r.Status != NoData || !strings.Contains(r.Explanation.Rule, want) || r.Actual != nil {
			t.Errorf("%s: %q, want %q", r.Status, r.Explanation.Rule, want)
		}
	}
}

// Whatever is observed, a complete ratio is the sum over the sum, and doubling
// both metrics changes nothing.
func TestRatioIsOfSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, d := monthly(Sum), monthly(Sum)
		var sumN, sumD float64
		whole := true
		for m := range 3 {
			at := calendar.Of(2020, 1, 1).AddDays(31*m + rapid.IntRange(0, 27).Draw(t, "day"))
			a, b := float64(rapid.IntRange(-50, 50).Draw(t, "n")), float64(rapid.IntRange(0, 50).Draw(t, "d"))
			if rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
				whole = false
			} else {
				n.Observations = append(n.Observations, Observation{At: at, Value: a})
			}
			d.Observations = append(d.Observations, Observation{At: at, Value: b})
			sumN, sumD = sumN+a, sumD+b
		}
		r := Evaluate(shareOf(n, d), day("2020-04-15"), Default(), Options{}).Targets[0]
		if known := whole && sumD != 0; known != (r.Actual != nil) {
			t.Fatalf("whole %v, ΣD %v: %v", whole, sumD, show(r.Actual))
		}
		if r.Actual == nil {
			return
		}
		if diff := *r.Actual - sumN/sumD; diff > 1e-12 || diff < -1e-12 {
			t.Fatalf("%v, want %v/%v", *r.Actual, sumN, sumD)
		}
		for i := range n.Observations {
			n.Observations[i].Value *= 2
			d.Observations[i].Value *= 2
		}
		if twice := Evaluate(shareOf(n, d), day("2020-04-15"), Default(), Options{}).Targets[0]; *twice.Actual != *r.Actual || twice.Status != r.Status {
			t.Fatalf("%v, doubled %v", *r.Actual, *twice.Actual)
		}
	})
}
