package rpc

import (
	"cmp"

	"google.golang.org/protobuf/types/known/structpb"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// response is the message form of the result of a portfolio.
func response(p gap.Portfolio, r gap.Result) *gapv1.EvaluateResponse {
	formats := make(map[string]*gapv1.NumberFormat, len(p.Metrics))
	for _, m := range p.Metrics {
		formats[m.Name] = numberFormat(m.Format)
	}
	out := &gapv1.EvaluateResponse{
		AsOf: r.AsOf.String(), Revision: int64(r.Revision), Policy: r.Policy, Hints: r.Hints,
		Objectives: rollUps(r.Objectives), Strategies: rollUps(r.Strategies),
	}
	for _, t := range r.Targets {
		m := target(t)
		m.Format = formats[t.Metric]
		out.Targets = append(out.Targets, m)
	}
	return out
}

func target(t gap.TargetResult) *gapv1.TargetGap {
	m := &gapv1.TargetGap{
		Name: t.Name, Metric: t.Metric, Objective: t.Objective, Strategy: t.Strategy,
		Form: string(t.Form), Direction: direction(t.Direction), Status: string(t.Status), Stale: t.Stale,
		LastKnownStatus: optional(string(t.LastKnownStatus)),
		Actual:          t.Actual, ActualAt: day(t.ActualAt), Period: optional(t.Period),
		Baseline: t.Baseline, Target: t.Target, Lower: t.Lower, Upper: t.Upper, Due: day(t.Due),
		Expected: t.Expected, ExpectedNow: t.ExpectedNow, Gap: t.Gap, Drift: t.Drift, Share: t.Share,
		TargetDrift: t.TargetDrift, Progress: t.Progress, Score: t.Score,
		Explanation: explanation(t.Explanation),
		Title:       t.Title, Owner: t.Owner, Unit: t.Unit, Conditions: t.Conditions, Weight: t.Weight,
		Known: t.Status != gap.NoData && t.Status != gap.NotStarted,
	}
	if o := t.Override; o != nil {
		m.Override = &gapv1.Override{
			Status: string(o.Status), Reason: o.Reason, Expires: o.Expires.String(),
			Principal: o.Principal, Revision: int64(o.Revision),
		}
	}
	m.Confidence = number(t.Confidence)
	if o := t.Outlook; o != nil {
		m.Forecast = &gapv1.Forecast{
			Value: o.Value, Median: o.Median, Lower50: o.Lower50, Upper50: o.Upper50, Lower80: o.Lower80, Upper80: o.Upper80, Lower95: o.Lower95, Upper95: o.Upper95,
			Method: o.Method, Observations: int32(o.Observations), Period: o.Period, At: o.At.String(), Origin: o.Origin.String(), Steps: int32(o.Steps),
			Unknown: o.Unknown, StandardError: o.StandardError, RequiredRate: o.RequiredRate, CurrentRate: o.CurrentRate,
		}
		m.Attainment, m.AttainmentDate = o.Attainment, day(o.AttainmentDate)
		m.WithInitiatives, m.WithReadiness = adjusted(o.WithInitiatives), adjusted(o.WithReadiness)
	}
	for _, p := range t.Periods {
		m.Periods = append(m.Periods, &gapv1.PeriodGap{
			Period: p.Period, End: p.End.String(), Target: p.Target, Lower: p.Lower, Upper: p.Upper,
			Actual: p.Actual, Variance: p.Variance, State: string(p.State), Note: p.Note, Expected: p.Expected,
		})
	}
	return m
}

func adjusted(a *gap.Adjusted) *gapv1.AdjustedForecast {
	if a == nil {
		return nil
	}
	return &gapv1.AdjustedForecast{
		Value: a.Value, Median: a.Median, Lower50: a.Lower50, Upper50: a.Upper50, Lower80: a.Lower80, Upper80: a.Upper80, Lower95: a.Lower95, Upper95: a.Upper95,
		Attainment: a.Attainment, StandardError: a.StandardError, Draws: int32(a.Draws), Unknown: a.Unknown,
	}
}

func jointly(j *gap.JointForecast) *gapv1.JointForecast {
	if j == nil {
		return nil
	}
	line := func(x *gap.Joint) *gapv1.JointAttainment {
		if x == nil {
			return nil
		}
		return &gapv1.JointAttainment{
			Targets: int32(x.Targets), Unknown: int32(x.Unknown), Expected: x.Expected, Lower: x.Lower, Upper: x.Upper, All: x.All,
			StandardError: x.StandardError, Draws: int32(x.Draws),
		}
	}
	return &gapv1.JointForecast{StatusQuo: line(j.StatusQuo), WithInitiatives: line(j.WithInitiatives), WithReadiness: line(j.WithReadiness)}
}

// numberFormat says how a metric's values are shown; only currencies have one.
func numberFormat(f gap.Format) *gapv1.NumberFormat {
	m := &gapv1.NumberFormat{Style: cmp.Or(f.Style, "number"), Decimals: number(f.Decimals), Magnitude: f.Magnitude}
	if f.Style == "currency" {
		m.Currency = f.Currency
	}
	return m
}

func number(n *int) *int32 {
	if n == nil {
		return nil
	}
	v := int32(*n)
	return &v
}

func direction(d gap.Direction) string {
	switch d {
	case gap.Increase:
		return "increase"
	case gap.Decrease:
		return "decrease"
	}
	return ""
}

func rollUps(in []gap.RollUp) []*gapv1.RollUp {
	out := make([]*gapv1.RollUp, 0, len(in))
	for _, r := range in {
		m := &gapv1.RollUp{
			Name: r.Name, Title: r.Title, Strategy: r.Strategy, Status: string(r.Status),
			Score: r.Score, Progress: r.Progress, Known: r.Known, Targets: int32(r.Targets),
			Counts: map[string]int32{}, Explanation: explanation(r.Explanation), Attainment: jointly(r.Joint),
		}
		for s, n := range r.Counts {
			m.Counts[string(s)] = int32(n)
		}
		out = append(out, m)
	}
	return out
}

func explanation(e gap.Explanation) *gapv1.Explanation {
	m := &gapv1.Explanation{Rule: e.Rule, Inputs: &structpb.Struct{Fields: map[string]*structpb.Value{}}}
	for _, in := range e.Inputs {
		v, err := structpb.NewValue(in.Value)
		if err != nil {
			continue // not a JSON value: the renderer of the rule has it in words
		}
		m.Inputs.Fields[in.Name] = v
	}
	for _, r := range e.Revisions {
		m.Revisions = append(m.Revisions, int64(r))
	}
	return m
}

// optional is absent for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// day is absent for the zero date.
func day(d calendar.Date) *string {
	if d.IsZero() {
		return nil
	}
	return optional(d.String())
}
