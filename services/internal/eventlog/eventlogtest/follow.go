package eventlogtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

var errEnough = errors.New("enough")

// followTo collects what Follow hands over until a revision.
func followTo(t testing.TB, l *eventlog.Log, after, to uint64) []*eventlog.Record {
	t.Helper()
	var records []*eventlog.Record
	err := l.Follow(background(t), after, func(batch []*eventlog.Record) error {
		records = append(records, batch...)
		if batch[len(batch)-1].Revision >= to {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("follow: %v", err)
	}
	return records
}

func followAndResume(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	revisions := []uint64{0}
	for i := range 10 {
		id := fmt.Sprintf("b%d", i)
		done := must[eventlog.Committed](t)(l.AppendBatch(ctx, command(id), newDrafts(id, 1+i%3)))
		revisions = append(revisions, done.Revision)
	}
	last := revisions[10]
	for _, after := range revisions[:10] {
		records := followTo(t, l, after, last)
		if records[0].Sequence != after+1 || len(records) != int(last-after) {
			t.Errorf("after %d: %d records from %d", after, len(records), records[0].Sequence)
		}
	}
	// Inside a commit there is nothing to resume from.
	err := l.Follow(ctx, revisions[2]-1, func([]*eventlog.Record) error { return errEnough })
	wantFault(t, err, fault.Invalid, "log.not_a_revision")

	// What is written while following arrives.
	got := make(chan *eventlog.Record, 1)
	following, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- l.Follow(following, last, func(batch []*eventlog.Record) error {
			got <- batch[0]
			return nil
		})
	}()
	for i := range 5 {
		id := fmt.Sprintf("live%d", i)
		done := must[eventlog.Committed](t)(l.Append(ctx, command(id), draft(metric(id), nil)))
		select {
		case r := <-got:
			if r.Revision != done.Revision {
				t.Fatalf("got revision %d, want %d", r.Revision, done.Revision)
			}
		case <-ctx.Done():
			t.Fatal("nothing arrived")
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
}

func neverHalfACommit(t *testing.T, target Target) {
	const batches, size = 40, 25
	writer, reader := target.Open(t), target.Open(t)
	ctx := background(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range batches {
			id := fmt.Sprintf("b%d", i)
			if _, err := writer.AppendBatch(ctx, command(id), newDrafts(id, size)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	// Followers start at any time, and revisions are asked for all the while.
	for range 3 {
		wg.Go(func() {
			err := reader.Follow(ctx, 0, func(batch []*eventlog.Record) error {
				if first, last := batch[0], batch[len(batch)-1]; first.Envelope.Commit.Index != 0 || !last.CommitEnd() {
					t.Errorf("a batch from place %d to message %d of revision %d", first.Envelope.Commit.Index, last.Sequence, last.Revision)
				}
				revision, err := reader.LastRevision(ctx)
				if err != nil || revision%size != 0 {
					t.Errorf("revision %d, %v", revision, err)
				}
				if batch[len(batch)-1].Revision == batches*size {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, errEnough) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func consumersAreDeleted(t *testing.T, target Target) {
	nc := target.Connect(t)
	l := must[*eventlog.Log](t)(eventlog.Open(background(t), nc, target.Options))
	ctx := background(t)
	must[eventlog.Committed](t)(l.Append(ctx, command("a"), draft(metric("m"), nil)))
	for range 5 {
		followTo(t, l, 0, 1)
	}
	cancelled, cancel := context.WithCancel(ctx)
	if err := l.Follow(cancelled, 0, func([]*eventlog.Record) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	info := must[eventlog.Info](t)(l.Info(ctx))
	js := must[jetstream.JetStream](t)(jetstream.New(nc))
	stream := must[jetstream.Stream](t)(js.Stream(ctx, info.Stream))
	// A cluster forgets them a moment after it said so; one that nobody
	// deletes stays for a minute.
	soon, cancel := context.WithTimeout(ctx, 50*time.Second)
	defer cancel()
	for {
		n := must[*jetstream.StreamInfo](t)(stream.Info(ctx)).State.Consumers
		if n == 0 {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-soon.Done():
			t.Fatalf("%d consumers are left", n)
		}
	}
}

func readTo(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	for i := range 4 {
		id := fmt.Sprintf("b%d", i)
		must[eventlog.Committed](t)(l.AppendBatch(ctx, command(id), newDrafts(id, 3)))
	}
	for _, c := range []struct{ after, to, want uint64 }{{0, 12, 12}, {0, 6, 6}, {3, 9, 6}, {6, 6, 0}, {0, 7, 6}} {
		var n uint64
		err := l.Read(ctx, c.after, c.to, func(batch []*eventlog.Record) error {
			n += uint64(len(batch))
			return nil
		})
		if err != nil || n != c.want {
			t.Errorf("read (%d, %d]: %d records, %v; want %d", c.after, c.to, n, err, c.want)
		}
	}
}

func checkpointAhead(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	must[eventlog.Committed](t)(l.Append(ctx, command("a"), draft(metric("m"), nil)))
	nothing := func([]*eventlog.Record) error { return nil }
	wantFault(t, l.Follow(ctx, 2, nothing), fault.Rule, "log.checkpoint_ahead")
	wantFault(t, l.Read(ctx, 0, 2, nothing), fault.Rule, "log.checkpoint_ahead")
}

func hashChain(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	subjects := []eventlog.Subject{metric("a"), metric("b"), eventlog.DeclarationGuard("acme")}
	last := make([]*eventlog.Record, len(subjects))
	for round := range 20 {
		var drafts []eventlog.Draft
		for i, s := range subjects {
			if i == round%3 && round%2 == 0 {
				continue
			}
			drafts = append(drafts, draft(s, last[i]))
		}
		must[eventlog.Committed](t)(l.AppendBatch(ctx, command(fmt.Sprintf("r%d", round)), drafts))
		for i, s := range subjects {
			last[i] = must[*eventlog.Record](t)(l.Last(ctx, s))
		}
	}
	previous := map[eventlog.Subject][]byte{}
	for _, r := range all(t, l) {
		if !bytes.Equal(r.Envelope.PreviousHash, previous[r.Subject]) {
			t.Fatalf("message %d holds hash %x of the one before, which is %x", r.Sequence, r.Envelope.PreviousHash, previous[r.Subject])
		}
		previous[r.Subject] = r.Hash
	}
	for i, s := range subjects {
		if !bytes.Equal(previous[s], last[i].Hash) {
			t.Errorf("the chain of %s does not end at its last message", s.ID)
		}
	}
}

func recordedTime(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	future := time.Now().Add(time.Hour)
	c := command("future")
	c.Recorded = future
	done := must[eventlog.Committed](t)(l.Append(ctx, c, draft(metric("future"), nil)))
	if done.Recorded.Before(future.Truncate(time.Microsecond)) {
		t.Errorf("recorded %v, given %v", done.Recorded, future)
	}
	// Another process starts from what the log holds; singles and batches mix.
	other := target.Open(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				id := fmt.Sprintf("w%d-%d", w, i)
				c := command(id)
				c.Recorded = c.Recorded.Add(time.Hour + time.Duration(w-4)*time.Minute)
				var err error
				if w == 0 {
					_, err = other.AppendBatch(ctx, c, newDrafts(id, 20))
				} else {
					_, err = other.Append(ctx, c, draft(metric(id), nil))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var last time.Time
	for _, r := range all(t, l) {
		if r.Recorded().Before(last) {
			t.Fatalf("message %d is recorded at %v, after one at %v", r.Sequence, r.Recorded(), last)
		}
		last = r.Recorded()
	}
}
