package server

import (
	"context"
	"fmt"
	"os"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/lease"
	"setpoint.dev/services/internal/pause"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/internal/record/sqlite"
)

const (
	// catchUpWithin bounds how long a process waits at start for a record that
	// another one writes.
	catchUpWithin = 30 * time.Second
	// databaseWithin bounds how long a database that does not answer is tried.
	databaseWithin = 30 * time.Second
)

// startRecord opens the record's database, and refuses one that belongs to
// another log.
func startRecord(ctx context.Context, s *Server) (err error) {
	if s.database, err = s.openDatabase(ctx); err != nil {
		return err
	}
	s.onStop(s.database.Close)
	if d, ok := s.database.(*postgres.Database); ok {
		if s.databaseName, err = d.Name(ctx); err != nil {
			return err
		}
	}
	at, err := s.database.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if err := record.Check(ctx, s.log, at); err != nil {
		return err
	}
	s.record = record.New(s.database, at, s.opts.ReadWait, s.log.LastRevision)
	s.record.Observe(s.telemetry.Record())
	s.projection = record.NewProjection(s.log, s.kinds, s.database, s.record, s.scratch, s.opts.Logger)
	s.onCheck("history", func(ctx context.Context) error { return record.Whole(ctx, s.log) })
	s.onCheck("record", s.keepsUp)
	s.onCheck("database", func(ctx context.Context) error {
		_, err := s.database.Checkpoint(ctx)
		return err
	})
	if s.opts.shared() {
		s.follow(ctx)
	}
	return nil
}

// scratch makes a store to fold into for a comparison: in the data folder, or,
// where there is none, among the temporary files.
func (s *Server) scratch(ctx context.Context) (record.Store, error) {
	dir := s.folder()
	if dir == "" {
		dir = os.TempDir()
	}
	return sqlite.Scratch(ctx, dir, s.kinds)
}

func (s *Server) openDatabase(ctx context.Context) (record.Database, error) {
	if !s.opts.shared() {
		return sqlite.OpenDatabase(ctx, s.opts.Data, s.kinds)
	}
	within := s.opts.NATS.Within
	if within == 0 {
		within = databaseWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	told := ""
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		d, err := postgres.Open(ctx, postgres.Options{URL: s.opts.DatabaseURL, OwnerURL: s.opts.DatabaseOwnerURL, Kinds: s.kinds})
		if err == nil {
			return d, nil
		}
		reason := fault.ReasonOf(err)
		switch reason {
		case "record.database_unreachable":
		case "record.no_schema", "record.older_schema":
			// Where rights are divided one process migrates, and the others, which are
			// started with it, are as fast as it is.
		default:
			return nil, err
		}
		if told != reason {
			told = reason
			s.opts.Logger.Warn("the record's database is waited for", "error", err)
		}
		if pause.For(ctx, wait); ctx.Err() != nil {
			return nil, err
		}
	}
}

// follow keeps up with a record that another process may write, and with what
// that process says of it.
func (s *Server) follow(ctx context.Context) {
	tracking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.record.Track(tracking, s.database, s.opts.Logger)
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
	role := s.watchRole(ctx, s.projecting(), func(now lease.State, vacant error) {
		writer := now.Holder
		if vacant != nil {
			writer = "" // it has left its name behind
		}
		s.record.WrittenBy(writer, vacant)
		if now.Holder != s.id { // this process knows better
			s.record.Halt(halted(now))
		}
	})
	s.onCheck("projector", func(context.Context) error { return role.vacant(s.leases.TTL()) })
}

// projecting is the lease of who projects the log into the record.
func (s *Server) projecting() string { return projecting(s.log.Shard(), s.databaseName) }

// startProjector keeps the record up to date: each process its own, one of
// several a shared one.
func startProjector(ctx context.Context, s *Server) error {
	projecting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if s.leases == nil {
			s.project(projecting, nil)
			return
		}
		defer s.answerRebuilds(projecting, s.anyRebuildSubject(), "projectors")()
		_ = s.leases.Hold(projecting, s.projecting(), s.id, s.project)
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// project writes the record until ctx ends or, where others can, it is better
// that another process tries. l is nil where there is no other.
func (s *Server) project(ctx context.Context, l *lease.Lease) {
	s.projects.Store(true)
	defer s.projects.Store(false)
	if l != nil {
		s.opts.Logger.Info("this process projects the log into the record")
		// What halted the one before halts us, too, until something is folded.
		s.record.Halt(halted(l.State()))
		defer s.tell(ctx, l)()
		defer s.answerRebuilds(ctx, s.rebuildSubject(), "")()
	}
	for ctx.Err() == nil {
		err := s.projection.Project(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case fault.KindOf(err) == fault.Aborted && l != nil:
			s.opts.Logger.Warn("another process writes the record: this one stands back", "error", err)
			return
		case record.Halts(err) && l != nil:
			// Perhaps another process is newer.
			l.Note(err.Error())
			return
		case record.Halts(err):
			s.projection.AwaitRetry(ctx, err)
		default:
			if s.record.Troubled() == nil {
				s.opts.Logger.Warn("the record cannot be written", "error", err)
			}
			s.record.Trouble(err)
			pause.For(ctx, time.Second)
		}
	}
}

// tell has the lease say whether the projection has halted, until the returned
// function is called.
func (s *Server) tell(ctx context.Context, l *lease.Lease) (stop func()) {
	telling, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for s.record.WentOn(telling) == nil {
			l.Note("")
			select {
			case <-telling.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// catchUp waits until the record has folded what the log holds, so that no
// reader sees the half of a rebuild. Where another process writes the record
// the waiting is bounded: health then tells what is wrong.
func catchUp(ctx context.Context, s *Server) error {
	last, err := s.log.LastRevision(ctx)
	if at, damaged := record.HaltedAt(err); damaged && !record.Newer(err) {
		last = at // the record halts before it
	} else if err != nil {
		return err
	}
	tell := func(at uint64) {
		s.progress.Store(fmt.Sprintf("reading the log: %d of %d", at, last))
		if s.opts.Progress != nil {
			s.opts.Progress(at, last)
		}
	}
	waiting, cancel := ctx, func() {}
	if s.opts.shared() {
		waiting, cancel = context.WithTimeout(ctx, catchUpWithin)
	}
	defer cancel()
	err = s.record.Follow(waiting, last, tell)
	if _, damaged := record.HaltedAt(err); damaged && !record.Newer(err) {
		// What is on record is served, and health says what is wrong, so that the
		// operator can see to it.
		err = nil
	}
	if err == nil {
		err = s.begun(waiting)
	}
	if err != nil && ctx.Err() == nil && s.opts.shared() {
		at, _ := s.record.Status()
		s.opts.Logger.Warn("the record is behind the log", "revision", at, "log", last, "error", err)
		return nil
	}
	return err
}

// begun waits until there is a record at all: on an empty log that takes a moment
// longer than to have folded everything.
func (s *Server) begun(ctx context.Context) error {
	for {
		err := s.database.View(ctx, func(record.View) error { return nil })
		if fault.ReasonOf(err) != "record.no_generation" {
			return err
		}
		if pause.For(ctx, 10*time.Millisecond); ctx.Err() != nil {
			return err
		}
	}
}
