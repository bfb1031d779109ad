package strategy

import (
	"fmt"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

func metricReferences(s *strategyv1.MetricSpec) []resource.Reference {
	return ownerReference("spec.owner", s.GetOwner())
}

func checkMetric(s *strategyv1.MetricSpec, _ resource.Set, f *findings) {
	checkOwner(s.GetOwner(), f)
	cadence := calendar.Cadence(s.GetCadence())
	if every := calendar.Cadence(s.GetReportedEvery()); every != "" && cadence.Finer(every) {
		f.add("spec.reportedEvery", "reported_every", fmt.Sprintf("%s values cannot make %s ones", every, cadence),
			"the cadence or a finer one")
	}
	if b := s.GetBounds(); b != nil && b.Lower != nil && b.Upper != nil && b.GetLower() >= b.GetUpper() {
		f.add("spec.bounds", "bounds_order", fmt.Sprintf("lower %v is not below upper %v", b.GetLower(), b.GetUpper()), "")
	}
	seen := map[calendar.Date]bool{}
	for i, b := range s.GetBreaks() {
		field := fmt.Sprintf("spec.breaks[%d].date", i)
		d, ok := date(field, b.GetDate(), f)
		if ok && seen[d] {
			f.add(field, "break_twice", fmt.Sprintf("%s is named twice", d), "")
		}
		seen[d] = true
	}
	if s.GetUnit() == "" {
		f.warn("spec.unit", "metric_without_unit", "the metric says no unit", "a reader cannot tell what 12 means")
	}
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
