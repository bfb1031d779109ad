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
	ctx, stop := context.WithTimeout(background(t), time.Minute)
	defer stop()
	must[eventlog.Committed](t)(writer.Append(ctx, command("first"), draft(metric("first"), nil)))
	arrived := make(chan uint64, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- reader.Follow(ctx, 0, func(batch []*eventlog.Record) error {
			for _, r := range batch {
				arrived <- r.Sequence
			}
			if batch[len(batch)-1].Sequence == 2 {
				return errEnough
			}
			return nil
		})
	}()
	if first := <-arrived; first != 1 {
		t.Fatalf("message %d came first", first)
	}
	garbler.Set(natsfault.Garbling{Lose: 1})
	must[eventlog.Committed](t)(writer.Append(ctx, command("last"), draft(metric("last"), nil)))
	lost := time.Now()
	for garbler.Counts().Lost == 0 {
		select {
		case <-time.After(time.Millisecond):
		case err := <-ended:
			t.Fatalf("follow ended with %v", err)
		case <-ctx.Done():
			t.Fatal("the message was not sent")
		}
	}
	garbler.Set(natsfault.Garbling{})
	if err := <-ended; !errors.Is(err, errEnough) {
		t.Fatalf("a lost message that nothing follows is not missed: %v after %v", err, time.Since(lost))
	}
	t.Logf("the loss was mended after %v", time.Since(lost).Round(time.Millisecond))
}
