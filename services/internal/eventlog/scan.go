package eventlog

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stalled is how long a scan waits for a message that should come: a server
// skips a message that it cannot read, and says nothing.
const stalled = 2 * time.Second

// scan hands over the stored messages of a range in order, as they are; ones
// that are not there or cannot be read are left out. It is for those who judge
// a log: readers use Follow, which halts.
func (l *Log) scan(ctx context.Context, from, to uint64, handle func(*Stored) error) error {
	for from <= to {
		next, err := l.scanRound(ctx, from, to, handle)
		if err != nil || next > to {
			return err
		}
		// The consumer has nothing more. Ask the leader what comes next.
		if from, err = l.nextStored(ctx, next, to); err != nil {
			return err
		}
	}
	return nil
}

// scanRound reads with one consumer until it has nothing more to give, and
// returns the sequence to go on with.
func (l *Log) scanRound(ctx context.Context, from, to uint64, handle func(*Stored) error) (next uint64, err error) {
	creating, created := context.WithTimeout(ctx, l.opts.Timeout)
	defer created()
	consumer, err := l.stream.OrderedConsumer(creating, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return from, unavailable(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes))
	if err != nil {
		return from, unavailable(err)
	}
	defer func() {
		messages.Stop()
		// Stopping does not delete it, and a stream has room for few.
		deleting, done := context.WithTimeout(context.WithoutCancel(ctx), l.opts.Timeout)
		defer done()
		if info := consumer.CachedInfo(); info != nil && l.nc.IsConnected() {
			_ = l.stream.DeleteConsumer(deleting, info.Name)
		}
	}()
	for next = from; next <= to; {
		waiting, waited := context.WithTimeout(ctx, stalled)
		m, err := messages.Next(jetstream.NextContext(waiting))
		waited()
		if ctx.Err() != nil {
			return next, ctx.Err()
		}
		if err != nil {
			return next, nil
		}
		meta, err := m.Metadata()
		if err != nil {
			return next, nil
		}
		sequence := meta.Sequence.Stream
		if sequence < next {
			continue
		}
		if sequence > to {
			return sequence, nil
		}
		if err := handle(&Stored{Sequence: sequence, Subject: m.Subject(), Headers: ownHeaders(m.Headers()), Body: m.Data()}); err != nil {
			return next, err
		}
		next = sequence + 1
		if meta.NumPending == 0 {
			return next, nil
		}
	}
	return next, nil
}

// nextStored is the first sequence from next on that the leader can read, to+1
// if there is none.
func (l *Log) nextStored(ctx context.Context, next, to uint64) (uint64, error) {
	for ; next <= to; next++ {
		asking, asked := context.WithTimeout(ctx, l.opts.Timeout)
		m, err := l.stream.GetMsg(asking, next, jetstream.WithGetMsgSubject(">"))
		asked()
		var api *jetstream.APIError
		switch {
		case err == nil && m.Sequence >= next:
			return min(m.Sequence, to+1), nil
		case ctx.Err() != nil:
			return next, ctx.Err()
		case !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.As(err, &api):
			return next, unavailable(err)
		}
		// Nothing follows, or this one cannot be read and the next can: the
		// server says the same of both.
	}
	return next, nil
}

// AuditOptions say how thorough an audit is.
type AuditOptions struct {
	// Decode judges the events of each record; nil: only envelopes are judged.
	Decode func(*Record) error
	// Found is told of each damage, in the order of the log.
	Found func(Damage)
	// Progress is told now and then how far the audit is.
	Progress func(done, total uint64)
}

// Audit reads the whole log, and goes on after damage. Its error says that the
// log could not be read, not that it is damaged.
func (l *Log) Audit(ctx context.Context, o AuditOptions) (Audit, error) {
	asking, asked := context.WithTimeout(ctx, l.opts.Timeout)
	info, err := l.stream.Info(asking)
	asked()
	if err != nil {
		return Audit{}, unavailable(err)
	}
	to := info.State.LastSeq
	a := NewAuditor(l.opts.Shard, true, o.Found)
	a.Decode = o.Decode
	err = l.scan(ctx, 1, to, func(s *Stored) error {
		a.Check(s)
		if o.Progress != nil && s.Sequence%1_000 == 0 {
			o.Progress(s.Sequence, to)
		}
		return nil
	})
	if err != nil {
		return a.audit, err
	}
	if a.first != nil && a.next == to+1 {
		// A commit may have been on its way when we asked where the log ends.
		err = l.endCommit(ctx, a)
	}
	return a.Finish(to), err
}

// endCommit reads on to the end of the commit under way.
func (l *Log) endCommit(ctx context.Context, a *Auditor) error {
	end := a.first.Revision
	return l.scan(ctx, a.next, end, func(s *Stored) error {
		a.Check(s)
		return nil
	})
}

// Export hands over every stored message up to a revision, in order, and fails
// with Internal if the log is damaged: nothing is left out.
func (l *Log) Export(ctx context.Context, to uint64, handle func(*Stored) error) error {
	var damage error
	a := NewAuditor(l.opts.Shard, false, func(d Damage) {
		if d.Reason != DamageTime && damage == nil {
			damage = damageFault(d)
		}
	})
	err := l.scan(ctx, 1, to, func(s *Stored) error {
		if a.Check(s); damage != nil {
			return damage
		}
		return handle(s)
	})
	if err != nil {
		return err
	}
	if a.Finish(to); damage != nil {
		return damage
	}
	return nil
}
