package server

import (
	"context"
	"fmt"
	"time"

	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
)

// waitFor bounds how long a read waits for a revision.
const waitFor = 10 * time.Second

// startRecord opens the record's database, and refuses one that belongs to
// another log.
func startRecord(ctx context.Context, s *Server) (err error) {
	if s.database, err = sqlite.OpenDatabase(ctx, s.opts.Data, s.kinds); err != nil {
		return err
	}
	s.onStop(s.database.Close)
	at, err := s.database.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if err := record.Check(ctx, s.log, at); err != nil {
		return err
	}
	s.record = record.New(s.database, at, waitFor, s.log.LastRevision)
	s.onCheck("record", func(context.Context) error {
		if at, err := s.record.Status(); err != nil {
			return fmt.Errorf("the record halted at revision %d: %w", at, err)
		}
		return nil
	})
	return nil
}

// startProjector keeps the record up to date.
func startProjector(ctx context.Context, s *Server) error {
	store, _, err := s.database.Live(ctx)
	if err != nil {
		return err
	}
	follow, cancel := context.WithCancel(context.WithoutCancel(ctx))
	projector := record.NewProjector(s.log, s.kinds, store, s.record, s.opts.Logger)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = projector.Run(follow) // a halt is logged, and told by the record
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// catchUp waits until the record has folded what the log holds, so that no
// reader sees the half of a rebuild.
func catchUp(ctx context.Context, s *Server) error {
	last, err := s.log.LastRevision(ctx)
	if err != nil {
		return err
	}
	return s.record.Follow(ctx, last, func(at uint64) {
		if s.opts.Progress != nil {
			s.opts.Progress(at, last)
		}
	})
}
