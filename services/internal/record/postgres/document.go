package postgres

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
)

// document is what other programs read of a resource: its labels and its spec
// in JSON, as in a manifest, without fields that may hold personal data.
func document(metadata *commonv1.Metadata, spec proto.Message) ([]byte, error) {
	labels := metadata.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	out := []byte(`{"labels":`)
	text, err := json.Marshal(labels)
	if err != nil {
		return nil, err
	}
	out = append(append(out, text...), `,"spec":`...)
	if text, err = protojson.Marshal(impersonal(spec)); err != nil {
		return nil, err
	}
	out = append(append(out, text...), '}')
	if bytes.Contains(out, []byte(`\u0000`)) {
		out = withoutNUL(out)
	}
	return out, nil
}

// withoutNUL replaces the one character that PostgreSQL has no place for.
func withoutNUL(text []byte) []byte {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		if bytes.HasPrefix(text[i:], []byte(`\u0000`)) {
			out.WriteString(`\ufffd`)
			i += 5
			continue
		}
		out.Write(text[i : i+2])
		i++
	}
	return []byte(out.String())
}

// impersonal is the message without its personal fields.
func impersonal(m proto.Message) proto.Message {
	if !mayBePersonal(m.ProtoReflect().Descriptor()) {
		return m
	}
	m = proto.Clone(m)
	strip(m.ProtoReflect())
	return m
}

func strip(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case personal(field):
			m.Clear(field)
		case field.IsMap():
			if field.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { strip(v.Message()); return true })
			}
		case field.Message() == nil:
		case field.IsList():
			for i := range v.List().Len() {
				strip(v.List().Get(i).Message())
			}
		default:
			strip(v.Message())
		}
		return true
	})
}

func personal(field protoreflect.FieldDescriptor) bool {
	is, _ := proto.GetExtension(field.Options(), commonv1.E_Personal).(bool)
	return is
}

var known sync.Map // of protoreflect.FullName to bool

// mayBePersonal says whether any field of a message, or of what it holds, is
// personal.
func mayBePersonal(d protoreflect.MessageDescriptor) bool {
	if is, ok := known.Load(d.FullName()); ok {
		return is.(bool)
	}
	is := searchPersonal(d, map[protoreflect.FullName]bool{})
	known.Store(d.FullName(), is)
	return is
}

func searchPersonal(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[d.FullName()] {
		return false
	}
	seen[d.FullName()] = true
	for i := range d.Fields().Len() {
		field := d.Fields().Get(i)
		if personal(field) || field.Message() != nil && searchPersonal(field.Message(), seen) {
			return true
		}
	}
	return false
}
