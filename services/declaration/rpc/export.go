package rpc

import (
	"bytes"
	"context"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
)

// Export implements DeclarationService.
//
// What it writes applies to no change, so it says what a manifest may leave
// out: the set, unless one set was asked for, and the date from which each
// resource counts. A past state is undated unless asked for: see the request.
func (s *Service) Export(ctx context.Context, req *declarationv1.ExportRequest) (*declarationv1.ExportResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, word := range req.GetKinds() {
		k, err := s.kind(word)
		if err != nil {
			return nil, err
		}
		wanted[k.Name] = true
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return nil, err
	}
	dated := req.GetDated() || snapshot.Newest()
	res := &declarationv1.ExportResponse{}
	var resources []*commonv1.Resource
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		for _, k := range s.kinds.Kinds() {
			if len(wanted) > 0 && !wanted[k.Name] {
				continue
			}
			list, err := v.Resources(p.Org, k.Name, at, "", 0)
			if err != nil {
				return err
			}
			for _, r := range list {
				if req.GetSet() != "" && r.Set != req.GetSet() {
					continue
				}
				m, err := manifest.Document{Kind: r.Kind, Metadata: r.Metadata, Spec: r.Spec}.Resource()
				if err != nil {
					return err
				}
				m.Metadata.Effective = ""
				if dated {
					m.Metadata.Effective = r.Effective
				}
				if req.GetSet() == "" {
					m.Metadata.Set = r.Set
				}
				resources = append(resources, m)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := manifest.Encode(&b, s.kinds, resources...); err != nil {
		return nil, err
	}
	res.Content, res.Count = b.Bytes(), int32(len(resources))
	return res, nil
}
