package report

import (
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

const curveSamples = 24 // enough that a drawn curve looks like one

// path lists the corners of t's expected way, from its baseline (or declared
// start) to the due date; curves are sampled. It is empty where either end has
// no date or value.
func path(t Target, sp *gap.Setpoint) []PathPoint {
	end := PathPoint{t.Due, 0}
	if t.Target == nil || t.Due.IsZero() {
		return nil
	}
	end.Value = *t.Target
	start := PathPoint{}
	if sp.Baseline != nil && t.Baseline != nil {
		start = PathPoint{sp.Baseline.Date, *t.Baseline}
	}
	if s := sp.Trajectory.Start; s != nil && finite(&s.Value) != nil {
		start = PathPoint{s.Date, s.Value}
	}
	declared := sp.Trajectory.Points
	if start.Date.IsZero() && (sp.Trajectory.Shape != gap.Points || len(declared) == 0) || !start.Date.Before(end.Date) {
		return []PathPoint{end}
	}
	switch sp.Trajectory.Shape {
	case gap.Step:
		return []PathPoint{start, {end.Date, start.Value}, end}
	case gap.Points:
		return corners(start, declared, sp.Trajectory.Steps)
	case gap.SCurve, gap.Exponential:
		dated := *sp
		dated.Due = t.Due
		return curve(start, end, gap.ExpectedPath(&dated, t.Baseline, end.Value))
	}
	return []PathPoint{start, end}
}

// corners joins declared points by lines, or by steps that hold the earlier
// value.
func corners(start PathPoint, declared []gap.Point, steps bool) []PathPoint {
	var out []PathPoint
	if !start.Date.IsZero() {
		out = append(out, start)
	}
	for _, p := range declared {
		if finite(&p.Value) == nil || p.Date.IsZero() || (len(out) > 0 && p.Date == out[len(out)-1].Date) {
			continue
		}
		if steps && len(out) > 0 {
			out = append(out, PathPoint{p.Date, out[len(out)-1].Value})
		}
		out = append(out, PathPoint{p.Date, p.Value})
	}
	return out
}

// curve samples what is expected between the ends of a path.
func curve(start, end PathPoint, expected func(calendar.Date) (float64, bool)) []PathPoint {
	days := end.Date.Sub(start.Date)
	out := make([]PathPoint, 0, curveSamples+1)
	for i := range curveSamples + 1 {
		day := start.Date.AddDays(days * i / curveSamples)
		if len(out) > 0 && out[len(out)-1].Date == day {
			continue
		}
		v, known := expected(day)
		if !known || finite(&v) == nil {
			return []PathPoint{start, end}
		}
		out = append(out, PathPoint{day, v})
	}
	return out
}
