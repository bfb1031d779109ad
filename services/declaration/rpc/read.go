package rpc

import (
	"context"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
)

// kind finds the kind that a word means.
func (s *Service) kind(word string) (resource.Kind, error) {
	k, ok := s.kinds.Word(word)
	if !ok {
		return k, fault.New(fault.Invalid, "declaration.kind_unknown", "kind: there is no kind %.64q", word).
			WithHint("%s", resource.Suggest(word, s.kinds.Names()))
	}
	return k, nil
}

// Get implements DeclarationService.
func (s *Service) Get(ctx context.Context, req *declarationv1.GetRequest) (*declarationv1.GetResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.kind(req.GetKind())
	if err != nil {
		return nil, err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return nil, err
	}
	res := &declarationv1.GetResponse{}
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		r, err := v.Resource(p.Org, k.Name, req.GetName(), at)
		if err != nil {
			return err
		}
		if r == nil {
			return fault.New(fault.NotFound, "declaration.not_found", "there is no %s/%s", k.Name, req.GetName()).
				WithHint("%s", resource.Suggest(req.GetName(), record.NewSet(v, p.Org, at).Names(k.Name)))
		}
		res.Resource, err = message(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// List implements DeclarationService.
func (s *Service) List(ctx context.Context, req *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.kind(req.GetKind())
	if err != nil {
		return nil, err
	}
	page, err := rpc.PageOf(p.Org, req, 200, 1)
	if err != nil {
		return nil, err
	}
	after := ""
	if page.After != nil {
		after = page.After[0]
	}
	res := &declarationv1.ListResponse{}
	err = s.record.At(ctx, page.Snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		list, err := v.Resources(p.Org, k.Name, at, after, page.Size+1)
		if err != nil {
			return err
		}
		if len(list) > page.Size {
			list = list[:page.Size]
			res.NextPageToken = rpc.NextPage(at, list[page.Size-1].Name)
		}
		for _, r := range list {
			m, err := message(r)
			if err != nil {
				return err
			}
			res.Resources = append(res.Resources, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// message is the API form of a version.
func message(r *record.Resource) (*commonv1.Resource, error) {
	m, err := manifest.Document{Kind: r.Kind, Metadata: r.Metadata, Spec: r.Spec}.Resource()
	if err != nil {
		return nil, err
	}
	m.Provenance = &commonv1.Provenance{
		Revision: int64(r.From), CreatedRevision: int64(r.Created), Recorded: rpc.Instant(r.Recorded),
		Principal: r.Principal, Manager: r.Manager, Effective: r.Effective, Set: r.Set,
	}
	return m, nil
}
