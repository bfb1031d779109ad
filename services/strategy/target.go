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
	return append(out, resource.OwnerReference("spec.owner", s.GetOwner())...)
}

func checkTarget(s *strategyv1.TargetSpec, set resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	adviseOwner(s.GetOwner(), set, f)
	if s.GetObjective() == "" {
		f.Warn("spec.objective", "target_without_objective", "the target serves no objective", "it will appear in no roll-up")
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
		f.Add("spec", "target_form", found, "give exactly one form: value (or changeFromBaseline) with due, periods, maintain, or milestone with due")
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
			f.Add("spec."+x.field, "target_field_of_other_form", fmt.Sprintf("%s has no meaning for %s", x.field, forms[0]), "")
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
			f.Add("spec.due", "target_due_missing", "a milestone needs a due date", "YYYY-MM-DD")
		} else {
			f.Date("spec.due", s.GetDue())
		}
		if d := s.GetMilestone().GetForecast(); d != "" {
			f.Date("spec.milestone.forecast", d)
		}
	}
}

func checkPath(s *strategyv1.TargetSpec, f *resource.Findings) {
	if s.Value != nil && s.GetChangeFromBaseline() != "" {
		f.Add("spec.changeFromBaseline", "target_two_values", "value is given too", "give one of the two")
	}
	if s.GetChangeFromBaseline() != "" && s.GetBaseline() == nil {
		f.Add("spec.baseline", "target_baseline_missing", "a change from the baseline needs a baseline", "give baseline.date, and baseline.value unless the metric has one")
	}
	due, ok := calendar.Date{}, false
	if s.GetDue() == "" {
		f.Add("spec.due", "target_due_missing", "a path needs a due date", "YYYY-MM-DD")
	} else {
		due, ok = f.Date("spec.due", s.GetDue())
	}
	b := s.GetBaseline()
	var from calendar.Date
	if b != nil {
		d, dated := f.Date("spec.baseline.date", b.GetDate())
		if dated && ok && !due.After(d) {
			f.Add("spec.due", "target_due_before_baseline", fmt.Sprintf("%s is not after the baseline's date %s", due, d),
				"a path runs from the baseline to the due date")
		}
		from = d
	} else {
		f.Warn("spec.baseline", "target_without_baseline", "the target has no baseline", "progress cannot be told, and only the final value is compared")
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
			f.Add("spec.direction", "target_direction_missing", "without a baseline the direction is not known", "increase or decrease")
		} else if hasB && b.GetValue() == g {
			f.Add("spec.direction", "target_direction_missing", "baseline and value are equal, so the direction is not known", "increase or decrease")
		}
	}
	if share, good := Share(s.GetChangeFromBaseline()); good && share == 0 && s.GetDirection() == "" {
		f.Add("spec.direction", "target_direction_missing", "no change from the baseline has no direction", "increase or decrease")
	}
	if hasB && hasG && s.GetDirection() != "" {
		sign := 1.0
		if s.GetDirection() == "decrease" {
			sign = -1
		}
		if sign*(g-b.GetValue()) < 0 {
			f.Warn("spec.value", "target_already_reached",
				fmt.Sprintf("the baseline %v is already past %v (%s)", b.GetValue(), g, s.GetDirection()), "")
		}
	}
	checkTrajectory(s, from, due, g, hasG, f)
	checkLevels(s, f)
}

func checkTrajectory(s *strategyv1.TargetSpec, from, due calendar.Date, g float64, hasG bool, f *resource.Findings) {
	t := s.GetTrajectory()
	if t == nil {
		return
	}
	shape := t.GetShape()
	if len(t.GetPoints()) > 0 && shape != "points" {
		f.Add("spec.trajectory.points", "trajectory_points", "points are given but the shape is "+orLinear(shape), "set shape: points")
	}
	if t.GetInterpolation() != "" && shape != "points" {
		f.Add("spec.trajectory.interpolation", "trajectory_interpolation", "only the shape points is interpolated", "")
	}
	if p := t.GetStart(); p != nil {
		if d, ok := f.Date("spec.trajectory.start.date", p.GetDate()); ok {
			if !due.IsZero() && !due.After(d) {
				f.Add("spec.trajectory.start.date", "trajectory_start", fmt.Sprintf("%s is not before the due date %s", d, due), "")
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
		f.Add("spec.trajectory.shape", "trajectory_exponential", fmt.Sprintf("an exponential path cannot lead from %v to %v", start, g),
			"both must have the same sign and neither may be zero; use linear or s-curve")
	}
	if shape != "points" {
		return
	}
	if len(t.GetPoints()) == 0 {
		f.Add("spec.trajectory.points", "trajectory_points", "the shape points needs points", "the last one is (due, value)")
		return
	}
	previous := from
	for i, p := range t.GetPoints() {
		field := fmt.Sprintf("spec.trajectory.points[%d]", i)
		d, ok := f.Date(field+".date", p.GetDate())
		if !ok {
			continue
		}
		if !previous.IsZero() && !d.After(previous) {
			f.Add(field+".date", "trajectory_points_order", fmt.Sprintf("%s is not after %s", d, previous), "points are in order of date, after the baseline")
		}
		previous = d
		if i == len(t.GetPoints())-1 && !due.IsZero() && hasG && (d != due || p.GetValue() != g) {
			f.Add(field, "trajectory_last_point", fmt.Sprintf("the last point is (%s, %v)", d, p.GetValue()),
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

func checkLevels(s *strategyv1.TargetSpec, f *resource.Findings) {
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
		f.Add("spec.levels", "levels_order", "baseline, commit, target and stretch do not lie in one direction", "each level goes further than the one before")
	}
}

func checkPeriods(s *strategyv1.TargetSpec, set resource.Set, f *resource.Findings) {
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
			f.Add(field+".period", "period", err.Error(), hint)
			continue
		}
		if period.Cadence != calendar.Cadence(m.GetCadence()) {
			f.Add(field+".period", "period_cadence", fmt.Sprintf("%s is a %s period, metric %q has %s values", p.GetPeriod(), period.Cadence, s.GetMetric(), m.GetCadence()),
				"a period of the metric's cadence")
		}
		if first, twice := seen[period.Start]; twice {
			f.Add(field+".period", "period_twice", fmt.Sprintf("%s is already declared by periods[%d]", p.GetPeriod(), first), "one entry a period")
		}
		seen[period.Start] = i
		band := p.Lower != nil || p.Upper != nil
		switch {
		case p.Value != nil && band:
			f.Add(field, "period_two_setpoints", "value and a band are given", "give value, or lower and/or upper")
		case p.Value == nil && !band && p.GetExcluded() == "":
			f.Add(field, "period_empty", "the period has no setpoint", "give value, or lower and/or upper, or excluded with a reason")
		case p.Lower != nil && p.Upper != nil && p.GetLower() > p.GetUpper():
			f.Add(field+".upper", "band_order", fmt.Sprintf("upper %v is below lower %v", p.GetUpper(), p.GetLower()), "")
		}
		if p.Value != nil && !directed && p.GetExcluded() == "" {
			f.Warn("spec.direction", "target_direction_missing", "without a direction a period's value cannot be judged", "increase or decrease; until then the status is no_data")
			directed = true // say it once
		}
	}
}

func checkMaintain(m *strategyv1.Maintain, f *resource.Findings) {
	if m.Lower == nil && m.Upper == nil {
		f.Add("spec.maintain", "band_empty", "the band has no bound", "give lower, upper or both")
	}
	if m.Lower != nil && m.Upper != nil && m.GetLower() > m.GetUpper() {
		f.Add("spec.maintain.upper", "band_order", fmt.Sprintf("upper %v is below lower %v", m.GetUpper(), m.GetLower()), "")
	}
	var from, to calendar.Date
	if m.GetFrom() != "" {
		from, _ = f.Date("spec.maintain.from", m.GetFrom())
	}
	if m.GetTo() != "" {
		to, _ = f.Date("spec.maintain.to", m.GetTo())
	}
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		f.Add("spec.maintain.to", "band_dates", fmt.Sprintf("%s is before %s", to, from), "")
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
