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
	held map[eventlog.Subject]*queue
	most int // held before they are looked through again; 0: mostIdle
}

// queue is used with queues.mu held.
type queue struct {
	taken    bool
	waiting  []chan struct{} // first come, first served; closed when it is one's turn
	revision uint64          // of the last write by this process
}

// turn is a command's turn on its guards.
type turn struct {
	queues   *queues
	subjects []eventlog.Subject
	// reach is the revision that the record must have folded before a decision
	// makes sense: of the last write to a guard, and of the organization's last
	// declaration.
	reach uint64
}

// enter waits for the turn on every subject, in one order for all.
func (q *queues) enter(ctx context.Context, org string, subjects []eventlog.Subject) (*turn, error) {
	t := &turn{queues: q}
	ordered := sortSubjects(subjects)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, s := range ordered {
		t.subjects = ordered[:i]
		if err := q.take(ctx, s); err != nil {
			q.leave(t.subjects, 0, 0)
			return nil, err
		}
	}
	t.subjects = ordered
	reach := func(s eventlog.Subject) {
		if one := q.held[s]; one != nil {
			t.reach = max(t.reach, one.revision)
		}
	}
	reach(eventlog.DeclarationGuard(org))
	for _, s := range ordered {
		reach(s)
	}
	return t, nil
}

// take waits for the turn on one subject; q.mu is held before and after, but
// not while it waits.
func (q *queues) take(ctx context.Context, s eventlog.Subject) error {
	one := q.held[s]
	if one == nil {
		if q.held == nil {
			q.held = map[eventlog.Subject]*queue{}
		}
		one = &queue{}
		q.held[s] = one
	}
	if !one.taken {
		one.taken = true
		return nil
	}
	mine := make(chan struct{})
	one.waiting = append(one.waiting, mine)
	q.mu.Unlock()
	select {
	case <-mine:
		q.mu.Lock()
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	for i, w := range one.waiting {
		if w == mine {
			one.waiting = append(one.waiting[:i], one.waiting[i+1:]...)
			return gaveUp(ctx, s)
		}
	}
	// The turn came in the same moment.
	q.leave([]eventlog.Subject{s}, 0, 0)
	return gaveUp(ctx, s)
}

func gaveUp(ctx context.Context, s eventlog.Subject) error {
	return fault.Wrap(ctx.Err(), fault.Unavailable, "command.queue",
		"gave up waiting for other commands on %s %s", s.Kind, s.ID)
}

// leave gives the turns back, after a write that ended at revision (0: none).
// folded is where the record stands: what it has is not remembered.
func (t *turn) leave(revision, folded uint64) {
	t.queues.mu.Lock()
	defer t.queues.mu.Unlock()
	t.queues.leave(t.subjects, revision, folded)
}

// leave is turn.leave with q.mu held.
func (q *queues) leave(subjects []eventlog.Subject, revision, folded uint64) {
	for _, s := range subjects {
		one := q.held[s]
		one.revision = max(one.revision, revision)
		if len(one.waiting) > 0 {
			close(one.waiting[0])
			one.waiting = one.waiting[1:]
			continue
		}
		one.taken = false
		if one.revision <= folded {
			delete(q.held, s)
		}
	}
	if len(q.held) > max(q.most, mostIdle) {
		for s, one := range q.held {
			if !one.taken && one.revision <= folded {
				delete(q.held, s)
			}
		}
		// While the record lags they stay: looking through them stays rare.
		q.most = 2 * len(q.held)
	}
}
