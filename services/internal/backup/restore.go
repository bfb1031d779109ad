package backup

import (
	"context"
	"errors"
	"io"

	backupv1 "setpoint.dev/proto/gen/setpoint/backup/v1"
	"setpoint.dev/services/internal/eventlog"
)

// The steps of a restore, in order, as its progress names them.
const (
	StepCheck   = "checking the file"
	StepWrite   = "writing the log"
	StepCompare = "comparing"
)

// Restored says what a restore has made.
type Restored struct {
	Header *backupv1.Header
	eventlog.Audit
	SHA256 []byte
	// LogID is the identity of the new log.
	LogID string
}

// Restore checks a whole backup and then writes the log in it. begin makes the
// empty log that it goes into, of the shard and origin that it is given. The
// log gets an identity of its own, and every message its old sequence. What is
// left where it fails or is killed is refused by every Open, and replaced by
// the next restore.
func Restore(ctx context.Context, file io.ReadSeeker, begin func(shard int, origin eventlog.Origin) (*eventlog.Restore, error),
	progress func(step string, done, total uint64)) (*Restored, error) {
	if progress == nil {
		progress = func(string, uint64, uint64) {}
	}
	c, err := Verify(file, func(done, total uint64) { progress(StepCheck, done, total) })
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	// Read again as carefully as before: the file may have changed.
	in, err := NewReader(file)
	if err != nil {
		return nil, err
	}
	total := in.Header.Last
	out, err := begin(int(in.Header.Shard), eventlog.Origin{LogID: in.Header.LogId, Revision: total})
	if err != nil {
		return nil, err
	}
	for {
		part, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range part {
			if err := out.Add(ctx, &part[i]); err != nil {
				return nil, err
			}
		}
		progress(StepWrite, out.Stored(), total)
	}
	if err := out.Finish(ctx, func(done uint64) { progress(StepCompare, done, total) }); err != nil {
		return nil, err
	}
	return &Restored{Header: c.Header, Audit: c.Audit, SHA256: c.SHA256, LogID: out.ID()}, nil
}
