package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

const (
	// mostFollow is how many clients may follow at once.
	mostFollow = 256
	// betweenTellings is the least time from one message to the next.
	betweenTellings = 200 * time.Millisecond
)

// Follow implements DeclarationService.
func (s *Service) Follow(ctx context.Context, _ *declarationv1.FollowRequest, stream *connect.ServerStream[declarationv1.FollowResponse]) error {
	p, err := principal.From(ctx)
	if err != nil {
		return err
	}
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	default:
		return fault.New(fault.Exhausted, "declaration.too_many_follow", "%d clients follow already", cap(s.following)).
			WithHint("ask now and then, or try again later")
	}
	pause := time.NewTicker(betweenTellings)
	defer pause.Stop()
	for {
		at, _ := s.record.Status()
		if err := stream.Send(&declarationv1.FollowResponse{Revision: int64(at)}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
		}
		if err := s.record.Await(ctx, p.Org, at); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fault.Wrap(err, fault.Unavailable, "record.halted", "the record has halted").
				WithHint("the operator finds the reason with: setpoint status")
		}
	}
}
