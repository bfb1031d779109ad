package eventlog

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A consumer reads the copy of the server it is on. What it does not deliver,
// or what is lost on its way, is therefore asked of the leader before the log
// is called damaged; a server whose copy is damaged then only costs time, as
// long as it does not lead.

// next is what arrives next, and false if nothing does for a while.
func next(arrived <-chan arrival) (arrival, bool) {
	select {
	case in := <-arrived:
		return in, true
	default:
	}
	tick := time.NewTimer(quiet)
	defer tick.Stop()
	select {
	case in := <-arrived:
		return in, true
	case <-tick.C:
		return arrival{}, false
	}
}

// catchUp is called when nothing comes. Heartbeats go on when a single message
// is lost on its way, and if nothing follows it no sequence is out of turn; so
// the leader is asked whether it has what is expected. If it still has not
// come at the next call, seen tells, it is taken from the leader.
//
// A leader that says that the stream goes on, and at two calls lacks what is
// expected, has lost its end: that is a hole.
func (l *Log) catchUp(ctx context.Context, a *assembler, seen *unseen) error {
	if seen.overdue == a.next {
		return l.fill(ctx, a, forever)
	}
	ctx, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	// No answer is no news: whether the consumer lives is another question.
	info, err := l.stream.Info(ctx)
	if err != nil || info.State.LastSeq < a.next {
		return nil
	}
	r, err := l.leaders(ctx, a.next, a.except)
	switch {
	case err != nil:
	case r != nil:
		seen.overdue = a.next
	case seen.missing == a.next:
		return hole(a.next, 0)
	default:
		seen.missing = a.next
	}
	return nil
}

// unseen is what the leader said of sequences that did not arrive: it has one,
// or lacks it although the stream goes on.
type unseen struct{ overdue, missing uint64 }

// add adds what a consumer delivered, and what it left out before that.
func (l *Log) add(ctx context.Context, a *assembler, r *Record) error {
	if r.Sequence < a.next {
		return nil // it was late, and has been asked for meanwhile
	}
	if r.Sequence > a.next {
		if err := l.fill(ctx, a, r.Sequence); err != nil {
			return err
		}
	}
	return a.add(r)
}

// fill adds what the leader has from the sequence that is expected up to
// another one, which is not added; forever: up to the end, or as much as one
// batch for a handler holds. A sequence before it that the leader lacks is a
// hole.
func (l *Log) fill(ctx context.Context, a *assembler, before uint64) error {
	for a.next < before {
		r, err := l.leaders(ctx, a.next, a.except)
		if err != nil {
			return err
		}
		if r == nil {
			if before == forever {
				return nil
			}
			return hole(a.next, before)
		}
		if err := a.add(r); err != nil {
			return err
		}
		if before == forever && len(a.whole) >= handOver {
			return nil
		}
	}
	return nil
}

// leaders is what the leader has at a sequence, nil for nothing; of one that is
// left out, what there is of it.
func (l *Log) leaders(ctx context.Context, sequence uint64, except map[uint64]bool) (*Record, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	m, err := l.stream.GetMsg(ctx, sequence)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound) && except[sequence]:
		return &Record{Sequence: sequence, Revision: sequence, Skipped: true}, nil
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, nil
	case err != nil:
		return nil, unavailable(err)
	}
	return l.decode(m.Subject, sequence, m.Header.Get, m.Data, except)
}
