package main

import (
	"context"
	"fmt"

	"setpoint.dev/services/internal/cli"
	"setpoint.dev/services/internal/logging"
	"setpoint.dev/services/server"
)

// serve starts the service, says where it answers, and returns when it has
// stopped.
func serve(ctx context.Context, o cli.ServeOptions) error {
	version := o.Version
	logger, err := logging.New(o.Stderr, o.Telemetry.LogFormat, o.Telemetry.LogLevel)
	if err != nil {
		return err
	}
	s, err := server.Start(ctx, server.Options{
		Targets: o.Targets,
		NATS: server.NATS{
			URL: o.NATSURL, Creds: o.NATSCreds, CA: o.NATSCA, Cert: o.NATSCert, Key: o.NATSKey, Replicas: o.Replicas,
		},
		DatabaseURL: o.DatabaseURL, DatabaseOwnerURL: o.DatabaseOwnerURL,
		Data: o.Data, Listen: o.Listen, NATSListen: o.NATSListen, Version: version,
		TokenFile: o.TokenFile, TLSCert: o.TLSCert, TLSKey: o.TLSKey, BehindProxy: o.BehindProxy, PublicURL: o.PublicURL,
		Telemetry: server.TelemetryOptions{Listen: o.Telemetry.Listen, Open: o.Telemetry.Open, Traces: o.Telemetry.Traces},
		Drain:     o.Telemetry.Drain, ShutdownTimeout: o.Telemetry.ShutdownTimeout,
		Logger: logger, NoReactor: o.NoReactor,
		EventsMaxAge: o.EventsMaxAge, EventsMaxBytes: o.EventsMaxBytes, WebhookAllowPrivate: o.WebhookAllowPrivate,
		Progress: func(done, total uint64) {
			if total > done+10_000 {
				_, _ = fmt.Fprintf(o.Stderr, "reading the log: %d of %d\n", done, total)
			}
		},
	})
	if err != nil {
		return err
	}
	who := "whoever is on this machine"
	if o.TokenFile != "" {
		who = "the tokens in " + o.TokenFile
	}
	_, _ = fmt.Fprintf(o.Stdout, "setpoint %s answers at %s (%s, open to %s); Ctrl-C stops it\n", version, s.URL(), s.Where(), who)
	if url := s.TelemetryURL(); url != "" {
		_, _ = fmt.Fprintf(o.Stdout, "metrics and probes are at %s\n", url)
	}
	err = s.Wait(ctx)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	return err
}
