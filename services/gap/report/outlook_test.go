package report

import (
	"strings"
	"testing"

	"setpoint.dev/services/gap"
)

// What a target by periods is to reach is that of the period which is forecast, not
// of the one by which it is judged.
func TestForecastsAreComparedWithTheirOwnPeriod(t *testing.T) {
	p, r := fixture()
	for i := range r.Targets {
		t := &r.Targets[i]
		if t.Name != "vacant" {
			continue
		}
		t.Periods = yearly(-1, 2017, cell{num(.03), num(.033), gap.PeriodNear, ""}, cell{num(.025), nil, gap.PeriodFuture, ""})
		t.Outlook = &gap.Outlook{Period: "FY2018", Value: num(.031), Attainment: num(.1)}
	}
	d := Build(p, r, Options{})
	if len(d.Misses) != 1 || !strings.HasSuffix(d.Misses[0].Expect, "to be ≤ 2.5 %.") {
		t.Errorf("%+v", d.Misses)
	}
}
