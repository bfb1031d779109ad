package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/strategy"
)

// requestToken is the token, in subjects, of the requests on a target.
const requestToken = "request"

// RequestCheckIn implements StrategyService.
func (s *Service) RequestCheckIn(ctx context.Context, req *strategyv1.RequestCheckInRequest) (*strategyv1.RequestCheckInResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	guards, err := s.guards(ctx, p.Org, "Target", requestToken, []string{req.GetTarget()})
	if err != nil {
		return nil, err
	}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: guards,
	}, func(v record.View) ([]runner.Write, error) {
		target, err := targetAt(v, p.Org, req.GetTarget(), v.Revision())
		if err != nil {
			return nil, err
		}
		state := &strategyv1.CheckInRequests{}
		at, err := record.StateOf(v, target, "strategy", requestToken, v.Revision(), state)
		if err != nil {
			return nil, err
		}
		if err := s.runner.Expect(ctx, subject(p.Org, requestToken, target.ID), uint64(req.GetExpectedRevision()), at); err != nil {
			return nil, err
		}
		list, err := v.CheckIns(p.Org, target.ID, target.Created, v.Revision(), record.CheckInKey{}, 0)
		if err != nil {
			return nil, err
		}
		told := make([]strategy.Told, 0, len(list))
		for _, c := range list {
			told = append(told, strategy.Told{At: c.At, Revision: c.Revision})
		}
		today := record.Today(v, p.Org, v.Revision(), s.runner.Now())
		state = since(state, target.Created)
		event, err := strategy.DecideRequest(state, told, strategy.RequestCheckIn{
			Reason: req.GetReason(), Due: req.GetDue(), Policy: req.GetPolicy(), Principal: p.ID, Today: today, After: v.Revision(),
		})
		if err != nil || event == nil {
			return nil, err
		}
		typ, payload, err := strategy.Acts().Encode(event)
		if err != nil {
			return nil, err
		}
		after, err := proto.MarshalOptions{Deterministic: true}.Marshal(strategy.EvolveRequests(state, event))
		if err != nil {
			return nil, err
		}
		return []runner.Write{{
			Subject: subject(p.Org, requestToken, target.ID), Events: []eventlog.Event{{Type: typ, Payload: payload}},
			Effective: today.String(), State: after,
		}}, nil
	})
	if err != nil {
		return nil, err
	}
	return &strategyv1.RequestCheckInResponse{Revision: int64(out.Revision), Changed: out.Wrote}, nil
}
