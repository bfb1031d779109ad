package strategy_test

import (
	"testing"

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
