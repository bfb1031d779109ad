package manifest

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

// FromResources reads resources in the generic form of the API, by the rules
// of Parse. Their "file" is resources[i]; an empty api_version stands for the
// only one there is.
func FromResources(resources []*commonv1.Resource, kinds Kinds) ([]Document, []fault.Place) {
	r := newReader(kinds, Limits{})
	for i, resource := range resources {
		r.faults.input, r.file = i, fmt.Sprintf("resources[%d]", i)
		if resource == nil {
			r.fail(Position{}, "manifest.required", "is empty", "")
			continue
		}
		r.generic(resource)
	}
	return r.documents, r.faults.sorted()
}

// generic turns a resource into the node that its manifest would have.
func (r *reader) generic(resource *commonv1.Resource) {
	version := resource.GetApiVersion()
	if version == "" {
		version = APIVersion
	}
	root := mapping("apiVersion", text(version))
	if resource.GetKind() != "" {
		root.Content = append(root.Content, text("kind"), text(resource.GetKind()))
	}
	if resource.Metadata != nil {
		metadata, err := structOf(resource.Metadata)
		if err != nil {
			r.fail(Position{}, "manifest.illegal_character", "metadata: "+err.Error(), "")
			return
		}
		root.Content = append(root.Content, text("metadata"), untyped(structpb.NewStructValue(metadata)))
	}
	if resource.Spec != nil {
		if depth, nodes := measure(structpb.NewStructValue(resource.Spec), r.limits.Depth); depth > r.limits.Depth-1 {
			r.tooDeep(Position{})
			return
		} else if nodes > r.limits.Nodes {
			r.tooManyNodes(Position{})
			return
		}
		if proto.Size(resource.Spec) > r.limits.DocumentBytes {
			r.oversize(Position{})
			return
		}
		root.Content = append(root.Content, text("spec"), untyped(structpb.NewStructValue(resource.Spec)))
	}
	r.resource(root, 0)
}

// measure counts levels, no further than most, and keys and values.
func measure(v *structpb.Value, most int) (depth, nodes int) {
	nodes = 1
	deeper := func(v *structpb.Value) {
		if most == 0 {
			depth = 1
			return
		}
		d, n := measure(v, most-1)
		depth, nodes = max(depth, d+1), nodes+n
	}
	switch k := v.GetKind().(type) {
	case *structpb.Value_StructValue:
		depth, nodes = 1, nodes+len(k.StructValue.GetFields())
		for _, f := range k.StructValue.GetFields() {
			deeper(f)
		}
	case *structpb.Value_ListValue:
		depth = 1
		for _, f := range k.ListValue.GetValues() {
			deeper(f)
		}
	}
	return depth, nodes
}

// untyped is the node of a value whose type no schema tells.
func untyped(v *structpb.Value) *yaml.Node {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StructValue:
		n := mapping()
		for _, name := range slices.Sorted(maps.Keys(k.StructValue.GetFields())) {
			n.Content = append(n.Content, word(name), untyped(k.StructValue.GetFields()[name]))
		}
		return n
	case *structpb.Value_ListValue:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range k.ListValue.GetValues() {
			n.Content = append(n.Content, untyped(item))
		}
		return n
	case *structpb.Value_StringValue:
		return text(k.StringValue)
	case *structpb.Value_NumberValue:
		return numeric(k.NumberValue)
	case *structpb.Value_BoolValue:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(k.BoolValue)}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}

func mapping(content ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, c := range content {
		switch c := c.(type) {
		case string:
			n.Content = append(n.Content, text(c))
		case *yaml.Node:
			n.Content = append(n.Content, c)
		}
	}
	return n
}

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: s}
}

func numeric(v float64) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: shortest(v)}
	if wholeNumber.MatchString(n.Value) {
		n.Tag = "!!int"
	}
	return n
}
