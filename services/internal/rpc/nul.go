package rpc

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// nul finds a text with a NUL character, which not every database can keep:
// the path of its field in JSON names, "" if there is none.
func nul(m protoreflect.Message) (path string) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := field.JSONName()
		switch {
		case field.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				path = nulIn(fmt.Sprintf("%s[%q]", name, k.String()), field.MapValue(), v)
				if path == "" && field.MapKey().Kind() == protoreflect.StringKind && strings.IndexByte(k.String(), 0) >= 0 {
					path = name
				}
				return path == ""
			})
		case field.IsList():
			for i := 0; i < v.List().Len() && path == ""; i++ {
				path = nulIn(fmt.Sprintf("%s[%d]", name, i), field, v.List().Get(i))
			}
		default:
			path = nulIn(name, field, v)
		}
		return path == ""
	})
	return path
}

func nulIn(name string, field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case field.Kind() == protoreflect.StringKind && strings.IndexByte(v.String(), 0) >= 0:
		return name
	case field.Message() != nil:
		if inner := nul(v.Message()); inner != "" {
			return name + "." + inner
		}
	}
	return ""
}
