package devserver_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/devserver"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// A log that a newer binary wrote is refused in words, and stays as it is.
func TestALogNewerThanTheBinaryIsRefused(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	nats, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	log, err := eventlog.Open(ctx, nc, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = log.Append(ctx, eventlog.Command{RequestID: "r", Principal: "p", Manager: "api", Recorded: time.Now()}, eventlog.Draft{
		Subject: eventlog.Subject{Org: "default", Service: "strategy", Kind: "wish", ID: "w"},
		Events:  []eventlog.Event{{Type: "strategy.wish_declared.v9", Payload: []byte{1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	nc.Close()
	if err := nats.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := devserver.Start(ctx, devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute})
	if err == nil {
		_ = s.Close()
		t.Fatal("it was served")
	}
	for _, part := range []string{"strategy.wish_declared.v9", "sequence 1", "older than the log"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if got := fault.ReasonOf(err); got != "record.unknown_event" {
		t.Errorf("reason %q", got)
	}
}
