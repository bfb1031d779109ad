package server

import (
	"context"
	"fmt"
	"path/filepath"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/externalnats"
	"setpoint.dev/services/internal/fault"
)

// startNATS connects to the NATS that has the log: an external one, or one that
// runs in this process.
func startNATS(ctx context.Context, s *Server) error {
	if s.opts.external() {
		return s.connectNATS(ctx)
	}
	server, err := embeddednats.Start(embeddednats.Options{
		Dir: filepath.Join(s.opts.Data, "nats"), Listen: s.opts.NATSListen, Logger: s.opts.Logger, MaxBatch: s.opts.MaxBatch,
	})
	if err != nil {
		return err
	}
	s.onStop(server.Close)
	s.onCheck("log", func(ctx context.Context) error {
		if err := server.Healthy(ctx); err != nil {
			return err
		}
		return s.log.TakesWrites(ctx)
	})
	if s.nats, err = server.ConnectInProcess(); err != nil {
		return err
	}
	s.onStop(func() error { s.nats.Close(); return nil })
	s.sync, s.replicas = "always", 1
	return nil
}

func (s *Server) connectNATS(ctx context.Context) (err error) {
	o := s.opts.NATS
	if s.nats, err = externalnats.Connect(ctx, externalnats.Options{
		URL: o.URL, Creds: o.Creds, CA: o.CA, Cert: o.Cert, Key: o.Key, Within: o.Within, Logger: s.opts.Logger,
	}); err != nil {
		return err
	}
	s.onStop(func() error { s.nats.Close(); return nil })
	s.onCheck("log", func(ctx context.Context) error {
		if !s.nats.IsConnected() {
			return fault.New(fault.Unavailable, "nats.disconnected", "NATS does not answer")
		}
		return s.log.TakesWrites(ctx)
	})
	// A client is not told how servers write to disk.
	s.sync, s.replicas = "set by the NATS servers", o.Replicas
	if s.replicas == 0 {
		s.replicas = externalnats.Replicas(s.nats)
	}
	return nil
}

// startLog opens the event log.
func startLog(ctx context.Context, s *Server) (err error) {
	if s.log, err = eventlog.Open(ctx, s.nats, eventlog.Options{MaxBatch: s.opts.MaxBatch, Replicas: s.replicas, Observer: s.telemetry.Log()}); err != nil {
		return err
	}
	s.onStop(func() error { s.log.Close(); return nil })
	info, err := s.log.Info(ctx)
	if err != nil {
		return err
	}
	if info.Replicas < s.replicas {
		s.opts.Logger.Warn("the log has fewer copies than the cluster can keep: losing a server may lose it",
			"stream", info.Stream, "copies", info.Replicas, "recommended", s.replicas,
			"advice", fmt.Sprintf("nats stream edit %s --replicas %d", info.Stream, s.replicas))
	}
	return nil
}
