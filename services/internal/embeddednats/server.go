// Package embeddednats runs the NATS server of a process that has no other:
// JetStream on a folder, every write synced before it is acknowledged.
//
// Invariants: one process per folder, held by a lock; no connection without
// the credentials made at this start, so that no local process can forge
// events; nothing listens unless an address is asked for, and then only on
// loopback.
//
// Start reads top to bottom.
package embeddednats

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/fault"
)

const (
	// CredentialsFile, in the data folder, holds url, user and password of a
	// server that listens, readable by its owner only.
	CredentialsFile = "nats-credentials.json"

	// MaxPayload is the largest message, headers included, in bytes.
	MaxPayload = 8 << 20

	// MaxBatch is the largest atomic batch, in messages.
	MaxBatch = 20_000

	lockFile   = "lock"
	user       = "setpoint"
	readyAfter = 30 * time.Second
)

// Options say how to run the server.
type Options struct {
	// Dir is the data folder, made if missing; required.
	Dir string
	// Listen is a loopback HOST:PORT (port 0: any free one); empty: no
	// listener, in-process connections only.
	Listen string
	// Logger receives the server's log; nil discards it.
	Logger *slog.Logger
	// MaxBatch is the largest atomic batch in messages; 0 is MaxBatch.
	MaxBatch int
}

// Server is a running NATS server.
type Server struct {
	nats     *server.Server
	started  <-chan struct{} // closed when the server's own start has returned
	lock     *lock
	password string
	listens  bool
	dir      string
}

// Credentials is the content of CredentialsFile.
type Credentials struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// Start runs a server on a folder until Close. A folder that another process
// uses is refused as Rule, nats.data_in_use, naming the folder and the
// process; a listen address off loopback as Invalid, nats.listen_not_loopback;
// one that is taken as Invalid, nats.listen_in_use.
func Start(opts Options) (_ *Server, err error) {
	if opts.Dir == "" {
		return nil, fault.New(fault.Invalid, "nats.data_missing", "the embedded event log needs a data folder")
	}
	host, port, err := listenAddress(opts.Listen)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "nats.data_unusable", "the data folder %s cannot be made", opts.Dir)
	}
	held, err := acquire(filepath.Join(opts.Dir, lockFile))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, held.release())
		}
	}()
	// Left by a process that was killed; its password opens nothing any more.
	if err := os.Remove(filepath.Join(opts.Dir, CredentialsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Invalid, "nats.data_unusable", "the data folder %s cannot be written", opts.Dir)
	}
	if opts.MaxBatch == 0 {
		opts.MaxBatch = MaxBatch
	}

	password := rand.Text()
	ns, err := server.NewServer(&server.Options{
		ServerName: "setpoint",
		Host:       host,
		Port:       port,
		DontListen: opts.Listen == "",
		Username:   user,
		Password:   password,
		NoSigs:     true,
		MaxPayload: MaxPayload,
		JetStream:  true,
		StoreDir:   opts.Dir,
		SyncAlways: true,
		JetStreamLimits: server.JSLimitOpts{
			MaxBatchSize: opts.MaxBatch,
			// Readers are many and short-lived; they delete their consumers.
			DefaultMaxConsumers: -1,
		},
		// A batch is sent without waiting for each message, and what does not
		// fit the stream's queue is dropped: room for two whole batches.
		StreamMaxBufferedMsgs: 2*opts.MaxBatch + 10_000,
		StreamMaxBufferedSize: 512 << 20,
	})
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "nats.start_failed", "the embedded event log cannot be configured")
	}
	log := newLogger(opts.Logger)
	ns.SetLoggerV2(log, false, false, false)
	ready := make(chan bool, 1)
	started := make(chan struct{})
	go func() {
		defer close(started)
		ns.Start()
	}()
	go func() { ready <- ns.ReadyForConnections(readyAfter) }()
	var failure string
	select {
	case ok := <-ready:
		if !ok {
			failure = fmt.Sprintf("it was not ready within %v", readyAfter)
		}
	case failure = <-log.fatal:
	}
	if failure != "" {
		ns.Shutdown()
		ns.WaitForShutdown()
		return nil, fault.New(fault.Unavailable, "nats.start_failed",
			"the embedded event log in %s did not start: %s", opts.Dir, failure)
	}
	s := &Server{nats: ns, started: started, lock: held, password: password, listens: opts.Listen != "", dir: opts.Dir}
	if s.listens {
		if err := s.writeCredentials(); err != nil {
			ns.Shutdown()
			ns.WaitForShutdown()
			<-started
			return nil, err
		}
	}
	return s, nil
}

func listenAddress(address string) (host string, port int, err error) {
	if address == "" {
		return "127.0.0.1", server.RANDOM_PORT, nil
	}
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fault.Wrap(err, fault.Invalid, "nats.listen_invalid", "the NATS address %q is not HOST:PORT", address)
	}
	if port, err = strconv.Atoi(p); err != nil || port < 0 || port > 65535 {
		return "", 0, fault.New(fault.Invalid, "nats.listen_invalid", "the NATS address %q has no port from 0 to 65535", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fault.New(fault.Invalid, "nats.listen_not_loopback",
			"the embedded NATS listens on loopback only, not on %q", host).
			WithHint("use 127.0.0.1, or run an external NATS and setpoint serve --nats-url")
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	// The server itself would only log that it cannot listen.
	probe, err := net.Listen("tcp", address)
	if err != nil {
		return "", 0, fault.Wrap(err, fault.Invalid, "nats.listen_in_use", "the embedded NATS cannot listen on %s", address)
	}
	return host, port, probe.Close()
}

func (s *Server) writeCredentials() error {
	data, err := json.MarshalIndent(Credentials{URL: s.URL(), User: user, Password: s.password}, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, CredentialsFile), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fault.Wrap(err, fault.Internal, "nats.start_failed", "the credentials of the embedded NATS cannot be written")
	}
	return nil
}

// URL is the address of a server that listens, without credentials; "" if it
// does not.
func (s *Server) URL() string {
	if !s.listens {
		return ""
	}
	return s.nats.ClientURL()
}

// Connect opens a connection with the server's credentials: over loopback if
// it listens, which is faster for many writers and for replay, else inside the
// process.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	if !s.listens {
		return s.ConnectInProcess(opts...)
	}
	return s.connect(s.nats.ClientURL(), opts)
}

// ConnectInProcess opens a connection inside the process, which is faster for
// one caller in flight.
func (s *Server) ConnectInProcess(opts ...nats.Option) (*nats.Conn, error) {
	return s.connect("", append([]nats.Option{nats.InProcessServer(s.nats)}, opts...))
}

func (s *Server) connect(url string, opts []nats.Option) (*nats.Conn, error) {
	base := []nats.Option{
		nats.Name("setpoint"),
		nats.UserInfo(user, s.password),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		// Nothing is lost on this way: what takes long is the machine.
		nats.Timeout(readyAfter),
	}
	nc, err := nats.Connect(url, append(base, opts...)...)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "nats.connect_failed", "the embedded event log does not accept a connection")
	}
	return nc, nil
}

// Healthy is nil while the server runs and its JetStream works; otherwise
// Unavailable, nats.unhealthy, with what is wrong.
func (s *Server) Healthy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(err, fault.Unavailable, "nats.unhealthy", "the health of the event log was not learned in time")
	}
	if !s.nats.Running() {
		return fault.New(fault.Unavailable, "nats.unhealthy", "the event log is shut down")
	}
	if h := s.nats.Healthz(&server.HealthzOptions{}); h.StatusCode >= 400 || h.Error != "" {
		return fault.New(fault.Unavailable, "nats.unhealthy", "the event log is not healthy: %s",
			fmt.Sprintf("%s %s", h.Status, h.Error))
	}
	return nil
}

// Close shuts the server down, waits for it, and gives the folder free.
func (s *Server) Close() error {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
	// Its last words are logged by the goroutine that started it, which may
	// outlive the shutdown by a moment.
	<-s.started
	var err error
	if s.listens {
		if err = os.Remove(filepath.Join(s.dir, CredentialsFile)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	return errors.Join(err, s.lock.release())
}
