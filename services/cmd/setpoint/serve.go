package main

import (
	"context"
	"fmt"
	"log/slog"

	"setpoint.dev/services/devserver"
	"setpoint.dev/services/internal/cli"
	"setpoint.dev/services/internal/fault"
)

// serve starts the service, says where it answers, and returns when it has
// stopped.
func serve(ctx context.Context, o cli.ServeOptions) error {
	for _, t := range o.Targets {
		if t != "all" {
			return fault.New(fault.Invalid, "server.target", "--target: %q cannot run alone on an embedded log", t).
				WithHint("run everything in one process with --target=all")
		}
	}
	version := o.Version
	s, err := devserver.Start(ctx, devserver.Options{
		Data: o.Data, Listen: o.Listen, NATSListen: o.NATSListen, Version: version,
		TokenFile: o.TokenFile, TLSCert: o.TLSCert, TLSKey: o.TLSKey, BehindProxy: o.BehindProxy, PublicURL: o.PublicURL,
		Logger: slog.New(slog.NewTextHandler(o.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
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
	_, _ = fmt.Fprintf(o.Stdout, "setpoint %s answers at %s (data in %s, open to %s); Ctrl-C stops it\n", version, s.URL(), o.Data, who)
	err = s.Wait(ctx)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	return err
}
