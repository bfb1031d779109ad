package mapping

import (
	"reflect"
	"strconv"
	"strings"
)

// Schema is the JSON Schema (draft 7) of mappings, made from the types here and
// their tags, so that there is one source. It marshals to the same bytes always.
func Schema() map[string]any {
	s := object(reflect.TypeOf(Mapping{}))
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "setpoint import mapping"
	s["properties"].(map[string]any)["apiVersion"] = map[string]any{"const": Version}
	return s
}

func object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	var required []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" {
			continue
		}
		p := value(f.Type, f.Tag)
		if d := f.Tag.Get("doc"); d != "" {
			p["description"] = d
		}
		properties[name] = p
		if options == "" {
			required = append(required, name)
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		out["required"] = required
	}
	return out
}

func value(t reflect.Type, tag reflect.StructTag) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return value(t.Elem(), tag)
	case reflect.Struct:
		return object(t)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": value(t.Elem(), tag), "minItems": 1}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": value(t.Elem(), tag)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int:
		s := map[string]any{"type": "integer"}
		for key, name := range map[string]string{"min": "minimum", "max": "maximum"} {
			if n, err := strconv.Atoi(tag.Get(key)); err == nil {
				s[name] = n
			}
		}
		return s
	}
	// A text may be written without quotes: 2018 is the text "2018".
	s := map[string]any{"type": []string{"string", "number"}}
	if p := tag.Get("pattern"); p != "" {
		s = map[string]any{"type": "string", "pattern": p}
	}
	switch e := tag.Get("enum"); e {
	case "":
	case "roles":
		s = map[string]any{"enum": words(Roles)}
	default:
		legal := strings.Split(e, ",")
		for i, w := range legal {
			if w == "comma" {
				legal[i] = ","
			}
		}
		s = map[string]any{"enum": legal}
	}
	return s
}
