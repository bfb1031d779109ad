package event

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// schema is a JSON Schema; encoding/json sorts its keys.
type schema map[string]any

// definitions are the schemas of messages, by their name without package prefix.
type definitions map[string]schema

const components = "#/components/schemas/"

// message refers to the schema of a message in its JSON form, as public events
// have it: without what is personal, and open to fields that are added.
func (d definitions) message(m protoreflect.MessageDescriptor) schema {
	switch m.FullName() {
	case "google.protobuf.Timestamp":
		return schema{"type": "string", "format": "date-time"}
	case "google.protobuf.Struct":
		return schema{"type": "object"}
	case "google.protobuf.Value":
		return schema{}
	}
	name := strings.Replace(strings.TrimPrefix(string(m.FullName()), "setpoint."), ".v1.", ".", 1)
	reference := schema{"$ref": components + name}
	if d[name] != nil {
		return reference
	}
	properties := schema{}
	d[name] = schema{"type": "object", "properties": properties}
	for i := range m.Fields().Len() {
		if f := m.Fields().Get(i); !personal(f) {
			properties[f.JSONName()] = d.field(f)
		}
	}
	return reference
}

func (d definitions) field(f protoreflect.FieldDescriptor) schema {
	switch {
	case f.IsMap():
		return schema{"type": "object", "additionalProperties": d.value(f.MapValue())}
	case f.IsList():
		return schema{"type": "array", "items": d.value(f)}
	}
	return d.value(f)
}

// value is the form that protojson gives a value:
// https://protobuf.dev/programming-guides/json
func (d definitions) value(f protoreflect.FieldDescriptor) schema {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return d.message(f.Message())
	case protoreflect.BoolKind:
		return schema{"type": "boolean"}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return schema{"type": "integer"}
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return schema{"type": "string", "pattern": "^-?[0-9]+$"}
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return schema{"type": "number"}
	case protoreflect.BytesKind:
		return schema{"type": "string", "contentEncoding": "base64"}
	}
	return schema{"type": "string"}
}
