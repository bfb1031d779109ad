package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/natsfault"
)

func appendOne(t *testing.T, l *eventlog.Log, id string) eventlog.Committed {
	t.Helper()
	done, err := l.Append(t.Context(), eventlog.Command{RequestID: id, Recorded: time.Now()}, eventlog.Draft{
		Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id},
		Events:  []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: []byte("payload of " + id)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func open(t *testing.T, server *embeddednats.Server, opts ...nats.Option) *eventlog.Log {
	t.Helper()
	nc, err := server.Connect(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	l, err := eventlog.Open(t.Context(), nc, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func start(t *testing.T, dir string) *embeddednats.Server {
	t.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// A follower lives on when its connection breaks: it goes on where it was.
func TestFollowOutlivesABrokenConnection(t *testing.T) {
	server := start(t, t.TempDir())
	defer server.Close()
	nc, err := server.Connect(nats.ReconnectWait(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	reader, err := eventlog.Open(t.Context(), nc, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	writer := open(t, server)

	ctx, stop := context.WithCancel(t.Context())
	got := make(chan uint64, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- reader.Follow(ctx, 0, func(batch []*eventlog.Record) error {
			for _, r := range batch {
				got <- r.Sequence
			}
			return nil
		})
	}()
	for i := range 10 {
		if i%3 == 2 {
			if err := nc.ForceReconnect(); err != nil {
				t.Fatal(err)
			}
		}
		done := appendOne(t, writer, fmt.Sprintf("m%d", i))
		select {
		case sequence := <-got:
			if sequence != done.Revision {
				t.Fatalf("got message %d, want %d", sequence, done.Revision)
			}
		case <-time.After(time.Minute):
			t.Fatalf("message %d did not arrive", done.Revision)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
}

func TestFollowEndsWithItsConnection(t *testing.T) {
	server := start(t, t.TempDir())
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventlog.Open(t.Context(), nc, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendOne(t, l, "m")
	err = l.Follow(t.Context(), 0, func([]*eventlog.Record) error {
		nc.Close()
		return nil
	})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("follow ended with %v", err)
	}
}

// A server that is gone is told within the operation's deadline.
func TestOperationsWithoutServerAreUnavailable(t *testing.T) {
	server := start(t, t.TempDir())
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: 200 * time.Millisecond, BatchTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	s := eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: "m"}
	command := eventlog.Command{RequestID: "id", Recorded: time.Now()}
	drafts := []eventlog.Draft{
		{Subject: s, Events: []eventlog.Event{{Type: "strategy.metric_declared.v1"}}},
		{Subject: eventlog.DeclarationGuard("acme"), Events: []eventlog.Event{{Type: "declaration.changed.v1"}}},
	}
	for name, call := range map[string]func() error{
		"append":        func() error { _, err := l.Append(t.Context(), command, drafts[0]); return err },
		"append batch":  func() error { _, err := l.AppendBatch(t.Context(), command, drafts); return err },
		"last":          func() error { _, err := l.Last(t.Context(), s); return err },
		"since":         func() error { _, err := l.Since(t.Context(), s, 0); return err },
		"last revision": func() error { _, err := l.LastRevision(t.Context()); return err },
		"info":          func() error { _, err := l.Info(t.Context()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(); fault.KindOf(err) != fault.Unavailable || fault.ReasonOf(err) != "log.unavailable" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A bit that flips on the disk of a single server makes it leave the message
// out without a word; the reader must notice.
func TestFlippedBitIsNoticed(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir)
	l := open(t, server)
	for i := range 50 {
		appendOne(t, l, fmt.Sprintf("m%d", i))
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := natsfault.FlipBit(dir, "SETPOINT_0", []byte("payload of m25")); err != nil {
		t.Fatal(err)
	}

	server = start(t, dir)
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err = eventlog.Open(t.Context(), nc, eventlog.Options{})
	if err == nil {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = l.Follow(ctx, 0, func(batch []*eventlog.Record) error {
			if last := batch[len(batch)-1].Sequence; last >= 26 {
				return fmt.Errorf("went on to %d", last)
			}
			return nil
		})
	}
	var h *eventlog.HoleError
	if !errors.As(err, &h) || h.Expected != 26 {
		t.Errorf("the damage was met with %v", err)
	}
}
