package eventlog_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/health"
)

// wire is a connection that can go dead without being closed, as behind a
// switch that drops packets.
type wire struct {
	target string
	mu     sync.Mutex
	dead   chan struct{} // not nil while dead; closed when it lives again
}

func (w *wire) pass() {
	w.mu.Lock()
	dead := w.dead
	w.mu.Unlock()
	if dead != nil {
		<-dead
	}
}

func (w *wire) cut() { w.mu.Lock(); w.dead = make(chan struct{}); w.mu.Unlock() }

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead != nil {
		close(w.dead)
		w.dead = nil
	}
}

// Dial implements nats.CustomDialer.
func (w *wire) Dial(network, _ string) (net.Conn, error) {
	c, err := net.Dial(network, w.target)
	return &wired{c, w}, err
}

type wired struct {
	net.Conn
	wire *wire
}

func (c *wired) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.pass()
	return n, err
}

func (c *wired) Write(p []byte) (int, error) {
	c.wire.pass()
	return c.Conn.Write(p)
}

// The log is asked whether it takes writes without writing; a log that hangs
// does not make whoever asks hang.
func TestTakesWritesTellsTheTruth(t *testing.T) {
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w := &wire{target: strings.TrimPrefix(server.URL(), "nats://")}
	nc, err := server.Connect(nats.SetCustomDialer(w))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	// The log itself would wait for as long as the test may take.
	l, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.mend)
	// Each look is the first of a prober: what an earlier one found stands for a
	// second.
	look := func() error {
		probe := health.New(nil)
		probe.Begin(health.Check{Name: "log", Test: l.TakesWrites})
		return probe.Ready(t.Context())
	}
	// ready looks until a look is answered in the short time that it has.
	ready := func() (err error) {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if err = look(); err == nil {
				return nil
			}
		}
		return err
	}

	for range 3 {
		if err := l.TakesWrites(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := ready(); err != nil {
		t.Fatal(err)
	}
	if last, err := l.LastRevision(t.Context()); err != nil || last != 0 {
		t.Errorf("asking wrote: %d %v", last, err)
	}
	w.cut()
	// The answer comes while the log hangs; how soon, health's own tests say.
	if err := look(); err == nil || !strings.Contains(err.Error(), "log: ") {
		t.Errorf("with a log that hangs: %v", err)
	}
	w.mend()
	answers, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.TakesWrites(answers); err != nil {
		t.Fatalf("a log that answers again: %v", err)
	}
	if err := ready(); err != nil {
		t.Errorf("not ready, with a log that answers: %v", err)
	}
}

// An observer is told of each commit, and how it ended.
func TestAppendsAreTold(t *testing.T) {
	server := start(t, t.TempDir())
	t.Cleanup(func() { _ = server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	var told []eventlog.Appended
	l, err := eventlog.Open(t.Context(), nc, eventlog.Options{Observer: eventlog.Observer{
		Append: func(ctx context.Context, _ int) (context.Context, func(eventlog.Appended)) {
			return ctx, func(a eventlog.Appended) { told = append(told, a) }
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	appendOne(t, l, "a")
	draft := func(id string, expected uint64) eventlog.Draft {
		return eventlog.Draft{Expected: expected, Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id},
			Events: []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: []byte("payload of " + id)}}}
	}
	at := func(id string) eventlog.Command { return eventlog.Command{RequestID: id, Recorded: time.Now()} }
	_, _ = l.Append(t.Context(), at("a"), draft("a", 0))                                       // once more
	_, _ = l.Append(t.Context(), at("b"), draft("a", 0))                                       // too late
	_, _ = l.AppendBatch(t.Context(), at("c"), []eventlog.Draft{draft("c", 0), draft("d", 0)}) // two
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = l.Append(gone, at("e"), draft("e", 0))
	if len(told) != 5 {
		t.Fatalf("%d told: %+v", len(told), told)
	}
	for i, want := range []struct {
		messages         int
		duplicate, fails bool
		givenUp          bool
	}{{1, false, false, false}, {1, true, false, false}, {1, false, true, false}, {2, false, false, false}, {1, false, true, true}} {
		got := told[i]
		if got.Messages != want.messages || got.Duplicate != want.duplicate || (got.Err != nil) != want.fails || got.GivenUp != want.givenUp || got.Bytes == 0 || got.Tries == 0 {
			t.Errorf("%d: %+v", i, got)
		}
	}
}
