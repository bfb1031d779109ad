package backup

import (
	"context"
	"io"
	"time"

	backupv1 "setpoint.dev/proto/gen/setpoint/backup/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// Source is where the messages come from: a log, or the files of one whose
// server does not run.
type Source interface {
	ID() string
	Shard() int
	Origin() eventlog.Origin
	Export(ctx context.Context, to uint64, handle func(*eventlog.Stored) error) error
}

// Options say what a backup tells about itself, and to whom.
type Options struct {
	Version string
	Now     time.Time
	// Progress is told now and then how far it is, in messages; may be nil.
	Progress func(done, total uint64)
	// Compare is asked by TakeOffline what is known from elsewhere of a log that
	// is found to end at a revision: files that lost their end look whole. Its
	// error ends the backup; may be nil.
	Compare func(ctx context.Context, log *eventlog.Offline, revision uint64) error
}

// Take writes a backup of a log that may be written to meanwhile: everything up
// to the end of the newest commit at the beginning. A damaged log is refused
// as Internal, with the sequence.
func Take(ctx context.Context, log *eventlog.Log, w io.Writer, o Options) error {
	revision, err := log.LastRevision(ctx)
	if err != nil {
		return err
	}
	settings, err := log.Settings(ctx)
	if err != nil {
		return err
	}
	return write(ctx, log, revision, string(settings.Config), w, o)
}

// TakeOffline writes a backup of a log whose server does not run. The files are
// checked first, and only read.
func TakeOffline(ctx context.Context, log *eventlog.Offline, w io.Writer, o Options) error {
	var damage error
	audit, err := log.Audit(ctx, eventlog.AuditOptions{Found: func(d eventlog.Damage) {
		switch d.Reason {
		case eventlog.DamageTime, eventlog.DamageUnended, eventlog.DamageWrite:
			// What was under way when the process ended was never acknowledged.
		default:
			if damage == nil {
				damage = fault.New(fault.Internal, d.Reason, "the event log is damaged: %v", d).
					WithHint("setpoint doctor --data names everything that is damaged; keep a copy of the folder")
			}
		}
	}})
	if err != nil {
		return err
	}
	if damage != nil {
		return damage
	}
	if o.Compare != nil {
		if err := o.Compare(ctx, log, audit.Revision); err != nil {
			return err
		}
	}
	return write(ctx, log, audit.Revision, string(log.Config), w, o)
}

func write(ctx context.Context, log Source, revision uint64, config string, w io.Writer, o Options) error {
	h := &backupv1.Header{
		LogId: log.ID(), Shard: int32(log.Shard()), First: min(revision, 1), Last: revision,
		Created: o.Now.UTC().Format(time.RFC3339), Version: o.Version, StreamConfig: config,
	}
	if origin := log.Origin(); origin.LogID != "" {
		h.RestoredFrom = origin.String()
	}
	out, err := NewWriter(w, h)
	if err != nil {
		return err
	}
	err = log.Export(ctx, revision, func(s *eventlog.Stored) error {
		if o.Progress != nil && s.Sequence%1_000 == 0 {
			o.Progress(s.Sequence, revision)
		}
		return out.Add(s)
	})
	if err != nil {
		return err
	}
	if out.trailer.Records != revision {
		// Export hands over all or fails; a file that says otherwise is none.
		return fault.New(fault.Internal, "backup.incomplete", "only %d of %d messages could be read", out.trailer.Records, revision)
	}
	if err := out.Close(); err != nil {
		return err
	}
	if o.Progress != nil {
		o.Progress(revision, revision)
	}
	return nil
}
