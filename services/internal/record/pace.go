package record

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// restFor is how long the projection rests after a small write that nobody
	// waits for.
	restFor = 2 * time.Millisecond
	// smallWrite is of fewer messages.
	smallWrite = 32
)

// pace lets the projection rest between small writes, so that what comes
// meanwhile is one transaction: a transaction costs twice what a message in it
// does. Whoever waits for a revision ends the rest.
type pace struct {
	waiting atomic.Int64
	wake    chan struct{}
}

func newPace() pace { return pace{wake: make(chan struct{}, 1)} }

// hurry says that somebody waits, until waiting is counted down again.
func (p *pace) hurry() {
	p.waiting.Add(1)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// rest is called after a write.
func (p *pace) rest(ctx context.Context, messages int) {
	if messages >= smallWrite || p.waiting.Load() > 0 {
		return
	}
	select {
	case <-p.wake: // of somebody who waits no more
	default:
	}
	if p.waiting.Load() > 0 {
		return
	}
	t := time.NewTimer(restFor)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.wake:
	case <-ctx.Done():
	}
}
