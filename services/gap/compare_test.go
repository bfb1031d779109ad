package gap

import (
	"testing"

	"setpoint.dev/services/internal/calendar"
)

// What is left out of a portfolio is gone from the copy only, and what that
// changes is told, nothing else.
func TestWithoutAndCompare(t *testing.T) {
	due := calendar.Of(2022, 12, 31)
	p := Portfolio{
		Strategies: []Strategy{{Name: "s"}},
		Objectives: []Objective{{Name: "o", Strategy: "s"}},
		Metrics:    []Metric{yearlyMetric("good", 10, 20, 30), yearlyMetric("bad", 10, 5, 0)},
		Initiatives: []Initiative{{Name: "i", Stage: "active", Contributions: []Contribution{
			{Target: "bad", Likely: 50, RampStart: calendar.Of(2012, 12, 31), RampEnd: due},
		}}},
	}
	for _, name := range []string{"good", "bad"} {
		zero, goal := 0.0, 60.0
		p.Targets = append(p.Targets, Target{Name: name, Objective: "o", Metric: name, Versions: []Setpoint{{
			Baseline: &Baseline{Date: calendar.Of(2009, 12, 31), Value: &zero}, Value: &goal, Due: due,
		}}})
	}
	policy, _ := PolicyNamed("default")
	evaluate := func(p Portfolio) (Result, []Coverage) {
		r := Evaluate(p, calendar.MustParse("2012-12-31"), policy, Options{})
		return r, Cover(r, p.Initiatives)
	}
	before, covered := evaluate(p)
	if c := Compare(before, before, covered, covered); len(c.Targets)+len(c.Objectives)+len(c.Strategies)+len(c.Units) != 0 {
		t.Errorf("compared with itself: %+v", c)
	}

	less, found := Without(p, "Target", "bad")
	after, cover := evaluate(less)
	c := Compare(before, after, covered, cover)
	if !found || len(p.Targets) != 2 || len(c.Targets) != 1 || c.Targets[0].Target != "bad" || c.Targets[0].StatusBefore != OffTrack || c.Targets[0].StatusAfter != "" {
		t.Errorf("without the target: %+v", c)
	}
	if len(c.Objectives) != 1 || c.Objectives[0].StatusBefore != AtRisk || c.Objectives[0].StatusAfter != OnTrack {
		t.Errorf("the objective: %+v", c.Objectives)
	}

	less, found = Without(p, "initiative", "i")
	after, cover = evaluate(less)
	c = Compare(before, after, covered, cover)
	if !found || len(p.Initiatives) != 1 || len(c.Objectives) != 0 || len(c.Targets) != 1 || c.Targets[0].Target != "bad" ||
		c.Targets[0].ResidualBefore == nil || c.Targets[0].ResidualAfter != nil && *c.Targets[0].ResidualAfter <= *c.Targets[0].ResidualBefore {
		t.Errorf("without the initiative: %+v", c)
	}
	for _, x := range [][2]string{{"target", "none"}, {"metric", "good"}} {
		if _, found := Without(p, x[0], x[1]); found {
			t.Errorf("found %v", x)
		}
	}
}

func yearlyMetric(name string, values ...float64) Metric {
	m := Metric{Name: name, Cadence: calendar.Yearly, ReportingLagDays: -1, Calendar: calendar.Months(1)}
	for i, v := range values {
		m.Observations = append(m.Observations, Observation{At: calendar.Of(2010+i, 12, 31), Value: v})
	}
	return m
}
