package gap

import (
	"slices"
	"strings"
	"testing"
)

func states(r TargetResult) []string {
	var out []string
	for _, p := range r.Periods {
		out = append(out, strings.TrimSpace(p.Period+" "+string(p.State)))
	}
	return out
}

// A value that should be there and is not has a row of its own.
func TestMissingPeriodsAreSeen(t *testing.T) {
	holed := yearly(2015, 10, 20, 30, 40)
	holed.Observations = slices.Delete(holed.Observations, 1, 3)
	for _, tc := range []struct {
		name string
		m    Metric
		sp   Setpoint
		asOf string
		want []string
	}{
		{"between observed ones", holed, line("2017-09-30", 30, "2019-09-30", 50), "2018-12-31",
			[]string{"FY2015 no_target", "FY2016 no_data", "FY2017 no_data", "FY2018 met", "FY2019 running"}},
		{"since the path began", yearly(2018, 40), line("2015-09-30", 30, "2019-09-30", 50), "2018-12-31",
			[]string{"FY2016 no_data", "FY2017 no_data", "FY2018 not_met", "FY2019 running"}},
		{"until due, and not after", yearly(2015, 40), line("2015-09-30", 30, "2017-09-30", 50), "2019-12-31",
			[]string{"FY2015 no_target", "FY2016 no_data", "FY2017 no_data", "FY2020 running"}},
		{"not what is still to come", yearly(2015, 40), line("2015-09-30", 30, "2020-09-30", 50), "2016-12-31",
			[]string{"FY2015 no_target", "FY2016 no_data", "FY2017 running", "FY2020 future"}},
		{"nothing at all", yearly(2015), line("2015-09-30", 30, "2017-09-30", 50), "2017-12-31",
			[]string{"FY2016 no_data", "FY2017 no_data", "FY2018 running"}},
		{"beside declared periods", holed, eachYear(Increase, 1, "FY2018", "FY2019"), "2018-12-31",
			[]string{"FY2015 no_target", "FY2016 no_data", "FY2017 no_data", "FY2018 met", "FY2019 running"}},
		{"of a range", holed, Setpoint{Maintain: &Maintain{Lower: num(5), From: day("2013-10-01")}}, "2019-12-31",
			[]string{"FY2014 no_data", "FY2015 met", "FY2016 no_data", "FY2017 no_data", "FY2018 met", "FY2019 no_data", "FY2020 running"}},
		{"of a range that is over", holed, Setpoint{Maintain: &Maintain{Lower: num(5), To: day("2016-09-30")}}, "2016-12-31",
			[]string{"FY2015 met", "FY2016 no_data", "FY2017 running"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := evaluate(one2one(tc.m, tc.sp), tc.asOf)
			if got := states(r); !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
			for _, p := range r.Periods {
				if p.State == PeriodNoData && (p.Actual != nil || p.Variance != nil) {
					t.Errorf("%+v has no data", p)
				}
			}
		})
	}
	// What was to be reached then is shown beside what is missing.
	r := evaluate(one2one(yearly(2018, 40), line("2014-09-30", 30, "2018-09-30", 50)), "2018-12-31")
	near(t, "FY2015 target", r.Periods[0].Target, num(30+20*365/1461.0))
	// A grid has an end also where a daily value is missing for years.
	long := evaluate(one2one(daily(observe("2010-01-01", 1), observe("2020-01-01", 1)), line("2010-01-01", 0, "2021-01-01", 9)), "2020-01-01")
	if n := len(long.Periods); n != maxMissing+3 || long.Quality.Missing != 3651 {
		t.Errorf("%d rows, %d missing", n, long.Quality.Missing)
	}
}
