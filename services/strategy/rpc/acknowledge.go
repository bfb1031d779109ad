package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/strategy"
)

// acknowledgementToken is the token, in subjects, of who has read the check-ins on
// a target.
const acknowledgementToken = "acknowledgement"

// AcknowledgeCheckIn implements StrategyService.
func (s *Service) AcknowledgeCheckIn(ctx context.Context, req *strategyv1.AcknowledgeCheckInRequest) (*strategyv1.AcknowledgeCheckInResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	guards, err := s.guards(ctx, p.Org, "Target", acknowledgementToken, []string{req.GetTarget()})
	if err != nil {
		return nil, err
	}
	// The check-in may have been recorded a moment ago.
	if err := s.runner.CatchUp(ctx); err != nil {
		return nil, err
	}
	res := &strategyv1.AcknowledgeCheckInResponse{}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: guards,
	}, func(v record.View) ([]runner.Write, error) {
		target, err := targetAt(v, p.Org, req.GetTarget(), v.Revision())
		if err != nil {
			return nil, err
		}
		list, err := v.CheckIns(p.Org, target.ID, target.Created, v.Revision(), record.CheckInKey{}, 0)
		if err != nil {
			return nil, err
		}
		var read *record.CheckIn
		for i := range list {
			if c := &list[i]; req.GetCheckIn() == 0 && (read == nil || c.Revision > read.Revision) || c.Revision == uint64(req.GetCheckIn()) {
				read = c
			}
		}
		if read == nil {
			f := fault.New(fault.NotFound, "strategy.checkin_unknown", "target %q has no check-in of revision %d", target.Name, req.GetCheckIn())
			if len(list) == 0 {
				f = fault.New(fault.NotFound, "strategy.checkin_unknown", "nobody has checked in on target %q", target.Name)
			}
			return nil, f.WithHint("setpoint checkin list %s shows them with their revisions", target.Name)
		}
		state := &strategyv1.CheckInAcknowledgements{}
		at, err := record.StateOf(v, target, "strategy", acknowledgementToken, v.Revision(), state)
		if err != nil {
			return nil, err
		}
		on := subject(p.Org, acknowledgementToken, target.ID)
		if err := s.runner.Expect(ctx, on, uint64(req.GetExpectedRevision()), at); err != nil {
			return nil, err
		}
		res.CheckIn = int64(read.Revision)
		today := record.Today(v, p.Org, v.Revision(), s.runner.Now())
		event, err := strategy.DecideAcknowledge(state, strategy.Acknowledge{
			CheckIn: read.Revision, About: read.At, By: read.Principal, Principal: p.ID, Note: req.GetNote(), Today: today,
		})
		if err != nil || event == nil {
			return nil, err
		}
		typ, payload, err := strategy.Acts().Encode(event)
		if err != nil {
			return nil, err
		}
		after, err := proto.MarshalOptions{Deterministic: true}.Marshal(strategy.EvolveAcknowledgements(state, event))
		return []runner.Write{{
			Subject: on, Events: []eventlog.Event{{Type: typ, Payload: payload}}, Effective: today.String(), State: after,
		}}, err
	})
	if err != nil {
		return nil, err
	}
	res.Revision, res.Changed = int64(out.Revision), out.Wrote
	return res, nil
}
