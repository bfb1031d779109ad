package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// longestValue is how many columns of one value a plan shows.
const longestValue = 100

// tally counts changes by what they do. A rename counts as nothing else.
type tally struct{ create, update, remove, rename, unchanged int }

func tallyOf(changes []*declarationv1.Change, s *declarationv1.Summary) tally {
	t := tally{unchanged: int(s.GetUnchanged())}
	for _, c := range changes {
		switch c.GetAction() {
		case "create":
			t.create++
		case "delete":
			t.remove++
		case "rename":
			t.rename++
		default:
			t.update++
		}
	}
	return t
}

// plan is "3 to create, 1 to change, 0 to delete, 40 unchanged".
func (t tally) plan() string {
	s := fmt.Sprintf("%d to create, %d to change, ", t.create, t.update)
	if t.rename > 0 {
		s += fmt.Sprintf("%d to rename, ", t.rename)
	}
	return s + fmt.Sprintf("%d to delete, %d unchanged", t.remove, t.unchanged)
}

// applied is "3 created, 1 changed, 0 deleted, 40 unchanged".
func (t tally) applied() string {
	s := fmt.Sprintf("%d created, %d changed, ", t.create, t.update)
	if t.rename > 0 {
		s += fmt.Sprintf("%d renamed, ", t.rename)
	}
	return s + fmt.Sprintf("%d deleted, %d unchanged", t.remove, t.unchanged)
}

// renderChanges shows each change with a symbol and its fields.
func renderChanges(changes []*declarationv1.Change, color paint) string {
	var b strings.Builder
	for _, c := range changes {
		name := c.GetKind() + "/" + c.GetName()
		switch c.GetAction() {
		case "create":
			fmt.Fprintf(&b, "%s\n", color.with(green, "+ "+name))
			for _, l := range created(c.GetFields()) {
				fmt.Fprintf(&b, "    %s\n", l)
			}
			continue
		case "delete":
			fmt.Fprintf(&b, "%s\n", color.with(red, "- "+name))
			continue
		case "rename":
			fmt.Fprintf(&b, "%s\n", color.with(cyan, "> "+c.GetKind()+"/"+c.GetRenamedFrom()+" → "+name))
		default:
			fmt.Fprintf(&b, "%s\n", color.with(yellow, "~ "+name))
		}
		for _, f := range c.GetFields() {
			for _, l := range leafChanges(f.GetPath(), f.GetFrom(), f.GetTo()) {
				fmt.Fprintf(&b, "    %s\n", l)
			}
		}
	}
	return b.String()
}

// created lists the fields of a new resource, "path: value".
func created(fields []*declarationv1.FieldChange) []string {
	var lines []string
	for _, f := range fields {
		if s := f.GetTo().GetStructValue(); s != nil && (f.GetPath() == "spec" || f.GetPath() == "metadata") {
			for _, k := range sortedKeys(s.GetFields()) {
				lines = append(lines, f.GetPath()+"."+k+": "+showValue(s.GetFields()[k]))
			}
			continue
		}
		lines = append(lines, printable(f.GetPath())+": "+showValue(f.GetTo()))
	}
	return lines
}

// leafChanges goes down to the values that differ. Elements of lists are told
// apart by what names them (period, date, objective …), else by position.
func leafChanges(path string, from, to *structpb.Value) []string {
	if a, b := from.GetStructValue(), to.GetStructValue(); a != nil && b != nil {
		return mapChanges(path+".", "", a.GetFields(), b.GetFields())
	}
	if a, b := from.GetListValue(), to.GetListValue(); a != nil && b != nil {
		before, key := keyed(a.GetValues())
		after, key2 := keyed(b.GetValues())
		if before != nil && after != nil && key == key2 {
			return mapChanges(path+"[", "]", before, after)
		}
	}
	if from != nil && to != nil && equalValues(from, to) {
		return nil
	}
	a, b := differing(inline(from), inline(to))
	return []string{printable(path) + ": " + clip(a, longestValue) + " → " + clip(b, longestValue)}
}

// differing leaves out the beginning that two long values share, so that what
// is shown of them is where they differ.
func differing(a, b string) (string, string) {
	if max(len(a), len(b)) <= longestValue {
		return a, b
	}
	x, y := []rune(a), []rune(b)
	same := 0
	for same < min(len(x), len(y)) && x[same] == y[same] {
		same++
	}
	const context = 20
	if same <= context {
		return a, b
	}
	return "…" + string(x[same-context:]), "…" + string(y[same-context:])
}

func mapChanges(before, after string, from, to map[string]*structpb.Value) []string {
	var lines []string
	for _, k := range sortedKeys(from, to) {
		lines = append(lines, leafChanges(before+k+after, from[k], to[k])...)
	}
	return lines
}

// keyed indexes a list of objects by the field that names each; nil if there
// is none.
func keyed(list []*structpb.Value) (byKey map[string]*structpb.Value, key string) {
	for _, key := range []string{"period", "date", "objective", "name"} {
		byKey := map[string]*structpb.Value{}
		for _, v := range list {
			if name := v.GetStructValue().GetFields()[key].GetStringValue(); name != "" {
				byKey[name] = v
			}
		}
		if len(list) > 0 && len(byKey) == len(list) {
			return byKey, key
		}
	}
	return nil, ""
}

func equalValues(a, b *structpb.Value) bool {
	x, errX := a.MarshalJSON()
	y, errY := b.MarshalJSON()
	return errX == nil && errY == nil && string(x) == string(y)
}

// showValue is a value on one line; numbers with every digit.
func showValue(v *structpb.Value) string { return clip(inline(v), longestValue) }

func inline(v *structpb.Value) string {
	switch k := v.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return "(not set)"
	case *structpb.Value_NumberValue:
		return exactNumber(k.NumberValue)
	case *structpb.Value_BoolValue:
		return fmt.Sprint(k.BoolValue)
	case *structpb.Value_StringValue:
		return strconv.Quote(k.StringValue) // which escapes what steers a terminal
	case *structpb.Value_ListValue:
		parts := make([]string, len(k.ListValue.GetValues()))
		for i, e := range k.ListValue.GetValues() {
			parts[i] = inline(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *structpb.Value_StructValue:
		fields := k.StructValue.GetFields()
		parts := make([]string, 0, len(fields))
		for _, name := range sortedKeys(fields) {
			parts = append(parts, name+": "+inline(fields[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}

func sortedKeys[V any](maps ...map[string]V) []string {
	var keys []string
	for _, m := range maps {
		for k := range m {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// renderWarnings shows advice in the form of faults.
func renderWarnings(warnings []*commonv1.Fault) string {
	if len(warnings) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n", counted(len(warnings), "warning", "warnings"))
	for _, w := range warnings {
		writePlace(&b, "  ", placeOf(w))
	}
	return b.String()
}
