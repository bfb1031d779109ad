package rpc

import (
	"context"

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
