package eventlog

import (
	"net"
	"strings"
	"sync/atomic"
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
	l, err := Open(t.Context(), nc, Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	l.copies = 3 // of a single copy there is no other leader
	// Time goes on where the test says so.
	var passed atomic.Int64
	began := time.Now()
	l.server.now = func() time.Time { return began.Add(time.Duration(passed.Load())) }
	l.server.told = make(chan struct{}, 1)
	goOn := func(d time.Duration) { passed.Add(int64(d)) }
	within := time.After(time.Minute)
	await := func(what string, is func() bool) {
		t.Helper()
		for !is() {
			select {
			case <-l.server.told:
			case <-within:
				t.Fatal("it was not noticed that " + what)
			}
		}
	}
	enough, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		l.server.watch(nc, enough)
	}()
	if _, err := l.ConfirmedEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	link.Set(false, false)
	await("the server stands still", func() bool {
		goOn(2 * still)
		return l.server.stoodStill()
	})
	link.Set(true, true)
	await("it goes on", func() bool {
		l.server.mu.Lock()
		defer l.server.mu.Unlock()
		return l.server.until.After(began)
	})
	// A question that were open while time goes on would be one more that is
	// answered late.
	close(enough)
	<-ended
	confirmed := make(chan error, 1)
	go func() {
		_, err := l.ConfirmedEnd(t.Context())
		confirmed <- err
	}()
	goOn(settles - 1)
	if !l.server.stoodStill() {
		t.Error("its word counts, when it may not yet know who leads")
	}
	select {
	case <-confirmed:
		t.Error("it confirmed when it may not yet know who leads")
	default:
	}
	goOn(1)
	if l.server.stoodStill() {
		t.Error("its word does not count any more")
	}
	if err := <-confirmed; err != nil {
		t.Error(err)
	}
}

// linked dials through a link.
type linked struct{ *natsfault.Link }

// Dial implements nats.CustomDialer.
func (l linked) Dial(network, _ string) (net.Conn, error) { return net.Dial(network, l.Address()) }
