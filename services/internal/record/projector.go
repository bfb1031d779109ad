package record

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/pause"
	"setpoint.dev/services/internal/resource"
)

// Projector follows a log and keeps a store up to date.
type Projector struct {
	log    *eventlog.Log
	kinds  *resource.Registry
	store  Store
	record *Record
	logger *slog.Logger
	meter  *meter // nil: nobody asks
	// writing, if there is one, is held during each write.
	writing writeLock
}

// NewProjector makes a projector that tells record how far it is.
func NewProjector(log *eventlog.Log, kinds *resource.Registry, store Store, record *Record, logger *slog.Logger) *Projector {
	return &Projector{log: log, kinds: kinds, store: store, record: record, logger: logger}
}

// Run follows the log until ctx ends, somebody else writes the store, or the
// projection halts. What passes (the database or the log cannot be reached) is
// waited for, and logged once. A halt is logged, told to everybody who waits,
// and returned; so is, but to nobody else, the Aborted fault of a store that
// has another writer.
func (p *Projector) Run(ctx context.Context) error {
	logged, wait := false, firstWait
	for {
		before, _ := p.record.Status()
		err := p.follow(ctx)
		at, _ := p.record.Status()
		switch {
		case ctx.Err() != nil:
			return nil
		case fault.KindOf(err) == fault.Aborted:
			return err
		case Halts(err):
			if _, known := p.record.Status(); known == nil || known.Error() != err.Error() {
				p.logger.Error("the record's projection halted", "revision", at, "error", err)
			}
			p.record.Halt(err)
			return err
		case at > before:
			logged, wait = false, firstWait
		}
		if !logged {
			logged = true
			p.logger.Warn("the record's projection waits", "revision", at, "error", err)
		}
		p.record.Trouble(err)
		if !pause.For(ctx, wait) {
			return nil
		}
		wait = min(2*wait, lastWait)
	}
}

// firstWait and lastWait are between two tries at what may pass.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 2 * time.Second
)

// Halts tells whether an error of Run means that no further try can help, by
// this binary.
func Halts(err error) bool {
	return err != nil && !passes(err) && fault.KindOf(err) != fault.Aborted
}

// passes tells whether an error is of the surroundings, not of the events.
func passes(err error) bool {
	var store *storeError
	return errors.As(err, &store) || fault.ReasonOf(err) == "log.unavailable" || errors.Is(err, errEnded)
}

var errEnded = errors.New("the log ended")

// storeError is what a database said to a write that should have succeeded.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// follow brings the store to the end of the log, in large writes where it is
// far behind, and then keeps it there, until ctx ends or it cannot go on.
func (p *Projector) follow(ctx context.Context) error {
	finishing, done := finish(ctx)
	defer done()
	at, err := p.store.Checkpoint(ctx)
	if err != nil {
		return &storeError{err}
	}
	last, err := check(ctx, p.log, at)
	if _, damaged := HaltedAt(err); err != nil && !damaged {
		return err
	}
	p.record.caughtUp(at.Revision)
	except, unread := exceptions(ctx, p.log)
	if unread != nil {
		return unread
	}
	switch {
	case err != nil: // the end is damaged; what precedes it is folded
	case at.Revision == last:
		p.record.goesOn() // nothing is left that could not be folded or written
	case last > at.Revision+bulkMessages:
		b := bulk{log: p.log, kinds: p.kinds, store: lockedStore{p.store, p.writing}, except: except, moved: p.moved, observer: p.record.observer}
		if at, err = b.run(ctx, at, last); err != nil {
			return err
		}
	}
	p.record.recent.start(ctx, p.store, at.Revision)
	err = p.log.FollowExcept(ctx, at.Revision, except, func(batch []*eventlog.Record) error {
		p.record.pace.taken(len(batch), time.Now())
		err := p.write(finishing, &at, batch)
		if err == nil {
			p.record.pace.rest(ctx, len(batch))
		}
		return err
	})
	if err == nil {
		err = errEnded
	}
	return err
}

// finishTime is how long a batch that is under way when the projector is
// stopped has to end.
const finishTime = 5 * time.Second

// finish is a context for what should end well when ctx is over. Where ctx ends
// for another cause than that somebody asked to stop, such as a lost lease,
// there is no time for that.
func finish(ctx context.Context) (context.Context, func()) {
	finishing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			cancel()
			return
		}
		time.AfterFunc(finishTime, cancel)
	})
	return finishing, func() { stop(); cancel() }
}

// write folds whole commits and moves the checkpoint in one transaction.
func (p *Projector) write(ctx context.Context, at *Checkpoint, batch []*eventlog.Record) (err error) {
	if len(batch) == 0 {
		return nil
	}
	ctx, written := p.record.observer.batch(ctx, Batch{Messages: len(batch), Revision: batch[len(batch)-1].Revision, Records: batch})
	defer func() { written(err) }()
	changes, err := foldAll(p.kinds, nil, batch, p.record.recent.absent(at.Revision))
	if err != nil {
		// What precedes it is no reason to wait.
		whole := commitsBefore(batch, err)
		if len(whole) == 0 || len(whole) == len(batch) {
			return err
		}
		if written := p.write(ctx, at, whole); written != nil {
			return written
		}
		return err
	}
	last := batch[len(batch)-1]
	to := Checkpoint{LogID: p.log.ID(), Revision: last.Revision, Hash: last.Hash}
	if err := (lockedStore{p.store, p.writing}).Write(ctx, *at, to, changes); err != nil {
		return &storeError{err}
	}
	p.record.recent.wrote(at.Revision, to.Revision, changes)
	*at = to
	p.moved(to, len(batch), organizations(batch))
	return nil
}

func (p *Projector) moved(to Checkpoint, messages int, orgs map[string]uint64) {
	p.meter.add(messages)
	p.record.goesOn() // first: who waits for the revision must not see the halt
	p.record.advance(to.Revision, orgs)
}

// foldAll appends what the messages make; see fold for absent.
func foldAll(kinds *resource.Registry, changes []Change, batch []*eventlog.Record, absent func(Identity) bool) ([]Change, error) {
	for _, m := range batch {
		var err error
		if changes, err = fold(kinds, changes, m, absent); err != nil {
			return nil, &FoldError{m.Sequence, err}
		}
	}
	return changes, nil
}

// commitsBefore are the whole commits before the message that an error is of.
func commitsBefore(batch []*eventlog.Record, err error) []*eventlog.Record {
	at, ok := HaltedAt(err)
	if !ok {
		return nil
	}
	n := 0
	for i, m := range batch {
		if m.Sequence >= at {
			break
		}
		if m.CommitEnd() {
			n = i + 1
		}
	}
	return batch[:n]
}

// organizations are the newest revisions of those that something is folded of.
func organizations(batch []*eventlog.Record) map[string]uint64 {
	orgs := map[string]uint64{}
	for _, m := range batch {
		if m.Subject.Org != "" {
			orgs[m.Subject.Org] = m.Revision
		}
	}
	return orgs
}
