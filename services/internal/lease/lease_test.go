package lease_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/lease"
)

func start(t *testing.T) *embeddednats.Server {
	t.Helper()
	s, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// bucket is a process's own connection to the leases.
func bucket(t *testing.T, s *embeddednats.Server, ttl time.Duration) (*lease.Bucket, *nats.Conn) {
	t.Helper()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b, err := lease.Open(t.Context(), nc, lease.Options{TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	return b, nc
}

// hold competes until the returned function is called, which waits for the end.
func hold(t *testing.T, b *lease.Bucket, name, holder string, work func(context.Context, *lease.Lease)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := b.Hold(ctx, name, holder, work); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", holder, err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return stop
}

func wait[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// Several processes, several rounds: never two at once, and everybody who
// gives a lease back lets another one have it.
func TestOneAtATime(t *testing.T) {
	s := start(t)
	const processes, rounds = 4, 12
	var mu sync.Mutex
	working := map[*lease.Lease]bool{}
	done := 0
	finished := make(chan struct{})
	for i := range processes {
		b, _ := bucket(t, s, 300*time.Millisecond)
		hold(t, b, "role", fmt.Sprint(i), func(ctx context.Context, l *lease.Lease) {
			mu.Lock()
			// Work that stood still for so long that its lease ran out may be seen
			// beside another's; whoever certainly holds a lease may not.
			for other := range working {
				if other.Held() {
					t.Error("two held the lease at once")
				}
			}
			working[l] = true
			if done++; done == rounds {
				close(finished)
			}
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			delete(working, l)
			mu.Unlock()
		})
	}
	wait(t, "the rounds", finished)
}

// Leases of different names have nothing to do with each other.
func TestTwoRoles(t *testing.T) {
	s := start(t)
	b, _ := bucket(t, s, time.Hour)
	for _, name := range []string{"projector.0", "projector.1"} {
		held := make(chan bool)
		hold(t, b, name, "one", func(ctx context.Context, l *lease.Lease) { held <- l.Held(); <-ctx.Done() })
		if !wait(t, name, held) {
			t.Errorf("work for %s began without the lease", name)
		}
	}
}

// Who competes does not wait for the end of a lease that was given back.
func TestALeaseGivenBackIsTakenAtOnce(t *testing.T) {
	s := start(t)
	const ttl = 24 * time.Second // looked at every two
	one, _ := bucket(t, s, ttl)
	two, _ := bucket(t, s, ttl)
	first, second := make(chan struct{}), make(chan time.Time, 1)
	stop := hold(t, one, "role", "one", func(ctx context.Context, _ *lease.Lease) { close(first); <-ctx.Done() })
	wait(t, "the first", first)
	hold(t, two, "role", "two", func(ctx context.Context, _ *lease.Lease) { second <- time.Now(); <-ctx.Done() })
	begin := time.Now()
	stop()
	if took := wait(t, "the second", second).Sub(begin); took >= ttl {
		t.Errorf("it took %s", took)
	}
}

// A holder that is renewed keeps its lease for many times its time to live.
func TestALeaseIsKept(t *testing.T) {
	s := start(t)
	const ttl = time.Second
	one, _ := bucket(t, s, ttl)
	two, _ := bucket(t, s, ttl)
	var kept atomic.Pointer[lease.Lease]
	first := make(chan struct{}, 100)
	stop := hold(t, one, "role", "one", func(ctx context.Context, l *lease.Lease) {
		kept.Store(l)
		first <- struct{}{}
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, lease.ErrLost) && !errors.Is(cause, context.Canceled) {
			t.Errorf("the first ended with %v", cause)
		}
	})
	wait(t, "the first", first)
	ctx, cancel := context.WithTimeout(t.Context(), 3*ttl)
	defer cancel()
	_ = two.Hold(ctx, "role", "two", func(_ context.Context, l *lease.Lease) {
		// On a machine so busy that a renewal came too late, the first has ended.
		if kept.Load().Held() && l.Held() {
			t.Error("a lease that is kept was given to another")
		}
	})
	stop()
}

// A holder that is cut off stops before another one begins, and says so.
func TestAHolderThatCannotRenewStopsFirst(t *testing.T) {
	s := start(t)
	one, nc := bucket(t, s, 600*time.Millisecond)
	two, _ := bucket(t, s, 600*time.Millisecond)
	first := make(chan *lease.Lease, 1)
	stopped, began := make(chan struct{}), make(chan bool, 1)
	hold(t, one, "role", "one", func(ctx context.Context, l *lease.Lease) {
		first <- l
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), lease.ErrLost) || l.Held() {
			t.Errorf("ended with %v, held %v", context.Cause(ctx), l.Held())
		}
		close(stopped)
	})
	cutOff := wait(t, "the first", first)
	hold(t, two, "role", "two", func(ctx context.Context, _ *lease.Lease) {
		select {
		case began <- cutOff.Held():
		default: // again
		}
		<-ctx.Done()
	})
	nc.Close()
	if wait(t, "another begins", began) {
		t.Error("another began while the first held the lease")
	}
	wait(t, "the first stops", stopped)
}

// A note is for everybody, stays when its holder goes, and can be taken back.
func TestNotes(t *testing.T) {
	s := start(t)
	one, _ := bucket(t, s, 300*time.Millisecond)
	two, _ := bucket(t, s, 300*time.Millisecond)
	noted := func(want string) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			st, err := two.Get(t.Context(), "role")
			if err == nil && st.Note == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the note is %q, %v", st.Note, err)
			}
		}
	}
	stop := hold(t, one, "role", "one", func(ctx context.Context, l *lease.Lease) { l.Note("halted"); <-ctx.Done() })
	noted("halted")
	stop()
	noted("halted")
	hold(t, two, "role", "two", func(ctx context.Context, l *lease.Lease) { l.Note(""); <-ctx.Done() })
	noted("")
}

// Somebody deletes the bucket: who holds the lease stops in time, and one of
// those who compete holds it again, with nobody restarted.
func TestADeletedBucketIsMadeAgain(t *testing.T) {
	s := start(t)
	b, nc := bucket(t, s, 600*time.Millisecond)
	other, _ := bucket(t, s, 600*time.Millisecond)
	began := make(chan string, 8)
	work := func(name string) func(context.Context, *lease.Lease) {
		return func(ctx context.Context, _ *lease.Lease) {
			began <- name
			<-ctx.Done()
		}
	}
	hold(t, b, "role.0", "one", work("one"))
	wait(t, "the first holder", began)
	hold(t, other, "role.0", "two", work("two"))
	js, err := jetstream.New(nc)
	if err == nil {
		err = js.DeleteKeyValue(t.Context(), "SETPOINT_LEASES")
	}
	if err != nil {
		t.Fatal(err)
	}
	who := wait(t, "a holder after the bucket was deleted", began)
	if state, err := b.Get(t.Context(), "role.0"); err != nil || state.Holder != who {
		t.Errorf("%s works, and the bucket says %+v, %v", who, state, err)
	}
}
