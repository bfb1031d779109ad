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
// supposed are values that are not on record. Where one of them is not what the day
// is judged by (its period is still running, or what is known is out of date), and
// the status is not red, it is that of the supposed value if that is red by itself.
func Status(v record.View, org, target string, at uint64, day calendar.Date, supposed ...record.Observation) (gap.Status, error) {
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
	for _, o := range supposed {
		for i := range p.Metrics {
			if m := &p.Metrics[i]; l.metricIDs[m.Name] == o.MetricID {
				if err := l.add(m, o); err != nil {
					return gap.NoData, err
				}
			}
		}
	}
	rules, err := Rules(v, org, "", at, day)
	if err != nil {
		return gap.NoData, err
	}
	r := gap.Evaluate(p, day, rules.Policy, gap.Options{}).Targets[0]
	for _, o := range supposed {
		if red(r.Status) {
			break
		}
		at, err := l.observedAt(o.At)
		if err != nil {
			return gap.NoData, err
		}
		if s := byItself(p, r, o.MetricID, at, rules.Policy); red(s) {
			return s, nil
		}
	}
	return r.Status, nil
}

func red(s gap.Status) bool { return s == gap.OffTrack || s == gap.Missed }

// byItself is the status of a target by the value of one day, as if that day were a
// period; no data where the value has been judged with its own period, or is but a
// part of what a period comes to.
func byItself(p gap.Portfolio, r gap.TargetResult, metricID string, at calendar.Date, policy gap.Policy) gap.Status {
	i := slices.IndexFunc(p.Metrics, func(m gap.Metric) bool { return m.ID == metricID && m.Name == r.Metric })
	if i < 0 || r.Form == gap.PeriodsForm || r.Form == gap.MilestoneForm {
		return gap.NoData
	}
	m := p.Metrics[i]
	judged := r.Status != gap.NoData && !r.ActualAt.Before(at)
	newest := !slices.ContainsFunc(m.Observations, func(o gap.Observation) bool { return o.At.After(at) })
	whole := m.Aggregation != gap.Sum || m.Calendar.Span(at, m.Cadence).End == at
	if judged || !newest || m.Accumulate || !whole || m.Aggregation == gap.Sum && m.ReportedEvery != "" && m.ReportedEvery != m.Cadence {
		return gap.NoData
	}
	m.Cadence, m.ReportedEvery, m.Aggregation = calendar.Daily, "", gap.Last
	p.Metrics = slices.Clone(p.Metrics)
	p.Metrics[i] = m
	return gap.Evaluate(p, at, policy, gap.Options{}).Targets[0].Status
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
