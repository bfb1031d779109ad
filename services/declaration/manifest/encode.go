package manifest

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

// Encode writes resources as a YAML stream that Parse reads back. The same
// resource always gives the same bytes: fields come in the order of the
// messages, fields no message knows after them by name, numbers in their
// shortest form, dates and periods without quotes. Provenance is not written.
func Encode(w io.Writer, kinds Kinds, resources ...*commonv1.Resource) error {
	return EncodeWithComments(w, kinds, nil, resources...)
}

// EncodeWithComments writes what Encode does, and above the spec of a resource
// the comment that there is for it, a line of text.
func EncodeWithComments(w io.Writer, kinds Kinds, comments map[*commonv1.Resource]string, resources ...*commonv1.Resource) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	for _, r := range resources {
		n, err := resourceNode(kinds, r, comments[r])
		if err != nil {
			return err
		}
		if err := e.Encode(n); err != nil {
			return fault.Wrap(err, fault.Internal, "manifest.write_failed", "%s/%s could not be written", r.GetKind(), r.GetMetadata().GetName())
		}
	}
	if len(resources) == 0 {
		return nil // closing an encoder that wrote nothing is an error
	}
	return e.Close()
}

func resourceNode(kinds Kinds, r *commonv1.Resource, comment string) (*yaml.Node, error) {
	metadata, err := structOf(r.GetMetadata())
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "manifest.metadata_unencodable", "the metadata of a %s have no JSON form", r.GetKind())
	}
	var descriptor protoreflect.MessageDescriptor
	if spec, ok := kinds.NewSpec(r.GetKind()); ok {
		descriptor = spec.ProtoReflect().Descriptor()
	}
	about := typed(metadata, (&commonv1.Metadata{}).ProtoReflect().Descriptor())
	about.Style |= flowIfShort(about)
	spec := r.GetSpec()
	if spec == nil {
		spec = &structpb.Struct{}
	}
	named := plain("spec")
	named.HeadComment = comment
	return mapping(
		plain("apiVersion"), plain(APIVersion),
		plain("kind"), word(r.GetKind()),
		plain("metadata"), about,
		named, typed(spec, descriptor),
	), nil
}

// typed is the node of an object that is the JSON form of the message, if
// there is one.
func typed(object *structpb.Struct, m protoreflect.MessageDescriptor) *yaml.Node {
	if m == nil || m.FullName().Parent() == "google.protobuf" {
		return untyped(structpb.NewStructValue(object))
	}
	rest := maps.Clone(object.GetFields())
	n := mapping()
	for i := range m.Fields().Len() {
		field := m.Fields().Get(i)
		value, ok := rest[field.JSONName()]
		if !ok {
			continue
		}
		delete(rest, field.JSONName())
		n.Content = append(n.Content, plain(field.JSONName()), fieldNode(value, field))
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		n.Content = append(n.Content, word(name), untyped(rest[name]))
	}
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

func fieldNode(v *structpb.Value, field protoreflect.FieldDescriptor) *yaml.Node {
	object, list := v.GetStructValue(), v.GetListValue()
	switch {
	case field.IsMap() && object != nil:
		n := mapping()
		for _, name := range slices.Sorted(maps.Keys(object.GetFields())) {
			n.Content = append(n.Content, word(name), itemNode(object.GetFields()[name], field.MapValue()))
		}
		n.Style |= flowIfShort(n)
		return n
	case field.IsList() && list != nil:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range list.GetValues() {
			n.Content = append(n.Content, itemNode(item, field))
		}
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	}
	return itemNode(v, field)
}

func itemNode(v *structpb.Value, field protoreflect.FieldDescriptor) *yaml.Node {
	if object := v.GetStructValue(); object != nil && field.Message() != nil {
		n := typed(object, field.Message())
		n.Style |= flowIfShort(n)
		return n
	}
	if s, ok := v.GetKind().(*structpb.Value_StringValue); ok && field.Kind() == protoreflect.StringKind {
		return word(s.StringValue)
	}
	return untyped(v)
}

// flowIfShort puts an object of few, short scalars on one line.
func flowIfShort(n *yaml.Node) yaml.Style {
	length := 0
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode || c.Style&yaml.LiteralStyle != 0 {
			return 0
		}
		length += len(c.Value) + 2
	}
	if length > 90 {
		return 0
	}
	return yaml.FlowStyle
}

func plain(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})$`)
	calendarDay = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	safeText    = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9_./]*( [-A-Za-z0-9_./(]+[A-Za-z0-9_./(),;%]*)*$`)
)

// word is the node of a text field. Text stands without quotes where every
// reader of YAML takes it for the same text, and for years and dates, which
// Parse takes as written.
func word(s string) *yaml.Node {
	n := text(s)
	switch {
	case wholeNumber.MatchString(s):
		n.Style, n.Tag = 0, "!!int"
	case calendarDay.MatchString(s):
		if _, err := time.Parse(time.DateOnly, s); err == nil {
			n.Style, n.Tag = 0, "!!timestamp"
		}
	case literal(s):
		n.Style = yaml.LiteralStyle
	case safeText.MatchString(s) && !looksTyped(s) || period.MatchString(s):
		n.Style = 0
	}
	return n
}

// period is a period name that begins with a digit, such as 2018-Q3.
var period = regexp.MustCompile(`^[0-9]{4}-([0-9]{2}|Q[1-4]|W[0-9]{2})$`)

// looksTyped reports whether some YAML reader takes the word for a boolean or
// null.
func looksTyped(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}

// literal reports whether the text reads best, and survives, as a block: more
// than one line, none with odd white space or characters.
func literal(s string) bool {
	if !strings.Contains(s, "\n") || s[0] == ' ' || s[0] == '\n' {
		return false
	}
	if strings.HasSuffix(s, "\n\n") {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasSuffix(line, " ") {
			return false
		}
		for _, r := range line {
			if !unicode.IsPrint(r) {
				return false
			}
		}
	}
	return true
}
