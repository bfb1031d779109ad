package server

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Options say what to run. Only Data is required, and that only where the log
// or the record is this process's own.
type Options struct {
	// Targets are the parts to run, by the names of TargetNames; none is All.
	// Parts of the whole need an external NATS.
	Targets []string

	// NATS is the server or cluster that has the log; without a URL the process
	// runs a server of its own.
	NATS NATS
	// DatabaseURL is the Postgres database that has the record, shared by all
	// processes that name it: one of them projects. Without it the record is
	// this process's own, on SQLite, and it projects it itself.
	DatabaseURL string
	// DatabaseOwnerURL connects as the role that owns the tables, which migrates
	// them and builds generations; default DatabaseURL.
	DatabaseOwnerURL string

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

	Telemetry TelemetryOptions
	// Drain is how long requests are still taken once the process has said that
	// it is not ready any more.
	Drain time.Duration
	// ShutdownTimeout bounds how long the running requests may take to finish;
	// 0 is 10 s.
	ShutdownTimeout time.Duration

	// ReadWait bounds how long a read waits for a revision that it asks for, and a
	// fifth of it is how long one of the newest state waits for what this process
	// has acknowledged; 0 is 10 s.
	ReadWait time.Duration

	// NoReactor leaves conditions as they are, and no policy reacts: while years of
	// history are loaded, say. What was missed is made up for later.
	NoReactor bool

	// EventsMaxAge and EventsMaxBytes bound what is kept of the public events; 0
	// leaves the stream as it is.
	EventsMaxAge   time.Duration
	EventsMaxBytes int64
	// WebhookAllowPrivate lets webhooks be posted to addresses that are not public,
	// and in the clear.
	WebhookAllowPrivate bool

	Version string
	Logger  *slog.Logger     // nil: silent
	Now     func() time.Time // nil: the clock
	// Progress is told how far the record is behind at start, in revisions.
	Progress func(done, total uint64)
}

// NATS says which external NATS to use, and how.
type NATS struct {
	URL           string // addresses with commas between; may hold user and password, or a token
	Creds         string // credentials file
	CA, Cert, Key string // PEM files
	// Replicas is how many copies of the log are kept when it is made; 0 is
	// three on a cluster and one on a single server.
	Replicas int
	// Within bounds how long NATS and Postgres are tried at start; 0 is 30 s.
	Within time.Duration
}

// shared tells whether other processes have the same record.
func (o Options) shared() bool { return o.DatabaseURL != "" }

// external tells whether the log is on a NATS that others run.
func (o Options) external() bool { return o.NATS.URL != "" }

// check refuses what makes no sense together.
func (o Options) check(parts []part) error {
	runs := func(name string) bool { return slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) }
	whole := !slices.ContainsFunc(TargetNames()[1:], func(name string) bool { return !runs(name) })
	switch {
	case !whole && !o.external():
		return fault.New(fault.Invalid, "server.target", "--target: %s cannot run alone on an embedded log", strings.Join(o.Targets, ",")).
			WithHint("run everything in one process with --target=all, or give the NATS that all parts use with --nats-url")
	case o.external() && o.NATSListen != "":
		return fault.New(fault.Invalid, "server.two_logs", "--nats opens the embedded NATS, and --nats-url names another").
			WithHint("give one of them")
	case !o.shared() && slices.Equal(o.Targets, []string{"projector"}):
		return fault.New(fault.Invalid, "server.target", "--target: a projector alone needs the database that others read").
			WithHint("give it with --database-url")
	case !o.external() && (o.NATS.Creds != "" || o.NATS.CA != "" || o.NATS.Cert != "" || o.NATS.Key != "" || o.NATS.Replicas != 0):
		return fault.New(fault.Invalid, "server.no_nats_url", "--nats-creds, --nats-ca, --nats-cert, --nats-key and --replicas are for an external NATS").
			WithHint("give its address with --nats-url")
	case o.NATS.Replicas < 0 || o.NATS.Replicas > 5 || o.NATS.Replicas == 2 || o.NATS.Replicas == 4:
		return fault.New(fault.Invalid, "server.replicas", "--replicas: %d is not a number of copies that can outvote a lost one", o.NATS.Replicas).
			WithHint("legal are 1, 3 and 5")
	}
	return nil
}

func (o Options) withDefaults() Options {
	if len(o.Targets) == 0 {
		o.Targets = []string{All}
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.ReadWait == 0 {
		o.ReadWait = 10 * time.Second
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
