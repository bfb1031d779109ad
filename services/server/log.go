package server

import (
	"context"
	"fmt"
	"path/filepath"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
)

// startLog opens the event log on the embedded NATS.
func startLog(ctx context.Context, s *Server) error {
	server, err := embeddednats.Start(embeddednats.Options{
		Dir: filepath.Join(s.opts.Data, "nats"), Listen: s.opts.NATSListen, Logger: s.opts.Logger, MaxBatch: s.opts.MaxBatch,
	})
	if err != nil {
		return err
	}
	s.onStop(server.Close)
	s.onCheck("log", func(ctx context.Context) error {
		if err := server.Healthy(ctx); err != nil {
			return fmt.Errorf("the log: %w", err)
		}
		return nil
	})
	nc, err := server.ConnectInProcess()
	if err != nil {
		return err
	}
	s.onStop(func() error { nc.Close(); return nil })
	s.sync = "always"
	if s.log, err = eventlog.Open(ctx, nc, eventlog.Options{MaxBatch: s.opts.MaxBatch}); err != nil {
		return err
	}
	s.onStop(func() error { s.log.Close(); return nil })
	return nil
}
