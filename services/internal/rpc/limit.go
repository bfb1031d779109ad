package rpc

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// Limits bound what clients can hold at one time. What is zero is the default.
type Limits struct {
	Requests             int // calls under way; default 256
	RequestsPerPrincipal int // default 128; without tokens it does not count
	Streams              int // open streams; default 256
	StreamsPerPrincipal  int // default 32
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		value    *int
		standard int
	}{
		{&l.Requests, 256}, {&l.RequestsPerPrincipal, 128}, {&l.Streams, 256}, {&l.StreamsPerPrincipal, 32},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return l
}

// gate counts what is under way.
type gate struct {
	what    string
	max     int
	maxEach int // 0: no bound

	mu    sync.Mutex
	total int
	each  map[principal.Principal]int
}

func newGate(what string, maximum, each int) *gate {
	return &gate{what: what, max: maximum, maxEach: each, each: map[principal.Principal]int{}}
}

// enter takes a place, to be given back with leave, or fails with Exhausted.
func (g *gate) enter(p principal.Principal) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.total >= g.max:
		return fault.New(fault.Exhausted, "server.busy", "the server has %d %s under way already", g.total, g.what).
			WithHint("try again in a moment")
	case g.maxEach > 0 && g.each[p] >= g.maxEach:
		return fault.New(fault.Exhausted, "server.principal_busy", "%s has %d %s under way already", p.ID, g.each[p], g.what).
			WithHint("send fewer at a time")
	}
	g.total++
	g.each[p]++
	return nil
}

func (g *gate) leave(p principal.Principal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.each[p]--; g.each[p] == 0 {
		delete(g.each, p)
	}
}

// throttle lets through a few messages a minute, so that strangers cannot fill
// the log.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	began   time.Time
	said    int
	dropped int
}

const saysPerMinute = 10

// log writes the message, or counts it; the count comes with the next message
// that is written.
func (t *throttle) log(ctx context.Context, logger *slog.Logger, message string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.now(); now.Sub(t.began) >= time.Minute {
		t.began, t.said = now, 0
	}
	if t.said == saysPerMinute {
		t.dropped++
		return
	}
	t.said++
	if t.dropped > 0 {
		args = append(args, "not_logged_before", t.dropped)
		t.dropped = 0
	}
	logger.WarnContext(ctx, message, args...)
}

// throttledWriter is the log of net/http, where a line is a message.
type throttledWriter struct {
	throttle *throttle
	logger   *slog.Logger
}

func (w throttledWriter) Write(p []byte) (int, error) {
	n := len(p)
	for n > 0 && p[n-1] == '\n' {
		n--
	}
	w.throttle.log(context.Background(), w.logger, string(p[:n]))
	return len(p), nil
}

// LimitConnections makes a listener close what is over the maximum at once:
// who waits in a queue would not know why.
func LimitConnections(l net.Listener, maximum int) net.Listener {
	return &limitedListener{Listener: l, places: make(chan struct{}, maximum)}
}

type limitedListener struct {
	net.Listener
	places chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = c.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
