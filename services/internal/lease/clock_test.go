package lease

import (
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
	const ttl = 500 * time.Millisecond
	b, err := Open(t.Context(), nc, Options{TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	for name, off := range map[string]time.Duration{"ahead": 10 * 365 * 24 * time.Hour, "behind": -10 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.put(t.Context(), name, State{Holder: "other", Since: time.Now().Add(off)}); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			l, err := b.acquire(t.Context(), name, "me")
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < ttl {
				t.Errorf("it was taken over after %s, before it had not changed for %s", took, ttl)
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
