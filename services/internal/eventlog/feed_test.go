package eventlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/eventlog"
)

// A reader at the end of the log takes from its own process what that appends,
// without a consumer on the stream, and loses nothing when others write too.
func TestFollowTakesWhatItsProcessAppends(t *testing.T) {
	server := start(t, t.TempDir())
	defer server.Close()
	own, other := open(t, server), open(t, server)
	own.AnyPaceIsABurst()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var followed []*eventlog.Record
	var at atomic.Uint64
	moved := make(chan struct{}, 1)
	go func() {
		ended <- own.Follow(ctx, 0, func(batch []*eventlog.Record) error {
			followed = append(followed, batch...)
			at.Store(batch[len(batch)-1].Sequence)
			select {
			case moved <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	until := func(sequence uint64) {
		t.Helper()
		limit := time.After(2 * time.Minute)
		for at.Load() < sequence {
			select {
			case <-moved:
			case <-limit:
				t.Fatalf("the reader is at %d of %d", at.Load(), sequence)
			}
		}
	}

	// 64 writers, until the stream has no consumer.
	writing, quit := context.WithCancel(t.Context())
	defer quit()
	var writers sync.WaitGroup
	for w := range 64 {
		writers.Go(func() {
			for n := 0; writing.Err() == nil; n++ {
				appendOne(t, own, fmt.Sprintf("own-%d-%d", w, n))
			}
		})
	}
	consumers := func() int {
		stream, err := js.Stream(t.Context(), "SETPOINT_0")
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().State.Consumers
	}
	limit := time.Now().Add(2 * time.Minute)
	for consumers() > 0 {
		if time.Now().After(limit) {
			t.Fatal("the reader keeps its consumer")
		}
		until(at.Load() + 1)
	}

	// Others write in between: a gap in what is fed.
	for i := range 20 {
		done := appendOne(t, other, fmt.Sprintf("other-%d", i))
		until(done.Revision)
	}
	quit()
	writers.Wait()

	// Nobody of this process writes.
	last := appendOne(t, other, "last").Revision
	until(last)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var stored []*eventlog.Record
	if err := other.Read(t.Context(), 0, last, func(batch []*eventlog.Record) error {
		stored = append(stored, batch...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(followed) != len(stored) {
		t.Fatalf("%d of %d messages were followed", len(followed), len(stored))
	}
	for i, r := range stored {
		if f := followed[i]; f.Sequence != r.Sequence || f.Revision != r.Revision || f.Subject != r.Subject || f.Size != r.Size || !bytes.Equal(f.Hash, r.Hash) {
			t.Fatalf("message %d was followed as %+v", r.Sequence, f)
		}
	}
}
