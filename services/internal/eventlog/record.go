package eventlog

import (
	"strings"
	"time"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
)

// Record is one stored message: all events of one commit on one aggregate.
type Record struct {
	Subject  Subject
	Sequence uint64
	// Revision is the end of the commit that the message belongs to.
	Revision uint64
	Envelope *eventv1.Envelope
	// Hash is the SHA-256 of the stored bytes.
	Hash []byte
	// Size is the length of the stored bytes.
	Size int
	// Skipped is set where the reader was told to leave the message out. Of one
	// that is missing there is only the sequence, of one that does not decode
	// there is no Envelope.
	Skipped bool
	// Beside is a message of the same commit that was not left out; set only
	// where Envelope is not, and nil if there is none.
	Beside *Record
}

// CommitEnd says whether the record is the last of its commit, and so its
// sequence a revision.
func (r *Record) CommitEnd() bool { return r.Sequence == r.Revision }

// Recorded is when the commit was recorded, in UTC.
func (r *Record) Recorded() time.Time { return r.Envelope.Recorded.AsTime() }

// skipped is what is left of a message that does not decode and is left out.
func skipped(shard int, subject string, sequence uint64, data []byte) *Record {
	r := &Record{Sequence: sequence, Revision: sequence, Skipped: true, Size: len(data)}
	if on, s, err := ParseSubject(subject); err == nil && on == shard {
		r.Subject, r.Hash = s, hashOf(data)
	}
	return r
}

// decodeRecord reads a stored message of a shard. The headers only repeat the
// envelope, so one that contradicts it is as corrupt as the envelope itself.
func decodeRecord(shard int, subject string, sequence uint64, header func(string) string, data []byte) (*Record, error) {
	on, s, err := ParseSubject(subject)
	if err != nil {
		return nil, corrupt("message %d: subject %q", sequence, subject)
	}
	if on != shard {
		return nil, corrupt("message %d: subject %q is of another shard", sequence, subject)
	}
	e, err := Decode(data)
	if err != nil {
		return nil, err
	}
	if id := header(HeaderRequest); id != e.RequestId {
		return nil, corrupt("message %d: header %s is %q, the envelope says %q", sequence, HeaderRequest, id, e.RequestId)
	}
	if types := header(HeaderTypes); !sameTypes(types, e.Events) {
		return nil, corrupt("message %d: header %s is %q, which is not what the envelope holds", sequence, HeaderTypes, types)
	}
	index, count := uint64(e.Commit.Index), uint64(e.Commit.Count)
	first := sequence - index
	if sequence <= index || first+(count-1) < first {
		return nil, corrupt("message %d: place %d of %d in its commit", sequence, index, count)
	}
	return &Record{
		Subject:  s,
		Sequence: sequence,
		Revision: first + (count - 1),
		Envelope: e,
		Hash:     hashOf(data),
		Size:     len(data),
	}, nil
}

func sameTypes(header string, events []*eventv1.Event) bool {
	if len(events) == 1 {
		return header == events[0].Type
	}
	inHeader := make(map[string]bool, 4)
	for t := range strings.SplitSeq(header, ",") {
		inHeader[t] = true
	}
	held := make(map[string]bool, len(inHeader))
	for _, e := range events {
		if !inHeader[e.Type] {
			return false
		}
		held[e.Type] = true
	}
	return len(held) == len(inHeader)
}
