package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"setpoint.dev/services/internal/embeddednats"
)

// DamageWrite is a write at the very end that is not whole: of a process that
// was killed, or the end of the log was lost.
const DamageWrite = "log.write_unfinished"

// Offline is the log in the folder of an embedded server that does not run. It
// is read as the files are: nothing in the folder is changed, and what a server
// would cut off when it starts on damaged files is still seen.
type Offline struct {
	*embeddednats.Folder
	shard int
}

// OpenOffline opens the log of a shard in a data folder of embeddednats; errors
// are those of embeddednats.LookInto, and Rule log.restore_unfinished.
func OpenOffline(dir string, shard int) (*Offline, error) {
	f, err := embeddednats.LookInto(dir, "SETPOINT_"+strconv.Itoa(shard))
	if err != nil {
		return nil, err
	}
	if f.Metadata[restoringKey] != "" {
		_ = f.Close()
		return nil, restoreUnfinished("SETPOINT_" + strconv.Itoa(shard))
	}
	return &Offline{Folder: f, shard: shard}, nil
}

// ID is the identity of the log.
func (o *Offline) ID() string { return o.Metadata[identityKey] }

// Origin is what the log was restored from.
func (o *Offline) Origin() Origin { return parseOrigin(o.Metadata[originKey]) }

// Shard is the shard that the log is of.
func (o *Offline) Shard() int { return o.shard }

// Audit is Log.Audit on the files; damage names the file and the place in it.
func (o *Offline) Audit(ctx context.Context, opts AuditOptions) (Audit, error) {
	a := NewAuditor(o.shard, true, opts.Found)
	a.Decode = opts.Decode
	var gap *embeddednats.Lost
	err := o.Read(ctx, func(m embeddednats.Message) error {
		// Headers that cannot be read contradict the envelope, which Check finds.
		s, _ := ParseStored(m.Sequence, m.Subject, m.Header, m.Body)
		if gap != nil {
			a.Missing(m.Sequence-1, unreadable(gap))
			gap = nil
		}
		a.Check(&s)
		if opts.Progress != nil && s.Sequence%1_000 == 0 {
			opts.Progress(s.Sequence, max(o.Least, s.Sequence))
		}
		return nil
	}, func(l embeddednats.Lost) { gap = &l })
	if err != nil {
		return a.audit, err
	}
	switch {
	case gap == nil:
	case o.Least >= a.next:
		a.Missing(o.Least, unreadable(gap))
	case gap.End:
		a.report(DamageWrite, a.next, a.next, "", fmt.Sprintf(
			"%s ends with %d bytes from byte %d on that are no message (%s)", gap.File, gap.Bytes, gap.Offset, gap.Why))
	default:
		a.Missing(a.next, unreadable(gap))
	}
	return a.Finish(o.Least), nil
}

func unreadable(l *embeddednats.Lost) string {
	if l.Bytes == 0 {
		return fmt.Sprintf("lost: %s: %s", l.File, l.Why)
	}
	return fmt.Sprintf("lost: in %s, bytes %d to %d, %s", l.File, l.Offset, l.Offset+l.Bytes, l.Why)
}

// Export is Log.Export on the files.
func (o *Offline) Export(ctx context.Context, to uint64, handle func(*Stored) error) error {
	next := uint64(1)
	return o.Read(ctx, func(m embeddednats.Message) error {
		if m.Sequence > to {
			return nil
		}
		if m.Sequence != next {
			return hole(next, m.Sequence)
		}
		next++
		s, err := ParseStored(m.Sequence, m.Subject, m.Header, m.Body)
		if err != nil {
			return err
		}
		return handle(&s)
	}, func(embeddednats.Lost) {})
}

// At is the message at a sequence, nil if there is none that can be read. It
// reads the files up to there.
func (o *Offline) At(ctx context.Context, sequence uint64) (*Record, error) {
	var found *Stored
	err := o.Read(ctx, func(m embeddednats.Message) error {
		if m.Sequence < sequence {
			return nil
		}
		if m.Sequence == sequence {
			s, err := ParseStored(m.Sequence, m.Subject, m.Header, m.Body)
			if err != nil {
				return err
			}
			found = &s
		}
		return errEnough
	}, func(embeddednats.Lost) {})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if found == nil {
		return nil, nil
	}
	return found.Record(o.shard)
}

var errEnough = errors.New("read enough")
