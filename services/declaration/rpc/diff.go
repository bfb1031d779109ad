package rpc

import (
	"context"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
)

// Diff implements DeclarationService.
func (s *Service) Diff(ctx context.Context, req *declarationv1.DiffRequest) (*declarationv1.DiffResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	from, to := uint64(req.GetFrom()), uint64(req.GetTo())
	res := &declarationv1.DiffResponse{From: req.GetFrom()}
	err = s.record.At(ctx, record.Snapshot{Revision: to, MinRevision: max(from, uint64(req.GetMinRevision()))}, func(v record.View, to uint64) error {
		if legal, err := v.Commit(from); err != nil {
			return err
		} else if from != 0 && legal != from {
			return fault.New(fault.Invalid, "snapshot.not_a_commit", "from: %d lies inside a commit that ends at %d", from, legal).
				WithHint("use revision %d", legal)
		}
		before := declaration.Current{}
		if from != 0 {
			if before, err = declared(v, s.kinds, p.Org, from); err != nil {
				return err
			}
		}
		after, err := declared(v, s.kinds, p.Org, to)
		if err != nil {
			return err
		}
		plan := declaration.Compare(s.kinds, before, after)
		res.To, res.Changes, res.Summary = int64(to), changes(plan), summary(plan)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}
