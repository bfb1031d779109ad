package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/sheet"
)

// format is the value of -o.
type format string

const (
	asTable format = "table"
	asJSON  format = "json"
	asYAML  format = "yaml"
	asCSV   format = "csv"
)

// formatValue is -o, with the formats that a command has.
type formatValue struct {
	chosen *format
	legal  []string
}

var _ pflag.Value = formatValue{}

func (f formatValue) String() string {
	if f.chosen == nil {
		return ""
	}
	return string(*f.chosen)
}
func (f formatValue) Type() string { return "FORMAT" }
func (f formatValue) Set(s string) error {
	s = strings.ToLower(s)
	if !slices.Contains(f.legal, s) {
		return errors.New("legal are " + listed(f.legal, "and"))
	}
	*f.chosen = format(s)
	return nil
}

// listed is "table, json and yaml".
func listed(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

// outputFlag is -o of a command whose result is no table of rows.
func outputFlag(cmd *cobra.Command) *format { return formatFlag(cmd, asTable, asJSON, asYAML) }

// tabularFlag is -o of a command whose result is rows.
func tabularFlag(cmd *cobra.Command) *format { return formatFlag(cmd, asTable, asJSON, asYAML, asCSV) }

func formatFlag(cmd *cobra.Command, legal ...format) *format {
	f := legal[0]
	v := formatValue{chosen: &f}
	for _, l := range legal {
		v.legal = append(v.legal, string(l))
	}
	cmd.Flags().VarP(v, "output", "o", listed(v.legal, "or"))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(v.legal, cobra.ShellCompDirectiveNoFileComp))
	return &f
}

// snapshotFlags selects what was known.
type snapshotFlags struct {
	cmd      *cobra.Command
	revision int64
	knownAt  string
}

func (s *snapshotFlags) register(cmd *cobra.Command) {
	s.cmd = cmd
	cmd.Flags().Int64Var(&s.revision, "revision", 0, "what was known at this `REVISION` of the log")
	cmd.Flags().StringVar(&s.knownAt, "known-at", "", "what was known at this `TIME`: an instant (RFC 3339), or a date for the end of that day where the organization is")
	_ = cmd.RegisterFlagCompletionFunc("revision", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("known-at", cobra.NoFileCompletions)
}

// moment selects what was known: at most one of Revision and KnownAt.
type moment struct {
	Revision    int64
	KnownAt     string
	MinRevision int64
}

func (m *moment) GetRevision() int64 {
	if m == nil {
		return 0
	}
	return m.Revision
}

func (m *moment) GetKnownAt() string {
	if m == nil {
		return ""
	}
	return m.KnownAt
}

func (m *moment) GetMinRevision() int64 {
	if m == nil {
		return 0
	}
	return m.MinRevision
}

// momentOf is the moment that a request asks for.
func momentOf(r interface {
	GetRevision() int64
	GetKnownAt() string
	GetMinRevision() int64
}) *moment {
	return &moment{Revision: r.GetRevision(), KnownAt: r.GetKnownAt(), MinRevision: r.GetMinRevision()}
}

func (s *snapshotFlags) snapshot() (*moment, error) {
	given := s.cmd != nil && s.cmd.Flags().Changed("revision")
	if given && s.knownAt != "" {
		return nil, &usageError{message: "--revision and --known-at exclude each other", hint: "both say what was known: keep one of them"}
	}
	if given && s.revision < 1 {
		return nil, usagef("--revision: %d is not a revision; they begin at 1", s.revision)
	}
	if s.knownAt != "" {
		_, instant := time.Parse(time.RFC3339Nano, s.knownAt)
		_, date := calendar.ParseDate(s.knownAt)
		if instant != nil && date != nil {
			return nil, &usageError{
				message: "--known-at: " + strconv.Quote(s.knownAt) + " is neither an instant nor a date",
				hint:    "for example 2026-03-31T17:00:00Z, or 2026-03-31 for the end of that day",
			}
		}
	}
	return &moment{Revision: s.revision, KnownAt: s.knownAt}, nil
}

// into has a request ask for what was known, once that and the day that it
// evaluates ("" where it evaluates nothing, or the default) are legal.
func (s *snapshotFlags) into(revision *int64, knownAt *string, asOf string) error {
	if err := checkAsOf(asOf); err != nil {
		return err
	}
	m, err := s.snapshot()
	if err != nil {
		return err
	}
	*revision, *knownAt = m.Revision, m.KnownAt
	return nil
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

// writeTable writes a listing as f; a table without rows is the warning none on
// standard error, formatted as by Printf.
func (a *app) writeTable(f format, res proto.Message, columns []column, rows [][]string, none string, args ...any) error {
	if f != asTable {
		return a.writeRows(f, res, columns, rows)
	}
	if len(rows) == 0 {
		a.warnf(none, args...)
		return nil
	}
	a.printf("%s", renderTable(dropEmpty(columns, rows, a.width(), a.colors(a.opts.Stdout))))
	return nil
}

// writeRows writes a listing that is no table for people: the answer itself, or
// its rows as CSV.
func (a *app) writeRows(f format, res proto.Message, columns []column, rows [][]string) error {
	if f != asCSV {
		return a.writeMessage(f, res)
	}
	var titles []string
	for _, c := range columns {
		titles = append(titles, strings.ReplaceAll(strings.ToLower(c.Title), " ", "_"))
	}
	s := sheet.New(titles...)
	for _, r := range rows {
		for _, cell := range r {
			if v, err := strconv.ParseFloat(cell, 64); err == nil && v < 0 && plainNumber.MatchString(cell) {
				s.Number(&v) // a number below 0 does nothing in a spreadsheet
				continue
			}
			s.Text(cell)
		}
		s.End()
	}
	_, err := a.out.Write(s.Bytes())
	return err
}
