package eventlog

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"setpoint.dev/services/internal/fault"
)

// ackEvery is how many messages of a batch are sent before one confirmation is
// waited for, so that a server's queue does not overflow.
const ackEvery = 1_000

// Append commits one draft as one guarded message.
//
// Errors: Invalid log.draft_invalid or log.subject_invalid; Exhausted
// log.envelope_too_large; Aborted log.conflict with a *ConflictError as cause;
// Exists log.request_reused if the request id was committed with another
// digest; Internal log.aggregate_tail_lost if the message that the draft is to
// follow is no longer there; Unavailable log.unavailable if nothing is known about the commit,
// which the same command may then be tried again for.
func (l *Log) Append(ctx context.Context, c Command, d Draft) (Committed, error) {
	if err := errors.Join(c.validate(), d.validate()); err != nil {
		return Committed{}, firstFault(err)
	}
	drafts := []Draft{d}
	return l.commit(ctx, l.opts.Timeout, c, drafts, func(ctx context.Context) (attempt, error) {
		var a attempt
		var messages []*nats.Msg
		var future jetstream.PubAckFuture
		err := l.clock.stamp(c.Recorded, func(at time.Time) (err error) {
			if messages, err = l.encode(c, drafts, at, &a); err != nil {
				return err
			}
			future, err = l.js.PublishMsgAsync(messages[0], jetstream.WithRetryAttempts(0))
			return err
		})
		if err != nil {
			return a, err
		}
		select {
		case ack := <-future.Ok():
			a.last = ack.Sequence
			l.feed.put(messages, a.last)
			return a, nil
		case err := <-future.Err():
			return a, err
		case <-ctx.Done():
			return a, ctx.Err()
		}
	})
}

// AppendBatch commits the drafts as one atomic batch, each subject guarded on
// its first message. One draft is an Append. Drafts on the same subject must
// follow one another in order and repeat Expected and PreviousHash of the
// first; the log chains them.
//
// Errors are those of Append, Exhausted log.batch_too_large if there are more
// drafts than one commit holds, and Unavailable log.too_many_batches.
func (l *Log) AppendBatch(ctx context.Context, c Command, drafts []Draft) (Committed, error) {
	switch n := len(drafts); {
	case n == 0:
		return Committed{}, invalid("drafts", "are none: a commit has at least one")
	case n == 1:
		return l.Append(ctx, c, drafts[0])
	case n > l.opts.MaxBatch:
		return Committed{}, tooLarge(n, l.opts.MaxBatch)
	}
	if err := validateBatch(c, drafts); err != nil {
		return Committed{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.BatchTimeout)
	defer cancel()
	return l.commit(ctx, l.opts.BatchTimeout, c, drafts, func(ctx context.Context) (attempt, error) {
		var a attempt
		select {
		case l.batching <- struct{}{}:
			defer func() { <-l.batching }()
		case <-ctx.Done():
			return a, ctx.Err()
		}
		at, thaw := l.clock.freeze(c.Recorded)
		defer thaw()
		messages, err := l.encode(c, drafts, at, &a)
		if err != nil {
			return a, err
		}
		flow := jetstreamext.BatchFlowControl{AckFirst: true, AckEvery: ackEvery, AckTimeout: l.opts.Timeout}
		ack, err := jetstreamext.PublishMsgBatch(ctx, l.js, messages, flow)
		if err != nil {
			return a, err
		}
		a.last = ack.Sequence
		l.feed.put(messages, a.last)
		return a, nil
	})
}

func validateBatch(c Command, drafts []Draft) error {
	if err := c.validate(); err != nil {
		return err
	}
	first := make(map[Subject]int, len(drafts))
	for i, d := range drafts {
		if err := d.validate(); err != nil {
			return err
		}
		j, again := first[d.Subject]
		if !again {
			first[d.Subject] = i
			continue
		}
		if f := drafts[j]; f.Expected != d.Expected || !bytes.Equal(f.PreviousHash, d.PreviousHash) {
			return invalid("expected", "of draft %d is %d, and %d where %s %s is first written in the commit",
				i, d.Expected, f.Expected, d.Subject.Kind, d.Subject.ID)
		}
	}
	return nil
}

// attempt is one try at sending a commit.
type attempt struct {
	at     time.Time
	hashes [][]byte
	bytes  int
	last   uint64 // the sequence acknowledged
}

// encode makes the messages of a commit, and notes time and hashes in a.
func (l *Log) encode(c Command, drafts []Draft, at time.Time, a *attempt) ([]*nats.Msg, error) {
	messages := make([]*nats.Msg, len(drafts))
	a.at, a.hashes, a.bytes = at, make([][]byte, len(drafts)), 0
	var previous map[Subject][]byte
	if len(drafts) > 1 {
		previous = make(map[Subject][]byte, len(drafts))
	}
	for i, d := range drafts {
		hash, written := previous[d.Subject]
		if written {
			d.PreviousHash = hash
		}
		body, err := encodeEnvelope(c, d, at, i, len(drafts))
		if err != nil {
			return nil, err
		}
		m := newMessage(l.opts.Shard, c, d, body, !written)
		if size, limit := m.Size()+batchHeaders, int(l.nc.MaxPayload()); size > limit {
			return nil, fault.New(fault.Exhausted, "log.envelope_too_large",
				"the change of %s %s takes %d bytes and a message of the log holds %d", d.Subject.Kind, d.Subject.ID, size, limit).
				WithHint("split it into several requests")
		}
		messages[i], a.hashes[i] = m, hashOf(body)
		a.bytes += m.Size()
		if previous != nil {
			previous[d.Subject] = a.hashes[i]
		}
	}
	return messages, nil
}

func (a attempt) committed() Committed {
	n := uint64(len(a.hashes))
	done := Committed{
		Revision: a.last, First: a.last - n + 1,
		Sequences: make([]uint64, n), Hashes: a.hashes, Recorded: a.at,
	}
	for i := range done.Sequences {
		done.Sequences[i] = done.First + uint64(i)
	}
	return done
}

// commit tries to send until there is a final word, and then says what it
// means; at most for as long as limit.
func (l *Log) commit(ctx context.Context, limit time.Duration, c Command, drafts []Draft, try func(context.Context) (attempt, error)) (Committed, error) {
	return l.observed(ctx, len(drafts), func(ctx context.Context, told *Appended) (Committed, error) {
		return l.untilFinal(ctx, limit, c, drafts, told, try)
	})
}

func (l *Log) untilFinal(ctx context.Context, limit time.Duration, c Command, drafts []Draft, told *Appended, try func(context.Context) (attempt, error)) (Committed, error) {
	resent := false
	var missing absence
	end := time.Now().Add(limit)
	bounded := false
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		a, err := l.within(ctx, end, try)
		told.Tries, told.Bytes = told.Tries+1, a.bytes
		if err == nil {
			return a.committed(), nil
		}
		if !bounded {
			bounded = true
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end)
			defer cancel()
		}
		var ours *fault.Error
		if errors.As(err, &ours) {
			return Committed{}, err
		}
		switch judge(err) {
		case refused:
			return Committed{}, refusal(err, len(drafts), l.opts.MaxBatch)
		case moved:
			// 10164 is sometimes spurious on a replicated stream.
			if hasCode(err, codeWrongLastSequenceConstant) && !resent {
				resent = true
				continue
			}
			fallthrough
		case lost:
			done, settled := l.settle(ctx, c, drafts, a, err)
			// On a replicated stream a write that is under way, and may yet
			// fail, refuses others before it can be seen.
			if !errors.Is(settled, errNotMoved) {
				return done, settled
			}
			if damage := l.gone(ctx, settled, &missing); damage != nil {
				return Committed{}, damage
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return Committed{}, unavailable(err)
		}
	}
}

// within tries once, and leaves a quarter of the time for finding out what
// happened: the publisher's own timeout, which each message has anyway, sees to
// it unless there is less time than that. (Two contexts with a deadline for
// each command would cost as much as its encoding.)
func (l *Log) within(ctx context.Context, end time.Time, try func(context.Context) (attempt, error)) (attempt, error) {
	if deadline, ok := ctx.Deadline(); ok && !deadline.After(end) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)*3/4)
		defer cancel()
	}
	return try(ctx)
}

func firstFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return err
}
