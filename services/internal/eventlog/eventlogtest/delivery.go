package eventlogtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/natsfault"
)

// What lies between the server and the reader may lose a message, deliver it
// twice or after its successor: the reader hands over the log as it is.
func garbledDelivery(t *testing.T, target Target) {
	const commits = 240
	garbler := natsfault.NewGarbler(natsfault.Garbling{Seed: 1, Lose: 0.01, Double: 0.01, Reorder: 0.01})
	writer, reader := target.Open(t), target.Open(t, nats.SetCustomDialer(garbler))
	ctx := background(t)
	write := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("b%d", i)
			must[eventlog.Committed](t)(writer.AppendBatch(ctx, command(id), newDrafts(id, 1+i%3)))
		}
	}
	write(0, commits/2)
	// Half is there to be caught up with, the rest comes while following.
	var wg sync.WaitGroup
	wg.Go(func() { write(commits/2, commits) })
	size := 0
	for i := range commits {
		size += 1 + i%3
	}
	got := followTo(t, reader, 0, uint64(size))
	wg.Wait()
	want := all(t, writer)
	if len(got) != len(want) {
		t.Fatalf("%d records were handed over of %d", len(got), len(want))
	}
	for i, r := range got {
		if r.Sequence != want[i].Sequence || !bytes.Equal(r.Hash, want[i].Hash) {
			t.Fatalf("record %d is message %d of hash %x, want %d of %x", i, r.Sequence, r.Hash, want[i].Sequence, want[i].Hash)
		}
	}
	counts := garbler.Counts()
	if counts.Lost == 0 || counts.Doubled == 0 || counts.Reordered == 0 {
		t.Errorf("%+v: nothing was shown", counts)
	}
	t.Logf("%d records read through %+v", len(got), counts)
}

// A message that is lost on its way, and that nothing follows, is missed by
// nobody but the reader: it must find out by itself.
func lostLastDelivery(t *testing.T, target Target) {
	garbler := natsfault.NewGarbler(natsfault.Garbling{})
	writer, reader := target.Open(t), target.Open(t, nats.SetCustomDialer(garbler))
	ctx, stop := context.WithTimeout(background(t), 3*time.Minute)
	defer stop()
	must[eventlog.Committed](t)(writer.Append(ctx, command("first"), draft(metric("first"), nil)))
	arrived := make(chan uint64, 100)
	ended := make(chan error, 1)
	following, enough := context.WithCancel(ctx)
	defer enough()
	go func() {
		ended <- reader.Follow(following, 0, func(batch []*eventlog.Record) error {
			for _, r := range batch {
				arrived <- r.Sequence
			}
			return nil
		})
	}()
	next := func(want uint64) {
		t.Helper()
		select {
		case got := <-arrived:
			if got != want {
				t.Fatalf("message %d came, want %d", got, want)
			}
		case err := <-ended:
			t.Fatalf("follow ended with %v, before message %d", err, want)
		}
	}
	next(1)
	lost := false
	for n := uint64(2); !lost; n++ {
		before := garbler.Counts().Lost
		garbler.Set(natsfault.Garbling{Lose: 1})
		id := fmt.Sprintf("last-%d", n)
		must[eventlog.Committed](t)(writer.Append(ctx, command(id), draft(metric(id), nil)))
		since := time.Now()
		// A reader that asks the leader just now has it before the server sends it:
		// then another message has to be lost.
		asked := false
		for garbler.Counts().Lost == before && !asked {
			select {
			case <-time.After(time.Millisecond):
			case got := <-arrived:
				if asked = true; got != n {
					t.Fatalf("message %d came, want %d", got, n)
				}
			case err := <-ended:
				t.Fatalf("follow ended with %v", err)
			}
		}
		garbler.Set(natsfault.Garbling{})
		if !asked {
			next(n)
			t.Logf("the loss was mended after %v", time.Since(since).Round(time.Millisecond))
			lost = true
		}
	}
	enough()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
}
