package gap

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
)

// Scores by hand, and nothing of a group that is too small.
func TestCalibrate(t *testing.T) {
	var list []Scored
	yes, no := true, false
	for i := range 20 {
		p, c := 0.8, 0.5
		s := Scored{Trial: Trial{Target: fmt.Sprintf("t%02d", i), Unit: "a", Lead: 50, Reached: i < 15}, Method: "theta", Probability: &p, Within80: &yes, Within95: &yes, Confidence: &c}
		if i >= 16 {
			s.Within80 = &no
		}
		s.SaidLater = i < 2
		if i == 19 {
			s.Unit, s.Confidence, s.Hindsight = "b", nil, true
		}
		list = append(list, s)
	}
	list = append(list, Scored{Trial: Trial{Target: "none"}}) // neither forecast nor said
	slices.Reverse(list)
	c := Calibrate(list)
	f := c.Forecasts
	// 15 × 0.2² + 5 × 0.8² = 3.8
	if f.N != 20 || math.Abs(*f.Brier-0.19) > 1e-12 || *f.BaseRate != 0.75 || math.Abs(*f.BaseBrier-0.1875) > 1e-12 || math.Abs(*f.Said-0.8) > 1e-12 || *f.Within80 != 0.8 || *f.Within95 != 1 || f.Hindsight != 1 {
		t.Errorf("forecasts %+v", f)
	}
	if c.Confidence.N != 19 || c.Confidence.Hindsight != 2 || c.Said[0].Hindsight != 2 || c.Confidence.Brier != nil || len(c.Said) != 1 {
		t.Errorf("confidence %+v", c.Confidence)
	}
	if len(c.Units) != 2 || c.Units[0].Name != "a" || c.Units[0].N != 19 || c.Units[0].Brier != nil || len(c.Methods) != 1 || *c.Methods[0].Brier != *f.Brier {
		t.Errorf("units %+v, methods %+v", c.Units, c.Methods)
	}
}

// A Brier score is between 0 and 1, does not depend on the order, and of an
// unchanging probability is the base rate's score and how far it is from the base
// rate, squared.
func TestBrierDecomposes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		var list []Scored
		for i := range rapid.IntRange(FewestScored, 60).Draw(t, "n") {
			list = append(list, Scored{Trial: Trial{Target: fmt.Sprint(i), Reached: rapid.Bool().Draw(t, "reached")}, Probability: &p})
		}
		f := Calibrate(list).Forecasts
		if want := *f.BaseBrier + (p-*f.BaseRate)*(p-*f.BaseRate); math.Abs(*f.Brier-want) > 1e-9 || *f.Brier < 0 || *f.Brier > 1 {
			t.Fatalf("Brier %v, expected %v", *f.Brier, want)
		}
	})
}

// Only targets with a final verdict are scored, once at each lead.
func TestTrials(t *testing.T) {
	zero, goal, far := 0.0, 20.0, 500.0
	path := func(name string, g *float64, due int) Target {
		return Target{Name: name, Metric: "m", Versions: []Setpoint{{
			Direction: Increase, Baseline: &Baseline{Date: calendar.Of(2009, 12, 31), Value: &zero}, Value: g, Due: calendar.Of(due, 12, 31)}}}
	}
	p := Portfolio{
		Metrics: []Metric{yearlyMetric("m", 4, 9, 14, 21, 30, 33)},
		Targets: []Target{path("early", &goal, 2012), path("achieved", &goal, 2014), path("open", &far, 2030), path("passed", &goal, 2030)},
	}
	policy, _ := PolicyNamed("default")
	r := Evaluate(p, calendar.Of(2016, 1, 15), policy, Options{})
	var got []string
	trials := Trials(p, r)
	for _, x := range trials {
		got = append(got, fmt.Sprintf("%s %d %s %v", x.Target, x.Lead, x.Day, x.Reached))
	}
	want := []string{"achieved 75 2011-04-01 true", "achieved 50 2012-07-01 true", "achieved 25 2013-09-30 true", "early 75 2010-10-01 false", "early 50 2011-07-02 false", "early 25 2012-04-01 false"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
	s := trials[2].Score(p, policy) // three values are known by then
	if s.Probability == nil || s.Within80 == nil || s.Method == "" {
		t.Errorf("%+v", s)
	}
	if s := trials[3].Score(p, policy); s.Probability != nil || s.Within80 != nil {
		t.Errorf("nothing was known, and yet %+v", s)
	}
}

// Of a target that is declared by periods each closed period is scored, against its
// own target and with the horizon up to its end; what was said before a period began
// is not about it.
func TestTrialsOfPeriods(t *testing.T) {
	value := func(v float64) *float64 { return &v }
	p := Portfolio{
		Metrics: []Metric{yearlyMetric("m", 1, 2, 3, 4, 5, 6, 7)}, // 2010 on
		Targets: []Target{{Name: "t", Metric: "m", Versions: []Setpoint{{Direction: Increase, Periods: []PeriodTarget{
			{Period: "2013", Value: value(3)}, {Period: "2014", Value: value(9)}, {Period: "2015", Excluded: "a move"}, {Period: "2016", Value: value(6)}, {Period: "2018", Value: value(50)},
		}}}}},
	}
	policy, _ := PolicyNamed("default")
	r := Evaluate(p, calendar.Of(2017, 1, 20), policy, Options{Explain: true})
	trials := Trials(p, r)
	var got []string
	for _, x := range trials {
		got = append(got, fmt.Sprintf("%s %d %s %v %v", x.Period, x.Lead, x.Day, x.Reached, x.SaidFrom))
	}
	want := []string{
		"2016 75 2014-01-01 true 2016-01-01", "2016 50 2015-01-01 true 2016-01-01", "2016 25 2016-01-01 true 2016-01-01",
		"2014 75 2013-07-02 false 2014-01-01", "2014 50 2013-12-31 false 2014-01-01", "2014 25 2014-07-02 false 2014-01-01",
		"2013 75 2013-04-02 true 2013-01-01", "2013 50 2013-07-02 true 2013-01-01", "2013 25 2013-10-01 true 2013-01-01",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
	// By then 2010 to 2013 were known, 1 to 4: 6 in 2016 is about what comes next, and
	// 50 in 2018, which is not asked about, is out of reach.
	s := trials[0].Score(p, policy)
	if s.Probability == nil || *s.Probability < 0.3 || s.Within95 == nil || !*s.Within95 {
		t.Errorf("%+v, probability %v", s, *s.Probability)
	}
	if s := trials[4].Score(p, policy); s.Probability == nil || *s.Probability > 0.1 {
		t.Errorf("9 in 2014 was out of reach: %+v", s)
	}
}
