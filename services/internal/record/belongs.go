package record

import (
	"bytes"
	"context"
	"strconv"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// History is what a checkpoint is compared with: an *eventlog.Log, or the files
// of one.
type History interface {
	ID() string
	Origin() eventlog.Origin
	LastRevision(ctx context.Context) (uint64, error)
	// At is the message at a sequence, nil if there is none.
	At(ctx context.Context, sequence uint64) (*eventlog.Record, error)
}

// Check refuses a store that does not belong to this log: another log's, one
// that is ahead of it, or one of a history that went on differently. That the
// log is damaged further on is no reason to.
func Check(ctx context.Context, log History, at Checkpoint) error {
	_, err := check(ctx, log, at)
	if _, damaged := HaltedAt(err); damaged && !Newer(err) {
		return nil
	}
	return err
}

// CheckFiles is Check of a log whose server does not run: an audit of its files
// said that it ends at a revision.
func CheckFiles(ctx context.Context, log *eventlog.Offline, revision uint64, at Checkpoint) error {
	return Check(ctx, files{log, revision}, at)
}

// files is the history in the files of a server that does not run.
type files struct {
	*eventlog.Offline
	revision uint64
}

func (f files) LastRevision(context.Context) (uint64, error) { return f.revision, nil }

// check also tells where the log ends, and fails where that is damaged.
func check(ctx context.Context, log History, at Checkpoint) (last uint64, err error) {
	if at.Revision != 0 && at.LogID != log.ID() {
		return 0, otherLog(log.ID(), log.Origin(), at)
	}
	last, err = log.LastRevision(ctx)
	end, damaged := HaltedAt(err)
	if err != nil && (!damaged || end > at.Revision) || at.Revision == 0 {
		return last, err
	}
	if Newer(err) {
		return last, err
	}
	if damaged && end == at.Revision {
		// Leaving a message out writes another one behind it: the last message was
		// there when it was folded. No reader would ever come to it again.
		return end, fault.New(fault.Unavailable, "record.ahead_of_log",
			"the record stands at revision %d, and that message, the last of the log, is lost: %v", at.Revision, err).
			WithHint("the log has lost its tail: setpoint doctor --data says how much of it; restore the newest backup")
	}
	if damaged { // what the record has folded up to there says no less
		last = end
	}
	if at.Revision > last {
		return last, fault.New(fault.Unavailable, "record.ahead_of_log",
			"the record stands at revision %d, the log ends at %d", at.Revision, last).
			WithHint("the log has lost its tail: restore the newest backup; or give up what is lost and " + makeAnew)
	}
	if len(at.Hash) == 0 {
		return last, nil
	}
	m, err := log.At(ctx, at.Revision)
	if eventlog.IsCorrupt(err) {
		return last, nil // readers tell, when they come to it
	}
	if err != nil {
		return last, err
	}
	if m == nil || !bytes.Equal(m.Hash, at.Hash) {
		return last, fault.New(fault.Unavailable, "record.other_history",
			"the record was made from a log with another content at revision %d: the log lost its tail after that and went on differently", at.Revision).
			WithHint("find out which of the two histories is the true one before anything is deleted; " +
				"setpoint doctor checks the log; to go on with it, " + makeAnew)
	}
	return last, nil
}

// makeAnew is what becomes of a record that is of no use. On PostgreSQL it is
// several schemas: the one that is named, and one for each generation.
const makeAnew = "delete the record, and it is made anew from the log: in a data folder record.json and record*.db, " +
	"on PostgreSQL the schemas setpoint and setpoint_g1, setpoint_g2 and so on (DROP SCHEMA … CASCADE)"

func otherLog(id string, origin eventlog.Origin, at Checkpoint) error {
	f := fault.New(fault.Unavailable, "record.other_log",
		"the record was made from log %q, this log is %q", at.LogID, id).
		WithHint("check that log and record are the ones you mean; then " + makeAnew)
	if origin.LogID == at.LogID {
		f.Message += ", which was restored from the former at its revision " + strconv.FormatUint(origin.Revision, 10)
		if at.Revision > origin.Revision {
			f.Hint = "the record holds what came after the backup, up to revision " + strconv.FormatUint(at.Revision, 10) +
				", and the log does not: save what you need of it; then " + makeAnew
		}
	}
	return f
}
