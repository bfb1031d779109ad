package eventlog

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/natsfault"
)

// A server that stood still (SIGSTOP) while another one was elected goes on as
// if it led, until it has read what it missed: what it says then does not count
// for those who are connected to it. That a stopped leader tells an old end is a
// matter of milliseconds, which no test can bring about; that its word waits
// is certain. What comes of it for readers and writers is what make chaos checks,
// which stops leaders.
func TestAServerThatStoodStillDoesNotConfirm(t *testing.T) {
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	link, err := natsfault.NewLink("127.0.0.1:0", strings.TrimPrefix(server.URL(), "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	nc, err := server.Connect(nats.SetCustomDialer(linked{link}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	l, err := Open(t.Context(), nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	l.copies = 3 // of a single copy there is no other leader
	go l.server.watch(nc, l.closed)
	if _, err := l.ConfirmedEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	link.Set(false, false)
	look := time.NewTicker(still / 10)
	defer look.Stop()
	for until := time.Now().Add(time.Minute); !l.server.stoodStill(); <-look.C {
		if time.Now().After(until) {
			t.Fatal("nobody noticed that it stands still")
		}
	}
	goesOn := time.Now()
	link.Set(true, true)
	if _, err := l.ConfirmedEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(goesOn); took < settles {
		t.Errorf("it confirmed %s after it went on, when it may not yet know who leads", took)
	}
}

// linked dials through a link.
type linked struct{ *natsfault.Link }

// Dial implements nats.CustomDialer.
func (l linked) Dial(network, _ string) (net.Conn, error) { return net.Dial(network, l.Address()) }
