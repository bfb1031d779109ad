package server

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/erasure"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/externalnats"
	"setpoint.dev/services/internal/health"
	"setpoint.dev/services/internal/lease"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/internal/telemetry"
	"setpoint.dev/services/kinds"
)

// Server is a running process. Its fields are what the parts that have started
// give to those that come after them.
type Server struct {
	opts         Options
	id           string // of this process, unlike any other's
	kinds        *resource.Registry
	keys         keys
	listener     net.Listener
	url          string
	nats         *nats.Conn
	replicas     int           // copies of what is kept on NATS
	sync         string        // how it reaches the disk
	leases       *lease.Bucket // nil where nobody else could take a role
	log          *eventlog.Log
	database     record.Database
	databaseName string // of a shared one: the same in every process
	record       *record.Record
	projection   *record.Projection
	public       *stream.Stream
	published    *stream.Subscriber
	vault        *stream.Vault
	hooks        *delivery.Acts
	sender       *delivery.Sender
	asked        *delivery.Asked
	// webhookFigures says how webhooks fare; nil where none is delivered to.
	webhookFigures func(context.Context) (telemetry.Webhooks, error)
	commands       *runner.Runner
	eraser         *erasure.Eraser
	services       []rpc.Service
	http           *rpc.Server

	telemetry    *telemetry.Telemetry
	telemetryURL string
	health       *health.Prober
	progress     atomic.Value        // of the start, in words
	projects     atomic.Bool         // whether this process writes the record at the moment
	deadline     time.Time           // of the shutdown, once it has begun
	rest         func(time.Duration) // while it drains; nil: sleeps

	checks []health.Check
	stops  []func() error // in the order of starting
	serves chan error     // the HTTP server's end
	close  func() error
}

// Start starts a process and returns when it answers. It fails with an
// Unavailable fault if another process has the folder.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	parts, err := chosen(o)
	if err == nil {
		err = o.check(parts)
	}
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, id: identity(), kinds: kinds.Registry(), serves: make(chan error, 1)}
	s.close = sync.OnceValue(s.stop)
	for _, p := range parts {
		if err := p.start(ctx, s); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// onStop says how a part ends.
func (s *Server) onStop(stop func() error) { s.stops = append(s.stops, stop) }

// onCheck says how a part's health is told.
func (s *Server) onCheck(name string, f func(context.Context) error) {
	s.checks = append(s.checks, health.Check{Name: name, Test: f})
}

// URL is where the API answers.
func (s *Server) URL() string { return s.url }

// Where tells people where log and record are, without secrets.
func (s *Server) Where() string {
	if !s.opts.external() && !s.opts.shared() {
		return "data in " + s.opts.Data
	}
	log, rec := "log in "+s.opts.Data, "record in "+s.opts.Data
	if s.opts.external() {
		servers, _ := externalnats.Servers(s.opts.NATS.URL) // connected to: valid
		log = "log on NATS at " + servers
	}
	if s.opts.shared() {
		rec = "record on Postgres"
	}
	return log + ", " + rec
}

// Healthy tells whether the process can do its work: the log takes writes and
// the record keeps up.
func (s *Server) Healthy(ctx context.Context) error { return s.health.Ready(ctx) }

// Wait returns when ctx ends or the door fails. A halted projection does not
// end the service: what is on record can still be read.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.serves:
		return err
	}
}

// Close stops the process: no new requests, the running ones finish, then the
// record and the log close. Closing again is no error.
func (s *Server) Close() error { return s.close() }

func (s *Server) stop() error {
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}
