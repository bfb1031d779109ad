package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"setpoint.dev/services/internal/fault"
)

// Parse reads the files. Documents come in the order they are written; a
// document with a fault is not among them. Faults come in order of file, line
// and column; no faults means that the documents can be used.
func Parse(files []File, kinds Kinds, limits Limits) ([]Document, []fault.Place) {
	r := newReader(kinds, limits)
	for i, f := range files {
		if r.done() {
			break
		}
		r.faults.input, r.file = i, f.Path
		r.read(f)
	}
	return r.documents, r.faults.sorted()
}

// reader is the state of reading a set of manifests.
type reader struct {
	kinds  Kinds
	names  []string // of the kinds, sorted
	limits Limits

	file      string // being read
	count     int    // resources seen
	faults    faults
	documents []Document
	declared  map[string]origin // Kind/name → where
}

type origin struct {
	file string
	at   Position
}

func (o origin) String() string {
	if o.at.Line > 0 {
		return fmt.Sprintf("%s:%d", o.file, o.at.Line)
	}
	return o.file
}

func newReader(kinds Kinds, limits Limits) *reader {
	limits = limits.withDefaults()
	return &reader{
		kinds: kinds, names: sortedNames(kinds), limits: limits,
		faults:   faults{most: limits.Faults},
		declared: map[string]origin{},
	}
}

// done reports whether reading further would tell nothing new: there are too
// many resources or too many faults.
func (r *reader) done() bool { return r.count > r.limits.Documents || r.faults.full() }

func (r *reader) read(f File) {
	if len(f.Content) > r.limits.FileBytes {
		r.fail(Position{}, "manifest.file_too_large", fmt.Sprintf("the file is larger than %s", size(r.limits.FileBytes)), "split it into several files")
		return
	}
	content := bytes.TrimPrefix(f.Content, byteOrderMark)
	if at, what := illegal(content); what != "" {
		r.fail(at, "manifest.illegal_character", what, "manifests are UTF-8 text")
		return
	}
	if isJSON(f.Path, content) {
		r.json(content)
		return
	}
	for c := range split(content) {
		if r.done() {
			break
		}
		r.yaml(c)
	}
}

// isJSON goes by the name, and for names that say nothing by the content: all
// JSON is nearly YAML, but YAML knows no surrogate pairs and no lists of
// documents.
func isJSON(path string, content []byte) bool {
	path = strings.ToLower(path)
	if strings.HasSuffix(path, ".json") {
		return true
	}
	if strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml") {
		return false
	}
	start := bytes.TrimLeft(content, " \t\r\n")
	return len(start) > 0 && (start[0] == '{' || start[0] == '[') && json.Valid(content)
}

func (r *reader) yaml(c chunk) {
	top := Position{Line: c.line, Column: 1}
	switch {
	case len(c.content) > r.limits.DocumentBytes:
		r.oversize(top)
		return
	case c.separators > 2*r.limits.Nodes:
		// Far more separators than a document with as many nodes can need.
		r.tooManyNodes(top)
		return
	case c.directive:
		r.fail(top, "manifest.directive", "YAML directives are not used in manifests", "remove the line that begins with %")
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(c.content))
	var root, more yaml.Node
	err := decoder.Decode(&root)
	switch {
	case errors.Is(err, io.EOF):
		return
	case err != nil:
		r.syntax(err, c)
		return
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("yaml: a document marker must begin a line")
		}
		r.syntax(err, c)
		return
	}
	d := decoding{reader: r, above: c.line - 1}
	if len(root.Content) != 1 || !d.sound(root.Content[0]) {
		return
	}
	r.resources(root.Content[0], c.line-1)
}

// resources reads one resource, a list of them, or an object with items.
func (r *reader) resources(root *yaml.Node, above int) {
	switch {
	case isNull(root):
		r.admit(Position{root.Line + above, root.Column})
	case root.Kind == yaml.SequenceNode:
		for _, item := range root.Content {
			r.resource(item, above)
		}
	case root.Kind == yaml.MappingNode && len(root.Content) >= 2 && hasItems(root):
		for i := 0; i < len(root.Content); i += 2 {
			key, value := root.Content[i], root.Content[i+1]
			if key.Value == "items" && value.Kind == yaml.SequenceNode {
				r.resources(value, above)
				continue
			}
			r.listKey(key.Value, value.Value, Position{key.Line + above, key.Column})
		}
	default:
		r.resource(root, above)
	}
}

// hasItems tells a list of resources from a resource that has a stray field.
func hasItems(root *yaml.Node) bool {
	items := false
	for i := 0; i < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "items":
			items = root.Content[i+1].Kind == yaml.SequenceNode
		case "spec":
			return false
		}
	}
	return items
}

// listKey checks what stands beside items.
func (r *reader) listKey(key, value string, at Position) {
	switch {
	case key == "apiVersion" || key == "metadata" || key == "kind" && value == "List":
	case key == "kind":
		r.fail(at, "manifest.list_kind", fmt.Sprintf("an object with items has the kind List, not %s", quote(value)), "")
	default:
		r.fail(at, "manifest.unknown_field", fmt.Sprintf("unknown field %s beside items", quote(key)), "a list has apiVersion, kind: List and items")
	}
}
