package rpc

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// flushTime is how long the last answers have to leave when a server stops.
const flushTime = 500 * time.Millisecond

// Server is an HTTP server for a door.
type Server struct {
	*http.Server
	door *Door
}

// NewServer makes a server with HTTP/2 (in the clear, too, for gRPC), and
// bounds on what a slow or careless client can hold. A deadline of the server
// for whole requests would end streams and long calls: the door sets one for
// each.
func NewServer(door *Door, logger *slog.Logger) *Server {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return &Server{door: door, Server: &http.Server{
		Handler:           door,
		Protocols:         &p,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 256,
			SendPingTimeout:      time.Minute, // finds clients that have vanished
			PingTimeout:          15 * time.Second,
			WriteByteTimeout:     sendTime,
		},
		ErrorLog: log.New(throttledWriter{&throttle{now: time.Now}, logger}, "", 0),
	}}
}

// Shutdown takes no new connections, ends the streams and waits for the calls
// under way. When ctx ends first, they are cut off, and the error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.door.stop()
	down := make(chan error, 1)
	go func() { down <- s.Server.Shutdown(ctx) }()
	// net/http waits in vain for an HTTP/2 connection that came while it began
	// to shut down, so that it is not the only one to say when all is done.
	select {
	case err := <-down:
		return s.cut(err)
	case <-s.door.underWay.none():
	}
	flushed := time.NewTimer(flushTime)
	defer flushed.Stop()
	select {
	case err := <-down:
		return s.cut(err)
	case <-flushed.C:
		return s.Close()
	}
}

func (s *Server) cut(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(err, s.Close())
}

// inFlight counts requests.
type inFlight struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n is 0; nil while nobody asks
}

// begin counts one until the function it returns is called.
func (f *inFlight) begin() (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	return f.end
}

func (f *inFlight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n--; f.n == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// none is closed at the next moment at which no request is under way.
func (f *inFlight) none() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == 0 {
		now := make(chan struct{})
		close(now)
		return now
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	return f.idle
}
