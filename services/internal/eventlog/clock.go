package eventlog

import (
	"sync"
	"time"
)

// clock gives recorded times that do not decrease in the order of the log.
//
// A message is stamped and handed to the connection under one lock, so log
// order is stamping order. A batch lands where its last message does: while
// one is under way the clock stands still, so that messages that overtake it
// are not later than it is.
type clock struct {
	mu     sync.Mutex
	last   time.Time
	frozen bool
}

// stamp calls send with the recorded time of a command that was given at t.
func (c *clock) stamp(t time.Time, send func(at time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return send(c.advance(t))
}

// freeze stamps a batch and stops the clock until the returned function is
// called. Batches are sent one at a time.
func (c *clock) freeze(t time.Time) (at time.Time, thaw func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at = c.advance(t)
	c.frozen = true
	return at, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.frozen = false
	}
}

// seen raises the clock to a time found in the log.
func (c *clock) seen(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen && t.After(c.last) {
		c.last = t
	}
}

func (c *clock) advance(t time.Time) time.Time {
	// Microseconds: what every database keeps.
	if t = t.UTC().Truncate(time.Microsecond); !c.frozen && t.After(c.last) {
		c.last = t
	}
	return c.last
}
