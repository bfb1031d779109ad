package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/lease"
)

// startLeases opens the leases by which one process of several is elected for a
// role. A process whose record is its own has nobody to share a role with.
func startLeases(ctx context.Context, s *Server) (err error) {
	if s.opts.shared() {
		s.leases, err = lease.Open(ctx, s.nats, lease.Options{Replicas: s.replicas})
	}
	return err
}

// identity tells this process from every other one, also from itself after a
// restart.
func identity() string {
	host, _ := os.Hostname()
	return host + "/" + strconv.Itoa(os.Getpid()) + "/" + rand.Text()[:8]
}

// projecting is the name of the lease of who projects a shard into a database.
func projecting(shard int, database string) string {
	sum := sha256.Sum256([]byte(database))
	return fmt.Sprintf("projector.%d.%s", shard, hex.EncodeToString(sum[:6]))
}

// lookEvery is how often a process looks who has a role.
const lookEvery = time.Second

// role is what a process knows of who has a role.
type role struct {
	mu      sync.Mutex
	state   lease.State
	changed time.Time // when the lease was last seen to be renewed
	err     error     // why it cannot be seen
}

// watchRole keeps up to date who has a role, and calls told with it, or with an
// error where nobody has had the role for too long, after each look
// that succeeds, until the process stops.
func (s *Server) watchRole(ctx context.Context, name string, told func(lease.State, error)) *role {
	r := &role{changed: time.Now()}
	looking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			now, err := s.leases.Get(looking, name)
			if looking.Err() != nil {
				return
			}
			r.saw(now, err)
			if err == nil {
				told(now, r.vacant(s.leases.TTL()))
			}
			select {
			case <-tick.C:
			case <-looking.Done():
				return
			}
		}
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
	return r
}

func (r *role) saw(now lease.State, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err = err; err != nil {
		return
	}
	if now.Holder != "" && now != r.state {
		r.changed = time.Now()
	}
	r.state = now
}

// vacant is an error if nobody has had the role for longer than it takes to
// elect somebody.
func (r *role) vacant(ttl time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.changed) < 3*ttl {
		return nil
	}
	if r.err != nil {
		return r.err
	}
	return fault.New(fault.Unavailable, "record.no_projector", "no process projects the log into the record").
		WithHint("start one with setpoint serve --target=projector")
}

// halted is what the holder of a role says has halted it.
func halted(s lease.State) error {
	if s.Note == "" {
		return nil
	}
	return errors.New(s.Note)
}
