package manifest

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

func sortedNames(kinds Kinds) []string {
	return slices.Sorted(slices.Values(kinds.Names()))
}

var topLevel = []string{"apiVersion", "kind", "metadata", "spec"}

// resource reads one resource from its node; above is the number of lines
// before the text that the node's lines count from.
func (r *reader) resource(root *yaml.Node, above int) {
	d := &decoding{reader: r, above: above, fields: map[string]Position{}, wrong: map[string]bool{}}
	at := d.at(root)
	if r.admit(at) {
		return
	}
	before := r.faults.count()
	if root.Kind != yaml.MappingNode {
		r.fail(at, "manifest.not_a_resource", "a resource is a mapping with apiVersion, kind, metadata and spec, not "+describe(root), "")
		return
	}
	d.top = at
	d.name(root)
	parts := d.parts(root)
	kind := parts["kind"]

	if version := parts["apiVersion"]; isNull(version) {
		d.fault(at, "apiVersion", "manifest.api_version", "is required", "write apiVersion: "+APIVersion)
	} else if version.Kind != yaml.ScalarNode || version.Value != APIVersion {
		d.fault(d.at(version), "apiVersion", "manifest.api_version", "must be "+APIVersion+", not "+describe(version), "")
	}

	metadata := &commonv1.Metadata{}
	if node := parts["metadata"]; isNull(node) {
		d.fault(at, "metadata", "manifest.required", "is required", "write metadata: {name: …}")
		d.wrong["metadata"] = true
	} else {
		d.message(node, metadata.ProtoReflect(), "metadata")
	}

	spec := d.spec(kind, at)
	if node := parts["spec"]; spec != nil && !isNull(node) {
		d.message(node, spec.ProtoReflect(), "spec")
	}
	d.check("metadata", metadata)
	if spec != nil {
		d.check("spec", spec)
	}
	d.unique(kind, metadata, at)
	if r.faults.count() == before {
		r.documents = append(r.documents, Document{
			File: r.file, Line: at.Line, Column: at.Column,
			Kind: kind.Value, Metadata: metadata, Spec: spec,
			Fields: d.fields, Mask: d.sortedMask(),
		})
	}
}

// admit counts a resource and refuses those beyond the limit, saying so once.
func (r *reader) admit(at Position) (refused bool) {
	r.count++
	if r.count == r.limits.Documents+1 {
		r.fail(at, "manifest.too_many_documents",
			fmt.Sprintf("there are more than %d resources", r.limits.Documents), "apply them in several sets")
	}
	return r.count > r.limits.Documents
}

// parts splits a resource into its top-level fields.
func (d *decoding) parts(root *yaml.Node) map[string]*yaml.Node {
	parts := map[string]*yaml.Node{}
	for key, value := range d.entries(root, "") {
		if !slices.Contains(topLevel, key.Value) {
			d.fault(d.at(key), key.Value, "manifest.unknown_field", "unknown field "+quote(key.Value), d.misplaced(key.Value, root))
			continue
		}
		parts[key.Value] = value
		d.fields[key.Value] = d.at(value)
	}
	return parts
}

// misplaced is the hint for an unknown top-level field: it may belong one
// level down.
func (d *decoding) misplaced(field string, root *yaml.Node) string {
	if word := closest(field, topLevel); word != "" {
		return "did you mean " + word + "?"
	}
	if (&commonv1.Metadata{}).ProtoReflect().Descriptor().Fields().ByJSONName(field) != nil {
		return "did you mean metadata." + field + "?"
	}
	if kind := value(root, "kind"); kind != nil {
		if spec, ok := d.kinds.NewSpec(kind.Value); ok && spec.ProtoReflect().Descriptor().Fields().ByJSONName(field) != nil {
			return "did you mean spec." + field + "?"
		}
	}
	return "one of " + list(topLevel)
}

// name finds out what to call the resource in faults.
func (d *decoding) name(root *yaml.Node) {
	kind := value(root, "kind")
	if kind == nil || kind.Kind != yaml.ScalarNode || len(kind.Value) > 64 {
		return
	}
	d.resource = kind.Value
	name := value(value(root, "metadata"), "name")
	if !isNull(name) && name.Kind == yaml.ScalarNode && len(name.Value) <= 128 {
		d.resource += "/" + name.Value
	}
}

// value is the first value of the key in a mapping, nil if there is none.
func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (d *decoding) spec(kind *yaml.Node, at Position) proto.Message {
	if isNull(kind) {
		d.fault(at, "kind", "manifest.required", "is required", "one of "+list(d.names))
		return nil
	}
	if kind.Kind != yaml.ScalarNode {
		d.fault(d.at(kind), "kind", "manifest.wrong_type", "must be text, not "+describe(kind), "one of "+list(d.names))
		return nil
	}
	spec, ok := d.kinds.NewSpec(kind.Value)
	if !ok {
		d.fault(d.at(kind), "kind", "manifest.unknown_kind", "there is no kind "+quote(kind.Value), didYouMean(kind.Value, d.names))
		return nil
	}
	return spec
}

// unique refuses a second declaration of the same resource.
func (d *decoding) unique(kind *yaml.Node, metadata *commonv1.Metadata, at Position) {
	if isNull(kind) || metadata.GetName() == "" || d.wrong["metadata.name"] {
		return
	}
	id := kind.Value + "/" + metadata.GetName()
	if first, ok := d.declared[id]; ok {
		where := nearest(d.fields, "metadata.name", at)
		d.fault(where, "metadata.name", "manifest.declared_twice", id+" is declared twice", "the first is at "+first.String())
		return
	}
	d.declared[id] = origin{d.file, at}
}

// fault reports what is wrong with the resource.
func (d *decoding) fault(at Position, field, reason, message, hint string) {
	d.faults.add(fault.Place{
		File: d.file, Line: at.Line, Column: at.Column,
		Field: field, Resource: d.resource,
		Reason: reason, Message: message, Hint: hint,
	})
}
