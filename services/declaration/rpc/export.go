package rpc

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
)

// Export implements DeclarationService.
//
// What it writes applies to no change, so it says what a manifest may leave
// out: the set, unless one set was asked for, and the date from which each
// resource counts. A past state is undated unless asked for: see the request.
// A text that was erased is left out and named in a comment: the word that
// stands for it elsewhere is none that may be declared.
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
	comments := map[*commonv1.Resource]string{}
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
				spec, gone := withoutErased(r.Spec)
				m, err := manifest.Document{Kind: r.Kind, Metadata: r.Metadata, Spec: spec}.Resource()
				if err != nil {
					return err
				}
				if len(gone) > 0 {
					comments[m] = "erased, and therefore left out: " + strings.Join(gone, ", ")
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
	if err := manifest.EncodeWithComments(&b, s.kinds, comments, resources...); err != nil {
		return nil, err
	}
	res.Content, res.Count = b.Bytes(), int32(len(resources))
	return res, nil
}

// withoutErased is a spec without the texts that were erased, and the names of
// their fields as a manifest writes them, each once, in order.
func withoutErased(spec proto.Message) (proto.Message, []string) {
	shape := personal.ShapeOf(spec.ProtoReflect().Descriptor())
	if shape == nil || shape.Marked(spec.ProtoReflect()) == "" {
		return spec, nil
	}
	spec = proto.Clone(spec)
	var gone []string
	_ = shape.Each(spec.ProtoReflect(), func(field, text string) (string, error) {
		if text != personal.Erased {
			return text, nil // one that only cannot be read now must not be lost
		}
		name := string(protoreflect.FullName(field).Name())
		if d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(field)); err == nil {
			name = d.(protoreflect.FieldDescriptor).JSONName()
		}
		gone = append(gone, name)
		return "", nil
	})
	slices.Sort(gone)
	return spec, slices.Compact(gone)
}
