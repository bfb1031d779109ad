package eventlog

import (
	"errors"
	"fmt"

	"setpoint.dev/services/internal/fault"
)

// DamageError says which message a reader could not pass. Its cause is a fault
// that says why.
type DamageError struct {
	Sequence uint64
	Err      error
}

func (e *DamageError) Error() string { return fmt.Sprintf("message %d: %v", e.Sequence, e.Err) }

func (e *DamageError) Unwrap() error { return e.Err }

// Damaged is the sequence that an error of a reader is about: a missing one,
// one that does not decode, or one that has no place in a commit.
func Damaged(err error) (sequence uint64, ok bool) {
	var h *HoleError
	if errors.As(err, &h) {
		return h.Expected, true
	}
	var d *DamageError
	if errors.As(err, &d) {
		return d.Sequence, true
	}
	return 0, false
}

// IsCorrupt tells whether an error is of a stored message that does not decode.
func IsCorrupt(err error) bool { return fault.ReasonOf(err) == "log.envelope_corrupt" }

// HoleError says that the stream lacks a sequence that it once had: the reader
// must not go on. It is the cause of an Internal fault with reason log.hole.
type HoleError struct {
	// Expected is the sequence that is missing.
	Expected uint64
	// Found is the next one that is there; 0 if the stream ends before a
	// revision that it is known to have.
	Found uint64
}

func (e *HoleError) Error() string {
	if e.Found == 0 {
		return fmt.Sprintf("sequence %d is missing and nothing follows", e.Expected)
	}
	return fmt.Sprintf("sequence %d is missing, the next is %d", e.Expected, e.Found)
}

const damageHint = "setpoint doctor checks the whole log; restore it from a backup, or let the projections leave the message out with: setpoint projections skip"

func hole(expected, found uint64) error {
	return fault.Wrap(&HoleError{Expected: expected, Found: found}, fault.Internal, "log.hole", "the event log is damaged").
		WithHint(damageHint)
}

func torn(r *Record, at uint64) error {
	c := r.Envelope.Commit
	return &DamageError{at, fault.New(fault.Internal, "log.commit_torn",
		"the event log is damaged: message %d claims place %d of %d in a commit that is not whole", r.Sequence, c.Index+1, c.Count).
		WithHint(damageHint)}
}

func corrupt(format string, args ...any) error {
	e := fault.New(fault.Internal, "log.envelope_corrupt", "a stored envelope is corrupt: "+format, args...)
	return e.WithHint(damageHint)
}
