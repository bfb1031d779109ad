package lease

import (
	"context"
	"errors"
	"sync"
	"time"

	"setpoint.dev/services/internal/pause"
)

// ErrLost is the cause of a work's context that ended because the lease could
// not be renewed in time or was taken over.
var ErrLost = errors.New("the lease was lost")

// Lease is one that is held. Its methods may be called concurrently.
type Lease struct {
	bucket *Bucket
	name   string
	tell   chan struct{} // a note waits to be written

	mu    sync.Mutex
	state State
	note  string
	until time.Time // with a monotonic reading
}

// Held tells whether the lease certainly is held at this moment.
func (l *Lease) Held() bool { return l.left() > 0 }

// State is what the lease said when it was last written.
func (l *Lease) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Note leaves word for everybody who reads the lease; it is written at once
// if that is possible, else with the next renewal. "" takes it back.
func (l *Lease) Note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.note == text {
		return
	}
	l.note = text
	select {
	case l.tell <- struct{}{}:
	default:
	}
}

// Hold competes for a lease until ctx ends. Each time it is given, work runs,
// under a context that ends (cause ErrLost) before anybody else can be given
// it; when work returns, the lease is given back at once and competed for
// again, after a pause of one time to live, in which others come first.
//
// holder is the process, and must be unique among all that ever compete. Hold
// returns once work has returned; its error is ctx's.
func (b *Bucket) Hold(ctx context.Context, name, holder string, work func(context.Context, *Lease)) error {
	for {
		l, err := b.acquire(ctx, name, holder)
		if err != nil {
			return err
		}
		again := l.hold(ctx, work)
		if !pause.For(ctx, again) {
			return ctx.Err()
		}
	}
}

// acquire competes until it is given the lease, or ctx ends.
func (b *Bucket) acquire(ctx context.Context, name, holder string) (*Lease, error) {
	var seen State
	var since time.Time
	for {
		now, err := b.Get(ctx, name)
		if err == nil {
			if since.IsZero() || now.revision != seen.revision {
				seen, since = now, b.now()
			}
			// One that is ours was given by a write whose answer was lost.
			if now.Holder == "" || now.Holder == holder || b.now().Sub(since) >= b.ttl {
				sent := b.now()
				mine := State{Holder: holder, Since: sent.Round(0).UTC(), Note: now.Note, revision: now.revision}
				if mine, err = b.put(ctx, name, mine); err == nil {
					return &Lease{
						bucket: b, name: name, tell: make(chan struct{}, 1),
						state: mine, note: mine.Note, until: b.until(sent),
					}, nil
				}
			}
		}
		if !b.rest(ctx, b.ttl/12) {
			return nil, ctx.Err()
		}
	}
}

// until is when a lease that was written no earlier than sent must not be
// relied on any more.
func (b *Bucket) until(sent time.Time) time.Time { return sent.Add(b.ttl - b.ttl/6) }

// hold runs work while the lease is renewed, and gives it back. It returns how
// long to wait before competing again.
func (l *Lease) hold(ctx context.Context, work func(context.Context, *Lease)) time.Duration {
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(working, l)
	}()
	stopRenewing := make(chan struct{})
	renewed := make(chan bool, 1) // the lease is still ours
	// Also while work comes to its end, which may take a moment.
	go func() { renewed <- l.renew(context.WithoutCancel(ctx), stopRenewing) }()

	expired := time.NewTimer(l.left())
	defer expired.Stop()
	ours := true
	for working.Err() == nil {
		select {
		case <-done:
			end(nil)
		case ours = <-renewed:
			renewed = nil
			end(ErrLost)
		case <-expired.C:
			if left := l.left(); left > 0 {
				expired.Reset(left)
			} else {
				end(ErrLost)
			}
		case <-working.Done():
		}
	}
	<-done
	close(stopRenewing)
	if renewed != nil {
		ours = <-renewed
	}
	if !ours {
		return 0
	}
	l.giveBack()
	if ctx.Err() != nil || context.Cause(working) == ErrLost {
		return 0
	}
	return l.bucket.ttl
}

// left is how long the lease is certainly held.
func (l *Lease) left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.until)
}

// renew keeps the lease until stop, or until somebody else has it; it returns
// whether it is still ours, as far as is known.
func (l *Lease) renew(ctx context.Context, stop <-chan struct{}) bool {
	every := l.bucket.ttl / 4
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.tell:
		case <-stop:
			return true
		}
		if !l.write(ctx) {
			return false
		}
	}
}

// write renews once; false if somebody else has the lease.
func (l *Lease) write(ctx context.Context) bool {
	sent := l.bucket.now()
	l.mu.Lock()
	s := l.state
	s.Note = l.note
	l.mu.Unlock()
	next, err := l.bucket.put(ctx, l.name, s)
	if errors.Is(err, errMoved) {
		// By us, if the answer to an earlier renewal was lost.
		now, getErr := l.bucket.Get(ctx, l.name)
		if getErr != nil {
			return true // not known yet; it expires if that lasts
		}
		if now.Holder != s.Holder {
			return false
		}
		sent = l.bucket.now()
		s.revision = now.revision
		if next, err = l.bucket.put(ctx, l.name, s); errors.Is(err, errMoved) {
			return true // a stale read, or ours again: the next one tells
		}
	}
	if err != nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state, l.until = next, l.bucket.until(sent)
	return true
}

// giveBack lets others have the lease at once.
func (l *Lease) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), l.bucket.ttl/3)
	defer cancel()
	l.mu.Lock()
	s := l.state
	holder := s.Holder
	s.Holder, s.Since, s.Note = "", time.Time{}, l.note
	l.mu.Unlock()
	// Where that fails, the lease runs out.
	if _, err := l.bucket.put(ctx, l.name, s); errors.Is(err, errMoved) {
		if now, err := l.bucket.Get(ctx, l.name); err == nil && now.Holder == holder {
			s.revision = now.revision
			_, _ = l.bucket.put(ctx, l.name, s)
		}
	}
}
