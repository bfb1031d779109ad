package rpc

import (
	"context"
	"slices"
	"strconv"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
)

// History implements DeclarationService. It reads the log, which also knows
// who retired a resource; the record only says which aggregate had the name.
func (s *Service) History(ctx context.Context, req *declarationv1.HistoryRequest) (*declarationv1.HistoryResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.kind(req.GetKind())
	if err != nil {
		return nil, err
	}
	page, err := rpc.PageOf(p.Org, req, 100, 1)
	if err != nil {
		return nil, err
	}
	before := uint64(1<<64 - 1)
	if page.After != nil {
		if before, err = strconv.ParseUint(page.After[0], 10, 64); err != nil {
			return nil, rpc.BadPage()
		}
	}
	var at uint64
	subject := eventlog.Subject{Org: p.Org, Service: k.Service, Kind: k.Token}
	err = s.record.At(ctx, page.Snapshot, func(v record.View, revision uint64) error {
		at = revision
		r, err := v.LastNamed(p.Org, k.Name, req.GetName(), at)
		if err != nil {
			return err
		}
		if r == nil {
			return fault.New(fault.NotFound, "declaration.not_found", "there is no %s/%s, and was none", k.Name, req.GetName()).
				WithHint("%s", resource.Suggest(req.GetName(), record.NewSet(v, p.Org, at).Names(k.Name)))
		}
		subject.ID = r.ID
		return nil
	})
	if err != nil {
		return nil, err
	}
	steps, err := s.steps(ctx, subject, at)
	if err != nil {
		return nil, err
	}
	res := &declarationv1.HistoryResponse{Revision: int64(at)}
	for _, step := range slices.Backward(steps) {
		if step.Revision >= before {
			continue
		}
		if len(res.Entries) == page.Size {
			res.NextPageToken = rpc.NextPage(at, strconv.FormatInt(res.Entries[page.Size-1].Revision, 10))
			break
		}
		res.Entries = append(res.Entries, entry(k, step))
	}
	return res, nil
}

// steps is the history of an aggregate up to a revision, oldest first.
func (s *Service) steps(ctx context.Context, subject eventlog.Subject, at uint64) ([]declaration.Step, error) {
	records, err := s.runner.Commits(ctx, subject, 0)
	if err != nil {
		return nil, err
	}
	commits := make([]declaration.Commit, 0, len(records))
	for _, r := range records {
		if r.Revision <= at {
			commits = append(commits, declaration.Commit{Revision: r.Revision, Envelope: r.Envelope})
		}
	}
	return declaration.History(s.kinds, commits)
}

func entry(k resource.Kind, s declaration.Step) *declarationv1.HistoryEntry {
	e := s.Envelope
	set := s.After.Set
	if s.Action == declaration.Delete {
		set = s.Before.Set
	}
	reason := e.GetReason()
	if s.Erased != nil {
		reason = s.Erased.Reason
	}
	return &declarationv1.HistoryEntry{
		Revision: int64(s.Revision), Recorded: rpc.Instant(e.GetRecorded().AsTime()),
		Principal: e.GetPrincipal(), Manager: e.GetManager(), Action: string(s.Action),
		Effective: e.GetEffective(), Set: set, Reason: reason,
		Fields: fields(s.Fields(k)), Mask: e.GetMask(),
		Name: s.Name(), RenamedFrom: s.RenamedFrom(), RequestId: e.GetRequestId(),
	}
}
