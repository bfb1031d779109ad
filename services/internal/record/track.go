package record

import (
	"context"
	"log/slog"
	"time"

	"setpoint.dev/services/internal/pause"
)

// trackEvery is how often the checkpoint is looked at beside being told of it:
// what was told before somebody listened, or was lost, is found then.
const trackEvery = time.Second

// Track follows the checkpoint of a database that other processes write, until
// ctx ends, and wakes those who wait for a revision.
func (r *Record) Track(ctx context.Context, db Database, logger *slog.Logger) {
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		for ctx.Err() == nil {
			err := db.Watch(ctx, func(at Checkpoint, orgs map[string]uint64) { r.advance(at.Revision, orgs) })
			if ctx.Err() == nil {
				logger.Debug("the record's checkpoint is not told", "error", err)
			}
			pause.For(ctx, trackEvery)
		}
	}()
	failing := false
	for pause.For(ctx, trackEvery) {
		at, err := db.Checkpoint(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && !failing:
			logger.Warn("the record cannot be read", "error", err)
			r.Trouble(err)
		case err == nil:
			r.caughtUp(at.Revision)
			if failing {
				r.Trouble(nil)
			}
		}
		failing = err != nil
	}
	<-watching
}

// caughtUp moves to a revision without knowledge of whose events were folded
// on the way: everybody's may have been.
func (r *Record) caughtUp(to uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if to > r.at {
		r.at, r.anybody = to, to
		r.wake()
	}
}
