package convert

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// Packed is a resource as it is sent: of a target with a hundred periods, the tree
// of the spec takes ten times as much memory.
type Packed struct {
	Kind, Name string
	wire       []byte
}

// Size is how many bytes it is sent as.
func (p Packed) Size() int { return len(p.wire) }

// Resource unpacks.
func (p Packed) Resource() (*commonv1.Resource, error) {
	r := &commonv1.Resource{}
	return r, proto.Unmarshal(p.wire, r)
}

// Unpack unpacks all.
func Unpack(all []Packed) ([]*commonv1.Resource, error) {
	out := make([]*commonv1.Resource, len(all))
	for i, p := range all {
		r, err := p.Resource()
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}

// resourcesField is where Manifests have their resources.
var resourcesField = (&declarationv1.Manifests{}).ProtoReflect().Descriptor().Fields().ByName("resources").Number()

// Manifests are the resources to be sent. They are not unpacked for that: they
// are there in no other form than the one on the wire, and GetResources has none.
func Manifests(set string, all []Packed) *declarationv1.Manifests {
	m := &declarationv1.Manifests{Set: set}
	size := 0
	for _, p := range all {
		size += protowire.SizeTag(resourcesField) + protowire.SizeBytes(len(p.wire))
	}
	raw := make([]byte, 0, size)
	for _, p := range all {
		raw = protowire.AppendTag(raw, resourcesField, protowire.BytesType)
		raw = protowire.AppendBytes(raw, p.wire)
	}
	m.ProtoReflect().SetUnknown(raw)
	return m
}

// packed is a resource with the spec, which is not kept.
func packed(kind string, md *commonv1.Metadata, spec proto.Message, labels map[string]string) (Packed, error) {
	raw, err := protojson.Marshal(spec)
	if err != nil {
		return Packed{}, err
	}
	s := &structpb.Struct{}
	if err := protojson.Unmarshal(raw, s); err != nil {
		return Packed{}, err
	}
	if len(labels) > 0 {
		md.Labels = labels
	}
	wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(&commonv1.Resource{ApiVersion: "setpoint.dev/v1", Kind: kind, Metadata: md, Spec: s})
	return Packed{Kind: kind, Name: md.GetName(), wire: wire}, err
}
