package strategy

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// A target that breaks no rule can still be a poor one. The advice here follows
// Doran's letters (There's a S.M.A.R.T. way to write management's goals and
// objectives, 1981) as they are read today: specific, measurable, assignable,
// realistic, time-bound, relevant. It is advice: it refuses nothing, and says at
// most one thing a letter. Where an ordinary rule warns already it stays silent:
// metric_without_unit (specific), target_without_baseline (measurable),
// target_already_reached (realistic), target_without_objective and
// objective_without_strategy (relevant).

// stretch is how many times as fast as ever before a target may ask a metric to
// move (a house heuristic).
const stretch = 2

// fewestValues is how many values make a pace: two changes, so that a single
// one is not taken for what can be.
const fewestValues = 3

// adviseTarget gives advice on a target that breaks no rule.
func adviseTarget(s *strategyv1.TargetSpec, set resource.Set, f *resource.Findings) {
	if f.Broken() {
		return
	}
	assignable(s, set, f)
	timeBound(s, set, f)
	m, ok := specOf[*strategyv1.MetricSpec](set, "Metric", s.GetMetric())
	if !ok {
		return
	}
	seen, ok := set.(resource.Observer)
	if !ok {
		return
	}
	h := historyOf(m, Calendar(m, set), seen.Observed(s.GetMetric()))
	measurable(s, h, f)
	realistic(s, h, f)
}

// assignable: a target without an owner is its objective's owner's, and else its
// strategy's.
func assignable(s *strategyv1.TargetSpec, set resource.Set, f *resource.Findings) {
	o, _ := specOf[*strategyv1.ObjectiveSpec](set, "Objective", s.GetObjective())
	above, _ := specOf[*strategyv1.StrategySpec](set, "Strategy", o.GetStrategy())
	if cmp.Or(s.GetOwner(), o.GetOwner(), above.GetOwner()) == "" {
		f.Warn("spec.owner", "smart_no_owner", "nobody owns the target, its objective or its strategy", "owner: unit/NAME or person/ID")
	}
}

// specOf is a spec of the set; the getters of a nil one give zero values.
func specOf[M proto.Message](set resource.Set, kind, name string) (spec M, ok bool) {
	m, ok := set.Spec(kind, name)
	if ok {
		spec, ok = m.(M)
	}
	return spec, ok
}

func timeBound(s *strategyv1.TargetSpec, set resource.Set, f *resource.Findings) {
	if m := s.GetMaintain(); m != nil && m.GetTo() == "" {
		f.Warn("spec.maintain.to", "smart_no_end", "the band has no last day", "it is watched for ever; give to: the day until which it is to be kept")
		return
	}
	field, first, last := span(s, set)
	if last.IsZero() {
		return
	}
	o, _ := specOf[*strategyv1.ObjectiveSpec](set, "Objective", s.GetObjective())
	plan, ok := specOf[*strategyv1.StrategySpec](set, "Strategy", o.GetStrategy())
	if !ok {
		return
	}
	h := plan.GetHorizon()
	start, err1 := calendar.ParseDate(h.GetStart())
	end, err2 := calendar.ParseDate(h.GetEnd())
	if err1 != nil || err2 != nil || !last.Before(start) && !first.After(end) {
		return
	}
	side, edge := "after the end", end
	if last.Before(start) {
		side, edge = "before the start", start
	}
	f.Warn(field, "smart_outside_horizon", fmt.Sprintf("%s lies %s of strategy %q, %s", last, side, o.GetStrategy(), edge),
		"move it into the horizon, or the horizon to it")
}

// span is the time in which the target is finally judged, and the field that
// says so; zero where nothing does.
func span(s *strategyv1.TargetSpec, set resource.Set) (field string, first, last calendar.Date) {
	switch {
	case s.GetDue() != "":
		last, _ = calendar.ParseDate(s.GetDue())
		return "spec.due", last, last
	case s.GetMaintain() != nil:
		last, _ = calendar.ParseDate(s.GetMaintain().GetTo())
		return "spec.maintain.to", last, last
	}
	m, ok := specOf[*strategyv1.MetricSpec](set, "Metric", s.GetMetric())
	if !ok {
		return "", first, last
	}
	k := Calendar(m, set)
	for i, p := range s.GetPeriods() {
		if q, err := k.Parse(p.GetPeriod()); err == nil && q.End.After(last) {
			field, first, last = fmt.Sprintf("spec.periods[%d].period", i), q.Start, q.End
		}
	}
	return field, first, last
}

// history is what a metric did: one value for each of its periods, by date.
type history struct {
	calendar calendar.Calendar
	cadence  calendar.Cadence
	values   []resource.Point // At is the day of the period's last value
	// since is the date of the last change of method: nothing before it counts.
	since calendar.Date
}

// historyOf brings observations to the metric's cadence. It knows no history of
// a metric whose periods are put together from several values by more than
// taking the last: that is the comparison's business.
func historyOf(m *strategyv1.MetricSpec, k calendar.Calendar, points []resource.Point) history {
	h := history{calendar: k, cadence: calendar.Cadence(m.GetCadence())}
	if m.GetAccumulate() != "" {
		return h
	}
	for _, b := range m.GetBreaks() {
		if d, err := calendar.ParseDate(b.GetDate()); err == nil {
			h.since = calendar.Later(h.since, d)
		}
	}
	last := m.GetAggregation() == "" || m.GetAggregation() == "last"
	for _, p := range points {
		if p.At.Before(h.since) {
			continue
		}
		if n := len(h.values); n > 0 && k.PeriodOf(h.values[n-1].At, h.cadence).Contains(p.At) {
			if !last {
				return history{calendar: k, cadence: h.cadence}
			}
			h.values[n-1] = p
			continue
		}
		h.values = append(h.values, p)
	}
	return h
}

// at is the value of the period that holds a date.
func (h history) at(d calendar.Date) (float64, bool) {
	period := h.calendar.PeriodOf(d, h.cadence)
	for _, v := range h.values {
		if period.Contains(v.At) {
			return v.Value, true
		}
	}
	return 0, false
}

func measurable(s *strategyv1.TargetSpec, h history, f *resource.Findings) {
	b := s.GetBaseline()
	if b == nil || b.Value != nil || len(h.values) == 0 {
		return
	}
	d, err := calendar.ParseDate(b.GetDate())
	if err != nil || d.Before(h.since) {
		return
	}
	if _, known := h.at(d); !known {
		f.Warn("spec.baseline.value", "smart_baseline_unknown", fmt.Sprintf("metric %q has values, but none for %s", s.GetMetric(), d),
			"observe it, or give baseline.value")
	}
}

// realistic compares the pace that the target needs from the latest value on
// with the fastest pace that the metric ever had towards it.
func realistic(s *strategyv1.TargetSpec, h history, f *resource.Findings) {
	if len(h.values) == 0 || f.Has("strategy.target_already_reached") {
		return
	}
	sign, goals := aims(s, h)
	latest := h.values[len(h.values)-1]
	if reached(s, h, sign, goals, latest, f) {
		return
	}
	var steepest *aim
	need := 0.0
	for i, g := range goals {
		if days := g.at.Sub(latest.At); days > 0 {
			if rate := sign * (g.value - latest.Value) / float64(days); steepest == nil || rate > need {
				steepest, need = &goals[i], rate
			}
		}
	}
	if steepest == nil {
		return // its time is over
	}
	if need <= 0 || len(h.values) < fewestValues {
		return
	}
	fastest, from, to := math.Inf(-1), calendar.Date{}, calendar.Date{}
	for i := 1; i < len(h.values); i++ {
		x, y := h.values[i-1], h.values[i]
		if rate := sign * (y.Value - x.Value) / float64(y.At.Sub(x.At)); rate > fastest {
			fastest, from, to = rate, x.At, y.At
		}
	}
	wanted := fmt.Sprintf("%s by %s needs %s a year from %s on %s", number(steepest.value), steepest.at, yearly(sign*need),
		number(latest.Value), latest.At)
	const hint = "check the value and the date, or plan what will make the difference"
	switch {
	case fastest <= 0:
		f.Warn(steepest.field, "smart_wrong_way", fmt.Sprintf("%s; metric %q never moved that way in %d values since %s",
			wanted, s.GetMetric(), len(h.values), h.values[0].At), hint)
	case need > stretch*fastest*(1+1e-9):
		f.Warn(steepest.field, "smart_unrealistic", fmt.Sprintf("%s; the fastest ever was %s a year, %s to %s",
			wanted, yearly(sign*fastest), from, to), hint)
	}
}

// reached warns of a path that has nowhere to go from where it starts: its
// baseline, or the latest value where it has none. Periods may well ask to hold
// what is.
func reached(s *strategyv1.TargetSpec, h history, sign float64, goals []aim, latest resource.Point, f *resource.Findings) bool {
	if len(goals) != 1 || len(s.GetPeriods()) > 0 {
		return false
	}
	from, at := latest.Value, latest.At.String()
	if b := s.GetBaseline(); b != nil {
		v, known := baseline(s, h)
		if !known {
			return false
		}
		from, at = v, b.GetDate()
	}
	if sign*(goals[0].value-from) > 0 {
		return false
	}
	f.Warn(goals[0].field, "smart_already_reached", fmt.Sprintf("%s on %s is at or past %s already", number(from), at, number(goals[0].value)),
		"aim further, or declare a band to maintain")
	return true
}

// aim is a value to reach by a day, and the field that says so.
type aim struct {
	at    calendar.Date
	value float64
	field string
}

// aims are the values that the target wants, and the way they lie: +1 up, -1
// down. None where the way is not known, or where it wants no movement.
func aims(s *strategyv1.TargetSpec, h history) (sign float64, out []aim) {
	switch s.GetDirection() {
	case "increase":
		sign = 1
	case "decrease":
		sign = -1
	}
	for i, p := range s.GetPeriods() {
		q, err := h.calendar.Parse(p.GetPeriod())
		if err == nil && p.Value != nil && p.GetExcluded() == "" && sign != 0 {
			out = append(out, aim{q.End, p.GetValue(), fmt.Sprintf("spec.periods[%d].value", i)})
		}
	}
	due, err := calendar.ParseDate(s.GetDue())
	if err != nil || s.GetMilestone() != nil {
		return sign, out
	}
	b, known := baseline(s, h)
	g, field := s.GetValue(), "spec.value"
	if s.Value == nil {
		share, ok := Share(s.GetChangeFromBaseline())
		if !ok || !known {
			return sign, nil
		}
		g, field = b*(1+share), "spec.changeFromBaseline"
	}
	if sign == 0 && known {
		sign = float64(cmp.Compare(g, b))
	}
	if sign == 0 {
		return 0, nil
	}
	return sign, append(out, aim{due, g, field})
}

// baseline is b: declared, or the metric's value at its date.
func baseline(s *strategyv1.TargetSpec, h history) (float64, bool) {
	b := s.GetBaseline()
	if b == nil || b.Value != nil {
		return b.GetValue(), b != nil
	}
	d, err := calendar.ParseDate(b.GetDate())
	if err != nil {
		return 0, false
	}
	return h.at(d)
}

// yearly shows a change a day as one a year, to three digits, with its sign.
func yearly(perDay float64) string {
	v, err := strconv.ParseFloat(strconv.FormatFloat(perDay*365.25, 'g', 3, 64), 64)
	if err != nil {
		v = perDay * 365.25
	}
	if v > 0 {
		return "+" + number(v)
	}
	return number(v)
}
