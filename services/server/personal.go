package server

import (
	"context"
	"sync"

	"setpoint.dev/services/internal/erasure"
	"setpoint.dev/services/internal/keystore"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/record"
)

// startPersonal has the record seal and open personal text, with the keys that
// are beside the log and have as many copies.
func startPersonal(ctx context.Context, s *Server) error {
	info, err := s.log.Info(ctx)
	if err != nil {
		return err
	}
	store, err := keystore.Open(ctx, s.nats, keystore.Options{Shard: s.log.Shard(), Replicas: info.Replicas})
	if err != nil {
		return err
	}
	keys := personal.NewKeys(store)
	s.background(ctx, keys.Run)
	s.record.WithPersonal(record.NewPersonal(s.kinds, keys))
	return nil
}

// startEraser completes erasures that somebody began.
func startEraser(ctx context.Context, s *Server) error {
	s.eraser = erasure.New(s.commands, s.record, s.kinds, s.opts.Logger)
	s.background(ctx, s.eraser.Run)
	return nil
}

// background runs something until the process stops.
func (s *Server) background(ctx context.Context, run func(context.Context)) {
	until, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { run(until) })
	s.onStop(func() error {
		cancel()
		running.Wait()
		return nil
	})
}

// personalKeys is what a doctor asks about the keys.
type personalKeys struct{ s *Server }

// Bucket implements doctor.Keys.
func (k personalKeys) Bucket(ctx context.Context) (bool, []string, error) {
	return keystore.Look(ctx, k.s.nats, k.s.log.Shard())
}

// Unfinished implements doctor.Keys.
func (k personalKeys) Unfinished(ctx context.Context) ([]record.Erasure, error) {
	return k.s.eraser.Unfinished(ctx)
}
