package sqlite

import (
	"context"
	"maps"
	"sync"

	"setpoint.dev/services/internal/record"
)

// watchers are told where the live generation stands. What comes while one of
// them works is merged.
type watchers struct {
	mu  sync.Mutex
	all map[*watcher]struct{}
}

type watcher struct {
	wake chan struct{}
	at   record.Checkpoint
	orgs map[string]uint64
	any  bool
}

func (w *watchers) moved(at record.Checkpoint, orgs map[string]uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		one.at, one.any = at, true
		if one.orgs == nil {
			one.orgs = map[string]uint64{}
		}
		maps.Copy(one.orgs, orgs)
		select {
		case one.wake <- struct{}{}:
		default:
		}
	}
}

// watch calls f until ctx ends or f fails.
func (w *watchers) watch(ctx context.Context, f func(record.Checkpoint, map[string]uint64)) error {
	one := &watcher{wake: make(chan struct{}, 1)}
	w.mu.Lock()
	if w.all == nil {
		w.all = map[*watcher]struct{}{}
	}
	w.all[one] = struct{}{}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, one)
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-one.wake:
		}
		w.mu.Lock()
		at, orgs, any := one.at, one.orgs, one.any
		one.orgs, one.any = nil, false
		w.mu.Unlock()
		if any {
			f(at, orgs)
		}
	}
}
