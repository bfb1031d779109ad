package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	backupv1 "setpoint.dev/proto/gen/setpoint/backup/v1"
	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/cli"
	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/externalnats"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/keystore"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
)

// maintenance works on a log whose service does not run.
type maintenance struct{}

var _ cli.Maintenance = maintenance{}

func external(p cli.Place) externalnats.Options {
	n := p.NATS
	return externalnats.Options{
		URL: n.URL, Creds: n.Creds, CA: n.CA, Cert: n.Cert, Key: n.Key,
		Within: 10 * time.Second, Logger: slog.New(slog.DiscardHandler),
	}
}

// onServers runs f with the log on NATS servers.
func onServers(ctx context.Context, at cli.Place, f func(*eventlog.Log) error) error {
	nc, err := externalnats.Connect(ctx, external(at))
	if err != nil {
		return err
	}
	defer nc.Close()
	log, err := eventlog.OpenExisting(ctx, nc, eventlog.Options{})
	if err != nil {
		return err
	}
	defer log.Close()
	return f(log)
}

// inFolder runs f with the log in the folder of a stopped service.
func inFolder(at cli.Place, f func(*eventlog.Offline) error) error {
	log, err := eventlog.OpenOffline(filepath.Join(at.Data, "nats"), 0)
	if err != nil {
		return err
	}
	return errors.Join(f(log), log.Close())
}

// Diagnose implements cli.Maintenance.
func (maintenance) Diagnose(ctx context.Context, at cli.Place, found func(*adminv1.Finding), progress cli.Progress) (*adminv1.DiagnoseSummary, error) {
	var sum doctor.Summary
	p := doctor.Patient{Version: at.Version, Kinds: kinds.Registry(), Now: time.Now, Data: at.Data}
	examine := func() (err error) {
		sum, err = doctor.Diagnose(ctx, p, func(f doctor.Finding) { found(doctor.Message(f)) },
			func(check string, done, total uint64) { progress("checking the "+check, done, total) })
		return err
	}
	var err error
	if at.Data == "" {
		err = onServers(ctx, at, func(l *eventlog.Log) error {
			p.Log = l
			return examine()
		})
	} else {
		err = inFolder(at, func(l *eventlog.Offline) error {
			p.Offline, p.Record, p.Keys = l, folderRecord(at.Data), folderKeys(at.Data)
			return examine()
		})
	}
	return doctor.SummaryMessage(sum), err
}

// folderRecord is the record in the folder of a stopped service.
type folderRecord string

// Checkpoint implements doctor.Record.
func (f folderRecord) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	at, _, err := sqlite.Peek(ctx, string(f))
	return at, err
}

// folderKeys are the keys in the folder of a stopped service.
type folderKeys string

// Bucket implements doctor.Keys.
func (f folderKeys) Bucket(context.Context) (bool, []string, error) {
	there, err := embeddednats.Has(filepath.Join(string(f), "nats"), keystore.Stream(0))
	return there, nil, err
}

// Unfinished implements doctor.Keys.
func (folderKeys) Unfinished(context.Context) ([]record.Erasure, error) {
	return nil, doctor.ErrNotLooked
}

// Backup implements cli.Maintenance.
func (maintenance) Backup(ctx context.Context, at cli.Place, w io.Writer, progress cli.Progress, warn func(string)) error {
	o := backup.Options{Version: at.Version, Now: time.Now(), Progress: func(done, total uint64) { progress("reading the log", done, total) }}
	if at.Data == "" {
		return onServers(ctx, at, func(l *eventlog.Log) error { return backup.Take(ctx, l, w, o) })
	}
	o.Compare = func(ctx context.Context, l *eventlog.Offline, revision uint64) error {
		return reaches(ctx, l, revision, at.Data, warn)
	}
	return inFolder(at, func(l *eventlog.Offline) error { return backup.TakeOffline(ctx, l, w, o) })
}

// reaches refuses a log that is not what the record in its folder was made of:
// where its end is lost, and the server's index of it, nothing else tells. Where
// there is none to compare with, warn is told.
func reaches(ctx context.Context, log *eventlog.Offline, revision uint64, data string, warn func(string)) error {
	stands, there, err := sqlite.Peek(ctx, data)
	switch {
	case err != nil:
		warn("the record in the folder cannot be read, so nothing tells whether the log has lost its end: " + err.Error())
		return nil
	case !there:
		warn("there is no record in the folder, so nothing tells whether the log has lost its end")
		return nil
	}
	err = record.CheckFiles(ctx, log, revision, stands)
	var refused *fault.Error
	if !errors.As(err, &refused) {
		return err
	}
	if refused.Reason == "record.other_log" {
		warn("nothing tells whether the log has lost its end: " + refused.Message)
		return nil
	}
	return fault.Wrap(err, refused.Kind, refused.Reason, "this is not the whole log").
		WithHint("restore the newest whole backup and repeat what came after it; " +
			"to keep what is left of the log nevertheless, move the record (record.json, record*.db*) out of the folder first")
}

// Verify implements cli.Maintenance.
func (maintenance) Verify(r io.Reader, progress cli.Progress) (*cli.Backup, error) {
	c, err := backup.Verify(r, func(done, total uint64) { progress(backup.StepCheck, done, total) })
	if err != nil {
		return nil, err
	}
	return describe(c.Header, c.Audit, c.SHA256), nil
}

// Restore implements cli.Maintenance.
func (maintenance) Restore(ctx context.Context, at cli.Place, file io.ReadSeeker, progress cli.Progress) (*cli.Backup, error) {
	var begin func(shard int, origin eventlog.Origin) (*eventlog.Restore, error)
	var stop []func() error
	defer func() {
		for _, f := range stop {
			_ = f()
		}
	}()
	if at.Data == "" {
		begin = func(shard int, origin eventlog.Origin) (*eventlog.Restore, error) {
			nc, err := externalnats.Connect(ctx, external(at))
			if err != nil {
				return nil, err
			}
			stop = append(stop, func() error { nc.Close(); return nil })
			replicas := at.NATS.Replicas
			if replicas == 0 {
				replicas = externalnats.Replicas(nc)
			}
			return eventlog.BeginRestore(ctx, nc, eventlog.Options{Shard: shard, Replicas: replicas}, origin)
		}
	} else {
		if err := noRecord(at.Data); err != nil {
			return nil, err
		}
		begin = func(shard int, origin eventlog.Origin) (*eventlog.Restore, error) {
			// Only now: a file that is refused leaves no trace in the folder.
			server, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(at.Data, "nats")})
			if err != nil {
				return nil, err
			}
			nc, err := server.Connect()
			if err != nil {
				return nil, errors.Join(err, server.Close())
			}
			stop = append(stop, func() error { nc.Close(); return server.Close() })
			return eventlog.BeginRestore(ctx, nc, eventlog.Options{Shard: shard}, origin)
		}
	}
	done, err := backup.Restore(ctx, file, begin, progress)
	if err != nil {
		return nil, err
	}
	b := describe(done.Header, done.Audit, done.SHA256)
	b.RestoredAs = done.LogID
	return b, nil
}

// noRecord refuses a folder that a service was started in: its record would be
// of another log.
func noRecord(data string) error {
	there, err := filepath.Glob(filepath.Join(data, "record*"))
	if err != nil || len(there) == 0 {
		return err
	}
	log, err := embeddednats.Has(filepath.Join(data, "nats"), "SETPOINT_0")
	if err != nil {
		return err
	}
	holds := "a record"
	if log {
		holds = "a log and its record"
	}
	return fault.New(fault.Exists, "restore.not_empty", "the folder %s is not empty: it holds %s, and nothing was restored", data, holds).
		WithHint("give a new folder with --data; to replace what is there, stop its service and move the folder away first")
}

func describe(h *backupv1.Header, a eventlog.Audit, sum []byte) *cli.Backup {
	return &cli.Backup{
		LogID: h.GetLogId(), Shard: int(h.GetShard()), Revision: a.Revision, Messages: a.Messages, Commits: a.Commits,
		Aggregates: a.Aggregates, Created: h.GetCreated(), Version: h.GetVersion(), SHA256: hex.EncodeToString(sum),
	}
}
