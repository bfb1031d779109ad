package runner

import (
	"context"
	"sync"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// mostIdle is how many aggregates that nobody writes are remembered before
// those that the record has caught up with are forgotten.
const mostIdle = 10_000

// queues holds one queue per aggregate that somebody is writing, and per
// request id that a client gave, and remembers where this process wrote what
// the record may not have folded yet.
type queues struct {
	mu   sync.Mutex
	held map[string]*queue
	most int // held before they are looked through again; 0: mostIdle
}

type queue struct {
	turn     chan struct{} // holds one token
	users    int
	revision uint64 // of the last write by this process
}

// turn is a command's turn on its guards.
type turn struct {
	queues *queues
	keys   []string
	// reach is the revision that the record must have folded before a decision
	// makes sense: of the last write to a guard, and of the organization's last
	// declaration.
	reach uint64
}

// enter waits for the turn on every subject, in one order for all.
func (q *queues) enter(ctx context.Context, org string, subjects []eventlog.Subject) (*turn, error) {
	t := &turn{queues: q}
	for _, s := range sortSubjects(subjects) {
		k := key(s)
		one := q.queue(k)
		select {
		case <-one.turn:
			t.keys = append(t.keys, k)
		case <-ctx.Done():
			q.mu.Lock()
			one.users--
			q.mu.Unlock()
			t.leave(0, 0)
			return nil, fault.Wrap(ctx.Err(), fault.Unavailable, "command.queue",
				"gave up waiting for other commands on %s %s", s.Kind, s.ID)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, k := range append([]string{key(eventlog.DeclarationGuard(org))}, t.keys...) {
		if one := q.held[k]; one != nil {
			t.reach = max(t.reach, one.revision)
		}
	}
	return t, nil
}

func (q *queues) queue(k string) *queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held == nil {
		q.held = map[string]*queue{}
	}
	one := q.held[k]
	if one == nil {
		one = &queue{turn: make(chan struct{}, 1)}
		one.turn <- struct{}{}
		q.held[k] = one
	}
	one.users++
	return one
}

// leave gives the turns back, after a write that ended at revision (0: none).
// folded is where the record stands: what it has is not remembered.
func (t *turn) leave(revision, folded uint64) {
	q := t.queues
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, k := range t.keys {
		one := q.held[k]
		one.revision = max(one.revision, revision)
		one.users--
		one.turn <- struct{}{}
		if one.users == 0 && one.revision <= folded {
			delete(q.held, k)
		}
	}
	if len(q.held) > max(q.most, mostIdle) {
		for k, one := range q.held {
			if one.users == 0 && one.revision <= folded {
				delete(q.held, k)
			}
		}
		// While the record lags they stay: looking through them stays rare.
		q.most = 2 * len(q.held)
	}
}
