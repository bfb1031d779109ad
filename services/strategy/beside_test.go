package strategy_test

import (
	"testing"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/strategy"
)

func TestAValueBesideAnotherIsSaid(t *testing.T) {
	at := func(day, source string, others ...string) strategy.Beside {
		return strategy.Beside{Identity: strategy.Identity{At: day, Source: source}, Others: others}
	}
	const first = `metric "m" already has a value at 2018-09-30 from "REXUS"; the one without a source now stands beside it, and the one recorded last counts`
	for _, c := range []struct {
		name    string
		beside  []strategy.Beside
		correct bool
		want    string
	}{
		{"nothing beside", nil, true, ""},
		{"a forgotten source", []strategy.Beside{at("2018-09-30", "", "REXUS", "other")}, true,
			first + `; to correct that value, name its source "REXUS"`},
		{"no correction was meant", []strategy.Beside{at("2018-09-30", "", "REXUS")}, false, first},
		{"a source too many", []strategy.Beside{at("2018-09-30", "a", "")}, true,
			`metric "m" already has a value at 2018-09-30 without a source; the one from "a" now stands beside it, and the one recorded last counts; to correct that value, leave the source out`},
		{"two dates", []strategy.Beside{at("2018-09-30", "", "REXUS"), at("2019-09-30", "", "REXUS")}, false,
			first + "; so it is at 1 more date"},
		{"many dates", []strategy.Beside{at("2018-09-30", "", "REXUS"), {}, {}}, false, first + "; so it is at 2 more dates"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strategy.Surprise("m", c.beside, c.correct); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAValueOfAPeriodStillToComeIsSaid(t *testing.T) {
	at := func(days ...string) (out []strategy.Observation) {
		for _, d := range days {
			out = append(out, strategy.Observation{Identity: strategy.Identity{At: d}})
		}
		return out
	}
	today, err := calendar.ParseDate("2026-11-26")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, cadence string
		values        []strategy.Observation
		want          string
	}{
		{"what has been", "monthly", at("2026-10-31", "2026-11-25T12:00:00Z"), ""},
		{"the running month, to its end", "monthly", at("2026-11-30"), ""},
		{"the running fiscal year", "yearly", at("2027-09-30"), ""},
		{"tomorrow", "daily", at("2026-11-26", "2026-11-27"), `metric "m" now has a value at 2026-11-27, a period still to come: it counts from then on; is the year right?`},
		{"a mistyped year", "monthly", at("2026-10-31", "2062-10-31T00:00:00Z", "2026-12-31"),
			`metric "m" now has 2 values of periods still to come, the first at 2026-12-31: they count from then on; is the year right?`},
	} {
		spec := &strategyv1.MetricSpec{Cadence: c.cadence, FiscalYearStart: 10}
		if got := strategy.StillToCome("m", spec, calendar.Months(10), c.values, today); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
