package record

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// restFor is how long the projection rests after a write that nobody waits
	// for.
	restFor = 2 * time.Millisecond

	// Where more than busyRate messages a second come, it rests until about
	// gatherMessages have come, at most for longestRest: the commands of some
	// hundred aggregates then share pages, and transactions. Below that rate
	// what is acknowledged is on record at once for those, too, who cannot say
	// that they wait, such as other processes.
	busyRate       = 1_500
	gatherMessages = 1_000
	longestRest    = 200 * time.Millisecond

	// rateOver is how long a rate is looked at.
	rateOver = 100 * time.Millisecond
)

// pace lets the projection rest between writes, so that what comes meanwhile is
// one transaction. A transaction costs twice what a message in it does, and the
// pages that it writes to the disk are in the way of the log, which syncs each
// message. Whoever waits for a revision ends the rest.
type pace struct {
	waiting atomic.Int64
	wake    chan struct{}

	// Of the projector alone: when it took the messages of its last write, and
	// how many a second have come lately.
	took time.Time
	rate float64
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

// taken notes that so many messages are about to be written: all that came since
// the time before.
func (p *pace) taken(messages int, now time.Time) {
	since := now.Sub(p.took)
	p.took = now
	if since <= 0 {
		return
	}
	part := min(1, since.Seconds()/rateOver.Seconds())
	p.rate += (float64(messages)/since.Seconds() - p.rate) * part
}

// length is how long to rest after a write of so many messages; 0 while the
// projection is behind.
func (p *pace) length(messages int) time.Duration {
	switch {
	case messages > 4*gatherMessages:
		return 0
	case p.rate > busyRate:
		return min(longestRest, time.Duration(gatherMessages/p.rate*float64(time.Second)))
	case messages >= smallWrite:
		return 0
	}
	return restFor
}

// smallWrite is of fewer messages.
const smallWrite = 32

// rest is called after a write.
func (p *pace) rest(ctx context.Context, messages int) {
	length := p.length(messages)
	if length == 0 || p.waiting.Load() > 0 {
		return
	}
	select {
	case <-p.wake: // of somebody who waits no more
	default:
	}
	if p.waiting.Load() > 0 {
		return
	}
	t := time.NewTimer(length)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.wake:
	case <-ctx.Done():
	}
}
