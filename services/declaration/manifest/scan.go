package manifest

import (
	"bytes"
	"fmt"
	"iter"
	"unicode/utf8"

	"setpoint.dev/services/internal/fault"
)

var byteOrderMark = []byte("\uFEFF")

// illegal finds the first byte that is not UTF-8, or the first control
// character that neither YAML nor JSON knows.
func illegal(content []byte) (at Position, what string) {
	at = Position{1, 1}
	for i := 0; i < len(content); {
		r, size := rune(content[i]), 1
		if r >= ' ' && r < 0x7f {
			at.Column++
			i++
			continue
		}
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(content[i:])
		}
		switch {
		case r == utf8.RuneError && size == 1:
			return at, fmt.Sprintf("the byte 0x%02x is not UTF-8", content[i])
		case r == 0:
			return at, "a NUL byte is not allowed"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r',
			r >= 0x7f && r < 0xa0 && r != 0x85,
			r == 0xfeff, r == 0xfffe, r == 0xffff:
			return at, fmt.Sprintf("the control character U+%04X is not allowed", r)
		}
		if n := lineBreak(content[i:]); n > 0 {
			at = Position{at.Line + 1, 1}
			i += n
			continue
		}
		at.Column++
		i += size
	}
	return Position{}, ""
}

// lineBreak is the length of the line break that b begins with, 0 if none.
// The breaks are those of YAML 1.1, which the parser counts lines by.
func lineBreak(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case b[0] == '\n':
		return 1
	case b[0] == '\r':
		if len(b) > 1 && b[1] == '\n' {
			return 2
		}
		return 1
	case len(b) > 1 && b[0] == 0xc2 && b[1] == 0x85:
		return 2
	case len(b) > 2 && b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9):
		return 3
	}
	return 0
}

// chunk is the text of one document of a YAML stream.
type chunk struct {
	content    []byte
	line       int // of its first byte
	separators int // no fewer than it has nodes, less one
	directive  bool
	blank      bool // nothing but white space, comments and the marker
}

// split cuts a YAML stream at its document markers, which are markers wherever
// they begin a line, and passes over blank documents. Documents are parsed one
// by one so that a fault in one hides none in the others, and so that each is
// measured before it is parsed.
func split(content []byte) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		current := chunk{line: 1, blank: true}
		start, line := 0, 1
		cut := func(at, line int) bool {
			done := current
			done.content = content[start:at]
			current, start = chunk{line: line, blank: true}, at
			return done.blank || yield(done)
		}
		for i := 0; i < len(content); {
			rest := content[i:]
			begin, end := marker(rest, "---"), marker(rest, "...")
			if begin && !cut(i, line) {
				return
			}
			n := current.scan(rest, begin, end)
			i += n
			line++
			if end && !cut(i, line) {
				return
			}
		}
		cut(len(content), line)
	}
}

// scan takes in the next line of the document and returns its length.
func (c *chunk) scan(rest []byte, begin, end bool) int {
	n, separators := 0, 1
line:
	for n < len(rest) {
		switch rest[n] {
		case ',', ':', '-', '?', '[', '{':
			separators++
		case '\n', '\r', 0xc2, 0xe2:
			if lineBreak(rest[n:]) > 0 {
				break line
			}
		}
		n++
	}
	text := bytes.TrimLeft(rest[:n], " \t")
	if len(text) > 0 && text[0] != '#' && !end {
		c.separators += separators
		if begin {
			text = bytes.TrimLeft(text[3:], " \t")
		} else if c.blank && text[0] == '%' {
			c.directive = true
		}
		c.blank = c.blank && (len(text) == 0 || text[0] == '#')
	}
	return n + lineBreak(rest[n:])
}

// marker reports whether a line begins with a document marker.
func marker(b []byte, m string) bool {
	if !bytes.HasPrefix(b, []byte(m)) {
		return false
	}
	b = b[len(m):]
	return len(b) == 0 || b[0] == ' ' || b[0] == '\t' || lineBreak(b) > 0
}

// oversize is the fault of a document with too many bytes.
func (r *reader) oversize(at Position) {
	r.fail(at, "manifest.document_too_large",
		fmt.Sprintf("the document is larger than %s", size(r.limits.DocumentBytes)),
		"split it into several documents")
}

func (r *reader) tooManyNodes(at Position) {
	r.fail(at, "manifest.too_many_nodes",
		fmt.Sprintf("the document has more than %d keys and values", r.limits.Nodes),
		"split it into several documents")
}

func (r *reader) tooDeep(at Position) {
	r.fail(at, "manifest.too_deep",
		fmt.Sprintf("the document is nested deeper than %d levels", r.limits.Depth), "")
}

// fail reports what is wrong with the file rather than with a resource.
func (r *reader) fail(at Position, reason, message, hint string) {
	r.faults.add(fault.Place{
		File: r.file, Line: at.Line, Column: at.Column,
		Reason: reason, Message: message, Hint: hint,
	})
}

func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
