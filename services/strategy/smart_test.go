package strategy_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/kinds"
)

// declared is a set of specs by kind/name.
type declared map[string]proto.Message

func (d declared) Spec(kind, name string) (proto.Message, bool) {
	m, ok := d[kind+"/"+name]
	return m, ok
}

func (d declared) Names(kind string) []string {
	var out []string
	for ref := range d {
		if name, mine := strings.CutPrefix(ref, kind+"/"); mine {
			out = append(out, name)
		}
	}
	return out
}

// measured also knows the values of metric m.
type measured struct {
	declared
	points []resource.Point
}

func (m measured) Observed(metric string) []resource.Point {
	if metric != "m" {
		return nil
	}
	return m.points
}

// yearlyValues are from a year's end on.
func yearlyValues(year int, values ...float64) []resource.Point {
	var out []resource.Point
	for i, v := range values {
		out = append(out, resource.Point{At: calendar.Of(year+i, 12, 31), Value: v})
	}
	return out
}

func read[M proto.Message](t testing.TB, m M, text string) M {
	t.Helper()
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// advice is what is said about target t in a set: "reason field: message".
func advice(t testing.TB, set resource.Set) []string {
	t.Helper()
	k, _ := kinds.Registry().Kind("Target")
	spec, _ := set.Spec("Target", "t")
	var out []string
	for _, f := range k.Check("t", spec, set) {
		if !f.Warning {
			t.Fatalf("a fault, not advice: %+v", f)
		}
		out = append(out, fmt.Sprintf("%s %s: %s", f.Reason, f.Field, f.Message))
	}
	return out
}

func TestAdvice(t *testing.T) {
	const whole = `"objective": "o", "metric": "m", "owner": "person/p"`
	const path = whole + `, "baseline": {"date": "2025-12-31", "value": 10}, "value": 20, "due": "2027-12-31"`
	for _, c := range []struct {
		name   string
		target string
		metric string // further fields
		seen   []resource.Point
		want   []string // beginnings, in order
	}{
		{name: "a good path", target: path, seen: yearlyValues(2022, 0, 4, 7, 10)},
		{name: "a good path on a metric without values", target: path},
		{name: "nobody owns it", target: `"objective": "p", "metric": "m", "baseline": {"date": "2025-12-31", "value": 10}, "value": 20, "due": "2027-12-31"`,
			want: []string{"strategy.smart_no_owner spec.owner: nobody owns the target, its objective or its strategy"}},
		{name: "its objective is owned", target: `"objective": "o", "metric": "m", "baseline": {"date": "2025-12-31", "value": 10}, "value": 20, "due": "2027-12-31"`},
		{name: "its strategy is owned", target: `"objective": "q", "metric": "m", "baseline": {"date": "2025-12-31", "value": 10}, "value": 20, "due": "2027-12-31"`},
		{name: "no objective, no owner, no baseline", target: `"metric": "m", "value": 20, "direction": "increase", "due": "2027-12-31"`,
			want: []string{"strategy.target_without_objective", "strategy.target_without_baseline", "strategy.smart_no_owner"}},

		{name: "due after the horizon", target: whole + `, "baseline": {"date": "2025-12-31", "value": 10}, "value": 20, "due": "2031-01-01"`,
			want: []string{`strategy.smart_outside_horizon spec.due: 2031-01-01 lies after the end of strategy "s", 2030-12-31`}},
		{name: "due on its last day", target: whole + `, "baseline": {"date": "2025-12-31", "value": 10}, "value": 20, "due": "2030-12-31"`},
		{name: "due before the horizon", target: whole + `, "baseline": {"date": "2020-12-31", "value": 10}, "value": 20, "due": "2025-06-30"`,
			want: []string{`strategy.smart_outside_horizon spec.due: 2025-06-30 lies before the start of strategy "s", 2026-01-01`}},
		{name: "the last period begins after the horizon", target: whole + `, "direction": "increase", "periods": [{"period": "2032", "value": 1}, {"period": "2030", "value": 1}]`,
			want: []string{`strategy.smart_outside_horizon spec.periods[0].period: 2032-12-31 lies after`}},
		{name: "periods of the past and the horizon", target: whole + `, "direction": "increase", "periods": [{"period": "2020", "value": 1}, {"period": "2026", "value": 1}]`},
		{name: "a milestone after the horizon", target: whole + `, "milestone": {}, "due": "2031-06-30"`,
			want: []string{"strategy.smart_outside_horizon spec.due"}},
		{name: "a band for ever", target: whole + `, "maintain": {"lower": 1}`, want: []string{"strategy.smart_no_end spec.maintain.to"}},
		{name: "a band to a day", target: whole + `, "maintain": {"lower": 1, "to": "2030-12-31"}`},
		{name: "a band beyond the horizon", target: whole + `, "maintain": {"lower": 1, "to": "2031-12-31"}`,
			want: []string{"strategy.smart_outside_horizon spec.maintain.to"}},

		{name: "no value at the baseline", target: whole + `, "baseline": {"date": "2025-06-30"}, "value": 20, "direction": "increase", "due": "2027-12-31"`,
			seen: yearlyValues(2023, 8),
			want: []string{`strategy.smart_baseline_unknown spec.baseline.value: metric "m" has values, but none for 2025-06-30`}},
		{name: "a value in the baseline's period", target: whole + `, "baseline": {"date": "2025-06-30"}, "value": 20, "due": "2027-12-31"`,
			seen: yearlyValues(2025, 8)},
		{name: "a baseline before the method changed", target: whole + `, "baseline": {"date": "2023-12-31"}, "value": 20, "direction": "increase", "due": "2027-12-31"`,
			metric: `, "breaks": [{"date": "2025-01-01"}]`, seen: yearlyValues(2025, 8)},

		// From 10 on 2025-12-31 to 20 in 730 days: +5 a year.
		{name: "exactly twice as fast as ever", target: path, seen: []resource.Point{
			{At: calendar.Of(2021, 12, 31), Value: 0}, {At: calendar.Of(2023, 12, 31), Value: 5}, {At: calendar.Of(2025, 12, 31), Value: 10}}},
		{name: "faster than twice as ever", target: path, seen: yearlyValues(2022, 4, 6, 8, 10),
			want: []string{`strategy.smart_unrealistic spec.value: 20 by 2027-12-31 needs +5 a year from 10 on 2025-12-31; the fastest ever was +2 a year, `}},
		{name: "down faster than twice as ever", target: whole + `, "baseline": {"date": "2025-12-31", "value": 10}, "value": 0, "due": "2027-12-31"`,
			seen: yearlyValues(2022, 16, 14, 12, 10),
			want: []string{`strategy.smart_unrealistic spec.value: 0 by 2027-12-31 needs -5 a year from 10 on 2025-12-31; the fastest ever was -2 a year, `}},
		{name: "the other way", target: path, seen: yearlyValues(2022, 13, 12, 11, 10),
			want: []string{`strategy.smart_wrong_way spec.value: 20 by 2027-12-31 needs +5 a year from 10 on 2025-12-31; metric "m" never moved that way in 4 values since 2022-12-31`}},
		{name: "it never moved", target: path, seen: yearlyValues(2023, 10, 10, 10), want: []string{"strategy.smart_wrong_way"}},
		{name: "too few values to tell", target: path, seen: yearlyValues(2024, 9.9, 10)},
		{name: "too few since the method changed", target: path, metric: `, "breaks": [{"date": "2024-06-30"}]`, seen: yearlyValues(2022, 9, 9, 9, 10)},
		{name: "its time is over", target: path, seen: yearlyValues(2024, 9, 9.5, 9.6, 9.7)},
		{name: "a change from the baseline", target: whole + `, "baseline": {"date": "2025-12-31"}, "changeFromBaseline": "-50%", "due": "2027-12-31"`,
			seen: yearlyValues(2022, 10.3, 10.2, 10.1, 10),
			want: []string{`strategy.smart_unrealistic spec.changeFromBaseline: 5 by 2027-12-31 needs -2.5 a year`}},
		{name: "periods, one of them too steep", target: whole + `, "direction": "increase", "periods": [{"period": "2026", "value": 10.5}, {"period": "2027", "value": 30}, {"period": "2028", "value": 31}]`,
			seen: yearlyValues(2022, 4, 6, 8, 10),
			want: []string{`strategy.smart_unrealistic spec.periods[1].value: 30 by 2027-12-31 needs +10 a year`}},
		{name: "periods that hold what is", target: whole + `, "direction": "increase", "periods": [{"period": "2026", "value": 10}, {"period": "2027", "value": 10}]`,
			seen: yearlyValues(2022, 13, 12, 11, 10)},
		{name: "a sum of several values a period", target: path, metric: `, "aggregation": "sum", "reportedEvery": "quarterly"`,
			seen: append([]resource.Point{{At: calendar.Of(2022, 6, 30), Value: 4}}, yearlyValues(2022, 4, 6, 8, 10)...)},
		{name: "a running total", target: path, metric: `, "aggregation": "sum", "accumulate": "sinceStart"`, seen: yearlyValues(2022, 4, 6, 8, 10)},
		{name: "the last of several values a period", target: path, seen: []resource.Point{
			{At: calendar.Of(2023, 12, 31), Value: 7}, {At: calendar.Of(2024, 6, 30), Value: 100}, {At: calendar.Of(2024, 12, 31), Value: 8}, {At: calendar.Of(2025, 12, 31), Value: 9}},
			want: []string{"strategy.smart_unrealistic"}},

		{name: "reached before it begins", target: whole + `, "direction": "increase", "baseline": {"date": "2025-12-31"}, "value": 9, "due": "2027-12-31"`,
			seen: yearlyValues(2025, 10),
			want: []string{"strategy.smart_already_reached spec.value: 10 on 2025-12-31 is at or past 9 already"}},
		{name: "reached since it began", target: whole + `, "baseline": {"date": "2024-12-31"}, "value": 9, "due": "2027-12-31"`,
			seen: yearlyValues(2024, 8, 10)},
		{name: "reached, and without a baseline", target: whole + `, "direction": "decrease", "value": 11, "due": "2027-12-31"`,
			seen: yearlyValues(2025, 10),
			want: []string{"strategy.target_without_baseline", "strategy.smart_already_reached spec.value: 10 on 2025-12-31 is at or past 11 already"}},
		{name: "said once only", target: whole + `, "direction": "increase", "baseline": {"date": "2025-12-31", "value": 10}, "value": 9, "due": "2027-12-31"`,
			seen: yearlyValues(2025, 10), want: []string{"strategy.target_already_reached"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := declared{
				"Strategy/s":  read(t, &strategyv1.StrategySpec{}, `{"horizon": {"start": "2026-01-01", "end": "2030-12-31"}}`),
				"Objective/o": read(t, &strategyv1.ObjectiveSpec{}, `{"strategy": "s", "owner": "unit/u"}`),
				"Objective/p": read(t, &strategyv1.ObjectiveSpec{}, `{"strategy": "s"}`),
				"Strategy/r":  read(t, &strategyv1.StrategySpec{}, `{"owner": "unit/u", "horizon": {"start": "2026-01-01", "end": "2030-12-31"}}`),
				"Objective/q": read(t, &strategyv1.ObjectiveSpec{}, `{"strategy": "r"}`),
				"Metric/m":    read(t, &strategyv1.MetricSpec{}, `{"unit": "points", "cadence": "yearly"`+c.metric+`}`),
				"Target/t":    read(t, &strategyv1.TargetSpec{}, `{`+c.target+`}`),
			}
			got := advice(t, measured{set, c.seen})
			whole := len(got) == len(c.want)
			for i := range c.want {
				whole = whole && strings.HasPrefix(got[i], c.want[i])
			}
			if !whole {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			// Without values at hand, nothing rests on them, and nothing breaks.
			for _, a := range advice(t, set) {
				if strings.Contains(a, "unrealistic") || strings.Contains(a, "wrong_way") || strings.Contains(a, "smart_already") || strings.Contains(a, "unknown") {
					t.Errorf("without values: %s", a)
				}
			}
		})
	}
}

// letters of the advice: at most one of each is said about a target.
var letters = map[string]string{
	"target_without_baseline": "measurable", "smart_baseline_unknown": "measurable",
	"smart_no_owner":         "assignable",
	"target_already_reached": "realistic", "smart_already_reached": "realistic", "smart_unrealistic": "realistic", "smart_wrong_way": "realistic",
	"smart_no_end": "time-bound", "smart_outside_horizon": "time-bound",
	"target_without_objective": "relevant",
}

func TestAtMostOnePieceOfAdviceALetter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := func(name string) float64 { return float64(rapid.IntRange(-50, 50).Draw(rt, name)) }
		day := func(name string) string {
			return calendar.Of(2020, 1, 1).AddDays(rapid.IntRange(0, 5000).Draw(rt, name)).String()
		}
		spec := &strategyv1.TargetSpec{Metric: "m", Objective: rapid.SampledFrom([]string{"", "o", "p"}).Draw(rt, "objective"),
			Direction: rapid.SampledFrom([]string{"increase", "decrease"}).Draw(rt, "direction")}
		switch rapid.IntRange(0, 2).Draw(rt, "form") {
		case 0:
			v := f("value")
			spec.Value, spec.Due = &v, day("due")
			if rapid.Bool().Draw(rt, "has baseline") {
				spec.Baseline = &strategyv1.Baseline{Date: "2019-12-31"}
				if rapid.Bool().Draw(rt, "declared") {
					b := f("baseline")
					spec.Baseline.Value = &b
				}
			}
		case 1:
			for year := range rapid.IntRange(1, 5).Draw(rt, "periods") {
				v := f("value")
				spec.Periods = append(spec.Periods, &strategyv1.PeriodTarget{Period: fmt.Sprint(2024 + year), Value: &v})
			}
		default:
			v := f("lower")
			spec.Direction, spec.Maintain = "", &strategyv1.Maintain{Lower: &v}
			if rapid.Bool().Draw(rt, "ends") {
				spec.Maintain.To = day("to")
			}
		}
		var values []float64
		for range rapid.IntRange(0, 6).Draw(rt, "values") {
			values = append(values, f("observed"))
		}
		set := measured{declared{
			"Strategy/s":  &strategyv1.StrategySpec{Horizon: &strategyv1.Horizon{Start: "2024-01-01", End: "2026-12-31"}},
			"Objective/o": &strategyv1.ObjectiveSpec{Strategy: "s", Owner: "unit/u"},
			"Objective/p": &strategyv1.ObjectiveSpec{Strategy: "s"},
			"Metric/m":    &strategyv1.MetricSpec{Unit: "points", Cadence: "yearly"},
			"Target/t":    spec,
		}, yearlyValues(2018, values...)}
		said := map[string]string{}
		for _, a := range advice(t, set) {
			reason, _, _ := strings.Cut(strings.TrimPrefix(a, "strategy."), " ")
			letter := letters[reason]
			if letter == "" {
				rt.Fatalf("%s belongs to no letter", a)
			}
			if said[letter] != "" {
				rt.Fatalf("both are %s:\n%s\n%s", letter, said[letter], a)
			}
			said[letter] = a
		}
	})
}
