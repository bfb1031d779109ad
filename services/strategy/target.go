package strategy

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

func targetReferences(s *strategyv1.TargetSpec) []resource.Reference {
	out := []resource.Reference{{Field: "spec.metric", Kind: "Metric", Name: s.GetMetric()}}
	if s.GetObjective() != "" {
		out = append(out, resource.Reference{Field: "spec.objective", Kind: "Objective", Name: s.GetObjective()})
	}
	return append(out, ownerReference("spec.owner", s.GetOwner())...)
}

func checkTarget(s *strategyv1.TargetSpec, set resource.Set, f *findings) {
	checkOwner(s.GetOwner(), f)
	adviseOwner(s.GetOwner(), set, f)
	if s.GetObjective() == "" {
		f.warn("spec.objective", "target_without_objective", "the target serves no objective", "it will appear in no roll-up")
	}
	path := s.Value != nil || s.GetChangeFromBaseline() != ""
	var forms []string
	for _, form := range []struct {
		name string
		used bool
	}{
		{"a path (value or changeFromBaseline)", path},
		{"periods", len(s.GetPeriods()) > 0},
		{"maintain", s.GetMaintain() != nil},
		{"milestone", s.GetMilestone() != nil},
	} {
		if form.used {
			forms = append(forms, form.name)
		}
	}
	if len(forms) != 1 {
		found := "the target has none"
		if len(forms) > 1 {
			found = "the target has " + strings.Join(forms, " and ")
		}
		f.add("spec", "target_form", found, "give exactly one form: value (or changeFromBaseline) with due, periods, maintain, or milestone with due")
		return
	}
	for _, x := range []struct {
		field string
		used  bool
		legal bool
	}{
		{"baseline", s.GetBaseline() != nil, path},
		{"trajectory", s.GetTrajectory() != nil, path},
		{"levels", s.GetLevels() != nil, path},
		{"due", s.GetDue() != "", path || s.GetMilestone() != nil},
		{"direction", s.GetDirection() != "", s.GetMaintain() == nil && s.GetMilestone() == nil},
	} {
		if x.used && !x.legal {
			f.add("spec."+x.field, "target_field_of_other_form", fmt.Sprintf("%s has no meaning for %s", x.field, forms[0]), "")
		}
	}
	switch {
	case path:
		checkPath(s, f)
	case len(s.GetPeriods()) > 0:
		checkPeriods(s, set, f)
	case s.GetMaintain() != nil:
		checkMaintain(s.GetMaintain(), f)
	default:
		if s.GetDue() == "" {
			f.add("spec.due", "target_due_missing", "a milestone needs a due date", "YYYY-MM-DD")
		} else {
			date("spec.due", s.GetDue(), f)
		}
		if d := s.GetMilestone().GetForecast(); d != "" {
			date("spec.milestone.forecast", d, f)
		}
	}
}

func checkPath(s *strategyv1.TargetSpec, f *findings) {
	if s.Value != nil && s.GetChangeFromBaseline() != "" {
		f.add("spec.changeFromBaseline", "target_two_values", "value is given too", "give one of the two")
	}
	if s.GetChangeFromBaseline() != "" && s.GetBaseline() == nil {
		f.add("spec.baseline", "target_baseline_missing", "a change from the baseline needs a baseline", "give baseline.date, and baseline.value unless the metric has one")
	}
	due, ok := calendar.Date{}, false
	if s.GetDue() == "" {
		f.add("spec.due", "target_due_missing", "a path needs a due date", "YYYY-MM-DD")
	} else {
		due, ok = date("spec.due", s.GetDue(), f)
	}
	b := s.GetBaseline()
	var from calendar.Date
	if b != nil {
		d, dated := date("spec.baseline.date", b.GetDate(), f)
		if dated && ok && !due.After(d) {
			f.add("spec.due", "target_due_before_baseline", fmt.Sprintf("%s is not after the baseline's date %s", due, d),
				"a path runs from the baseline to the due date")
		}
		from = d
	} else {
		f.warn("spec.baseline", "target_without_baseline", "the target has no baseline", "progress cannot be told, and only the final value is compared")
	}
	g, hasG := s.GetValue(), s.Value != nil
	if !hasG && b != nil && b.Value != nil {
		if share, good := Share(s.GetChangeFromBaseline()); good {
			g, hasG = b.GetValue()*(1+share), true
		}
	}
	hasB := b != nil && b.Value != nil
	if s.GetDirection() == "" && s.GetChangeFromBaseline() == "" {
		if b == nil {
			f.add("spec.direction", "target_direction_missing", "without a baseline the direction is not known", "increase or decrease")
		} else if hasB && b.GetValue() == g {
			f.add("spec.direction", "target_direction_missing", "baseline and value are equal, so the direction is not known", "increase or decrease")
		}
	}
	if share, good := Share(s.GetChangeFromBaseline()); good && share == 0 && s.GetDirection() == "" {
		f.add("spec.direction", "target_direction_missing", "no change from the baseline has no direction", "increase or decrease")
	}
	if hasB && hasG && s.GetDirection() != "" {
		sign := 1.0
		if s.GetDirection() == "decrease" {
			sign = -1
		}
		if sign*(g-b.GetValue()) < 0 {
			f.warn("spec.value", "target_already_reached",
				fmt.Sprintf("the baseline %v is already past %v (%s)", b.GetValue(), g, s.GetDirection()), "")
		}
	}
	checkTrajectory(s, from, due, g, hasG, f)
	checkLevels(s, f)
}

func checkTrajectory(s *strategyv1.TargetSpec, from, due calendar.Date, g float64, hasG bool, f *findings) {
	t := s.GetTrajectory()
	if t == nil {
		return
	}
	shape := t.GetShape()
	if len(t.GetPoints()) > 0 && shape != "points" {
		f.add("spec.trajectory.points", "trajectory_points", "points are given but the shape is "+orLinear(shape), "set shape: points")
	}
	if t.GetInterpolation() != "" && shape != "points" {
		f.add("spec.trajectory.interpolation", "trajectory_interpolation", "only the shape points is interpolated", "")
	}
	if p := t.GetStart(); p != nil {
		if d, ok := date("spec.trajectory.start.date", p.GetDate(), f); ok {
			if !due.IsZero() && !due.After(d) {
				f.add("spec.trajectory.start.date", "trajectory_start", fmt.Sprintf("%s is not before the due date %s", d, due), "")
			}
			from = d
		}
	}
	start := s.GetBaseline().GetValue()
	hasStart := s.GetBaseline() != nil && s.GetBaseline().Value != nil
	if p := t.GetStart(); p != nil {
		start, hasStart = p.GetValue(), true
	}
	if shape == "exponential" && ((hasStart && hasG && start*g <= 0) || (hasStart && start == 0) || (hasG && g == 0)) {
		f.add("spec.trajectory.shape", "trajectory_exponential", fmt.Sprintf("an exponential path cannot lead from %v to %v", start, g),
			"both must have the same sign and neither may be zero; use linear or s-curve")
	}
	if shape != "points" {
		return
	}
	if len(t.GetPoints()) == 0 {
		f.add("spec.trajectory.points", "trajectory_points", "the shape points needs points", "the last one is (due, value)")
		return
	}
	previous := from
	for i, p := range t.GetPoints() {
		field := fmt.Sprintf("spec.trajectory.points[%d]", i)
		d, ok := date(field+".date", p.GetDate(), f)
		if !ok {
			continue
		}
		if !previous.IsZero() && !d.After(previous) {
			f.add(field+".date", "trajectory_points_order", fmt.Sprintf("%s is not after %s", d, previous), "points are in order of date, after the baseline")
		}
		previous = d
		if i == len(t.GetPoints())-1 && !due.IsZero() && hasG && (d != due || p.GetValue() != g) {
			f.add(field, "trajectory_last_point", fmt.Sprintf("the last point is (%s, %v)", d, p.GetValue()),
				fmt.Sprintf("it must be the final state (%s, %v)", due, g))
		}
	}
}

func orLinear(shape string) string {
	if shape == "" {
		return "linear"
	}
	return shape
}

func checkLevels(s *strategyv1.TargetSpec, f *findings) {
	l := s.GetLevels()
	if l == nil {
		return
	}
	var steps []float64
	if s.GetBaseline() != nil && s.GetBaseline().Value != nil {
		steps = append(steps, s.GetBaseline().GetValue())
	}
	for _, v := range []*float64{l.Commit, l.Target, l.Stretch} {
		if v != nil {
			steps = append(steps, *v)
		}
	}
	up, down := true, true
	for i := 1; i < len(steps); i++ {
		up = up && steps[i] > steps[i-1]
		down = down && steps[i] < steps[i-1]
	}
	if len(steps) > 1 && !up && !down {
		f.add("spec.levels", "levels_order", "baseline, commit, target and stretch do not lie in one direction", "each level goes further than the one before")
	}
}

func checkPeriods(s *strategyv1.TargetSpec, set resource.Set, f *findings) {
	spec, ok := set.Spec("Metric", s.GetMetric())
	if !ok {
		return
	}
	m := spec.(*strategyv1.MetricSpec)
	k := Calendar(m, set)
	seen := map[calendar.Date]int{}
	directed := s.GetDirection() != ""
	for i, p := range s.GetPeriods() {
		field := fmt.Sprintf("spec.periods[%d]", i)
		period, err := k.Parse(p.GetPeriod())
		if err != nil {
			hint := "for example FY2018, 2018-Q3, 2018-07"
			if e, ok := err.(*fault.Error); ok {
				hint = e.Hint
			}
			f.add(field+".period", "period", err.Error(), hint)
			continue
		}
		if period.Cadence != calendar.Cadence(m.GetCadence()) {
			f.add(field+".period", "period_cadence", fmt.Sprintf("%s is a %s period, metric %q has %s values", p.GetPeriod(), period.Cadence, s.GetMetric(), m.GetCadence()),
				"a period of the metric's cadence")
		}
		if first, twice := seen[period.Start]; twice {
			f.add(field+".period", "period_twice", fmt.Sprintf("%s is already declared by periods[%d]", p.GetPeriod(), first), "one entry a period")
		}
		seen[period.Start] = i
		band := p.Lower != nil || p.Upper != nil
		switch {
		case p.Value != nil && band:
			f.add(field, "period_two_setpoints", "value and a band are given", "give value, or lower and/or upper")
		case p.Value == nil && !band && p.GetExcluded() == "":
			f.add(field, "period_empty", "the period has no setpoint", "give value, or lower and/or upper, or excluded with a reason")
		case p.Lower != nil && p.Upper != nil && p.GetLower() > p.GetUpper():
			f.add(field+".upper", "band_order", fmt.Sprintf("upper %v is below lower %v", p.GetUpper(), p.GetLower()), "")
		}
		if p.Value != nil && !directed && p.GetExcluded() == "" {
			f.warn("spec.direction", "target_direction_missing", "without a direction a period's value cannot be judged", "increase or decrease; until then the status is no_data")
			directed = true // say it once
		}
	}
}

func checkMaintain(m *strategyv1.Maintain, f *findings) {
	if m.Lower == nil && m.Upper == nil {
		f.add("spec.maintain", "band_empty", "the band has no bound", "give lower, upper or both")
	}
	if m.Lower != nil && m.Upper != nil && m.GetLower() > m.GetUpper() {
		f.add("spec.maintain.upper", "band_order", fmt.Sprintf("upper %v is below lower %v", m.GetUpper(), m.GetLower()), "")
	}
	var from, to calendar.Date
	if m.GetFrom() != "" {
		from, _ = date("spec.maintain.from", m.GetFrom(), f)
	}
	if m.GetTo() != "" {
		to, _ = date("spec.maintain.to", m.GetTo(), f)
	}
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		f.add("spec.maintain.to", "band_dates", fmt.Sprintf("%s is before %s", to, from), "")
	}
}

// Share parses a percentage such as -40% into -0.4.
func Share(percent string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
	if err != nil || !strings.HasSuffix(percent, "%") || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	return v / 100, true
}
