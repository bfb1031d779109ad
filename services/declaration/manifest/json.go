package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// jsonReader turns JSON into the nodes that the YAML parser makes of it, one
// resource at a time.
type jsonReader struct {
	*reader
	decoder *json.Decoder
	content []byte
	offset  int // of the next token at the earliest
	at      Position
	err     error
}

// json reads resources one after the other, in arrays, and in the items of an
// object.
func (r *reader) json(content []byte) {
	j := &jsonReader{reader: r, content: content, at: Position{1, 1}}
	j.decoder = json.NewDecoder(bytes.NewReader(content))
	j.decoder.UseNumber()
	for !j.done() {
		token, at := j.next()
		switch {
		case errors.Is(j.err, io.EOF):
			return
		case j.err != nil:
		case token == json.Delim('['):
			j.array()
		case token == json.Delim('{') && j.isList():
			j.list()
		default:
			j.one(token, at)
		}
		if errors.Is(j.err, errBroken) {
			return
		}
		if j.err != nil {
			j.syntax()
			return
		}
	}
}

// errBroken ends reading after a value that breaks a limit.
var errBroken = errors.New("a limit is broken")

// next reads a token and where it begins.
func (j *jsonReader) next() (json.Token, Position) {
	token, err := j.decoder.Token()
	if err != nil {
		j.err = err
		return nil, j.at
	}
	j.advance(int(j.decoder.InputOffset()), true)
	return token, j.at
}

// advance moves to the beginning of the token that ends at end.
func (j *jsonReader) advance(end int, skip bool) {
	for j.offset < end {
		rest := j.content[j.offset:end]
		if n := lineBreak(j.content[j.offset:]); n > 0 {
			j.at = Position{j.at.Line + 1, 1}
			j.offset += n
			continue
		}
		if skip {
			switch rest[0] {
			case ' ', '\t', ',', ':':
			default:
				return
			}
		}
		_, size := utf8.DecodeRune(rest)
		j.at.Column++
		j.offset += size
	}
}

// past moves behind the token that was read last.
func (j *jsonReader) past() { j.advance(int(j.decoder.InputOffset()), false) }

func (j *jsonReader) array() {
	j.past()
	for j.err == nil && j.decoder.More() {
		if j.done() {
			j.err = errBroken
			return
		}
		token, at := j.next()
		if j.err == nil {
			j.one(token, at)
		}
	}
	if j.err == nil {
		j.next()
		j.past()
	}
}

// isList looks ahead whether the object that has just begun has items and no
// spec.
func (j *jsonReader) isList() bool {
	ahead := json.NewDecoder(bytes.NewReader(j.content[j.offset:]))
	if _, err := ahead.Token(); err != nil {
		return false
	}
	for depth := 0; ; {
		token, err := ahead.Token()
		if err != nil {
			return false
		}
		key := depth == 0
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			if depth--; depth < 0 {
				return false
			}
		}
		if !key {
			continue
		}
		// At depth 0 keys and values alternate; a key is followed by its value.
		switch token {
		case "items":
			value, err := ahead.Token()
			return err == nil && value == json.Delim('[')
		case "spec":
			return false
		}
		value, err := ahead.Token()
		if err != nil {
			return false
		}
		if value == json.Delim('{') || value == json.Delim('[') {
			depth++
		}
	}
}

func (j *jsonReader) list() {
	j.past()
	for j.err == nil && j.decoder.More() {
		key, at := j.next()
		if j.err != nil {
			return
		}
		j.past()
		value, valueAt := j.next()
		if j.err != nil {
			return
		}
		name, _ := key.(string)
		if name == "items" && value == json.Delim('[') {
			j.array()
			continue
		}
		if node := j.build(value, valueAt); node != nil {
			j.listKey(name, node.Value, at)
		}
	}
	if j.err == nil {
		j.next()
		j.past()
	}
}

// one reads the resource that begins with the token.
func (j *jsonReader) one(token json.Token, at Position) {
	switch node := j.build(token, at); {
	case node == nil:
	case isNull(node):
		j.admit(at)
	default:
		j.resource(node, 0)
	}
}

// build makes the node that begins with the token; nil after an error, or if
// the value breaks a limit.
func (j *jsonReader) build(token json.Token, at Position) *yaml.Node {
	start, nodes := j.offset, 0
	var root *yaml.Node
	var open []*yaml.Node
	for {
		switch {
		case token == json.Delim('}'), token == json.Delim(']'):
			open = open[:len(open)-1]
		default:
			nodes++
			node := jsonNode(token)
			node.Line, node.Column = j.at.Line, j.at.Column
			if root == nil {
				root = node
			} else {
				parent := open[len(open)-1]
				parent.Content = append(parent.Content, node)
			}
			if node.Kind != yaml.ScalarNode {
				open = append(open, node)
			}
		}
		j.past()
		switch {
		case j.offset-start > j.limits.DocumentBytes:
			j.oversize(at)
			j.err = errBroken
		case nodes > j.limits.Nodes:
			j.tooManyNodes(at)
			j.err = errBroken
		case len(open) > j.limits.Depth:
			j.tooDeep(j.at)
			j.err = errBroken
		}
		if j.err != nil {
			return nil
		}
		if len(open) == 0 {
			return root
		}
		if token, _ = j.next(); j.err != nil {
			return nil
		}
	}
}

func jsonNode(token json.Token) *yaml.Node {
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t, Style: yaml.DoubleQuotedStyle}
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: t.String()}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(t)}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}

// syntax reports why the JSON cannot be read further.
func (j *jsonReader) syntax() {
	j.advance(int(j.decoder.InputOffset()), true)
	at, problem := j.at, j.err.Error()
	var s *json.SyntaxError
	switch {
	case errors.As(j.err, &s):
		j.advance(max(int(s.Offset)-1, 0), false)
		at = j.at
	case errors.Is(j.err, io.EOF), errors.Is(j.err, io.ErrUnexpectedEOF):
		j.advance(len(j.content), false)
		at, problem = j.at, "it ends too early"
	}
	j.fail(at, "manifest.syntax", "this is not JSON: "+problem, "")
}
