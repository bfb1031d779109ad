package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
)

// writeManifests prints resources as YAML documents that apply again.
func (a *app) writeManifests(k kind, resources []*commonv1.Resource) error {
	for i, r := range resources {
		node, err := manifestOf(k, r)
		if err != nil {
			return err
		}
		if i > 0 {
			a.printf("---\n")
		}
		if err := a.writeYAML(node); err != nil {
			return err
		}
	}
	return nil
}

// manifestOf is a resource as people write it: without what only the log
// knows, and without a renaming that has already happened.
func manifestOf(k kind, r *commonv1.Resource) (*yaml.Node, error) {
	m := proto.Clone(r).(*commonv1.Resource)
	m.Provenance = nil
	if m.Metadata != nil {
		m.Metadata.RenamedFrom = ""
	}
	raw, err := encode(m, false)
	if err != nil {
		return nil, err
	}
	node, err := yamlOf(raw)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch node.Content[i].Value {
		case "spec":
			orderFields(node.Content[i+1], k.Spec)
		case "metadata":
			node.Content[i+1].Style = 0
		}
	}
	return node, nil
}

// specText is the spec as YAML.
func specText(k kind, r *commonv1.Resource) (string, error) {
	raw, err := r.GetSpec().MarshalJSON()
	if err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", err
	}
	node, err := yamlOf(compact.Bytes())
	if err != nil || len(node.Content) == 0 {
		return "", err
	}
	orderFields(node, k.Spec)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(node); err != nil {
		return "", err
	}
	return b.String(), e.Close()
}

// orderFields puts the keys of node in the order in which the spec's message
// declares them, so that a manifest reads as its documentation does. Keys the
// message does not have come last.
func orderFields(node *yaml.Node, spec proto.Message) {
	if spec != nil {
		orderByMessage(node, spec.ProtoReflect().Descriptor())
	}
}

func orderByMessage(node *yaml.Node, d protoreflect.MessageDescriptor) {
	switch node.Kind {
	case yaml.SequenceNode:
		for _, child := range node.Content {
			orderByMessage(child, d)
		}
	case yaml.MappingNode:
		type pair struct{ key, value *yaml.Node }
		order := fieldOrder(d)
		rank := func(p pair) int {
			if n, ok := order[p.key.Value]; ok {
				return n
			}
			return len(order)
		}
		var pairs []pair
		for i := 0; i+1 < len(node.Content); i += 2 {
			pairs = append(pairs, pair{node.Content[i], node.Content[i+1]})
		}
		slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(rank(a), rank(b)) })
		node.Content = node.Content[:0]
		for _, p := range pairs {
			node.Content = append(node.Content, p.key, p.value)
			if f := d.Fields().ByJSONName(p.key.Value); f != nil && f.Message() != nil && !f.IsMap() {
				orderByMessage(p.value, f.Message())
			}
		}
	}
}
