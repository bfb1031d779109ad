package record_test

import (
	"context"
	"testing"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// ending is a log of which only its end is looked at.
type ending struct {
	last uint64
	err  error
}

func (ending) ID() string                                           { return "log" }
func (ending) Origin() eventlog.Origin                              { return eventlog.Origin{} }
func (e ending) LastRevision(context.Context) (uint64, error)       { return e.last, e.err }
func (ending) At(context.Context, uint64) (*eventlog.Record, error) { return nil, nil }

// Readers find what is damaged behind the record when they come to it; what is
// lost where it stands, or before, nobody would find.
func TestALogThatLostItsEnd(t *testing.T) {
	lost := func(sequence uint64) error {
		return fault.Wrap(&eventlog.HoleError{Expected: sequence}, fault.Internal, "log.hole", "the event log is damaged")
	}
	newer := fault.Wrap(&eventlog.HoleError{Expected: 20}, fault.Unavailable, "log.format_newer", "the event log is of a newer binary")
	for name, c := range map[string]struct {
		log    ending
		reason string
	}{
		"behind the record":         {ending{err: lost(21)}, ""},
		"where the record stands":   {ending{err: lost(20)}, "record.ahead_of_log"},
		"before the record":         {ending{err: lost(19)}, "record.ahead_of_log"},
		"with nothing in its place": {ending{last: 19}, "record.ahead_of_log"},
		"of a newer binary":         {ending{err: newer}, "log.format_newer"},
	} {
		err := record.Check(t.Context(), c.log, record.Checkpoint{LogID: "log", Revision: 20, Hash: []byte("hash")})
		if fault.ReasonOf(err) != c.reason {
			t.Errorf("lost %s: %v, want %q", name, err, c.reason)
		}
	}
}
