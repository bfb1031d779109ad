package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

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
		for _, l := range changed(c.GetFields()) {
			fmt.Fprintf(&b, "    %s\n", l)
		}
	}
	return b.String()
}

// changed lists the fields of a resource that was there before, "path: from →
// to".
func changed(fields []*declarationv1.FieldChange) []string {
	var lines []string
	for _, f := range fields {
		if namesElement(f.GetPath(), f.GetFrom()) || namesElement(f.GetPath(), f.GetTo()) {
			continue
		}
		from, to := differing(inline(f.GetFrom()), inline(f.GetTo()))
		if f.GetPath() == "set" {
			from, to = setName(f.GetFrom()), setName(f.GetTo())
		}
		lines = append(lines, fmt.Sprintf("%s: %s → %s", printable(f.GetPath()), clip(from, longestValue), clip(to, longestValue)))
	}
	return lines
}

// setName is the name of a set; the one without a name is the default.
func setName(v *structpb.Value) string {
	if s := v.GetStringValue(); s != "" {
		return printable(s)
	}
	return "(default)"
}

// elementPath takes spec.periods[FY2018].value apart.
var elementPath = regexp.MustCompile(`^([^\[\]]+)\[([^\[\]]*)\](?:\.(.*))?$`)

// namesElement reports whether a field only repeats what its path says:
// spec.periods[FY2018].period is FY2018.
func namesElement(path string, v *structpb.Value) bool {
	m := elementPath.FindStringSubmatch(path)
	return m != nil && m[2] != "" && m[2] == v.GetStringValue()
}

// created lists the fields of a new resource, "path: value"; the elements of a
// list stand on one line, "spec.periods: FY2018 0.03, FY2019 0.025".
func created(fields []*declarationv1.FieldChange) []string {
	type element struct {
		name   string
		leaves []string
	}
	var lines []string
	var list string
	var elements []element
	flush := func() {
		if list == "" {
			return
		}
		parts := make([]string, len(elements))
		for i, e := range elements {
			switch {
			case len(e.leaves) == 1:
				parts[i] = e.name + " " + strings.TrimPrefix(e.leaves[0], "value ")
			case len(e.leaves) > 1:
				parts[i] = e.name + " (" + strings.Join(e.leaves, ", ") + ")"
			default:
				parts[i] = e.name
			}
		}
		lines = append(lines, printable(list+": "+strings.Join(parts, ", ")))
		list, elements = "", nil
	}
	for _, f := range fields {
		m := elementPath.FindStringSubmatch(f.GetPath())
		if m == nil {
			flush()
			lines = append(lines, printable(f.GetPath())+": "+clip(inline(f.GetTo()), longestValue))
			continue
		}
		if m[1] != list {
			flush()
			list = m[1]
		}
		if n := len(elements); n == 0 || elements[n-1].name != m[2] {
			elements = append(elements, element{name: m[2]})
		}
		if !namesElement(f.GetPath(), f.GetTo()) {
			last := &elements[len(elements)-1]
			last.leaves = append(last.leaves, strings.TrimSpace(m[3]+" "+clip(inline(f.GetTo()), longestValue)))
		}
	}
	flush()
	return lines
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

// inline is a value on one line; numbers with every digit.
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
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			parts = append(parts, name+": "+inline(fields[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}
