package runner

import (
	"context"
	"sync"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// queues holds one queue per aggregate that somebody is writing.
type queues struct {
	mu   sync.Mutex
	held map[string]*queue
}

type queue struct {
	turn  chan struct{} // holds one token
	users int
}

// enter waits for the turn on every subject, in one order for all, and returns
// how to give the turns back.
func (q *queues) enter(ctx context.Context, subjects []eventlog.Subject) (func(), error) {
	var held []string
	release := func() {
		for _, k := range held {
			q.leave(k, true)
		}
	}
	for _, s := range sortSubjects(subjects) {
		k := key(s)
		q.mu.Lock()
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
		q.mu.Unlock()
		select {
		case <-one.turn:
			held = append(held, k)
		case <-ctx.Done():
			q.leave(k, false)
			release()
			return nil, fault.Wrap(ctx.Err(), fault.Unavailable, "command.queue",
				"gave up waiting for other commands on %s %s", s.Kind, s.ID)
		}
	}
	return release, nil
}

func (q *queues) leave(k string, turn bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.held[k]
	if turn {
		one.turn <- struct{}{}
	}
	if one.users--; one.users == 0 {
		delete(q.held, k)
	}
}
