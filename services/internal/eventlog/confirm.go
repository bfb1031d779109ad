package eventlog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// heardWithin is how recently a leader must have heard from a majority for
	// its word to count. Others elect another one 4 s after they last heard from
	// it at the earliest; in between they answer its heartbeats each second.
	heardWithin = 3 * time.Second
	// askAgain is the pause before a leader that is alone, or being replaced, is
	// asked again.
	askAgain = 100 * time.Millisecond

	// looks is how often the server that we are connected to is looked after.
	looks = 500 * time.Millisecond
	// still is how long it may take to answer that before it counts as one that
	// stood still; an election takes longer.
	still = time.Second
	// settles is how long the word of a server that stood still does not count:
	// until it has read what arrived meanwhile, it takes old answers of the
	// others for new ones, and itself for the leader.
	settles = 2 * time.Second
)

// ConfirmedEnd is where the log ends, in the word of a leader that says in the
// same answer that it heard from a majority just now. A server that was cut off
// and deposed goes on answering other reads for up to 20 s, as they were; an
// append needs a majority, but what is decided without one needs this.
//
// Unavailable means that no such leader answered in time. A log with a single
// copy has no other leader.
func (l *Log) ConfirmedEnd(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	for {
		asked := time.Now()
		info, err := l.stream.Info(ctx)
		switch {
		case err != nil:
		case !heardByMajority(info):
			err = errors.New("its leader does not hear from a majority of the servers")
		case l.copies > 1 && (time.Since(asked) > still || l.server.stoodStill()):
			err = errors.New("its server stood still a moment ago")
		default:
			return info.State.LastSeq, nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return 0, unavailable(err)
		}
	}
}

// Copies is how many servers kept the log when it was opened.
func (l *Log) Copies() int { return l.copies }

func heardByMajority(info *jetstream.StreamInfo) bool {
	copies := max(info.Config.Replicas, 1)
	if copies == 1 {
		return true
	}
	if info.Cluster == nil {
		return false
	}
	heard := 1 // itself
	for _, r := range info.Cluster.Replicas {
		// One that it never heard from is told as 0.
		if r.Active > 0 && r.Active < heardWithin {
			heard++
		}
	}
	return heard > copies/2
}

// server watches whether the server that we are connected to stands still.
type server struct {
	now  func() time.Time // nil: the clock
	told chan struct{}    // holds a token after each change; nil: nobody waits for one

	mu    sync.Mutex
	asked time.Time // zero if no question is open
	until time.Time // its word does not count before
}

func (s *server) stoodStill() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	return !s.asked.IsZero() && now.Sub(s.asked) > still || now.Before(s.until)
}

func (s *server) clock() time.Time {
	if s.now != nil {
		return s.now()
	}
	return time.Now()
}

// watch looks after the server until the connection or the log is closed.
func (s *server) watch(nc *nats.Conn, closed <-chan struct{}) {
	tick := time.NewTicker(looks)
	defer tick.Stop()
	for !nc.IsClosed() {
		begin := s.clock()
		s.set(begin, time.Time{})
		err := nc.FlushTimeout(time.Minute)
		var until time.Time
		if now := s.clock(); err != nil || now.Sub(begin) > still {
			until = now.Add(settles)
		}
		s.set(time.Time{}, until)
		select {
		case <-tick.C:
		case <-closed:
			return
		}
	}
}

func (s *server) set(asked, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = asked
	if until.After(s.until) {
		s.until = until
	}
	select {
	case s.told <- struct{}{}:
	default:
	}
}
