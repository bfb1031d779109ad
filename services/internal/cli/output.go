package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
)

// format is the value of -o.
type format string

const (
	asTable format = "table"
	asJSON  format = "json"
	asYAML  format = "yaml"
)

var _ pflag.Value = (*format)(nil)

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "FORMAT" }
func (f *format) Set(s string) error {
	switch v := format(strings.ToLower(s)); v {
	case asTable, asJSON, asYAML:
		*f = v
		return nil
	}
	return fmt.Errorf("legal are table, json and yaml")
}

func outputFlag(cmd *cobra.Command) *format {
	f := asTable
	cmd.Flags().VarP(&f, "output", "o", "table, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(
		[]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return &f
}

// snapshotFlags selects what was known.
type snapshotFlags struct {
	revision int64
	knownAt  string
}

func (s *snapshotFlags) register(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&s.revision, "revision", 0, "what was known at this revision of the log")
	cmd.Flags().StringVar(&s.knownAt, "known-at", "", "what was known at this instant (RFC 3339)")
}

func (s *snapshotFlags) snapshot() (*commonv1.Snapshot, error) {
	if s.revision != 0 && s.knownAt != "" {
		return nil, usagef("--revision and --known-at exclude each other")
	}
	if s.revision < 0 {
		return nil, usagef("--revision: %d is not a revision; they are positive", s.revision)
	}
	return &commonv1.Snapshot{Revision: s.revision, KnownAt: s.knownAt}, nil
}

// encode is the JSON form of m in the order of its fields. The white space
// that protojson varies from build to build is normalised.
func encode(m proto.Message, defaults bool) (json.RawMessage, error) {
	raw, err := protojson.MarshalOptions{EmitDefaultValues: defaults}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writeStructured prints v (a json.RawMessage or what encodes to JSON) as f.
func (a *app) writeStructured(f format, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	if f == asYAML {
		node, err := yamlOf(b.Bytes())
		if err != nil {
			return err
		}
		return a.writeYAML(node)
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

func (a *app) writeMessage(f format, m proto.Message) error {
	raw, err := encode(m, true)
	if err != nil {
		return err
	}
	return a.writeStructured(f, raw)
}

func (a *app) writeYAML(node *yaml.Node) error {
	e := yaml.NewEncoder(a.out)
	e.SetIndent(2)
	if err := e.Encode(node); err != nil {
		return err
	}
	return e.Close()
}

// yamlOf turns JSON into YAML in block style with the order of the keys kept.
func yamlOf(raw []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return yamlValue(d)
}

func yamlValue(d *json.Decoder) (*yaml.Node, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return yamlScalar(t), nil
	}
	node := &yaml.Node{Kind: yaml.MappingNode}
	if delim == '[' {
		node.Kind = yaml.SequenceNode
	}
	for d.More() {
		child, err := yamlValue(d) // of an object: key and value in turn
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, child)
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	_, err = d.Token()
	return node, err
}

func yamlScalar(v any) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode}
	switch v := v.(type) {
	case nil:
		node.Tag, node.Value = "!!null", "null"
	case bool:
		node.Tag, node.Value = "!!bool", fmt.Sprint(v)
	case json.Number:
		node.Tag, node.Value = "!!float", v.String()
		if !strings.ContainsAny(v.String(), ".eE") {
			node.Tag = "!!int"
		}
	case string:
		// The encoder chooses the quotes that keep it a string.
		if err := node.Encode(v); err != nil {
			node.Tag, node.Value, node.Style = "!!str", v, yaml.DoubleQuotedStyle
		}
	}
	return node
}
