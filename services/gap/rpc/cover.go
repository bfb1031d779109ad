package rpc

import (
	"context"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
)

// Cover implements GapService.
func (s *Service) Cover(ctx context.Context, req *gapv1.CoverRequest) (*gapv1.CoverResponse, error) {
	p, res, _, err := s.evaluate(ctx, query{strategy: req.GetStrategy(), asOf: req.GetAsOf(), snapshot: req})
	if err != nil {
		return nil, err
	}
	out := &gapv1.CoverResponse{AsOf: res.AsOf.String(), Revision: int64(res.Revision)}
	for _, c := range gap.Cover(res, p.Initiatives) {
		m := &gapv1.Coverage{
			Target: c.Target, Gap: c.Gap, Expected: c.Expected, Ready: c.Ready, Share: c.Share, ReadyShare: c.ReadyShare,
			Residual: c.Residual, Unmeasured: c.Unmeasured,
		}
		for _, x := range c.Covered {
			m.Covered = append(m.Covered, &gapv1.Covered{
				Initiative: x.Initiative, Title: x.Title, Stage: x.Stage, Amount: x.Amount, Ramp: x.Ramp, Delivery: x.Delivery,
				PeopleDependent: x.PeopleDependent, Adoption: x.Adoption, Program: x.Program, Expected: x.Expected, Ready: x.Ready,
			})
		}
		out.Targets = append(out.Targets, m)
	}
	return out, nil
}
