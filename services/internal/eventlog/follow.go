package eventlog

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/fault"
)

const (
	// A batch for a handler ends at whichever comes first; a commit is never
	// divided, so it may be larger.
	handOver      = 5_000    // records
	handOverBytes = 16 << 20 // bytes

	// Whoever reads a stretch that is stored takes its pieces one after the other,
	// and need not have the memory of large ones.
	stretchOver      = 1_000
	stretchOverBytes = 1 << 20

	pullMessages = 5_000
	pullBytes    = 32 << 20 // several of the largest messages

	// quiet is how long nothing may come before the leader is asked whether
	// there is something.
	quiet = time.Second

	forever = ^uint64(0)
)

// Handler takes records of whole commits in stream order: many at a time while
// catching up, one commit at a time when live. Its error ends the reading.
type Handler func(batch []*Record) error

// Follow hands over every commit after a revision, 0 for all of them, first
// those stored and then those that come, until ctx is done or something is
// wrong. It outlives outages of the connection.
//
// Errors: ctx.Err(); what handle returned; Internal log.hole with a *HoleError
// as cause, log.commit_torn or log.envelope_corrupt if the log is damaged;
// Rule log.format_newer; Invalid log.not_a_revision if after lies inside a
// commit; Rule log.checkpoint_ahead if the log ends before it; Unavailable if
// the connection is closed.
func (l *Log) Follow(ctx context.Context, after uint64, handle Handler) error {
	return l.FollowExcept(ctx, after, nil, handle)
}

// FollowExcept is Follow for a reader that leaves messages out: those of the
// given sequences come with Skipped set, and neither what is wrong with them
// nor that they are missing is an error. A commit one of whose messages is left
// out is still handed over as a whole.
func (l *Log) FollowExcept(ctx context.Context, after uint64, except map[uint64]bool, handle Handler) error {
	// Not the last revision, which a damaged end would not tell.
	info, err := l.Info(ctx)
	if err != nil {
		return err
	}
	if after > info.Last {
		return ahead(after, info.Last)
	}
	return l.read(ctx, after, forever, except, handle)
}

// Read hands over every commit after a revision up to and including the
// revision to, and returns. Errors are those of Follow.
func (l *Log) Read(ctx context.Context, after, to uint64, handle Handler) error {
	return l.ReadExcept(ctx, after, to, nil, handle)
}

// ReadExcept is to Read what FollowExcept is to Follow.
func (l *Log) ReadExcept(ctx context.Context, after, to uint64, except map[uint64]bool, handle Handler) error {
	last, err := l.LastRevision(ctx)
	if err != nil {
		return err
	}
	if to > last {
		return ahead(to, last)
	}
	if after >= to {
		return nil
	}
	return l.read(ctx, after, to, except, handle)
}

func ahead(revision, last uint64) error {
	return fault.New(fault.Rule, "log.checkpoint_ahead", "revision %d is beyond the end of the event log, which is at %d", revision, last).
		WithHint("the log was restored or replaced; rebuild what was made from it with setpoint projections rebuild")
}

var (
	errRestart = errors.New("read again from the last commit")
	errFed     = errors.New("what comes next is in the feed")
)

func (l *Log) read(ctx context.Context, after, to uint64, except map[uint64]bool, handle Handler) error {
	a := &assembler{next: after + 1, except: except}
	wait := 10 * time.Millisecond
	for {
		from := a.next
		err := l.readRound(ctx, a, to, handle)
		if errors.Is(err, errFed) {
			if err := l.readFed(ctx, a, handle); err != nil {
				return err
			}
			a.restart()
			continue
		}
		if !errors.Is(err, errRestart) {
			return err
		}
		if a.next > from {
			wait = 10 * time.Millisecond
		}
		a.restart()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// readRound reads with one consumer until it fails; errRestart if another may
// do better, errFed if the feed does, which is taken then.
func (l *Log) readRound(parent context.Context, a *assembler, to uint64, handle Handler) (err error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	// A consumer in memory does not survive its server: a new connection
	// means a new consumer.
	status := l.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer l.nc.RemoveStatusListener(status)
	go func() {
		select {
		case <-status:
			cancel()
		case <-ctx.Done():
		}
	}()
	failed := func(cause error) error {
		switch {
		case parent.Err() != nil:
			return parent.Err()
		case l.nc.IsClosed():
			return unavailable(cause)
		}
		return errRestart
	}
	ends := func(err error) error {
		if fault.KindOf(err) == fault.Unavailable {
			return failed(err)
		}
		// What precedes it is whole.
		if handed := handOn(a, to, handle); handed != nil {
			return handed
		}
		return err
	}

	creating, created := context.WithTimeout(ctx, l.opts.Timeout)
	consumer, err := l.stream.CreateConsumer(creating, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       a.next,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: time.Minute,
	})
	created()
	if err != nil {
		return failed(err)
	}
	defer func() {
		// Stopping the iterator does not delete it, and a stream has room for
		// few.
		deleting, done := context.WithTimeout(context.WithoutCancel(parent), l.opts.Timeout)
		defer done()
		if !l.nc.IsConnected() {
			return
		}
		_ = l.stream.DeleteConsumer(deleting, consumer.CachedInfo().Name)
	}()
	if to != forever && consumer.CachedInfo().NumPending == 0 {
		if err := l.mustHave(ctx, a.next, a.except); err != nil {
			return err
		}
	}
	// Messages arrive while the handler works; what has arrived by then goes to
	// it as one batch. The library's iterator has room for as many messages as are
	// asked for, and none for the server's words beside them: where the handler
	// takes long it loses some, and the round begins again.
	arrived, done := make(chan arrival, handOver), make(chan struct{})
	defer close(done)
	arrives := func(in arrival) {
		select {
		case arrived <- in:
		case <-done:
		}
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) { arrives(arrival{message: m}) },
		jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes),
		// Twice this without a word, and the next round begins.
		jetstream.PullHeartbeat(500*time.Millisecond),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { arrives(arrival{err: err}) }))
	if err != nil {
		return failed(err)
	}
	defer consuming.Stop()
	go func() {
		select {
		case <-ctx.Done():
			arrives(arrival{err: ctx.Err()})
		case <-done:
		}
	}()
	most, mostBytes := handOver, handOverBytes
	if to != forever {
		most, mostBytes = stretchOver, stretchOverBytes
	}
	var seen unseen
	own := l.feed.burst()
	for delivered := uint64(1); ; delivered++ {
		in, ok := next(arrived)
		if !ok {
			delivered--
			err := l.catchUp(ctx, a, &seen)
			if err != nil {
				return ends(err)
			}
			if a.next > to {
				a.flush(0)
			}
			if err := handOn(a, to, handle); err != nil {
				return err
			}
			if a.next > to {
				return nil
			}
			continue
		}
		m, err := in.message, in.err
		if err != nil {
			if parent.Err() == nil {
				if err := handOn(a, to, handle); err != nil {
					return err
				}
			}
			return failed(err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return failed(err)
		}
		if meta.Sequence.Consumer != delivered {
			// Lost between the server and us, not in the log.
			return errRestart
		}
		r, err := l.decode(m.Subject(), meta.Sequence.Stream, m.Headers().Get, m.Data(), a.except)
		if err == nil {
			err = l.add(ctx, a, r)
		}
		if err != nil {
			return ends(err)
		}
		if r.Envelope != nil {
			l.clock.seen(r.Recorded())
		}
		reached := a.next > to
		if reached {
			a.flush(0)
		}
		drained := meta.NumPending == 0 && len(arrived) == 0
		if reached || drained || len(a.whole) >= most || a.size >= mostBytes {
			if err := handOn(a, to, handle); err != nil {
				return err
			}
		}
		if reached {
			return nil
		}
		if to == forever && own.add(l.feed.has(r.Sequence-acknowledged)) && len(a.partial) == 0 && l.feed.take() {
			if err := handOn(a, to, handle); err != nil {
				l.feed.leave()
				return err
			}
			return errFed
		}
		if drained && to != forever {
			if err := l.mustHave(ctx, a.next, a.except); err != nil {
				return err
			}
		}
	}
}

func (l *Log) decode(subject string, sequence uint64, header func(string) string, data []byte, except map[uint64]bool) (*Record, error) {
	r, err := decodeRecord(l.opts.Shard, subject, sequence, header, data)
	switch {
	case err != nil && except[sequence]:
		return skipped(l.opts.Shard, subject, sequence, data), nil
	case err != nil:
		return nil, &DamageError{sequence, err}
	}
	r.Skipped = except[sequence]
	return r, nil
}

// arrival is what the consumer gave.
type arrival struct {
	message jetstream.Msg
	err     error
}

// mustHave asks the leader for a sequence that a consumer says there is none
// of: the consumer's server may only lag behind.
func (l *Log) mustHave(ctx context.Context, sequence uint64, except map[uint64]bool) error {
	r, err := l.leaders(ctx, sequence, except)
	if err == nil && r == nil {
		return hole(sequence, 0)
	}
	return err
}

// handOn gives the handler the whole commits up to a revision.
func handOn(a *assembler, to uint64, handle Handler) error {
	batch := a.take()
	for len(batch) > 0 && batch[len(batch)-1].Revision > to {
		batch = batch[:len(batch)-1]
	}
	if len(batch) == 0 {
		return nil
	}
	return handle(batch)
}
