package rpc

import (
	"cmp"
	"context"
	"slices"
	"strings"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/initiative"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/internal/schedule"
)

// OpenAction implements InitiativeService.
func (s *Service) OpenAction(ctx context.Context, req *initiativev1.OpenActionRequest) (*initiativev1.OpenActionResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	// The same request id names the same action, so that a request given again
	// finds what it opened.
	id := "act-" + runner.NameOf(p.Org, req.GetRequestId())
	subject := eventlog.Subject{Org: p.Org, Service: initiative.Service, Kind: actionToken, ID: id}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: []eventlog.Subject{subject},
	}, func(v record.View) ([]runner.Write, error) {
		if err := exists(v, p.Org, "Target", req.GetTarget()); err != nil {
			return nil, err
		}
		if err := exists(v, p.Org, "Initiative", req.GetInitiative()); err != nil {
			return nil, err
		}
		if err := ownerExists(v, p.Org, req.GetOwner()); err != nil {
			return nil, err
		}
		set, err := s.setting(v, p.Org)
		if err != nil {
			return nil, err
		}
		event, err := initiative.DecideAction(nil, initiative.OpenAction{
			Title: req.GetTitle(), Target: req.GetTarget(), Initiative: req.GetInitiative(), Owner: req.GetOwner(), Due: req.GetDue(),
			Policy: req.GetPolicy(), Note: req.GetNote(), At: req.GetAt(), Today: set.today,
		})
		if err != nil {
			return nil, err
		}
		w, err := write(subject, event, initiative.EvolveAction(nil, event, set.today), set.today)
		return []runner.Write{w}, err
	})
	if err != nil {
		return nil, err
	}
	return &initiativev1.OpenActionResponse{Revision: int64(out.Revision), Action: id}, nil
}

// exists refuses the name of a resource that is not declared; empty is fine.
func exists(v record.View, org, kind, name string) error {
	if name == "" {
		return nil
	}
	r, err := v.Resource(org, kind, name, v.Revision())
	if err == nil && r == nil {
		err = record.Unknown(v, org, kind, name)
	}
	return err
}

// ownerExists refuses a unit that is not declared; people need not be.
func ownerExists(v record.View, org, owner string) error {
	unit, is := strings.CutPrefix(owner, "unit/")
	if !is {
		return nil
	}
	return exists(v, org, "Unit", unit)
}

// actOnAction carries out a command on a corrective action.
func (s *Service) actOnAction(ctx context.Context, req writing, id string, command func(today calendar.Date) initiative.ActionCommand) (revision int64, changed bool, err error) {
	p, err := principal.From(ctx)
	if err != nil {
		return 0, false, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return 0, false, err
	}
	subject := eventlog.Subject{Org: p.Org, Service: initiative.Service, Kind: actionToken, ID: id}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: []eventlog.Subject{subject},
	}, func(v record.View) ([]runner.Write, error) {
		state := &initiative.ActionState{}
		have, err := v.State(p.Org, initiative.Service, actionToken, id, v.Revision())
		if err != nil {
			return nil, err
		}
		if have == nil {
			return nil, missing("action", "action", id)
		}
		if err := have.Into(state); err != nil {
			return nil, err
		}
		if err := s.runner.Expect(ctx, subject, uint64(req.GetExpectedRevision()), have.From); err != nil {
			return nil, err
		}
		today := record.Today(v, p.Org, v.Revision(), s.runner.Now())
		c := command(today)
		if move, ok := c.(initiative.MoveAction); ok {
			if err := ownerExists(v, p.Org, move.Owner); err != nil {
				return nil, err
			}
		}
		event, err := initiative.DecideAction(state, c)
		if err != nil || event == nil {
			return nil, err
		}
		w, err := write(subject, event, initiative.EvolveAction(state, event, today), today)
		return []runner.Write{w}, err
	})
	return int64(out.Revision), out.Wrote, err
}

// MoveAction implements InitiativeService.
func (s *Service) MoveAction(ctx context.Context, req *initiativev1.MoveActionRequest) (*initiativev1.MoveActionResponse, error) {
	at, changed, err := s.actOnAction(ctx, req, req.GetAction(), func(today calendar.Date) initiative.ActionCommand {
		return initiative.MoveAction{Owner: req.GetOwner(), Due: req.GetDue(), Reason: req.GetReason(), Today: today}
	})
	return &initiativev1.MoveActionResponse{Revision: at, Changed: changed}, err
}

// CloseAction implements InitiativeService.
func (s *Service) CloseAction(ctx context.Context, req *initiativev1.CloseActionRequest) (*initiativev1.CloseActionResponse, error) {
	at, changed, err := s.actOnAction(ctx, req, req.GetAction(), func(today calendar.Date) initiative.ActionCommand {
		return initiative.CloseAction{Outcome: req.GetOutcome(), At: req.GetAt(), Evidence: req.GetEvidence(), Today: today}
	})
	return &initiativev1.CloseActionResponse{Revision: at, Changed: changed}, err
}

// ReopenAction implements InitiativeService.
func (s *Service) ReopenAction(ctx context.Context, req *initiativev1.ReopenActionRequest) (*initiativev1.ReopenActionResponse, error) {
	at, changed, err := s.actOnAction(ctx, req, req.GetAction(), func(calendar.Date) initiative.ActionCommand {
		return initiative.ReopenAction{Reason: req.GetReason()}
	})
	return &initiativev1.ReopenActionResponse{Revision: at, Changed: changed}, err
}

// ListActions implements InitiativeService.
func (s *Service) ListActions(ctx context.Context, req *initiativev1.ListActionsRequest) (*initiativev1.ListActionsResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return nil, err
	}
	res := &initiativev1.ListActionsResponse{}
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		asOf, err := s.asOf(v, p.Org, at, req.GetAsOf())
		if err != nil {
			return err
		}
		return v.States(p.Org, initiative.Service, actionToken, at, func(have record.State) error {
			state := &initiative.ActionState{}
			if err := have.Into(state); err != nil {
				return err
			}
			if state = schedule.ActionOn(state, asOf); state == nil {
				return nil
			}
			for _, x := range []struct{ want, is string }{
				{req.GetTarget(), state.GetTarget()}, {req.GetInitiative(), state.GetInitiative()},
				{req.GetOwner(), state.GetOwner()}, {req.GetStatus(), state.GetStatus()},
			} {
				if x.want != "" && x.want != x.is {
					return nil
				}
			}
			res.Actions = append(res.Actions, &initiativev1.ActionEntry{
				Action: have.ID, State: state, Overdue: initiative.Overdue(state, asOf), Revision: int64(have.From),
			})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	rank := map[string]int{initiative.Open: 0, initiative.Done: 1, initiative.Dropped: 2}
	slices.SortStableFunc(res.Actions, func(a, b *initiativev1.ActionEntry) int {
		return cmp.Or(cmp.Compare(rank[a.GetState().GetStatus()], rank[b.GetState().GetStatus()]),
			strings.Compare(a.GetState().GetDue(), b.GetState().GetDue()), strings.Compare(a.GetAction(), b.GetAction()))
	})
	return res, nil
}

// GetAction implements InitiativeService.
func (s *Service) GetAction(ctx context.Context, req *initiativev1.GetActionRequest) (*initiativev1.GetActionResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return nil, err
	}
	res := &initiativev1.GetActionResponse{}
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		asOf, err := s.asOf(v, p.Org, at, req.GetAsOf())
		if err != nil {
			return err
		}
		have, err := v.State(p.Org, initiative.Service, actionToken, req.GetAction(), at)
		if err != nil {
			return err
		}
		if have == nil {
			return missing("action", "action", req.GetAction())
		}
		state := &initiative.ActionState{}
		if err := have.Into(state); err != nil {
			return err
		}
		if state = schedule.ActionOn(state, asOf); state == nil {
			return fault.New(fault.NotFound, "initiative.action_unknown", "action: %q was opened after %s", req.GetAction(), asOf).
				WithHint("ask without --as-of, or for a later day")
		}
		res.Action = &initiativev1.ActionEntry{Action: have.ID, State: state, Overdue: initiative.Overdue(state, asOf), Revision: int64(have.From)}
		res.Acts, err = s.story(ctx, eventlog.Subject{Org: p.Org, Service: initiative.Service, Kind: actionToken, ID: have.ID}, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}
