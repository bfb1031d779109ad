package report

import (
	"fmt"
	"testing"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// large is a plan of 200 objectives with ten targets each, and six years of
// quarters.
func large() Document { return sized(200, 2000) }

// sized is such a plan with so many objectives and targets.
func sized(objectives, targets int) Document {
	p := gap.Portfolio{Revision: 9, Strategies: []gap.Strategy{{Name: "big", Title: "A large plan"}}}
	for u := range 20 {
		p.Units = append(p.Units, gap.Unit{Name: fmt.Sprintf("unit-%d", u), Title: fmt.Sprintf("Unit %d", u)})
	}
	baseline := .2
	for i := range objectives {
		p.Objectives = append(p.Objectives, gap.Objective{Name: fmt.Sprintf("obj-%d", i), Title: fmt.Sprintf("Objective number %d of the plan", i), Strategy: "big"})
	}
	for i := range targets {
		m := gap.Metric{Name: fmt.Sprintf("m-%d", i), Title: fmt.Sprintf("Measure %d", i), Format: gap.Format{Style: "percent"}, Cadence: calendar.Quarterly, Calendar: calendar.Months(1)}
		for q := range 23 {
			m.Observations = append(m.Observations, gap.Observation{
				At: calendar.Of(2020, 3, 31).AddDays(q * 365 / 4), Value: .2 + float64(q)*.02 + float64((i*7+q*13)%11)*.01, Revision: uint64(q)})
		}
		p.Metrics = append(p.Metrics, m)
		value := .8
		p.Targets = append(p.Targets, gap.Target{Name: fmt.Sprintf("t-%d", i), Title: fmt.Sprintf("Measure %d reaches its target", i), Objective: fmt.Sprintf("obj-%d", i%objectives),
			Metric: m.Name, Owner: fmt.Sprintf("unit/unit-%d", i%20),
			Versions: []gap.Setpoint{{Direction: gap.Increase, Value: &value, Due: calendar.Of(2026, 12, 31), Baseline: &gap.Baseline{Value: &baseline, Date: calendar.Of(2019, 12, 31)}, Revision: 1}}})
	}
	r := gap.Evaluate(p, calendar.Of(2025, 11, 1), gap.Policy{}, gap.Options{Explain: true, Forecast: true, Apart: true})
	return Build(p, r, Options{})
}

func BenchmarkReport(b *testing.B) {
	d := large()
	failing := func(f func(Document) ([]byte, error)) func(Document) []byte {
		return func(d Document) []byte {
			content, err := f(d)
			if err != nil {
				b.Fatal(err)
			}
			return content
		}
	}
	for _, f := range []struct {
		name   string
		render func(Document) []byte
	}{{"md", Markdown}, {"html", HTML}, {"json", JSON}, {"csv", CSV}, {"pdf", failing(func(d Document) ([]byte, error) { content, _, err := PDF(d); return content, err })}, {"xlsx", failing(XLSX)}} {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				b.SetBytes(int64(len(f.render(d))))
			}
		})
	}
}
