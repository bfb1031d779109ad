package lease

import (
	"context"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/embeddednats"
)

// Clocks that jump, here or on another machine, neither give a lease early nor
// keep it from being given: what an entry says of time counts for nothing, and
// all that is measured is on this process's monotonic clock, which does not jump.
func TestWhatClocksSayDoesNotCount(t *testing.T) {
	s, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b, err := Open(t.Context(), nc, Options{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	// Time goes on where somebody waits, and nowhere else.
	passed, began := time.Duration(0), time.Now()
	b.now = func() time.Time { return began.Add(passed) }
	b.rest = func(ctx context.Context, d time.Duration) bool {
		passed += d
		return ctx.Err() == nil
	}
	for name, off := range map[string]time.Duration{"ahead": 10 * 365 * 24 * time.Hour, "behind": -10 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.put(t.Context(), name, State{Holder: "other", Since: time.Now().Add(off)}); err != nil {
				t.Fatal(err)
			}
			before := passed
			l, err := b.acquire(t.Context(), name, "me")
			if err != nil {
				t.Fatal(err)
			}
			if took := passed - before; took < b.ttl || took > b.ttl+b.ttl/12 {
				t.Errorf("it was taken over after %s, not when it had not changed for %s", took, b.ttl)
			}
			// A time without such a reading is compared by the wall clock.
			if !strings.Contains(l.until.String(), " m=") {
				t.Errorf("the end is %s, without a monotonic reading", l.until)
			}
			if _, err := l.bucket.put(t.Context(), name, l.State()); err != nil {
				t.Fatal(err)
			}
			if !l.write(t.Context()) || !strings.Contains(l.until.String(), " m=") {
				t.Errorf("renewed, the end is %s", l.until)
			}
		})
	}
}
