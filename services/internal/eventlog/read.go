package eventlog

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/fault"
)

// Last is the newest message of an aggregate, from the leader; nil if there is
// none. No answer is Unavailable.
func (l *Log) Last(ctx context.Context, s Subject) (*Record, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	m, err := l.stream.GetLastMsgForSubject(ctx, s.String(l.opts.Shard))
	return l.found(m, err)
}

// Since is every message of an aggregate after a stream sequence, oldest
// first, from the leader. No answer is Unavailable.
func (l *Log) Since(ctx context.Context, s Subject, after uint64) ([]*Record, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	var records []*Record
	for subject := s.String(l.opts.Shard); ; {
		m, err := l.stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(subject))
		r, err := l.found(m, err)
		if r == nil || err != nil {
			return records, err
		}
		records = append(records, r)
		after = r.Sequence
	}
}

// At is the message at a stream sequence, from the leader; nil if there is
// none.
func (l *Log) At(ctx context.Context, sequence uint64) (*Record, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	m, err := l.stream.GetMsg(ctx, sequence)
	return l.found(m, err)
}

// LastRevision is the end of the newest whole commit; 0 for an empty log.
func (l *Log) LastRevision(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	r, err := l.lastRecord(ctx)
	if r == nil || err != nil {
		return 0, err
	}
	if !r.CommitEnd() {
		// The commit is being stored: the one before it ends where it begins.
		return r.Sequence - uint64(r.Envelope.Commit.Index) - 1, nil
	}
	return r.Sequence, nil
}

func (l *Log) lastRecord(ctx context.Context) (*Record, error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if info.State.LastSeq == 0 {
		return nil, nil
	}
	m, err := l.stream.GetMsg(ctx, info.State.LastSeq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, hole(info.State.LastSeq, 0)
	}
	r, err := l.found(m, err)
	if m != nil && err != nil {
		return nil, &DamageError{m.Sequence, err}
	}
	return r, err
}

func (l *Log) found(m *jetstream.RawStreamMsg, err error) (*Record, error) {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := decodeRecord(l.opts.Shard, m.Subject, m.Sequence, m.Header.Get, m.Data)
	if err != nil {
		return nil, err
	}
	l.clock.seen(r.Recorded())
	return r, nil
}

func notRevision(sequence uint64) error {
	return fault.New(fault.Invalid, "log.not_a_revision", "%d is not a revision: a commit of several resources goes on after it", sequence)
}
