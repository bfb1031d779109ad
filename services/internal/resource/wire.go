package resource

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// Upcaster turns events of superseded versions into present ones: from a wire
// name to a function that returns the newer name and payload. Steps chain.
type Upcaster map[string]func(payload []byte) (string, []byte, error)

// Up applies steps until the type has none.
func (u Upcaster) Up(typ string, payload []byte) (string, []byte, error) {
	for range 100 {
		step, ok := u[typ]
		if !ok {
			return typ, payload, nil
		}
		var err error
		if typ, payload, err = step(payload); err != nil {
			return "", nil, fmt.Errorf("upcast %s: %w", typ, err)
		}
	}
	return "", nil, fmt.Errorf("upcast %s: the steps run in a circle", typ)
}

var deterministic = proto.MarshalOptions{Deterministic: true}

// Encode returns the wire name and payload of an event of this kind.
func (k Kind) Encode(e Event) (string, []byte, error) {
	switch e := e.(type) {
	case Declared:
		msg := k.NewDeclared()
		m := msg.ProtoReflect()
		fields := m.Descriptor().Fields()
		m.Set(fields.ByName("metadata"), protoreflect.ValueOfMessage(e.Metadata.ProtoReflect()))
		m.Set(fields.ByName("spec"), protoreflect.ValueOfMessage(e.Spec.ProtoReflect()))
		m.Set(fields.ByName("set"), protoreflect.ValueOfString(e.Set))
		b, err := deterministic.Marshal(msg)
		return k.DeclaredType, b, err
	case Retired:
		b, err := deterministic.Marshal(&declarationv1.Retired{Name: e.Name})
		return k.RetiredType, b, err
	case Erased:
		b, err := deterministic.Marshal(&declarationv1.Erased{Name: e.Name, Holders: e.Holders, Reason: e.Reason})
		return k.ErasedType, b, err
	}
	return "", nil, fmt.Errorf("resource: unknown event %T", e)
}

// Message returns an empty message of a present wire name, nil for a type that
// belongs to no kind.
func (r *Registry) Message(typ string) proto.Message {
	i, ok := r.byType[typ]
	if !ok {
		if act, is := r.acts[typ]; is {
			return act.New()
		}
		return nil
	}
	switch k := r.kinds[i]; typ {
	case k.DeclaredType:
		return k.NewDeclared()
	case k.RetiredType:
		return &declarationv1.Retired{}
	default:
		return &declarationv1.Erased{}
	}
}

// Decode returns the kind and event of a present or superseded wire name;
// ok is false for a type that belongs to no kind.
func (r *Registry) Decode(typ string, payload []byte) (k Kind, e Event, ok bool, err error) {
	if typ, payload, err = r.upcaster.Up(typ, payload); err != nil {
		return Kind{}, nil, true, err
	}
	i, ok := r.byType[typ]
	if !ok {
		return Kind{}, nil, false, nil
	}
	k = r.kinds[i]
	switch typ {
	case k.RetiredType:
		var m declarationv1.Retired
		if err := proto.Unmarshal(payload, &m); err != nil {
			return k, nil, true, fmt.Errorf("%s: %w", typ, err)
		}
		return k, Retired{Name: m.GetName()}, true, nil
	case k.ErasedType:
		var m declarationv1.Erased
		if err := proto.Unmarshal(payload, &m); err != nil {
			return k, nil, true, fmt.Errorf("%s: %w", typ, err)
		}
		return k, Erased{Name: m.GetName(), Holders: m.GetHolders(), Reason: m.GetReason()}, true, nil
	}
	msg := k.NewDeclared()
	if err := proto.Unmarshal(payload, msg); err != nil {
		return k, nil, true, fmt.Errorf("%s: %w", typ, err)
	}
	m := msg.ProtoReflect()
	fields := m.Descriptor().Fields()
	md, isMetadata := m.Get(fields.ByName("metadata")).Message().Interface().(*commonv1.Metadata)
	if !isMetadata || md.GetName() == "" {
		return k, nil, true, fmt.Errorf("%s: the event has no metadata.name", typ)
	}
	return k, Declared{
		Metadata: md,
		Spec:     m.Get(fields.ByName("spec")).Message().Interface(),
		Set:      m.Get(fields.ByName("set")).String(),
	}, true, nil
}
