// Package devserver runs the whole service in one process: an embedded NATS
// with the log, the record on SQLite, every service, one door. Users start it
// as `setpoint dev`, tests in a temporary folder: both get the same thing.
//
// Start returns when the service answers. What is on disk is in the data
// folder: nats/ is the log, the source of truth; record*.db can be deleted, it
// is rebuilt from the log.
package devserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	declarationrpc "setpoint.dev/services/declaration/rpc"
	gaprpc "setpoint.dev/services/gap/rpc"
	"setpoint.dev/services/internal/admin"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

// waitFor bounds how long a read waits for a revision.
const waitFor = 10 * time.Second

// Options say what to run. Only Data is required.
type Options struct {
	Data       string // folder, made if missing
	Listen     string // HOST:PORT of the API; "" is 127.0.0.1:8080, port 0 is any free one
	NATSListen string // loopback HOST:PORT of the embedded NATS; "" for none

	// TokenFile, if given, holds the tokens of which every request needs one.
	// Without it only loopback is served, and whoever reaches it is trusted.
	TokenFile string
	// TLSCert and TLSKey are PEM files; with them only HTTPS is answered.
	TLSCert, TLSKey string
	// BehindProxy says that a proxy ends TLS, so that other addresses than
	// loopback may be served in the clear.
	BehindProxy bool
	// PublicURL is the address that browsers know, if a proxy has another.
	PublicURL string

	// MaxBatch is how many messages one commit may have; 0 is the log's default.
	MaxBatch int

	Version string
	Logger  *slog.Logger     // nil: silent
	Now     func() time.Time // nil: the clock
	// Progress is told how far the record is behind at start, in revisions.
	Progress func(done, total uint64)
}

// Server is a running service.
type Server struct {
	url    string
	nats   *embeddednats.Server
	conn   *nats.Conn
	log    *eventlog.Log
	data   record.Database
	record *record.Record
	http   *rpc.Server

	stop     context.CancelFunc // of the projector
	running  sync.WaitGroup
	projects chan error // the projector's end
	serves   chan error // the HTTP server's end
	closing  func() error
}

// Start starts the service in the folder. It fails with an Unavailable fault
// if another process has the folder.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	keys, err := takeKeys(o)
	if err != nil {
		return nil, err
	}
	s := &Server{projects: make(chan error, 1), serves: make(chan error, 1)}
	s.closing = sync.OnceValue(s.close)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	// The port first: if it is taken nothing else need start.
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "server.listen", "cannot listen on %s", o.Listen).
			WithHint("another program may have the port: choose one with --listen 127.0.0.1:PORT")
	}
	defer func() {
		if err != nil {
			_ = listener.Close()
		}
	}()
	s.url = "http://" + listener.Addr().String()
	if keys.tls != nil {
		s.url = "https://" + listener.Addr().String()
	}
	if s.nats, err = embeddednats.Start(embeddednats.Options{
		Dir: filepath.Join(o.Data, "nats"), Listen: o.NATSListen, Logger: o.Logger, MaxBatch: o.MaxBatch,
	}); err != nil {
		return nil, err
	}
	if s.conn, err = s.nats.ConnectInProcess(); err != nil {
		return nil, err
	}
	if s.log, err = eventlog.Open(ctx, s.conn, eventlog.Options{MaxBatch: o.MaxBatch}); err != nil {
		return nil, err
	}
	registry := kinds.Registry()
	if s.data, err = sqlite.OpenDatabase(ctx, o.Data, registry); err != nil {
		return nil, err
	}
	store, live, err := s.data.Live(ctx)
	if err != nil {
		return nil, err
	}
	if err := record.Check(ctx, s.log, live.At); err != nil {
		return nil, err
	}
	s.record = record.New(s.data, live.At, waitFor, s.log.LastRevision)
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	projector := record.NewProjector(s.log, registry, store, s.record, o.Logger)
	s.running.Go(func() { s.projects <- projector.Run(follow) })
	if err := s.catchUp(ctx, o.Progress); err != nil {
		return nil, err
	}

	commands := runner.New(s.log, s.record, o.Now)
	door, err := rpc.NewDoor(keys.options(s, o.Logger),
		declarationrpc.New(commands, s.record, registry),
		strategyrpc.New(commands, s.record, registry),
		gaprpc.New(s.record, o.Now),
		admin.New(o.Version, "always", s.log, s.record),
	)
	if err != nil {
		return nil, err
	}
	s.http = rpc.NewServer(door, o.Logger)
	s.running.Go(func() {
		if err := keys.serve(s.http, listener); !errors.Is(err, http.ErrServerClosed) {
			s.serves <- err
		}
		close(s.serves)
	})
	return s, nil
}

// catchUp waits until the record has folded what the log holds, so that no
// reader sees the half of a rebuild.
func (s *Server) catchUp(ctx context.Context, progress func(done, total uint64)) error {
	last, err := s.log.LastRevision(ctx)
	if err != nil {
		return err
	}
	return s.record.Follow(ctx, last, func(at uint64) {
		if progress != nil {
			progress(at, last)
		}
	})
}

// URL is where the API answers.
func (s *Server) URL() string { return s.url }

// Healthy tells whether the service can do its work: the log takes writes and
// the record keeps up.
func (s *Server) Healthy(ctx context.Context) error {
	if err := s.nats.Healthy(ctx); err != nil {
		return fmt.Errorf("the log: %w", err)
	}
	if at, err := s.record.Status(); err != nil {
		return fmt.Errorf("the record halted at revision %d: %w", at, err)
	}
	return nil
}

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

// Close stops the service: no new requests, the running ones finish, then the
// record and the log close. Closing again is no error.
func (s *Server) Close() error { return s.closing() }

func (s *Server) close() error {
	var errs []error
	if s.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		errs = append(errs, s.http.Shutdown(ctx))
	}
	if s.stop != nil {
		s.stop()
	}
	s.running.Wait()
	if s.data != nil {
		errs = append(errs, s.data.Close())
	}
	if s.log != nil {
		s.log.Close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	if s.nats != nil {
		errs = append(errs, s.nats.Close())
	}
	return errors.Join(errs...)
}
