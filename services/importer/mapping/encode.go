package mapping

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Encode writes the mapping as YAML that Parse reads back, with its comments
// and questions as YAML comments. The same mapping always gives the same bytes.
func (m Mapping) Encode() ([]byte, error) {
	if m.APIVersion == "" {
		m.APIVersion = Version
	}
	var n yaml.Node
	if err := n.Encode(m); err != nil {
		return nil, err
	}
	head := comment(m.Comment)
	for _, q := range m.Questions {
		head = append(head, comment("? "+q)...)
	}
	if sheets := child(&n, "sheets"); sheets != nil {
		for i, s := range m.Sheets {
			sheets.Content[i].HeadComment = strings.Join(comment(s.Comment), "\n")
			columns := child(sheets.Content[i], "columns")
			if columns == nil {
				continue
			}
			for j, c := range s.Columns {
				columns.Content[j].Style = yaml.FlowStyle
				columns.Content[j].HeadComment = strings.Join(comment(c.Comment), "\n")
			}
		}
	}
	var b bytes.Buffer
	if len(head) > 0 {
		b.WriteString(strings.Join(head, "\n") + "\n")
	}
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&n); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// comment makes comment lines of a text.
func comment(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight("# "+l, " \r")
	}
	return lines
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
