package rpc

import (
	"context"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/gap/report"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
)

// calibration is the section of a report about how well forecasts and confidences
// agreed with what came; nil where no target has ended.
func (s *Service) calibration(ctx context.Context, p gap.Portfolio, r gap.Result, about head) (*report.Calibration, error) {
	if len(gap.Trials(p, r)) == 0 {
		return nil, nil
	}
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	var c gap.Calibration
	err = s.record.View(ctx, func(v record.View) (err error) {
		c, err = portfolio.Calibration(v, who.Org, p, r, about.rules)
		return err
	})
	return report.CalibrationOf(c), err
}

// calibrationMessage is the section in a result.
func calibrationMessage(c *report.Calibration) *gapv1.Calibration {
	if c == nil {
		return nil
	}
	one := func(g report.Calibrated) *gapv1.CalibratedGroup {
		return &gapv1.CalibratedGroup{
			Name: g.Name, N: int32(g.N), Hindsight: int32(g.Hindsight), Brier: g.Brier, BaseBrier: g.BaseBrier, BaseRate: g.BaseRate,
			MeanProbability: g.Mean, Intervals: int32(g.Intervals), Within80: g.Within80, Within95: g.Within95,
		}
	}
	list := func(in []report.Calibrated) (out []*gapv1.CalibratedGroup) {
		for _, g := range in {
			out = append(out, one(g))
		}
		return out
	}
	return &gapv1.Calibration{
		Forecasts: one(c.Forecasts), Leads: list(c.Leads), Units: list(c.Units), Methods: list(c.Methods),
		Confidence: one(c.Confidence), ConfidenceByUnit: list(c.Said), LeftOut: int32(c.LeftOut),
	}
}
