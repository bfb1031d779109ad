package record

import (
	"context"
	"sync"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/resource"
)

const (
	// A write of a bulk fold ends at whichever comes first; a commit is never
	// divided. Three of them are in memory: one is read, one waits, one is
	// written.
	bulkMessages = 20_000
	bulkBytes    = 16 << 20 // of stored envelopes
)

// bulk folds a stretch of the log in large writes, one of which is written
// while the next is read and folded.
type bulk struct {
	log    *eventlog.Log
	kinds  *resource.Registry
	store  Store
	except map[uint64]bool
	moved  func(to Checkpoint, messages int, orgs map[string]uint64) // after each write; may be nil
}

// load is what one write holds.
type load struct {
	to       Checkpoint
	messages int
	bytes    int
	changes  []Change
	orgs     map[string]uint64
}

func (l *load) add(logID string, batch []*eventlog.Record, changes []Change) {
	last := batch[len(batch)-1]
	l.to = Checkpoint{LogID: logID, Revision: last.Revision, Hash: last.Hash}
	l.messages += len(batch)
	for _, m := range batch {
		l.bytes += m.Size
	}
	l.changes = changes
	for org, r := range organizations(batch) {
		if l.orgs == nil {
			l.orgs = map[string]uint64{}
		}
		l.orgs[org] = r
	}
}

// run folds up to and including the revision to, and returns where the store
// stands: also where it fails, because what precedes the failure is written.
func (b *bulk) run(ctx context.Context, at Checkpoint, to uint64) (Checkpoint, error) {
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	loads := make(chan load, 1)
	var wrote error
	var writer sync.WaitGroup
	writer.Go(func() {
		for l := range loads {
			if wrote != nil {
				continue
			}
			if err := b.store.Write(ctx, at, l.to, l.changes); err != nil {
				wrote = &storeError{err}
				stop(wrote)
				continue
			}
			at = l.to
			if b.moved != nil {
				b.moved(l.to, l.messages, l.orgs)
			}
		}
	})
	var prepare func([]Change) ([]Change, error)
	if p, ok := b.store.(Preparer); ok {
		prepare = p.Prepare
	}
	var next load
	hand := func() error {
		if next.messages == 0 {
			return nil
		}
		room := len(next.changes) + len(next.changes)/8
		if prepare != nil {
			var err error
			if next.changes, err = prepare(next.changes); err != nil {
				return err
			}
		}
		select {
		case loads <- next:
			next = load{changes: make([]Change, 0, room)}
			return nil
		case <-reading.Done():
			return context.Cause(reading)
		}
	}
	read := b.log.ReadExcept(reading, at.Revision, to, b.except, func(batch []*eventlog.Record) error {
		changes, err := foldAll(b.kinds, next.changes, batch)
		if err != nil {
			if whole := commitsBefore(batch, err); len(whole) > 0 {
				if changes, again := foldAll(b.kinds, next.changes, whole); again == nil {
					next.add(b.log.ID(), whole, changes)
				}
			}
			return err
		}
		next.add(b.log.ID(), batch, changes)
		if next.messages >= bulkMessages || next.bytes >= bulkBytes {
			return hand()
		}
		return nil
	})
	handed := hand()
	close(loads)
	writer.Wait()
	switch {
	case wrote != nil:
		return at, wrote
	case read != nil:
		return at, read
	}
	return at, handed
}

// lockedStore writes while it holds a lock, if there is one.
type lockedStore struct {
	Store
	writing writeLock
}

type writeLock interface {
	Lock()
	Unlock()
}

// Prepare implements Preparer.
func (s lockedStore) Prepare(changes []Change) ([]Change, error) {
	if p, ok := s.Store.(Preparer); ok {
		return p.Prepare(changes)
	}
	return changes, nil
}

func (s lockedStore) Write(ctx context.Context, from, to Checkpoint, changes []Change) error {
	if s.writing != nil {
		s.writing.Lock()
		defer s.writing.Unlock()
	}
	return s.Store.Write(ctx, from, to, changes)
}

// meter counts what happens in the seconds behind.
type meter struct {
	mu    sync.Mutex
	slots [meterSeconds]struct {
		second int64
		count  int
	}
}

// meterSeconds is over how long a rate is taken.
const meterSeconds = 5

func (m *meter) add(n int) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().Unix()
	s := &m.slots[now%meterSeconds]
	if s.second != now {
		s.second, s.count = now, 0
	}
	s.count += n
}

// rate is how many a second, over the seconds in which there were some.
func (m *meter) rate() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().Unix()
	seconds, count := 0, 0
	for _, s := range m.slots {
		if now-s.second < meterSeconds {
			seconds++
			count += s.count
		}
	}
	if seconds == 0 {
		return 0
	}
	return float64(count) / float64(seconds)
}
