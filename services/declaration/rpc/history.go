package rpc

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

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
	var lives []record.State
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
		lives, err = livesOf(v, k, subject, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	steps, err := s.steps(ctx, subject, at)
	if err != nil {
		return nil, err
	}
	var list []*declarationv1.HistoryEntry
	for _, step := range steps {
		list = append(list, entry(k, step))
	}
	wanted := 0 // of the entries, on this page
	for i, life := range lives {
		// Nothing of it, or of those after it, is newer than its state: what is on the
		// page is all there.
		if i > 0 && wanted > page.Size && pageEnds(list, before, page.Size) > int64(life.From) {
			break
		}
		acts, err := s.acts(ctx, k, life.ID, subject, at)
		if err != nil {
			return nil, err
		}
		list = append(list, acts...)
		for _, e := range acts {
			if uint64(e.GetRevision()) < before {
				wanted++
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *declarationv1.HistoryEntry) int { return cmp.Compare(b.GetRevision(), a.GetRevision()) })
	res := &declarationv1.HistoryResponse{Revision: int64(at)}
	for _, e := range list {
		if uint64(e.GetRevision()) >= before {
			continue
		}
		// What was written at one revision is not parted: a page begins below one.
		if n := len(res.Entries); n >= page.Size && e.GetRevision() < res.Entries[n-1].GetRevision() {
			res.NextPageToken = rpc.NextPage(at, strconv.FormatInt(res.Entries[n-1].GetRevision(), 10))
			break
		}
		res.Entries = append(res.Entries, e)
	}
	return res, nil
}

// livesOf are the aggregates of what was done with a resource, the one that was
// acted on last first. Of one whose state is not on record only the id is known.
func livesOf(v record.View, k resource.Kind, of eventlog.Subject, at uint64) ([]record.State, error) {
	switch {
	case k.Life == nil:
		return nil, nil
	case !k.Life.Many:
		return []record.State{{ID: of.ID, From: at}}, nil
	}
	var out []record.State
	err := v.States(of.Org, of.Service, k.Life.Token, at, func(s record.State) error {
		if id, _ := record.Parted(s.ID); id == of.ID {
			out = append(out, record.State{ID: strings.Clone(s.ID), From: s.From})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b record.State) int { return cmp.Or(cmp.Compare(b.From, a.From), cmp.Compare(a.ID, b.ID)) })
	return out, err
}

// pageEnds is the revision of the last entry of a page below a revision, 0 if the
// entries do not fill it.
func pageEnds(list []*declarationv1.HistoryEntry, before uint64, size int) int64 {
	var revisions []int64
	for _, e := range list {
		if uint64(e.GetRevision()) < before {
			revisions = append(revisions, e.GetRevision())
		}
	}
	if len(revisions) <= size {
		return 0
	}
	slices.SortFunc(revisions, func(a, b int64) int { return cmp.Compare(b, a) })
	return revisions[size-1]
}

// acts is what was done up to a revision in one of the aggregates of a resource's
// life, the last of a commit first, as histories are read.
func (s *Service) acts(ctx context.Context, k resource.Kind, id string, subject eventlog.Subject, at uint64) ([]*declarationv1.HistoryEntry, error) {
	subject.Kind, subject.ID = k.Life.Token, id
	told, err := s.runner.Story(ctx, subject, at, k.Life.Acts)
	if err != nil {
		return nil, err
	}
	var out []*declarationv1.HistoryEntry
	for _, t := range slices.Backward(told) {
		e := t.Commit.Envelope
		x := &declarationv1.HistoryEntry{
			Revision: int64(t.Commit.Revision), Recorded: rpc.Instant(t.Commit.Recorded()), Principal: e.GetPrincipal(), Manager: e.GetManager(),
			Action: "act", Effective: e.GetEffective(), Type: t.Type, RequestId: e.GetRequestId(),
		}
		x.Summary, x.Reason, x.Links = k.Life.Words(t.Event)
		out = append(out, x)
	}
	return out, nil
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
