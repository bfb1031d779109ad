package portfolio

import (
	"fmt"
	"slices"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// Status is the computed status of one target at the end of a day under the
// default policy, with what was on record at a revision: the same as in an
// evaluation of the whole portfolio, for the price of the target's own metrics.
func Status(v record.View, org, target string, at uint64, day calendar.Date) (gap.Status, error) {
	l := loader{v: v, org: org, at: at, fiscal: 1, currency: "USD", zone: record.Location(v, org, at)}
	p := gap.Portfolio{Revision: at}
	for _, step := range []func(*gap.Portfolio) error{
		l.organization, l.strategies, l.objectives, l.declaredMetrics, l.targets,
	} {
		if err := step(&p); err != nil {
			return gap.NoData, fmt.Errorf("load target %s of %s at revision %d: %w", target, org, at, err)
		}
	}
	p.Targets = slices.DeleteFunc(p.Targets, func(t gap.Target) bool { return t.Name != target })
	if len(p.Targets) == 0 {
		return gap.NoData, nil
	}
	if err := l.observe(&p, p.Targets[0].Metric); err != nil {
		return gap.NoData, fmt.Errorf("load target %s of %s at revision %d: %w", target, org, at, err)
	}
	rules, err := Rules(v, org, "", at, day)
	if err != nil {
		return gap.NoData, err
	}
	return gap.Evaluate(p, day, rules.Policy, gap.Options{}).Targets[0].Status, nil
}

// observe adds the values of a metric, and of those it divides.
func (l *loader) observe(p *gap.Portfolio, metric string) error {
	needed := map[string]bool{metric: true}
	for _, m := range p.Metrics {
		if m.Name == metric && m.Ratio != nil {
			needed[m.Ratio.Numerator], needed[m.Ratio.Denominator] = true, true
		}
	}
	for i := range p.Metrics {
		m := &p.Metrics[i]
		if !needed[m.Name] {
			continue
		}
		list, err := l.v.Observations(l.org, l.metricIDs[m.Name], l.at, record.ObservationKey{}, 0)
		if err != nil {
			return err
		}
		for _, o := range list {
			if err := l.add(m, o); err != nil {
				return err
			}
		}
	}
	return nil
}
