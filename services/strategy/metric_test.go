package strategy

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// declared is a set of metrics, with an organization whose years start in
// October.
type declared map[string]*strategyv1.MetricSpec

func (d declared) Spec(kind, name string) (proto.Message, bool) {
	if kind == "Organization" {
		return &strategyv1.OrganizationSpec{FiscalYearStart: 10}, name == "o"
	}
	m, ok := d[name]
	return m, ok && kind == "Metric"
}

func (d declared) Names(kind string) []string {
	if kind == "Organization" {
		return []string{"o"}
	}
	var names []string
	for name := range d {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func ratioOf(cadence, numerator, denominator string) *strategyv1.MetricSpec {
	return &strategyv1.MetricSpec{Unit: "fraction", Cadence: cadence, Aggregation: "ratio",
		Ratio: &strategyv1.Ratio{Numerator: numerator, Denominator: denominator}}
}

func TestMetricRules(t *testing.T) {
	set := declared{
		"year":     {Cadence: "yearly"},
		"month":    {Cadence: "monthly", Aggregation: "sum"},
		"week":     {Cadence: "weekly"},
		"day":      {Cadence: "daily"},
		"quarter":  {Cadence: "quarterly"},
		"shifted":  {Cadence: "quarterly", FiscalYearStart: 2},
		"july":     {Cadence: "yearly", FiscalYearStart: 7},
		"p445":     {Cadence: "monthly", Calendar: "4-4-5"},
		"w445":     {Cadence: "weekly", Calendar: "4-4-5"},
		"w445sun":  {Cadence: "weekly", Calendar: "4-4-5", WeekEnds: "sunday"},
		"fraction": ratioOf("yearly", "year", "month"),
	}
	with := func(m *strategyv1.MetricSpec, change func(*strategyv1.MetricSpec)) *strategyv1.MetricSpec {
		m = proto.CloneOf(m)
		change(m)
		return m
	}
	weeks := func(m *strategyv1.MetricSpec) { m.Calendar = "4-4-5" }
	for _, tc := range []struct {
		name   string
		m      *strategyv1.MetricSpec
		reason string // of the one finding; "" for none
	}{
		{"a yearly ratio of finer metrics", ratioOf("yearly", "month", "quarter"), ""},
		{"of the same cadence", ratioOf("monthly", "month", "day"), ""},
		{"a weekly ratio", ratioOf("weekly", "week", "day"), ""},
		{"a 4-4-5 ratio", with(ratioOf("quarterly", "p445", "w445"), weeks), ""},
		{"without metrics", &strategyv1.MetricSpec{Unit: "x", Cadence: "yearly", Aggregation: "ratio"}, "ratio_missing"},
		{"metrics of a sum", with(ratioOf("yearly", "month", "year"), func(m *strategyv1.MetricSpec) { m.Aggregation = "sum" }), "ratio_aggregation"},
		{"of one metric", ratioOf("yearly", "month", "month"), "ratio_of_itself"},
		{"of a ratio", ratioOf("yearly", "fraction", "month"), "ratio_of_ratio"},
		{"of a coarser metric", ratioOf("monthly", "month", "quarter"), "ratio_cadence"},
		{"of weeks in months", ratioOf("monthly", "month", "week"), "ratio_calendar"},
		{"of another fiscal year", ratioOf("yearly", "month", "july"), "ratio_calendar"},
		{"of quarters of another year", ratioOf("yearly", "month", "shifted"), "ratio_calendar"},
		{"of months in weeks", with(ratioOf("yearly", "p445", "month"), weeks), "ratio_calendar"},
		{"of weeks that end on another day", with(ratioOf("yearly", "p445", "w445sun"), weeks), "ratio_calendar"},
		{"reported on its own", with(ratioOf("yearly", "month", "year"), func(m *strategyv1.MetricSpec) { m.ReportedEvery = "monthly" }), "ratio_reported_every"},
		{"a running total of sums", &strategyv1.MetricSpec{Unit: "x", Cadence: "yearly", Aggregation: "sum", Accumulate: "sinceStart"}, ""},
		{"a running total", &strategyv1.MetricSpec{Unit: "x", Cadence: "yearly", Accumulate: "sinceStart"}, ""},
		{"a running total of means", &strategyv1.MetricSpec{Unit: "x", Cadence: "yearly", Aggregation: "mean", Accumulate: "sinceStart"}, "accumulate_aggregation"},
		{"a running total of ratios", with(ratioOf("yearly", "month", "year"), func(m *strategyv1.MetricSpec) { m.Accumulate = "sinceStart" }), "accumulate_aggregation"},
		{"weeks of months", &strategyv1.MetricSpec{Unit: "x", Cadence: "yearly", WeekEnds: "friday"}, "week_ends"},
		{"weeks that end on Fridays", &strategyv1.MetricSpec{Unit: "x", Cadence: "yearly", Calendar: "4-4-5", WeekEnds: "friday"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := resource.Findings{Service: service}
			checkMetric(tc.m, set, &f)
			var got []string
			for _, x := range f.List {
				got = append(got, strings.TrimPrefix(x.Reason, "strategy."))
				if !strings.HasPrefix(x.Field, "spec.") || x.Message == "" {
					t.Errorf("%+v", x)
				}
			}
			if strings.Join(got, " ") != tc.reason {
				t.Errorf("%q, want %q", got, tc.reason)
			}
		})
	}
	refs := metricReferences(ratioOf("yearly", "a", "b"))
	if len(refs) != 2 || refs[0].Name != "a" || refs[1].Name != "b" || !refs[0].Acyclic || refs[1].Kind != "Metric" {
		t.Errorf("references %+v", refs)
	}
}

func TestRecordable(t *testing.T) {
	values := []Observation{{Index: 3}, {Index: 5}}
	if got := Recordable(&strategyv1.MetricSpec{Aggregation: "sum"}, values); got != nil {
		t.Errorf("%+v", got)
	}
	got := Recordable(ratioOf("yearly", "spent", "planned"), values)
	if len(got) != 2 || got[0].Field != "observations[3].metric" || got[1].Field != "observations[5].metric" || got[0].Reason != "strategy.observation_of_ratio" || !strings.Contains(got[0].Message, `"spent"`) {
		t.Errorf("%+v", got)
	}
}

func TestPeriodsOfTheMetricsCalendar(t *testing.T) {
	set := declared{"w": {Cadence: "monthly", Calendar: "4-4-5"}, "m": {Cadence: "monthly"}}
	for metric, tc := range map[string]struct{ good, bad, end string }{
		"w": {"FY2018-P07", "2018-07", "2018-04-28"},
		"m": {"2018-07", "FY2018-P07", "2018-07-31"},
	} {
		target := func(period string) resource.Findings {
			f := resource.Findings{Service: service}
			checkPeriods(&strategyv1.TargetSpec{Metric: metric, Direction: "increase", Periods: []*strategyv1.PeriodTarget{{Period: period, Value: proto.Float64(1)}}}, set, &f)
			return f
		}
		if f := target(tc.good); len(f.List) != 0 {
			t.Errorf("%s: %+v", tc.good, f)
		}
		if f := target(tc.bad); len(f.List) != 1 || f.List[0].Reason != "strategy.period" || !strings.Contains(f.List[0].Hint, tc.good[:3]) {
			t.Errorf("%s: %+v", tc.bad, f)
		}
		k := Calendar(set[metric], set)
		if at, err := ObservedAt(tc.good, k); err != nil || at != tc.end {
			t.Errorf("%s is observed at %s, %v", tc.good, at, err)
		}
		if _, err := ObservedAt(tc.bad, k); err == nil {
			t.Errorf("%s was read", tc.bad)
		}
	}
	if k := Calendar(set["m"], set); k != calendar.Months(10) {
		t.Errorf("the organization's year: %+v", k)
	}
}

func TestNoChangeHasNoDirection(t *testing.T) {
	for direction, want := range map[string]int{"": 1, "decrease": 0} {
		f := resource.Findings{Service: service}
		checkPath(&strategyv1.TargetSpec{Metric: "m", Direction: direction, ChangeFromBaseline: "0%", Due: "2030-12-31",
			Baseline: &strategyv1.Baseline{Date: "2020-12-31"}}, &f)
		if len(f.List) != want {
			t.Errorf("%q: %+v", direction, f)
		}
	}
}
