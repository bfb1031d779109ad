package server

import (
	"context"
	"fmt"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap/reconcile"
	initiativerpc "setpoint.dev/services/initiative/rpc"
	"setpoint.dev/services/internal/lease"
	"setpoint.dev/services/internal/principal"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

// startReconciler keeps conditions up to date, and has policies react: one of
// several processes that share a record does, elected by a lease. Processes whose
// records are their own may all do it: the guards of the conditions see to it that
// each transition is told once.
func startReconciler(ctx context.Context, s *Server) error {
	if s.opts.NoReactor {
		return nil
	}
	r := reconcile.New(s.log, s.record, s.commands, actsOfPolicies{initiativerpc.Acts(s.commands, s.record), strategyrpc.Acts(s.commands, s.record)}, s.opts.Logger)
	r.Reviews(reviewsOf)
	reconciling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if s.leases == nil {
			r.Run(reconciling)
			return
		}
		_ = s.leases.Hold(reconciling, fmt.Sprintf("reconciler.%d", s.log.Shard()), s.id, func(ctx context.Context, _ *lease.Lease) {
			s.opts.Logger.Info("this process reconciles")
			r.Run(ctx)
		})
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// actsOfPolicies carries out what policies decide, through the doors of the slices
// that it belongs to.
type actsOfPolicies struct {
	initiative initiativev1connect.InitiativeServiceHandler
	strategy   *strategyrpc.Service
}

func (a actsOfPolicies) RequestCheckIn(ctx context.Context, org, who string, req *strategyv1.RequestCheckInRequest) error {
	_, err := a.strategy.RequestCheckIn(principal.With(ctx, principal.Principal{Org: org, ID: who, Role: principal.Editor}), req)
	return err
}

func (a actsOfPolicies) OpenAction(ctx context.Context, org, who string, req *initiativev1.OpenActionRequest) error {
	_, err := a.initiative.OpenAction(principal.With(ctx, principal.Principal{Org: org, ID: who, Role: principal.Editor}), req)
	return err
}
