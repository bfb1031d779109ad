package server

import (
	"log/slog"
	"time"
)

// Options say what to run. Only Data is required.
type Options struct {
	// Targets are the parts to run, by the names of TargetNames; none is All.
	Targets []string

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
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
