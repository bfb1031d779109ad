package report

import (
	"bytes"
	"encoding/json"
	"slices"
)

// canonical encodes v with sorted keys and without white space. Build keeps
// what JSON cannot hold (infinities, NaN, unknown types) out of a Document, so
// that encoding cannot fail.
func canonical(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("report: a document that is not JSON: " + err.Error())
	}
	return sortKeys(bytes.TrimRight(b.Bytes(), "\n"))
}

// sortKeys orders the members of all objects of src, which encoding/json wrote: it
// has no white space, and keys that are ASCII. Going through maps, which sort by
// themselves, takes four times as long.
func sortKeys(src []byte) []byte {
	s := keySorter{src: src, out: make([]byte, 0, len(src))}
	s.value()
	return s.out
}

// keySorter copies src to out, value by value.
type keySorter struct {
	src, out []byte
	at       int
	members  []member // of the objects that are open, the innermost last
	turned   []byte   // of one object, while its members are put in order
}

// member is where a key and its value stand in out.
type member struct{ from, keyEnd, to int }

func (s *keySorter) value() {
	switch s.src[s.at] {
	case '{':
		s.object()
	case '[':
		s.take(1)
		for s.src[s.at] != ']' {
			if s.src[s.at] == ',' {
				s.take(1)
			}
			s.value()
		}
		s.take(1)
	case '"':
		s.text()
	default: // a number, true, false or null
		n := 1
		for s.at+n < len(s.src) && s.src[s.at+n] != ',' && s.src[s.at+n] != '}' && s.src[s.at+n] != ']' {
			n++
		}
		s.take(n)
	}
}

func (s *keySorter) take(n int) {
	s.out = append(s.out, s.src[s.at:s.at+n]...)
	s.at += n
}

func (s *keySorter) text() {
	n := 1
	for ; s.src[s.at+n] != '"'; n++ {
		if s.src[s.at+n] == '\\' {
			n++
		}
	}
	s.take(n + 1)
}

func (s *keySorter) object() {
	s.take(1)
	outer, start := len(s.members), len(s.out)
	for s.src[s.at] != '}' {
		if s.src[s.at] == ',' {
			s.at++
		}
		m := member{from: len(s.out)}
		s.text()
		m.keyEnd = len(s.out)
		s.take(1) // the colon
		s.value()
		m.to = len(s.out)
		s.members = append(s.members, m)
	}
	s.at++
	own := s.members[outer:]
	slices.SortFunc(own, func(x, y member) int { return bytes.Compare(s.out[x.from+1:x.keyEnd-1], s.out[y.from+1:y.keyEnd-1]) })
	s.turned = s.turned[:0]
	for i, m := range own {
		if i > 0 {
			s.turned = append(s.turned, ',')
		}
		s.turned = append(s.turned, s.out[m.from:m.to]...)
	}
	s.out = append(append(s.out[:start], s.turned...), '}')
	s.members = s.members[:outer]
}
