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
// must not go on. It wraps an Internal fault with reason log.hole that says the
// same.
type HoleError struct {
	// Expected is the sequence that is missing.
	Expected uint64
	// Found is the next one that is there; 0 if the stream ends before a
	// revision that it is known to have.
	Found uint64
}

func (e *HoleError) Error() string {
	const damaged = "the event log is damaged: sequence %d is missing"
	if e.Found == 0 {
		return fmt.Sprintf(damaged+" and nothing follows", e.Expected)
	}
	return fmt.Sprintf(damaged+", the next is %d", e.Expected, e.Found)
}

// Unwrap is the fault that clients are told.
func (e *HoleError) Unwrap() error {
	return fault.New(fault.Internal, "log.hole", "%s", e.Error()).WithHint(damageHint)
}

const damageHint = "setpoint doctor checks the whole log; restore it from a backup, or let the projections leave the message out with: setpoint projections skip"

func hole(expected, found uint64) error { return &HoleError{Expected: expected, Found: found} }

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
