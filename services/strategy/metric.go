package strategy

import (
	"fmt"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

func metricReferences(s *strategyv1.MetricSpec) []resource.Reference {
	var out []resource.Reference
	if r := s.GetRatio(); r != nil {
		out = append(out,
			resource.Reference{Field: "spec.ratio.numerator", Kind: "Metric", Name: r.GetNumerator(), Acyclic: true},
			resource.Reference{Field: "spec.ratio.denominator", Kind: "Metric", Name: r.GetDenominator(), Acyclic: true})
	}
	return append(out, resource.OwnerReference("spec.owner", s.GetOwner())...)
}

func checkMetric(s *strategyv1.MetricSpec, set resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	adviseOwner(s.GetOwner(), set, f)
	checkRatio(s, set, f)
	if s.GetAccumulate() != "" && s.GetAggregation() != "" && s.GetAggregation() != "sum" && s.GetAggregation() != "last" {
		f.Add("spec.accumulate", "accumulate_aggregation", fmt.Sprintf("values of aggregation %s cannot be added up over periods", s.GetAggregation()),
			"aggregation: sum, or last where a period has one value")
	}
	if s.GetWeekEnds() != "" && s.GetCalendar() != "4-4-5" {
		f.Add("spec.weekEnds", "week_ends", "only a 4-4-5 calendar has weeks that end on a day of choice", "calendar: 4-4-5")
	}
	cadence := calendar.Cadence(s.GetCadence())
	if every := calendar.Cadence(s.GetReportedEvery()); every != "" && cadence.Finer(every) {
		f.Add("spec.reportedEvery", "reported_every", fmt.Sprintf("%s values cannot make %s ones", every, cadence),
			"the cadence or a finer one")
	}
	if b := s.GetBounds(); b != nil && b.Lower != nil && b.Upper != nil && b.GetLower() >= b.GetUpper() {
		f.Add("spec.bounds", "bounds_order", fmt.Sprintf("lower %v is not below upper %v", b.GetLower(), b.GetUpper()), "")
	}
	seen := map[calendar.Date]bool{}
	for i, b := range s.GetBreaks() {
		field := fmt.Sprintf("spec.breaks[%d].date", i)
		d, ok := f.Date(field, b.GetDate())
		if ok && seen[d] {
			f.Add(field, "break_twice", fmt.Sprintf("%s is named twice", d), "")
		}
		seen[d] = true
	}
	if s.GetUnit() == "" {
		f.Warn("spec.unit", "metric_without_unit", "the metric says no unit", "a reader cannot tell what 12 means")
	}
}

// ratioAggregation is the aggregation of a metric that is computed from others.
const ratioAggregation = "ratio"

// checkRatio holds a ratio to two metrics whose periods fit into its own.
func checkRatio(s *strategyv1.MetricSpec, set resource.Set, f *resource.Findings) {
	r := s.GetRatio()
	if s.GetAggregation() != ratioAggregation {
		if r != nil {
			f.Add("spec.ratio", "ratio_aggregation", "only the aggregation ratio divides metrics", "aggregation: ratio")
		}
		return
	}
	if r == nil {
		f.Add("spec.ratio", "ratio_missing", "the aggregation ratio needs the metrics to divide", "ratio: {numerator: METRIC, denominator: METRIC}")
		return
	}
	if s.GetReportedEvery() != "" {
		f.Add("spec.reportedEvery", "ratio_reported_every", "a ratio is reported as its numerator and denominator are", "set it on those metrics")
	}
	if r.GetNumerator() == r.GetDenominator() {
		f.Add("spec.ratio.denominator", "ratio_of_itself", "numerator and denominator are the same metric, so the ratio is always 1", "")
	}
	own, cadence := Calendar(s, set), calendar.Cadence(s.GetCadence())
	for _, x := range []struct{ field, name string }{{"spec.ratio.numerator", r.GetNumerator()}, {"spec.ratio.denominator", r.GetDenominator()}} {
		spec, ok := set.Spec("Metric", x.name)
		if !ok {
			continue
		}
		m := spec.(*strategyv1.MetricSpec)
		switch {
		case m.GetAggregation() == ratioAggregation:
			f.Add(x.field, "ratio_of_ratio", fmt.Sprintf("%q is a ratio itself, and sums of ratios mean nothing", x.name), "name a metric that is observed")
		case cadence.Finer(calendar.Cadence(m.GetCadence())):
			f.Add(x.field, "ratio_cadence", fmt.Sprintf("%q has %s values, too coarse for a %s ratio", x.name, m.GetCadence(), cadence),
				"the ratio's cadence or a finer one")
		case !Calendar(m, set).Divides(calendar.Cadence(m.GetCadence()), own, cadence):
			f.Add(x.field, "ratio_calendar", fmt.Sprintf("the %s periods of %q do not divide the ratio's %s periods", m.GetCadence(), x.name, cadence),
				"the same calendar, fiscalYearStart and weekEnds")
		}
	}
}

// Calendar is how the periods of a metric are cut.
func Calendar(s *strategyv1.MetricSpec, set resource.Set) calendar.Calendar {
	k, _ := calendar.New(s.GetCalendar(), FiscalYearStart(s, set), s.GetWeekEnds())
	return k
}

// Recordable reports values of a metric that is not observed but computed.
func Recordable(s *strategyv1.MetricSpec, values []Observation) []fault.Place {
	if s.GetAggregation() != ratioAggregation {
		return nil
	}
	var faults []fault.Place
	for _, v := range values {
		faults = append(faults, place(v.Index, "metric", "strategy.observation_of_ratio",
			fmt.Sprintf("a ratio is computed from %q and %q, not observed", s.GetRatio().GetNumerator(), s.GetRatio().GetDenominator()),
			"record the values of those metrics"))
	}
	return faults
}

// FiscalYearStart is the month (1-12) in which the fiscal years of a metric
// start: its own, else the organization's, else January.
func FiscalYearStart(s *strategyv1.MetricSpec, set resource.Set) int {
	if m := s.GetFiscalYearStart(); m != 0 {
		return int(m)
	}
	if m := Organization(set).GetFiscalYearStart(); m != 0 {
		return int(m)
	}
	return 1
}

// Organization returns the organization's defaults; the zero spec if none were
// declared.
func Organization(set resource.Set) *strategyv1.OrganizationSpec {
	for _, name := range set.Names("Organization") {
		if spec, ok := set.Spec("Organization", name); ok {
			return spec.(*strategyv1.OrganizationSpec)
		}
	}
	return &strategyv1.OrganizationSpec{}
}
