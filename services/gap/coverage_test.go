package gap

import (
	"math"
	"testing"

	"setpoint.dev/services/internal/calendar"
)

func covering(t *testing.T, i Initiative) Coverage {
	t.Helper()
	size := 44.0
	r := Result{AsOf: calendar.MustParse("2018-12-31"), Targets: []TargetResult{{
		Name: "fedramp", Gap: &size, ActualAt: calendar.MustParse("2018-09-30"), Due: calendar.MustParse("2020-09-30"),
	}}}
	return Cover(r, []Initiative{i})[0]
}

func close4(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 0.00005 {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Gap 44, amount 20, ramp .25 → 1 at due, P .8, d .5, adoption .6.
func TestCoverageByHand(t *testing.T) {
	p, readiness := 0.8, (0.6-0.15)/0.78
	i := Initiative{Name: "automation", Stage: "active",
		Contributions: []Contribution{{
			Target: "fedramp", Likely: 20, Delivery: &p, PeopleDependent: 0.5,
			RampStart: calendar.MustParse("2018-01-31"), RampEnd: calendar.MustParse("2020-09-24"),
		}},
		Programs: []Program{{Audiences: []ProgramAudience{{Name: "a", Weight: 10, Readiness: &readiness}}}},
	}
	// A quarter of the ramp has passed on the day of the data.
	if got := i.Contributions[0].ramp(calendar.MustParse("2018-09-30")); math.Abs(got-0.25) > 0.0005 {
		t.Fatalf("ramp %v", got)
	}
	i.Contributions[0].RampEnd = i.Contributions[0].RampStart.AddDays(4 * calendar.MustParse("2018-09-30").Sub(i.Contributions[0].RampStart))
	c := covering(t, i)
	close4(t, "contribution", c.Ready, 9.6)
	close4(t, "coverage", c.ReadyShare, .2182)
	close4(t, "residual", c.Residual, 34.4)

	i.Programs[0].Audiences = append(i.Programs[0].Audiences, ProgramAudience{Name: "b", Weight: 1})
	if c := covering(t, i); c.Ready != nil || c.ReadyShare != nil || len(c.Unmeasured) != 1 || c.Share == nil {
		t.Errorf("an unmeasured audience: %+v", c)
	}
	i.Contributions[0].PeopleDependent = 0
	if c := covering(t, i); c.Ready == nil {
		t.Errorf("nothing depends on people: %+v", c)
	}
	i.Stage = "proposed"
	if c := covering(t, i); len(c.Covered) != 0 || *c.Residual != 44 {
		t.Errorf("only proposed: %+v", c)
	}
}

// The mean of 1e6 draws of two half-normals with these percentiles.
func TestExpectedAmount(t *testing.T) {
	low, high := 5.0, 40.0
	c := Contribution{Likely: 20, Low: &low, High: &high}
	want := 20 + (20-15)/1.2815515655446004*math.Sqrt(2/math.Pi)/2
	if got := c.amount(); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
}
