package rpc

import (
	"context"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Forecast implements GapService.
func (s *Service) Forecast(ctx context.Context, req *gapv1.ForecastRequest) (*gapv1.ForecastResponse, error) {
	p, r, _, err := s.evaluate(ctx, query{
		asOf: req.GetAsOf(), original: req.GetOriginalTargets(), snapshot: req, forecast: true, forecastOf: map[string]bool{req.GetTarget(): true},
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range r.Targets {
		t := &r.Targets[i]
		if t.Name != req.GetTarget() {
			names = append(names, t.Name)
			continue
		}
		res := &gapv1.ForecastResponse{AsOf: r.AsOf.String(), Revision: int64(r.Revision), Target: target(*t)}
		for _, m := range p.Metrics {
			if m.Name == t.Metric {
				res.Target.Format = numberFormat(m.Format)
				res.Adds = m.Accumulate
			}
		}
		if t.Outlook != nil {
			res.Course = course(t.Outlook)
		}
		return res, nil
	}
	return nil, fault.New(fault.NotFound, "gap.target_unknown", "target: there is no target %.64q", req.GetTarget()).
		WithHint("%s", resource.Suggest(req.GetTarget(), names))
}

func course(o *gap.Outlook) []*gapv1.ForecastStep {
	var out []*gapv1.ForecastStep
	for _, s := range o.Course() {
		out = append(out, &gapv1.ForecastStep{
			Period: s.Period, End: s.End.String(), Value: s.Value, Lower80: s.Lower80, Upper80: s.Upper80, Lower95: s.Lower95, Upper95: s.Upper95,
		})
	}
	return out
}
