package e2e_test

import (
	"context"
	"sync"
	"testing"
	"time"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
)

// jumpy is a clock that jumps.
type jumpy struct {
	mu  sync.Mutex
	now time.Time
}

func (c *jumpy) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Second)
	return c.now
}

func (c *jumpy) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// The clock jumps back by a day and forward by a year, while the service runs
// and while it does not. Recorded times do not decrease, so what was known at
// an instant is what the log had up to it; and work goes on.
func TestTheClockJumps(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	dir := t.TempDir()
	now := &jumpy{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	start := func() (*devserver.Server, client) {
		s, err := devserver.Start(context.Background(), devserver.Options{
			Data: dir, Listen: "127.0.0.1:0", NATSListen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test", Now: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s, connectTo(t, s.URL(), "default")
	}
	s, c := start()
	c.apply(small)
	o := &observer{source: "x"}
	write := func() {
		t.Helper()
		for range 3 {
			if err := o.step(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	write()
	for _, jump := range []struct {
		by      time.Duration
		restart bool
	}{{-day, false}, {year, false}, {-year, false}, {-day, true}, {2 * year, true}, {-year, true}} {
		if jump.restart {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		now.jump(jump.by)
		if jump.restart {
			s, c = start()
		}
		write()
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	log := readLog(t, embeddedURL(t, dir))
	timesDoNotDecrease(t, log)
	list := func(req *strategyv1.ListObservationsRequest) *strategyv1.ListObservationsResponse {
		t.Helper()
		req.Metric = "revenue"
		res, err := c.observe.ListObservations(t.Context(), req)
		if err != nil {
			t.Fatalf("%v: %v", req, err)
		}
		return res
	}
	for i, m := range log {
		if i+1 < len(log) && log[i+1].envelope.GetRecorded().AsTime().Equal(m.envelope.GetRecorded().AsTime()) {
			continue // the last commit of an instant is what was known at it
		}
		at := m.envelope.GetRecorded().AsTime()
		known := list(&strategyv1.ListObservationsRequest{KnownAt: at.Format(time.RFC3339Nano)})
		if known.GetRevision() != int64(m.revision) {
			t.Errorf("at %s revision %d was known, not %d", at, known.GetRevision(), m.revision)
		}
		if then := list(&strategyv1.ListObservationsRequest{Revision: int64(m.revision)}); len(then.GetObservations()) != len(known.GetObservations()) {
			t.Errorf("at %s %d values were known, at revision %d %d", at, len(known.GetObservations()), m.revision, len(then.GetObservations()))
		}
	}
	if n := len(list(&strategyv1.ListObservationsRequest{}).GetObservations()); n != o.acknowledged {
		t.Errorf("%d acknowledged, %d there", o.acknowledged, n)
	}
}
