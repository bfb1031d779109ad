package record

import (
	"context"
	"errors"
	"sync"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/resource"
)

const (
	// A write of a bulk fold ends at whichever comes first, unless the store says
	// otherwise; a commit is never divided. Two of them are in memory, one that is
	// read and one that is written; a third may wait between them where the store
	// has no memory to use again.
	bulkMessages = 10_000
	bulkBytes    = 16 << 20 // of stored envelopes
	bulkChanges  = 8        // for each message: an observed value makes 4, but may come with 5,000 others
)

// bulk folds a stretch of the log in large writes, one of which is written
// while the next is read and folded.
type bulk struct {
	log    *eventlog.Log
	kinds  *resource.Registry
	store  Store
	except map[uint64]bool
	moved  func(to Checkpoint, messages int, orgs map[string]uint64) // after each write; may be nil

	observer Observer // is told of each write
}

// load is what one write holds.
type load struct {
	to       Checkpoint
	messages int
	bytes    int
	rows     int
	changes  Preparation
	prepared []Change // what changes come to, once all is added
	orgs     map[string]uint64
}

func (l *load) add(logID string, batch []*eventlog.Record, changes []Change) error {
	last := batch[len(batch)-1]
	l.to = Checkpoint{LogID: logID, Revision: last.Revision, Hash: last.Hash}
	l.messages += len(batch)
	l.rows += len(changes)
	for _, m := range batch {
		l.bytes += m.Size
	}
	for org, r := range organizations(batch) {
		if l.orgs == nil {
			l.orgs = map[string]uint64{}
		}
		l.orgs[org] = r
	}
	return l.changes.Add(changes)
}

// run folds up to and including the revision to, and returns where the store
// stands: also where it fails, because what precedes the failure is written.
func (b *bulk) run(ctx context.Context, at Checkpoint, to uint64) (Checkpoint, error) {
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	first, waiting := prepare(b.store), 1
	if _, ok := first.(reusable); ok {
		waiting = 0
	}
	loads := make(chan load, waiting)
	spare := make(chan reusable, 1) // what was written, whose memory is there for the next
	var wrote error
	var writer sync.WaitGroup
	writer.Go(func() {
		for l := range loads {
			if wrote != nil {
				continue
			}
			if err := b.write(ctx, at, l); err != nil {
				wrote = &storeError{err}
				stop(wrote)
				continue
			}
			at = l.to
			if r, ok := l.changes.(reusable); ok {
				r.Reset()
				select {
				case spare <- r:
				default:
				}
			}
			if b.moved != nil {
				b.moved(l.to, l.messages, l.orgs)
			}
		}
	})
	most := bulkSize(b.store)
	begin := func() load {
		select {
		case r := <-spare:
			return load{changes: r}
		default:
			return load{changes: prepare(b.store)}
		}
	}
	next := load{changes: first}
	var folded []Change // of the batch at hand
	hand := func() error {
		if next.messages == 0 {
			return nil
		}
		next.prepared = next.changes.Changes()
		select {
		case loads <- next:
			next = begin()
			return nil
		case <-reading.Done():
			return context.Cause(reading)
		}
	}
	read := b.log.ReadExcept(reading, at.Revision, to, b.except, func(batch []*eventlog.Record) error {
		changes, err := foldAll(b.kinds, folded[:0], batch, nil)
		if err != nil {
			if whole := commitsBefore(batch, err); len(whole) > 0 {
				changes, again := foldAll(b.kinds, nil, whole, nil)
				if again == nil {
					again = next.add(b.log.ID(), whole, changes)
				}
				if again != nil {
					return errors.Join(err, again)
				}
			}
			return err
		}
		err = next.add(b.log.ID(), batch, changes)
		clear(changes) // hold on to nothing
		folded = changes
		if err != nil {
			return err
		}
		if next.messages >= most || next.bytes >= bulkBytes || next.rows >= bulkChanges*most {
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

func (b *bulk) write(ctx context.Context, at Checkpoint, l load) (err error) {
	ctx, written := b.observer.batch(ctx, Batch{Messages: l.messages, Revision: l.to.Revision})
	defer func() { written(err) }()
	return b.store.Write(ctx, at, l.to, l.prepared)
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
func (s lockedStore) Prepare() Preparation { return prepare(s.Store) }

// BulkMessages implements Preparer.
func (s lockedStore) BulkMessages() int { return bulkSize(s.Store) }

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
