// Package portfolio reads from the record what an evaluation looks at. It is
// the one place that knows both the specs as they are declared and the types
// that the comparison works on.
package portfolio

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// Load reads an organization's portfolio as it was known at a revision. What is
// done stands as it did at the end of the day asOf, by the days that acts count
// from; values and targets have their days with them, and the evaluation chooses.
func Load(v record.View, org string, at uint64, asOf calendar.Date) (gap.Portfolio, error) {
	return load(v, org, at, asOf, nil)
}

// LoadThen is Load of a picture in which something else is declared (record.AsIf),
// with what was observed as another portfolio of the same revision has it, so that
// it need not be read again.
func LoadThen(v record.View, org string, at uint64, asOf calendar.Date, before gap.Portfolio) (gap.Portfolio, error) {
	ids, _, err := IDs(v, org, "Metric", at)
	if err != nil {
		return gap.Portfolio{}, err
	}
	observed := make(map[string][]gap.Observation, len(before.Metrics))
	for _, m := range before.Metrics {
		observed[m.ID] = m.Observations
	}
	for _, id := range ids {
		if _, have := observed[id]; have {
			continue
		}
		// Declared anew under a name that was deleted: its values are there again.
		var m gap.Metric
		if err := Observe(v, org, id, at, &m); err != nil {
			return gap.Portfolio{}, err
		}
		observed[id] = m.Observations
	}
	return load(v, org, at, asOf, observed)
}

// load reads observations from the record unless it is given them, by metric id.
func load(v record.View, org string, at uint64, asOf calendar.Date, observed map[string][]gap.Observation) (gap.Portfolio, error) {
	l := loader{v: v, org: org, at: at, asOf: asOf, fiscal: 1, currency: "USD", zone: record.Location(v, org, at), observed: observed}
	p := gap.Portfolio{Revision: at}
	for _, step := range []func(*gap.Portfolio) error{
		l.organization, l.units, l.strategies, l.objectives, l.metrics, l.targets, l.initiatives, l.actions, l.decisions,
	} {
		if err := step(&p); err != nil {
			return gap.Portfolio{}, fmt.Errorf("load the portfolio of %s at revision %d: %w", org, at, err)
		}
	}
	return p, nil
}

type loader struct {
	v        record.View
	org      string
	at       uint64
	asOf     calendar.Date
	fiscal   int
	currency string
	zone     *time.Location
	// metricIDs are those of the declared metrics, by name.
	metricIDs map[string]string
	// observed are the values of metrics, by id, where they are known already.
	observed map[string][]gap.Observation
}

func (l *loader) each(kind string, f func(*record.Resource)) error {
	list, err := l.v.Resources(l.org, kind, l.at, "", 0)
	for _, r := range list {
		f(r)
	}
	return err
}

func (l *loader) organization(*gap.Portfolio) error {
	return l.each("Organization", func(r *record.Resource) {
		s := r.Spec.(*strategyv1.OrganizationSpec)
		if m := s.GetFiscalYearStart(); m != 0 {
			l.fiscal = int(m)
		}
		if c := s.GetCurrency(); c != "" {
			l.currency = c
		}
	})
}

func (l *loader) units(p *gap.Portfolio) error {
	return l.each("Unit", func(r *record.Resource) {
		s := r.Spec.(*strategyv1.UnitSpec)
		p.Units = append(p.Units, gap.Unit{Name: r.Name, Title: s.GetTitle(), Parent: s.GetParent(), Revision: r.From})
	})
}

func (l *loader) strategies(p *gap.Portfolio) error {
	return l.each("Strategy", func(r *record.Resource) {
		s := r.Spec.(*strategyv1.StrategySpec)
		p.Strategies = append(p.Strategies, gap.Strategy{
			Name: r.Name, Title: s.GetTitle(), Description: s.GetDescription(), Vision: s.GetVision(),
			Start: date(s.GetHorizon().GetStart()), End: date(s.GetHorizon().GetEnd()),
			Pillars: s.GetPillars(), Owner: s.GetOwner(), Revision: r.From,
		})
	})
}

func (l *loader) objectives(p *gap.Portfolio) error {
	return l.each("Objective", func(r *record.Resource) {
		s := r.Spec.(*strategyv1.ObjectiveSpec)
		o := gap.Objective{
			Name: r.Name, Title: s.GetTitle(), Description: s.GetDescription(), Strategy: s.GetStrategy(),
			Pillar: s.GetPillar(), Perspective: s.GetPerspective(), OKRType: s.GetOkrType(),
			Owner: s.GetOwner(), Weight: s.GetWeight(), Revision: r.From,
		}
		for _, c := range s.GetContributesTo() {
			o.ContributesTo = append(o.ContributesTo, gap.Edge{Objective: c.GetObjective(), Weight: c.GetWeight()})
		}
		p.Objectives = append(p.Objectives, o)
	})
}

func (l *loader) declaredMetrics(p *gap.Portfolio) error {
	l.metricIDs = map[string]string{}
	return l.each("Metric", func(r *record.Resource) {
		l.metricIDs[r.Name] = r.ID
		p.Metrics = append(p.Metrics, l.metric(r))
	})
}

func (l *loader) metrics(p *gap.Portfolio) error {
	if err := l.declaredMetrics(p); err != nil {
		return err
	}
	if l.observed != nil {
		for i := range p.Metrics {
			p.Metrics[i].Observations = l.observed[p.Metrics[i].ID]
		}
		return nil
	}
	byID := make(map[string]int, len(p.Metrics))
	for i := range p.Metrics {
		byID[l.metricIDs[p.Metrics[i].Name]] = i
	}
	return l.v.AllObservations(l.org, l.at, func(o record.Observation) error {
		i, ok := byID[o.MetricID]
		if !ok {
			return nil // the metric was deleted
		}
		return l.add(&p.Metrics[i], o)
	})
}

// add gives a metric a value.
func (l *loader) add(m *gap.Metric, o record.Observation) error {
	at, err := l.observedAt(o.At)
	if err != nil {
		return err
	}
	m.Observations = append(m.Observations, gap.Observation{
		At: at, Value: o.Value, Source: o.Source, Note: o.Note, Revision: o.From, Corrections: o.Corrections,
	})
	return nil
}

func (l *loader) metric(r *record.Resource) gap.Metric {
	s := r.Spec.(*strategyv1.MetricSpec)
	m := gap.Metric{
		Name: r.Name, ID: r.ID, Title: s.GetTitle(), Description: s.GetDescription(), Unit: s.GetUnit(),
		Source: s.GetSource(), Note: s.GetNote(),
		Format:  gap.Format{Style: s.GetFormat(), Magnitude: s.GetMagnitude(), Currency: s.GetCurrency()},
		Cadence: calendar.Cadence(s.GetCadence()), ReportedEvery: calendar.Cadence(s.GetReportedEvery()),
		ReportingLagDays: -1, Aggregation: gap.Aggregation(s.GetAggregation()), Accumulate: s.GetAccumulate() == "sinceStart",
		Revision: r.From,
	}
	fiscal := l.fiscal
	if month := s.GetFiscalYearStart(); month != 0 {
		fiscal = int(month)
	}
	m.Calendar, _ = calendar.New(s.GetCalendar(), fiscal, s.GetWeekEnds())
	if r := s.GetRatio(); r != nil {
		m.Ratio = &gap.Ratio{Numerator: r.GetNumerator(), Denominator: r.GetDenominator()}
	}
	if s.Decimals != nil {
		d := int(s.GetDecimals())
		m.Format.Decimals = &d
	}
	if m.Format.Currency == "" {
		m.Format.Currency = l.currency
	}
	if m.Aggregation == "" {
		m.Aggregation = gap.Last
	}
	if lag, ok := strings.CutSuffix(s.GetReportingLag(), "d"); ok {
		if days, err := strconv.Atoi(lag); err == nil {
			m.ReportingLagDays = days
		}
	}
	if b := s.GetBounds(); b != nil {
		m.Lower, m.Upper = b.Lower, b.Upper
	}
	for _, b := range s.GetBreaks() {
		m.Breaks = append(m.Breaks, gap.Break{Date: date(b.GetDate()), Reason: b.GetReason()})
	}
	return m
}

func (l *loader) targets(p *gap.Portfolio) error {
	versions, err := l.v.Versions(l.org, "Target", l.at)
	if err != nil {
		return err
	}
	for i := 0; i < len(versions); {
		j := i
		for j < len(versions) && versions[j].ID == versions[i].ID {
			j++
		}
		p.Targets = append(p.Targets, target(versions[i:j]))
		i = j
	}
	return nil
}

// target is one target with all versions, oldest first; what describes it
// comes from the newest.
func target(versions []*record.Resource) gap.Target {
	newest := versions[len(versions)-1]
	s := newest.Spec.(*strategyv1.TargetSpec)
	t := gap.Target{
		Name: newest.Name, Title: s.GetTitle(), Description: s.GetDescription(), Note: s.GetNote(),
		Objective: s.GetObjective(), Metric: s.GetMetric(), Owner: s.GetOwner(), Weight: s.GetWeight(),
	}
	for _, r := range versions {
		t.Versions = append(t.Versions, setpoint(r))
	}
	return t
}

func setpoint(r *record.Resource) gap.Setpoint {
	s := r.Spec.(*strategyv1.TargetSpec)
	v := gap.Setpoint{
		Effective: date(r.Effective), Revision: r.From,
		Tolerance: s.GetTolerance(), Scale: s.GetScale(), Value: s.Value, Due: date(s.GetDue()),
	}
	switch s.GetDirection() {
	case "increase":
		v.Direction = gap.Increase
	case "decrease":
		v.Direction = gap.Decrease
	}
	if b := s.GetBaseline(); b != nil {
		v.Baseline = &gap.Baseline{Date: date(b.GetDate()), Value: b.Value}
	}
	if c := s.GetChangeFromBaseline(); c != "" {
		if share, err := strconv.ParseFloat(strings.TrimSuffix(c, "%"), 64); err == nil {
			share /= 100
			v.ChangeFromBaseline = &share
		}
	}
	if t := s.GetTrajectory(); t != nil {
		v.Trajectory = gap.Trajectory{Shape: gap.Shape(t.GetShape()), Steps: t.GetInterpolation() == "step"}
		for _, p := range t.GetPoints() {
			v.Trajectory.Points = append(v.Trajectory.Points, gap.Point{Date: date(p.GetDate()), Value: p.GetValue()})
		}
		if p := t.GetStart(); p != nil {
			v.Trajectory.Start = &gap.Point{Date: date(p.GetDate()), Value: p.GetValue()}
		}
	}
	if l := s.GetLevels(); l != nil {
		v.Levels = &gap.Levels{Commit: l.Commit, Target: l.Target, Stretch: l.Stretch}
	}
	for _, p := range s.GetPeriods() {
		v.Periods = append(v.Periods, gap.PeriodTarget{
			Period: p.GetPeriod(), Value: p.Value, Lower: p.Lower, Upper: p.Upper, Excluded: p.GetExcluded(),
		})
	}
	if m := s.GetMaintain(); m != nil {
		v.Maintain = &gap.Maintain{Lower: m.Lower, Upper: m.Upper, From: date(m.GetFrom()), To: date(m.GetTo())}
	}
	if m := s.GetMilestone(); m != nil {
		v.Milestone = &gap.Milestone{Forecast: date(m.GetForecast())}
	}
	return v
}

// observedAt is the calendar date of an observation in the organization's time
// zone.
func (l *loader) observedAt(s string) (calendar.Date, error) {
	if strings.ContainsRune(s, 'T') {
		t, err := time.Parse(time.RFC3339Nano, s)
		return calendar.FromTime(t.In(l.zone)), err
	}
	return calendar.ParseDate(s)
}

// date parses what was checked when it was declared; "" is the zero date.
func date(s string) calendar.Date {
	if s == "" {
		return calendar.Date{}
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		return calendar.Date{}
	}
	return d
}
