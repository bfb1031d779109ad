package eventlogtest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

func batch(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	must[eventlog.Committed](t)(l.Append(ctx, command("before"), draft(metric("x"), nil)))
	drafts := append(newDrafts("m", 3), draft(eventlog.DeclarationGuard("acme"), nil))
	done := must[eventlog.Committed](t)(l.AppendBatch(ctx, command("apply"), drafts))
	if done.First != 2 || done.Revision != 5 || len(done.Sequences) != 4 || done.Sequences[3] != 5 {
		t.Fatalf("committed %+v", done)
	}
	for i, d := range drafts {
		r := must[*eventlog.Record](t)(l.Last(ctx, d.Subject))
		if r.Sequence != done.Sequences[i] || r.Revision != done.Revision || !bytes.Equal(r.Hash, done.Hashes[i]) ||
			r.CommitEnd() != (i == 3) {
			t.Errorf("draft %d is stored as %+v", i, r)
		}
	}
	// Batch and single commits continue each other.
	guard := must[*eventlog.Record](t)(l.Last(ctx, eventlog.DeclarationGuard("acme")))
	next := must[eventlog.Committed](t)(l.Append(ctx, command("next"), draft(guard.Subject, guard)))
	if next.Revision != 6 {
		t.Errorf("revision %d after the batch", next.Revision)
	}
}

func batchGuard(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	must[eventlog.Committed](t)(l.AppendBatch(ctx, command("first"), newDrafts("m", 3)))
	stale := must[*eventlog.Record](t)(l.Last(ctx, metric("m-1")))
	must[eventlog.Committed](t)(l.Append(ctx, command("meanwhile"), draft(stale.Subject, stale)))

	for _, place := range []int{0, 5, 9} {
		drafts := newDrafts(fmt.Sprintf("n%d", place), 10)
		drafts[place] = draft(stale.Subject, stale)
		_, err := l.AppendBatch(ctx, command(fmt.Sprintf("stale%d", place)), drafts)
		wantConflict(t, err, stale.Subject, stale.Sequence, 4)
	}
	if last := must[uint64](t)(l.LastRevision(ctx)); last != 4 {
		t.Errorf("the refused batches left the log at %d, want 4", last)
	}
}

func batchOnOneSubject(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	must[eventlog.Committed](t)(l.Append(ctx, command("first"), draft(metric("m"), nil)))
	last := must[*eventlog.Record](t)(l.Last(ctx, metric("m")))
	d := draft(metric("m"), last)
	done := must[eventlog.Committed](t)(l.AppendBatch(ctx, command("rows"), []eventlog.Draft{d, draft(metric("other"), nil), d}))
	records := must[[]*eventlog.Record](t)(l.Since(ctx, metric("m"), 1))
	if len(records) != 2 || !bytes.Equal(records[0].Envelope.PreviousHash, last.Hash) ||
		!bytes.Equal(records[1].Envelope.PreviousHash, done.Hashes[0]) {
		t.Errorf("the chain of the subject is broken: %v", records)
	}
	d2 := d
	d2.Expected++
	_, err := l.AppendBatch(ctx, command("wrong"), []eventlog.Draft{d, d2})
	wantFault(t, err, fault.Invalid, "log.draft_invalid")
}

func batchLimit(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	drafts := newDrafts("m", eventlog.DefaultMaxBatch+1)
	_, err := l.AppendBatch(ctx, command("large"), drafts)
	wantFault(t, err, fault.Exhausted, "log.batch_too_large")
	for _, number := range []string{"20001", "20000"} {
		if !strings.Contains(err.Error(), number) {
			t.Errorf("%v does not name %s", err, number)
		}
	}
	done := must[eventlog.Committed](t)(l.AppendBatch(ctx, command("fits"), drafts[:eventlog.DefaultMaxBatch]))
	if done.First != 1 || done.Revision != eventlog.DefaultMaxBatch {
		t.Errorf("committed %d to %d", done.First, done.Revision)
	}
	if got := must[uint64](t)(l.LastRevision(ctx)); got != eventlog.DefaultMaxBatch {
		t.Errorf("the log is at %d", got)
	}
}

func concurrentBatches(t *testing.T, target Target) {
	const writers, size = 60, 5 // more writers than a stream has open batches
	logs := []*eventlog.Log{target.Open(t), target.Open(t), target.Open(t)}
	ctx := background(t)
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			id := fmt.Sprintf("w%d", w)
			_, errs[w] = logs[w%len(logs)].AppendBatch(ctx, command(id), newDrafts(id, size))
		})
	}
	wg.Wait()
	for w, err := range errs {
		if err != nil {
			t.Errorf("writer %d: %v", w, err)
		}
	}
	for i, r := range all(t, logs[0]) {
		if int(r.Envelope.Commit.Index) != i%size || r.Revision != uint64(i/size+1)*size {
			t.Fatalf("message %d has place %d, revision %d", i+1, r.Envelope.Commit.Index, r.Revision)
		}
	}
}
