package eventlog

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// fedMessages and fedBytes bound what is kept of this process's appends:
	// 8 MiB.
	fedMessages = 2_048
	fedBytes    = 4 << 10 // a message; larger ones are read from the stream

	// A reader turns to the feed when this many messages of our own came within
	// this time, and back to the stream when the feed has nothing for it for as
	// long as patience: others have written, or nobody does. The server delivers
	// a message before the acknowledgements of some that precede it are out, so
	// that whether one is our own is known a while later; and under load it sends
	// acknowledgements many at a time, 10 ms apart.
	burstMessages = 256
	burstWithin   = time.Second
	acknowledged  = 256 // messages later
	patience      = 25 * time.Millisecond
	// While appends of our own are under way, nothing is acknowledged because the
	// disk is slow: to ask the stream would only make it slower. But for so long
	// at most.
	longPatience = 500 * time.Millisecond
)

// feed keeps what this process appended a moment ago for a reader in the same
// process that is at the end of the log. While it has the message that must
// come next, the reader need not ask the stream, which under load costs the
// writers a good part of their speed: the server stores and delivers under one
// lock, and syncs under it.
//
// A message is in the feed once the server has acknowledged it, as it was sent,
// under the sequence that the server gave it. That is final on a log with a
// single copy only, so there is no feed on others. Whatever is not in it -
// others' messages, large ones, what was acknowledged to nobody - is a gap, for
// which the reader turns to the stream.
type feed struct {
	mu    sync.Mutex
	slots []fed // by sequence; nil where there is no feed
	// within is burstWithin, but in tests.
	within time.Duration
	taken  bool // one reader at a time
	want   uint64
	last   uint64        // the highest sequence acknowledged to us
	came   chan struct{} // holds a token when want is there
}

type fed struct {
	sequence uint64
	message  *nats.Msg
}

func (f *feed) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slots, f.came, f.within = make([]fed, fedMessages), make(chan struct{}, 1), burstWithin
}

// put adds the messages of a commit that ends at a sequence.
func (f *feed) put(messages []*nats.Msg, last uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = max(f.last, last)
	if f.slots == nil || len(messages) > fedMessages/8 {
		return
	}
	for i, m := range messages {
		if len(m.Data) > fedBytes {
			continue
		}
		sequence := last - uint64(len(messages)-1-i)
		f.slots[sequence%fedMessages] = fed{sequence, m}
		if sequence == f.want {
			f.want = 0
			select {
			case f.came <- struct{}{}:
			default:
			}
		}
	}
}

// get is the message with a sequence, nil if it is not there; then came tells
// when it is.
func (f *feed) get(sequence uint64) *nats.Msg {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.slots == nil {
		return nil
	}
	if s := f.slots[sequence%fedMessages]; s.sequence == sequence {
		return s.message
	}
	f.want = sequence
	return nil
}

// lacks tells that a sequence is not there although one of ours as high, or
// higher, was acknowledged.
func (f *feed) lacks(sequence uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slots != nil && f.last >= sequence && f.slots[sequence%fedMessages].sequence != sequence
}

// has tells whether the message with a sequence is there.
func (f *feed) has(sequence uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slots != nil && f.slots[sequence%fedMessages].sequence == sequence
}

// take makes the caller the feed's reader, unless there is one.
func (f *feed) take() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	free := !f.taken
	f.taken = true
	return free
}

func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken, f.want = false, 0
}

// burst counts messages of our own that follow one another.
type burst struct {
	within time.Duration
	count  int
	began  time.Time
}

// burst begins to count.
func (f *feed) burst() burst {
	f.mu.Lock()
	defer f.mu.Unlock()
	return burst{within: f.within}
}

// add counts a message, and reports whether the last burstMessages came fast
// enough.
func (b *burst) add(own bool) bool {
	switch {
	case !own:
		b.count = 0
		return false
	case b.count == 0:
		b.began = time.Now()
	}
	if b.count++; b.count < burstMessages {
		return false
	}
	b.count = 0
	return time.Since(b.began) <= b.within
}

// readFed hands over what the feed has, until it has had nothing for a while.
// Errors are those of Follow.
func (l *Log) readFed(ctx context.Context, a *assembler, handle Handler) error {
	defer l.feed.leave()
	idle := time.NewTimer(patience)
	defer idle.Stop()
	since := time.Now() // something came
	for {
		came := false
		for len(a.whole) < handOver && a.size < handOverBytes {
			m := l.feed.get(a.next)
			if m == nil {
				break
			}
			r, err := l.decode(m.Subject, a.next, m.Header.Get, m.Data, a.except)
			if err == nil {
				err = a.add(r)
			}
			if err != nil {
				if handed := handOn(a, forever, handle); handed != nil {
					return handed
				}
				return err
			}
			came = true
		}
		if came {
			if err := handOn(a, forever, handle); err != nil {
				return err
			}
			idle.Reset(patience)
			since = time.Now()
			continue
		}
		select {
		case <-l.feed.came:
		case <-idle.C:
			if l.js.PublishAsyncPending() == 0 || l.feed.lacks(a.next) || time.Since(since) > longPatience {
				return nil
			}
			idle.Reset(patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
