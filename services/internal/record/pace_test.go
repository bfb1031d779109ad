package record_test

import (
	"testing"
	"testing/synctest"
	"time"

	"setpoint.dev/services/internal/record"
)

func TestTheProjectionRestsLongerUnderLoad(t *testing.T) {
	const short = 2 * time.Millisecond
	for _, c := range []struct {
		name     string
		messages int           // of each write
		every    time.Duration // writes begin
		least    time.Duration
		most     time.Duration
	}{
		{"one now and then", 1, 10 * time.Second, short, short},
		{"500 a second", 1, 2 * time.Millisecond, short, short},
		{"a value for five targets", 6, 7 * time.Millisecond, short, short},
		{"2,000 a second: at most so long", 8, 4 * time.Millisecond, 200 * time.Millisecond, 200 * time.Millisecond},
		{"6,000 a second", 600, 100 * time.Millisecond, 160 * time.Millisecond, 170 * time.Millisecond},
		{"20,000 a second", 600, 30 * time.Millisecond, 45 * time.Millisecond, 55 * time.Millisecond},
		{"catching up", 5_000, 50 * time.Millisecond, 0, 0},
		{"what came at once, and no more", 200, 10 * time.Second, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := record.NewPace()
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for range 1_000 {
				now = now.Add(c.every)
				p.Taken(c.messages, now)
			}
			if got := p.Length(c.messages); got < c.least || got > c.most {
				t.Errorf("rests for %s, want %s to %s", got, c.least, c.most)
			}
			// When the load is over it is as if it had never been.
			p.Taken(1, now.Add(time.Second))
			if got := p.Length(1); got != short {
				t.Errorf("after the load it rests for %s", got)
			}
		})
	}
}

// Who waits for a revision does not wait for a rest to end.
func TestWhoWaitsEndsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := record.NewPace()
		for range 100 {
			p.Taken(100, time.Now())
			time.Sleep(20 * time.Millisecond)
		}
		rest := func() time.Duration {
			begin := time.Now()
			p.Rest(t.Context(), 100)
			return time.Since(begin)
		}
		if got := rest(); got < 50*time.Millisecond {
			t.Fatalf("nobody waits, and it rests for %s", got)
		}
		p.Hurry()
		if got := rest(); got != 0 {
			t.Errorf("somebody waits, and it rests for %s", got)
		}
		p.Done()
		if got := rest(); got < 50*time.Millisecond {
			t.Errorf("nobody waits any more, and it rests for %s", got)
		}
		time.AfterFunc(5*time.Millisecond, p.Hurry)
		if got := rest(); got != 5*time.Millisecond {
			t.Errorf("somebody waits after 5 ms, and it rests for %s", got)
		}
		p.Done()
	})
}
