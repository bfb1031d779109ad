package eventlog

import (
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

// Stored is one message as the log holds it, before anybody decodes it: what a
// backup keeps and what doctors look at.
type Stored struct {
	Sequence uint64
	Subject  string
	// Headers are those that belong to the message, sorted by name. What steers
	// a publication (Nats-...: guards, places in a batch) is left out: it has
	// done its work once the message is stored.
	Headers []Header
	Body    []byte
}

// Header is one header line.
type Header struct{ Name, Value string }

// Get is the value of a header, "" if there is none.
func (s *Stored) Get(name string) string {
	for _, h := range s.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// Size is about how many bytes a message takes.
func (s *Stored) Size() int {
	n := len(s.Subject) + len(s.Body)
	for _, h := range s.Headers {
		n += len(h.Name) + len(h.Value) + 4
	}
	return n
}

// Record decodes the message; errors are those of Follow.
func (s *Stored) Record(shard int) (*Record, error) {
	return decodeRecord(shard, s.Subject, s.Sequence, s.Get, s.Body)
}

// ownHeaders are the headers of a message that belong to it.
func ownHeaders(h map[string][]string) []Header {
	var own []Header
	for name, values := range h {
		if strings.HasPrefix(name, "Nats-") {
			continue
		}
		for _, v := range values {
			own = append(own, Header{name, v})
		}
	}
	slices.SortStableFunc(own, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return own
}

// ParseStored makes a Stored of what a stream's files hold: header is the block
// of lines that begins with NATS/1.0, or empty.
func ParseStored(sequence uint64, subject string, header, body []byte) (Stored, error) {
	s := Stored{Sequence: sequence, Subject: subject, Body: body}
	if len(header) > 0 {
		h, err := nats.DecodeHeadersMsg(header)
		if err != nil {
			return s, corrupt("message %d: its headers cannot be read", sequence)
		}
		s.Headers = ownHeaders(h)
	}
	return s, nil
}

// message is what publishes the stored message again.
func (s *Stored) message() *nats.Msg {
	h := make(nats.Header, len(s.Headers)+4)
	for _, own := range s.Headers {
		h[own.Name] = append(h[own.Name], own.Value)
	}
	return &nats.Msg{Subject: s.Subject, Header: h, Data: s.Body}
}
