// Package eventlogtest is the conformance suite of the event log: what every
// server that carries it must pass, be it one embedded server or a cluster.
//
// Start with Run.
package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// Target is a server, or servers, with no log of Options.Shard yet. They allow
// batches of eventlog.DefaultMaxBatch.
type Target struct {
	// Connect opens a connection over TCP with further options; it is closed
	// with the test.
	Connect func(t testing.TB, opts ...nats.Option) *nats.Conn
	// Options are for Open: a shard that no other test uses, and replicas.
	Options eventlog.Options
}

// Run runs the suite; start is called once for each of its tests.
func Run(t *testing.T, start func(t testing.TB) Target) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Target)
	}{
		{"identity", identity},
		{"append", appends},
		{"one of twenty writers wins", twentyWriters},
		{"lost acknowledgement", lostAcknowledgement},
		{"lost acknowledgement, next try", lostAcknowledgementNextTry},
		{"lost acknowledgement of a batch", lostBatchAcknowledgement},
		{"request id found after a conflict", ownCommitAfterConflict},
		{"request id reused", requestReused},
		{"expected to be further than it is", expectedFurther},
		{"batch", batch},
		{"batch guard", batchGuard},
		{"batch on one subject", batchOnOneSubject},
		{"batch limit", batchLimit},
		{"concurrent batches", concurrentBatches},
		{"envelope too large", envelopeTooLarge},
		{"follow and resume", followAndResume},
		{"never half a commit", neverHalfACommit},
		{"consumers are deleted", consumersAreDeleted},
		{"read to a revision", readTo},
		{"checkpoint ahead", checkpointAhead},
		{"garbled delivery", garbledDelivery},
		{"lost last delivery", lostLastDelivery},
		{"hash chain", hashChain},
		{"recorded time", recordedTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := start(t)
			target.Options.Timeout = patience
			test.run(t, target)
		})
	}
}

// patience is how long the log may take for one message where nothing is lost,
// and settling where an acknowledgement is: a quarter of it is left for finding out
// what happened.
const patience, settling = time.Minute, 10 * time.Second

// limit is longer than anything here takes.
const limit = 5 * time.Minute

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// Open opens the target's log on a connection of its own.
func (target Target) Open(t testing.TB, opts ...nats.Option) *eventlog.Log {
	t.Helper()
	l, err := eventlog.Open(background(t), target.Connect(t, opts...), target.Options)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(l.Close)
	return l
}

func metric(id string) eventlog.Subject {
	return eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id}
}

func command(id string) eventlog.Command {
	return eventlog.Command{RequestID: id, Principal: "p-1", Manager: "cli", Recorded: time.Now()}
}

// draft is one event for a subject after a record of it, nil for the first.
func draft(s eventlog.Subject, after *eventlog.Record) eventlog.Draft {
	d := eventlog.Draft{
		Subject: s,
		Events:  []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: []byte("payload of " + s.ID)}},
	}
	if after != nil {
		d.Expected, d.PreviousHash = after.Sequence, after.Hash
	}
	return d
}

func newDrafts(prefix string, n int) []eventlog.Draft {
	drafts := make([]eventlog.Draft, n)
	for i := range drafts {
		drafts[i] = draft(metric(fmt.Sprintf("%s-%d", prefix, i)), nil)
	}
	return drafts
}

// must unwraps the result of a call that may not fail.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantFault(t testing.TB, err error, kind fault.Kind, reason string) {
	t.Helper()
	if fault.KindOf(err) != kind || fault.ReasonOf(err) != reason {
		t.Fatalf("got %v %s (%v), want %v %s", fault.KindOf(err), fault.ReasonOf(err), err, kind, reason)
	}
}

func wantConflict(t testing.TB, err error, s eventlog.Subject, expected, actual uint64) {
	t.Helper()
	wantFault(t, err, fault.Aborted, "log.conflict")
	var c *eventlog.ConflictError
	if !errors.As(err, &c) {
		t.Fatalf("%v has no ConflictError", err)
	}
	if want := (eventlog.ConflictError{Subject: s, Expected: expected, Actual: actual}); *c != want {
		t.Fatalf("conflict %+v, want %+v", *c, want)
	}
}

// all reads the log from its beginning.
func all(t testing.TB, l *eventlog.Log) []*eventlog.Record {
	t.Helper()
	ctx := background(t)
	to := must[uint64](t)(l.LastRevision(ctx))
	var records []*eventlog.Record
	err := l.Read(ctx, 0, to, func(batch []*eventlog.Record) error {
		records = append(records, batch...)
		return nil
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if uint64(len(records)) != to {
		t.Fatalf("%d records up to revision %d", len(records), to)
	}
	return records
}
