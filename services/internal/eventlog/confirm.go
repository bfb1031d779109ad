package eventlog

import (
	"context"
	"errors"
	"time"

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
		info, err := l.stream.Info(ctx)
		if err == nil {
			if heardByMajority(info) {
				return info.State.LastSeq, nil
			}
			err = errors.New("its leader does not hear from a majority of the servers")
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
