package manifest

import (
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// decoding is the state of reading one resource.
type decoding struct {
	*reader
	above    int // lines before the text that node lines count from
	top      Position
	resource string // Kind/name, as far as known

	fields map[string]Position
	mask   []string
	wrong  map[string]bool // fields that have a fault already
}

func (d *decoding) at(n *yaml.Node) Position {
	if n.Line == 0 {
		return Position{}
	}
	return Position{n.Line + d.above, n.Column}
}

// sound checks what holds for every node of a document before it is read:
// depth, number, and the parts of YAML that manifests do without. Aliases are
// refused wholly, so nothing in a document can be larger than its text.
func (d *decoding) sound(root *yaml.Node) bool {
	before, nodes := d.faults.count(), 0
	var walk func(n *yaml.Node, depth int) bool
	walk = func(n *yaml.Node, depth int) bool {
		if nodes++; nodes > d.limits.Nodes {
			d.tooManyNodes(d.at(root))
			return false
		}
		if n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode {
			if depth++; depth > d.limits.Depth {
				d.tooDeep(d.at(n))
				return false
			}
		}
		switch {
		case n.Kind == yaml.AliasNode:
			d.fail(d.at(n), "manifest.anchor", "the alias "+quote("*"+n.Value)+" is not allowed", "write the value out; a text that begins with * needs quotes")
		case n.Anchor != "":
			d.fail(d.at(n), "manifest.anchor", "the anchor "+quote("&"+n.Anchor)+" is not allowed", "write the value out where it is needed; a text that begins with & needs quotes")
		case n.Style&yaml.TaggedStyle != 0:
			d.fail(d.at(n), "manifest.tag", "the tag "+quote(n.Tag)+" is not allowed", "leave it out; a text that begins with ! needs quotes")
		case n.Tag == "!!merge":
			d.fail(d.at(n), "manifest.merge_key", "the merge key << is not allowed", "write the fields out")
		}
		for _, c := range n.Content {
			if !walk(c, depth) {
				return false
			}
		}
		return true
	}
	walk(root, 0)
	return d.faults.count() == before
}

// entries yields the keys and values of a mapping. Keys that are not text and
// keys that come again are reported and left out.
func (d *decoding) entries(n *yaml.Node, path string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(*yaml.Node, *yaml.Node) bool) {
		first := map[string]Position{}
		for i := 0; i+1 < len(n.Content) && !d.faults.full(); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Kind != yaml.ScalarNode {
				d.fault(d.at(key), path, "manifest.wrong_type", "a key must be text, not "+describe(key), "")
				continue
			}
			if before, ok := first[key.Value]; ok {
				where := fmt.Sprintf("in lines %d and %d", before.Line, d.at(key).Line)
				if before.Line == d.at(key).Line {
					where = fmt.Sprintf("in line %d", before.Line)
				}
				d.fault(d.at(key), join(path, key.Value), "manifest.duplicate_key", "the field is given twice, "+where, "remove one of them")
				continue
			}
			first[key.Value] = d.at(key)
			if !yield(key, value) {
				return
			}
		}
	}
}

// message reads a mapping into a message. Fields that are null stay unset.
func (d *decoding) message(n *yaml.Node, m protoreflect.Message, path string) {
	descriptor := m.Descriptor()
	if descriptor.FullName().Parent() == "google.protobuf" {
		d.wellKnown(n, m, path)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.mistyped(n, path, "a mapping with "+list(jsonNames(descriptor)))
		return
	}
	set := len(d.mask)
	for key, value := range d.entries(n, path) {
		field := descriptor.Fields().ByJSONName(key.Value)
		at := join(path, key.Value)
		if field == nil {
			d.fault(d.at(key), at, "manifest.unknown_field", "unknown field "+quote(key.Value), didYouMean(key.Value, jsonNames(descriptor)))
			d.wrong[at] = true
			continue
		}
		if isNull(value) {
			d.fields[at] = d.at(key)
			continue
		}
		d.fields[at] = d.at(value)
		if one := field.ContainingOneof(); one != nil && !one.IsSynthetic() {
			if other := m.WhichOneof(one); other != nil {
				d.fault(d.at(key), at, "manifest.only_one", fmt.Sprintf("%s and %s cannot be given together", other.JSONName(), field.JSONName()), "")
				d.wrong[at] = true
				continue
			}
		}
		d.field(value, m, field, at)
	}
	if len(d.mask) == set && path != "metadata" && path != "spec" {
		d.set(path) // an empty message is something else than none
	}
}

func (d *decoding) field(n *yaml.Node, m protoreflect.Message, field protoreflect.FieldDescriptor, path string) {
	switch {
	case field.IsMap():
		d.set(path)
		if n.Kind != yaml.MappingNode {
			d.mistyped(n, path, "a mapping of names to values")
			return
		}
		if field.MapKey().Kind() != protoreflect.StringKind {
			d.unsupported(n, path)
			return
		}
		entries := m.Mutable(field).Map()
		for key, value := range d.entries(n, path) {
			at := join(path, key.Value)
			d.fields[at] = d.at(value)
			if v := d.value(value, field.MapValue(), entries.NewValue, at); v.IsValid() {
				entries.Set(protoreflect.ValueOfString(key.Value).MapKey(), v)
			}
		}
	case field.IsList():
		d.set(path)
		if n.Kind != yaml.SequenceNode {
			d.mistyped(n, path, "a list")
			return
		}
		items := m.Mutable(field).List()
		for i, item := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			d.fields[at] = d.at(item)
			v := d.value(item, field, items.NewElement, at)
			if !v.IsValid() {
				v = items.NewElement() // keeps the numbering of the others
			}
			items.Append(v)
		}
	case field.Message() != nil:
		child := m.NewField(field)
		d.message(n, child.Message(), path)
		m.Set(field, child)
	default:
		d.set(path)
		if v := d.scalar(n, field, path); v.IsValid() {
			m.Set(field, v)
		}
	}
}

// value reads an item of a list or a map; invalid if it has a fault.
func (d *decoding) value(n *yaml.Node, field protoreflect.FieldDescriptor, empty func() protoreflect.Value, path string) protoreflect.Value {
	if field.Message() == nil {
		return d.scalar(n, field, path)
	}
	v := empty()
	mask := len(d.mask)
	d.message(n, v.Message(), path)
	d.mask = d.mask[:mask] // a list or a map is one field
	return v
}

// set notes that the document sets the field.
func (d *decoding) set(path string) {
	if path != "metadata.name" && path != "metadata.renamedFrom" {
		d.mask = append(d.mask, path)
	}
}

func (d *decoding) sortedMask() []string {
	slices.Sort(d.mask)
	return d.mask
}

func (d *decoding) mistyped(n *yaml.Node, path, want string) {
	d.refuse(n, path, want, "")
}

func (d *decoding) refuse(n *yaml.Node, path, want, hint string) {
	at := d.at(n)
	if at == (Position{}) {
		at = nearest(d.fields, path, d.top)
	}
	d.fault(at, path, "manifest.wrong_type", "must be "+want+", not "+describe(n), hint)
	d.wrong[path] = true
}

func (d *decoding) unsupported(n *yaml.Node, path string) {
	d.fault(d.at(n), path, "manifest.unsupported", "cannot be written in a manifest", "")
	d.wrong[path] = true
}

// wellKnown reads google.protobuf messages, whose JSON forms are special.
func (d *decoding) wellKnown(n *yaml.Node, m protoreflect.Message, path string) {
	d.set(path)
	content, err := json.Marshal(d.plain(n, path))
	if err == nil && !d.wrong[path] {
		err = protojson.Unmarshal(content, m.Interface())
	}
	if err != nil {
		d.mistyped(n, path, "the JSON form of "+string(m.Descriptor().FullName()))
	}
}

// plain is the node as encoding/json has it.
func (d *decoding) plain(n *yaml.Node, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for key, value := range d.entries(n, path) {
			at := join(path, key.Value)
			d.fields[at] = d.at(value)
			object[key.Value] = d.plain(value, at)
		}
		return object
	case yaml.SequenceNode:
		items := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			d.fields[at] = d.at(item)
			items = append(items, d.plain(item, at))
		}
		return items
	}
	switch {
	case !isPlain(n):
	case isNull(n):
		return nil
	case n.Value == "true", n.Value == "false":
		return n.Value == "true"
	case number.MatchString(n.Value):
		if v, ok := d.float(n, path, 64); ok {
			return v
		}
		return nil
	}
	return n.Value
}

func jsonNames(m protoreflect.MessageDescriptor) []string {
	var names []string
	for i := range m.Fields().Len() {
		names = append(names, m.Fields().Get(i).JSONName())
	}
	return names
}

var simpleKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// join makes the path of a field; keys that are no words are bracketed.
func join(path, key string) string {
	if !simpleKey.MatchString(key) {
		return path + "[" + quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// isPlain reports whether a scalar was written without quotes.
func isPlain(n *yaml.Node) bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == yaml.ScalarNode && n.Style&quoted == 0
}

func isNull(n *yaml.Node) bool {
	if n == nil {
		return true
	}
	if !isPlain(n) {
		return false
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

func isBool(n *yaml.Node) bool {
	return isPlain(n) && (strings.EqualFold(n.Value, "true") || strings.EqualFold(n.Value, "false"))
}

// describe says what a node is, for messages.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "null"
	case isBool(n):
		return n.Value
	case isPlain(n) && number.MatchString(n.Value):
		return "the number " + strings.Trim(quote(n.Value), `"`)
	case n.Tag == "!!int" || n.Tag == "!!float":
		return strings.Trim(quote(n.Value), `"`)
	}
	return "the text " + quote(n.Value)
}
