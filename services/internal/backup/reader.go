package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"google.golang.org/protobuf/proto"

	backupv1 "setpoint.dev/proto/gen/setpoint/backup/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// Reader reads a backup. Only when Next has returned io.EOF is it known to be
// whole and unaltered.
//
// Errors: Invalid backup.not_a_backup, backup.truncated and backup.damaged;
// Rule backup.newer.
type Reader struct {
	// Header is the backup's.
	Header *backupv1.Header

	sections *sectionReader
	sum      hash.Hash
	seen     backupv1.Trailer
	next     uint64
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	s, err := newSectionReader(r)
	if err != nil {
		return nil, err
	}
	in := &Reader{Header: new(backupv1.Header), sections: s, sum: sha256.New()}
	in.sum.Write(s.stored)
	kind, raw, err := s.next()
	if err != nil {
		return nil, err
	}
	if kind != kindHeader {
		return nil, damaged("it does not begin with a header")
	}
	if err := proto.Unmarshal(raw, in.Header); err != nil {
		return nil, damaged("its header cannot be read")
	}
	if h := in.Header; h.First > 1 || h.First > h.Last || h.Shard < 0 || h.LogId == "" {
		return nil, damaged("its header names no part of a log from its beginning")
	}
	in.sum.Write(s.stored)
	in.next = in.Header.First
	return in, nil
}

// Next is the next part of the messages, in order; io.EOF at the end of a whole
// backup. The slice is the caller's.
func (r *Reader) Next() ([]eventlog.Stored, error) {
	kind, raw, err := r.sections.next()
	if err != nil {
		return nil, err
	}
	switch kind {
	case kindTrailer:
		return nil, r.end(raw)
	case kindRecords:
		r.sum.Write(r.sections.stored)
		return r.records(raw)
	}
	return nil, damaged("it has a section of an unknown kind %q", kind)
}

func (r *Reader) records(raw []byte) ([]eventlog.Stored, error) {
	var part backupv1.Records
	if err := proto.Unmarshal(raw, &part); err != nil || len(part.Records) == 0 {
		return nil, damaged("a section cannot be read")
	}
	out := make([]eventlog.Stored, len(part.Records))
	for i, in := range part.Records {
		if in.GetSequence() != r.next || in.GetSequence() > r.Header.Last || r.next == 0 {
			return nil, damaged("message %d comes where %d must", in.GetSequence(), r.next)
		}
		r.next++
		s := eventlog.Stored{Sequence: in.Sequence, Subject: in.Subject, Body: in.Body}
		for _, h := range in.Headers {
			s.Headers = append(s.Headers, eventlog.Header{Name: h.Name, Value: h.Value})
		}
		r.seen.Records++
		r.seen.Last = in.Sequence
		r.seen.Bytes += uint64(len(in.Body))
		out[i] = s
	}
	return out, nil
}

// end checks the trailer, and returns io.EOF.
func (r *Reader) end(raw []byte) error {
	var t backupv1.Trailer
	if err := proto.Unmarshal(raw, &t); err != nil {
		return damaged("its end cannot be read")
	}
	if !bytes.Equal(t.Sha256, r.sum.Sum(nil)) {
		return damaged("it does not match its SHA-256")
	}
	if t.Records != r.seen.Records || t.Last != r.seen.Last || t.Bytes != r.seen.Bytes || t.Last != r.Header.Last {
		return damaged("it has %d messages up to %d, and says %d up to %d", r.seen.Records, r.seen.Last, t.Records, r.Header.Last)
	}
	if err := r.sections.end(); err != nil {
		return err
	}
	return io.EOF
}

// Contents is what a backup holds.
type Contents struct {
	Header *backupv1.Header
	eventlog.Audit
	// SHA256 is of the file, as sha256sum tells it.
	SHA256 []byte
}

// Verify reads a whole backup, and checks the log in it as well: that its
// commits are whole, its envelopes readable and its hashes chained. progress
// is told how far it is, in messages.
func Verify(r io.Reader, progress func(done, total uint64)) (*Contents, error) {
	whole := sha256.New()
	in, err := NewReader(io.TeeReader(r, whole))
	if err != nil {
		return nil, err
	}
	var first error
	a := eventlog.NewAuditor(int(in.Header.Shard), true, func(d eventlog.Damage) {
		if d.Reason != eventlog.DamageTime && first == nil {
			first = fault.Wrap(d, fault.Invalid, "backup.log_damaged", "the log in the backup is damaged, and was when it was made").
				WithHint("take an older backup; setpoint doctor checks a running log")
		}
	})
	for {
		part, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range part {
			a.Check(&part[i])
		}
		if first != nil {
			return nil, first
		}
		if progress != nil {
			progress(part[len(part)-1].Sequence, in.Header.Last)
		}
	}
	c := &Contents{Header: in.Header, Audit: a.Finish(in.Header.Last), SHA256: whole.Sum(nil)}
	return c, first
}
