package record

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Projector follows a log and keeps a store up to date.
type Projector struct {
	log    *eventlog.Log
	kinds  *resource.Registry
	store  Store
	record *Record
	logger *slog.Logger
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
		if !pause(ctx, wait) {
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

func (p *Projector) follow(ctx context.Context) error {
	finishing, done := finish(ctx)
	defer done()
	at, err := p.store.Checkpoint(ctx)
	if err != nil {
		return &storeError{err}
	}
	last, err := check(ctx, p.log, at)
	if err != nil {
		return err
	}
	p.record.caughtUp(at.Revision)
	if at.Revision == last {
		p.record.goesOn() // nothing is left that could not be folded or written
	}
	err = p.log.Follow(ctx, at.Revision, func(batch []*eventlog.Record) error {
		return p.write(finishing, &at, batch)
	})
	if err == nil {
		err = errEnded
	}
	return err
}

// finishTime is how long a batch that is under way when the projector is
// stopped has to end.
const finishTime = 5 * time.Second

// finish is a context for what should end well when ctx is over.
func finish(ctx context.Context) (context.Context, func()) {
	finishing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(finishTime, cancel) })
	return finishing, func() { stop(); cancel() }
}

// write folds whole commits and moves the checkpoint in one transaction.
func (p *Projector) write(ctx context.Context, at *Checkpoint, batch []*eventlog.Record) (err error) {
	if len(batch) == 0 {
		return nil
	}
	ctx, written := p.record.observer.batch(ctx, batch)
	defer func() { written(err) }()
	var changes []Change
	for _, m := range batch {
		c, err := Fold(p.kinds, m)
		if err != nil {
			return err
		}
		changes = append(changes, c...)
	}
	last := batch[len(batch)-1]
	to := Checkpoint{LogID: p.log.ID(), Revision: last.Revision, Hash: last.Hash}
	if err := p.store.Write(ctx, *at, to, changes); err != nil {
		return &storeError{err}
	}
	*at = to
	orgs := map[string]uint64{}
	for _, m := range batch {
		orgs[m.Subject.Org] = m.Revision
	}
	p.record.advance(to.Revision, orgs)
	p.record.goesOn()
	return nil
}
