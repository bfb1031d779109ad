package eventlogtest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

func identity(t *testing.T, target Target) {
	first := target.Open(t)
	second := target.Open(t)
	if first.ID() == "" || first.ID() != second.ID() {
		t.Errorf("ids %q and %q of one log", first.ID(), second.ID())
	}
	if revision := must[uint64](t)(first.LastRevision(background(t))); revision != 0 {
		t.Errorf("an empty log is at %d", revision)
	}
}

func appends(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	s := metric("vacant-space")

	if r := must[*eventlog.Record](t)(l.Last(ctx, s)); r != nil {
		t.Fatalf("an aggregate that is not there has record %+v", r)
	}
	first := must[eventlog.Committed](t)(l.Append(ctx, command("a"), draft(s, nil)))
	record := must[*eventlog.Record](t)(l.Last(ctx, s))
	if record.Sequence != first.Revision || record.Revision != first.Revision || !bytes.Equal(record.Hash, first.Hashes[0]) {
		t.Fatalf("committed %+v, stored %+v", first, record)
	}
	other := must[eventlog.Committed](t)(l.Append(ctx, command("b"), draft(metric("other"), nil)))
	second := must[eventlog.Committed](t)(l.Append(ctx, command("c"), draft(s, record)))
	if first.Duplicate || second.Duplicate || second.Revision != other.Revision+1 {
		t.Errorf("revisions %d, %d, %d", first.Revision, other.Revision, second.Revision)
	}
	since := must[[]*eventlog.Record](t)(l.Since(ctx, s, first.Revision))
	if len(since) != 1 || since[0].Sequence != second.Revision || since[0].Envelope.RequestId != "c" {
		t.Errorf("since %d: %v", first.Revision, since)
	}

	_, err := l.Append(ctx, command("d"), draft(s, record))
	wantConflict(t, err, s, first.Revision, second.Revision)
	_, err = l.Append(ctx, command("e"), draft(s, nil))
	wantConflict(t, err, s, 0, second.Revision)

	if got := must[uint64](t)(l.LastRevision(ctx)); got != second.Revision {
		t.Errorf("the log is at %d, want %d", got, second.Revision)
	}
}

func twentyWriters(t *testing.T, target Target) {
	const writers, rounds = 20, 20
	logs := make([]*eventlog.Log, 4)
	for i := range logs {
		logs[i] = target.Open(t)
	}
	ctx := background(t)
	s := metric("hot")
	var last *eventlog.Record
	for round := range rounds {
		gate := make(chan struct{})
		results := make([]eventlog.Committed, writers)
		errs := make([]error, writers)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				<-gate
				results[w], errs[w] = logs[w%len(logs)].Append(ctx, command(fmt.Sprintf("r%d-w%d", round, w)), draft(s, last))
			})
		}
		close(gate)
		wg.Wait()

		winner := -1
		for w, err := range errs {
			if err == nil && winner >= 0 {
				t.Fatalf("round %d: writers %d and %d both won", round, winner, w)
			} else if err == nil {
				winner = w
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody won: %v", round, errs[0])
		}
		expected := uint64(0)
		if last != nil {
			expected = last.Sequence
		}
		for w, err := range errs {
			if w != winner {
				wantConflict(t, err, s, expected, results[winner].Revision)
			}
		}
		last = must[*eventlog.Record](t)(logs[0].Last(ctx, s))
	}
	if records := all(t, logs[0]); len(records) != rounds {
		t.Errorf("%d records after %d rounds", len(records), rounds)
	}
}

func ownCommitAfterConflict(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	s := metric("m")
	mine := must[eventlog.Committed](t)(l.Append(ctx, command("mine"), draft(s, nil)))
	record := must[*eventlog.Record](t)(l.Last(ctx, s))
	must[eventlog.Committed](t)(l.Append(ctx, command("theirs"), draft(s, record)))

	again := must[eventlog.Committed](t)(l.Append(ctx, command("mine"), draft(s, nil)))
	if !again.Duplicate || again.Revision != mine.Revision || !bytes.Equal(again.Hashes[0], mine.Hashes[0]) ||
		!again.Recorded.Equal(mine.Recorded) {
		t.Errorf("the same command gave %+v, then %+v", mine, again)
	}
	if records := all(t, l); len(records) != 2 {
		t.Errorf("%d records, want 2", len(records))
	}
}

func requestReused(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	s := metric("m")
	c := command("id")
	c.RequestDigest = bytes.Repeat([]byte{1}, 32)
	must[eventlog.Committed](t)(l.Append(ctx, c, draft(s, nil)))
	c.RequestDigest = bytes.Repeat([]byte{2}, 32)
	_, err := l.Append(ctx, c, draft(s, nil))
	wantFault(t, err, fault.Exists, "log.request_reused")
}

// A subject that is said to be before where it was known to be is no conflict:
// nobody else changed it. On several servers one that was deposed says so, while
// the commit may be in the log; on one, what it had is lost.
func expectedFurther(t *testing.T, target Target) {
	s := metric("further")
	done := must[eventlog.Committed](t)(target.Open(t).Append(background(t), command("1"), draft(s, nil)))
	if target.Options.Replicas > 1 {
		// They are not waited for.
		target.Options.Timeout, target.Options.BatchTimeout = time.Second, 10*time.Second
	}
	l := target.Open(t)
	ahead := draft(s, &eventlog.Record{Sequence: done.Revision + 7, Hash: done.Hashes[0]})
	never := draft(metric("never"), &eventlog.Record{Sequence: done.Revision + 8, Hash: done.Hashes[0]})
	for name, drafts := range map[string][]eventlog.Draft{
		"one": {ahead}, "none": {never}, "batch": append(newDrafts("n", 5), never, ahead),
	} {
		_, err := l.AppendBatch(background(t), command(name), drafts)
		if target.Options.Replicas > 1 {
			wantFault(t, err, fault.Unavailable, "log.unavailable")
		} else {
			wantFault(t, err, fault.Internal, "log.aggregate_tail_lost")
		}
	}
	if n := len(all(t, l)); n != 1 {
		t.Errorf("%d messages are in the log", n)
	}
}

func envelopeTooLarge(t *testing.T, target Target) {
	l, ctx := target.Open(t), background(t)
	d := draft(metric("m"), nil)
	d.Events[0].Payload = make([]byte, 64<<20)
	_, err := l.Append(ctx, command("large"), d)
	wantFault(t, err, fault.Exhausted, "log.envelope_too_large")
	if !strings.Contains(err.Error(), "6710") {
		t.Errorf("%v does not say how large it is", err)
	}
}
