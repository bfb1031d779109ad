package record

import (
	"context"
	"time"

	"setpoint.dev/services/internal/eventlog"
)

// Observer is told how the record keeps up. It must be quick; a nil func is
// not called.
type Observer struct {
	// Batch is called when commits begin to be folded and written, or, while the
	// record catches up, when what is folded begins to be written; what it
	// returns, when they are on record or not.
	Batch func(ctx context.Context, batch Batch) (context.Context, func(error))
	// Wait is called when somebody has to wait for a revision; what it returns,
	// when the waiting ends.
	Wait func(ctx context.Context) (context.Context, func(error))
}

// Batch is what one write puts on record.
type Batch struct {
	Messages int
	Revision uint64 // of the last of them
	// Records are the messages; nil while the record catches up, when a batch is
	// thousands of them.
	Records []*eventlog.Record
}

// Observe sets who is told; it is for before the first reader.
func (r *Record) Observe(o Observer) { r.observer = o }

func (o Observer) batch(ctx context.Context, batch Batch) (context.Context, func(error)) {
	if o.Batch == nil {
		return ctx, func(error) {}
	}
	return o.Batch(ctx, batch)
}

// Wait returns when the record has reached the revision. It fails with
// Unavailable if that takes longer than the bound, or if the projection halts.
func (r *Record) Wait(ctx context.Context, revision uint64) error {
	if r.observer.Wait == nil {
		return r.await(ctx, revision)
	}
	if at, _ := r.Status(); at >= revision {
		return nil
	}
	ctx, end := r.observer.Wait(ctx)
	err := r.await(ctx, revision)
	end(err)
	return err
}

// Settle waits, as Wait does, until everything that this process acknowledged
// is on record.
func (r *Record) Settle(ctx context.Context) error { return r.Wait(ctx, r.owed.Load()) }

// Lag tells how far the record is behind its log.
type Lag struct {
	Last      uint64 // where the log ends
	At        uint64 // where the record stands
	Revisions uint64
	// Since is when the oldest commit that is not on record was recorded; zero
	// if there is none.
	Since time.Time
}

// Lag asks the log how far the record is behind.
func (r *Record) Lag(ctx context.Context, log *eventlog.Log) (Lag, error) {
	last, err := log.LastRevision(ctx)
	at, _ := r.Status()
	l := Lag{Last: last, At: at}
	if err != nil || last <= at {
		return l, err
	}
	l.Revisions = last - at
	oldest, err := log.At(ctx, at+1)
	if err == nil && oldest != nil {
		l.Since = oldest.Recorded()
	}
	return l, err
}

// Seconds is the lag at a time.
func (l Lag) Seconds(now time.Time) float64 {
	if l.Since.IsZero() {
		return 0
	}
	return max(0, now.Sub(l.Since).Seconds())
}
