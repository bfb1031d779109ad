package declaration

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/resource"
)

// FieldChange is one field's value before and after: nil, bool, float64 or
// string; nil means not set.
type FieldChange struct {
	Path     string
	From, To any
}

// Diff lists what differs between two states of a resource, by path. Elements
// of lists are named by what tells them apart (a period, a date, an
// objective), so that one inserted in front does not change all that follow.
func Diff(k resource.Kind, before, after resource.State) []FieldChange {
	from, to := flat(before), flat(after)
	var out []FieldChange
	for path, v := range from {
		if w, ok := to[path]; !ok || w != v {
			out = append(out, FieldChange{Path: path, From: v, To: to[path]})
		}
	}
	for path, w := range to {
		if _, ok := from[path]; !ok {
			out = append(out, FieldChange{Path: path, To: w})
		}
	}
	order := fieldOrder(k)
	sort.Slice(out, func(i, j int) bool {
		a, b := order.rank(out[i].Path), order.rank(out[j].Path)
		if a != b {
			return a < b
		}
		return natural(out[i].Path, out[j].Path)
	})
	return out
}

// flat is a state as leaf values by path.
func flat(s resource.State) map[string]any {
	out := map[string]any{}
	if !s.Exists {
		return out
	}
	if s.Metadata.GetProtected() {
		out["metadata.protected"] = true
	}
	if e := s.Metadata.GetEffective(); e != "" {
		out["metadata.effective"] = e
	}
	for k, v := range s.Metadata.GetLabels() {
		out["metadata.labels."+k] = v
	}
	if s.Set != "" {
		out["set"] = s.Set
	}
	flatten(out, "spec", JSON(s.Spec))
	return out
}

// JSON is a message as plain JSON values.
func JSON(m proto.Message) any {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return nil
	}
	return v
}

func flatten(out map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			flatten(out, path+"."+name, field)
		}
	case []any:
		key := keyOf(v)
		for i, e := range v {
			at := fmt.Sprintf("%s[%d]", path, i)
			if key != "" {
				at = fmt.Sprintf("%s[%s]", path, e.(map[string]any)[key])
			}
			flatten(out, at, e)
		}
	default:
		out[path] = v
	}
}

// Indexed is the path of a FieldChange with the places of elements in their lists
// in place of what tells them apart, as they are in a spec: spec.periods[2].value.
// From where the spec does not have it, it is left out.
func Indexed(path string, spec proto.Message) string {
	rest, ok := strings.CutPrefix(path, "spec")
	if !ok {
		return path
	}
	out, at := "spec", JSON(spec)
	for rest != "" {
		if name, found := strings.CutPrefix(rest, "."); found {
			n := strings.IndexAny(name, ".[")
			if n < 0 {
				n = len(name)
			}
			fields, _ := at.(map[string]any)
			if at, ok = fields[name[:n]]; !ok {
				return out
			}
			out, rest = out+"."+name[:n], name[n:]
			continue
		}
		key, after, found := strings.Cut(rest[1:], "]")
		list, _ := at.([]any)
		by := keyOf(list)
		i := slices.IndexFunc(list, func(e any) bool {
			m, ok := e.(map[string]any)
			return ok && by != "" && m[by] == key
		})
		if n, err := strconv.Atoi(key); by == "" && err == nil && n < len(list) {
			i = n
		}
		if !found || i < 0 {
			return out
		}
		out, at, rest = fmt.Sprintf("%s[%d]", out, i), list[i], after
	}
	return out
}

// keyOf is the field that tells the elements of a list apart, "" if none does.
func keyOf(list []any) string {
	for _, key := range []string{"period", "date", "objective"} {
		seen := map[any]bool{}
		for _, e := range list {
			m, ok := e.(map[string]any)
			if !ok {
				return ""
			}
			if s, ok := m[key].(string); ok {
				seen[s] = true
			}
		}
		if len(seen) == len(list) {
			return key
		}
	}
	return ""
}

// fieldOrder ranks paths in the order of the kind's schema.
type fieldOrder resource.Kind

func (o fieldOrder) rank(path string) int {
	parts := strings.SplitN(path, ".", 3)
	switch parts[0] {
	case "metadata", "set":
		return 0
	}
	if len(parts) < 2 || o.NewSpec == nil {
		return 1
	}
	name, _, _ := strings.Cut(parts[1], "[")
	f := o.NewSpec().ProtoReflect().Descriptor().Fields().ByJSONName(name)
	if f == nil {
		return 1 << 20
	}
	return 1 + f.Index()
}

// natural orders a[2] before a[10].
func natural(a, b string) bool {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x > 0 && y > 0 {
			if x != y {
				return x < y
			}
			if a[:x] != b[:y] {
				return a[:x] < b[:y]
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return a[0] < b[0]
		}
		a, b = a[1:], b[1:]
	}
	return len(a) < len(b)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
