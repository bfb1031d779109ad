package eventlog

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/fault"
)

// An attempt whose acknowledgement is lost may be carried out while the next
// one, which is refused for that, looks for what moved: between its look at the
// first subject and the one at the others. What moved them then is the commit
// itself, or came after it, and is no conflict. Fault tests had this once in
// 690 commands; here the second look begins when the commit is there.
func TestWhatMovedMayBeOurs(t *testing.T) {
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := Open(ctx, nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	command := func(id string) Command { return Command{RequestID: id, Recorded: time.Now()} }
	draft := func(id string, expected uint64, hash []byte) Draft {
		return Draft{Subject: Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id}, Expected: expected, PreviousHash: hash,
			Events: []Event{{Type: "strategy.metric_declared.v1"}}}
	}
	ours := []Draft{draft("a", 0, nil), draft("b", 0, nil)}
	done, err := l.AppendBatch(ctx, command("ours"), ours)
	if err != nil {
		t.Fatal(err)
	}
	refused := &jetstream.APIError{ErrorCode: codeWrongLastSequenceConstant}
	same := func(when string) {
		t.Helper()
		got, err := l.blame(ctx, command("ours"), ours, attempt{}, refused)
		if err != nil || !got.Duplicate || got.Revision != done.Revision {
			t.Errorf("%s: %+v, %v; it was committed at %d", when, got, err, done.Revision)
		}
	}
	same("what moved is ours")
	if _, err := l.Append(ctx, command("theirs"), draft("b", done.Sequences[1], done.Hashes[1])); err != nil {
		t.Fatal(err)
	}
	same("somebody else came after ours")
	if _, err := l.blame(ctx, command("never"), ours[1:], attempt{}, refused); fault.ReasonOf(err) != "log.conflict" {
		t.Errorf("somebody else was first: %v", err)
	}
}
