package eventlogtest

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// lossy dials connections that, once armed, lose the next acknowledgement of
// a write and break: the message reached the server, its answer never came.
type lossy struct {
	mu    sync.Mutex
	armed bool
	lost  chan struct{}
}

func newLossy() *lossy { return &lossy{lost: make(chan struct{})} }

func (l *lossy) arm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = true
}

func (l *lossy) takes(data []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.armed || !bytes.Contains(data, []byte(`"seq":`)) {
		return false
	}
	l.armed = false
	close(l.lost)
	return true
}

// Dial makes lossy a nats.CustomDialer.
func (l *lossy) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return lossyConn{c, l}, nil
}

type lossyConn struct {
	net.Conn
	l *lossy
}

func (c lossyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.l.takes(b[:n]) {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func (l *lossy) options() []nats.Option {
	return []nats.Option{
		nats.SetCustomDialer(l), nats.MaxReconnects(-1),
		nats.ReconnectWait(time.Millisecond), nats.ReconnectJitter(0, 0),
	}
}

func wasLost(t *testing.T, l *lossy) {
	t.Helper()
	select {
	case <-l.lost:
	default:
		t.Fatal("no acknowledgement was lost")
	}
}

func lostAcknowledgement(t *testing.T, target Target) {
	target.Options.Timeout = settling
	network := newLossy()
	l, ctx := target.Open(t, network.options()...), background(t)
	network.arm()
	done := must[eventlog.Committed](t)(l.Append(ctx, command("once"), draft(metric("m"), nil)))
	wasLost(t, network)
	if !done.Duplicate || done.Revision != 1 {
		t.Errorf("committed %+v", done)
	}
	if records := all(t, l); len(records) != 1 || !bytes.Equal(records[0].Hash, done.Hashes[0]) {
		t.Errorf("the log holds %d records", len(records))
	}
}

func lostAcknowledgementNextTry(t *testing.T, target Target) {
	target.Options.Timeout = settling
	network := newLossy()
	l := target.Open(t, network.options()...)
	ctx, giveUp := context.WithCancel(background(t))
	go func() {
		<-network.lost
		giveUp()
	}()
	// The caller may go away before it learns, or just after.
	network.arm()
	done, err := l.Append(ctx, command("once"), draft(metric("m"), nil))
	wasLost(t, network)
	if err != nil {
		wantFault(t, err, fault.Unavailable, "log.unavailable")
	} else if !done.Duplicate {
		t.Errorf("committed %+v without an acknowledgement", done)
	}

	again := must[eventlog.Committed](t)(l.Append(background(t), command("once"), draft(metric("m"), nil)))
	if !again.Duplicate || again.Revision != 1 {
		t.Errorf("committed %+v", again)
	}
	if records := all(t, l); len(records) != 1 {
		t.Errorf("the log holds %d records", len(records))
	}
}

func lostBatchAcknowledgement(t *testing.T, target Target) {
	target.Options.BatchTimeout = settling
	network := newLossy()
	l, ctx := target.Open(t, network.options()...), background(t)
	drafts := newDrafts("m", 50)
	network.arm()
	done := must[eventlog.Committed](t)(l.AppendBatch(ctx, command("once"), drafts))
	wasLost(t, network)
	if !done.Duplicate || done.First != 1 || done.Revision != 50 {
		t.Errorf("committed %d to %d, duplicate %t", done.First, done.Revision, done.Duplicate)
	}
	// A client's retry has another recorded time, so other bytes.
	again := must[eventlog.Committed](t)(l.AppendBatch(ctx, command("once"), drafts))
	if !again.Duplicate || again.Revision != done.Revision || !again.Recorded.Equal(done.Recorded) {
		t.Errorf("committed %d at %v, then %d at %v", done.Revision, done.Recorded, again.Revision, again.Recorded)
	}
	records := all(t, l)
	if len(records) != 50 {
		t.Fatalf("the log holds %d records", len(records))
	}
	for i, r := range records {
		if !bytes.Equal(r.Hash, done.Hashes[i]) || !bytes.Equal(r.Hash, again.Hashes[i]) {
			t.Fatalf("hash of message %d: stored %x, told %x and %x", i, r.Hash, done.Hashes[i], again.Hashes[i])
		}
	}
}
