package admin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// A process whose database role only writes rows says who may rebuild.
func TestWhoMayRebuildIsNamed(t *testing.T) {
	refused := fault.New(fault.Denied, "record.not_owner", "the database's role may not")
	s := &Service{record: record.New(nil, record.Checkpoint{}, time.Second, func(context.Context) (uint64, error) { return 0, nil })}
	hint := func() string {
		var f *fault.Error
		if err := s.owned(refused); !errors.As(err, &f) || f.Kind != fault.Denied || f.Reason != "record.not_owner" {
			t.Fatalf("%v", err)
		}
		return f.Hint
	}
	s.record.WrittenBy("projector-1/12/ABCD", nil)
	if h := hint(); !strings.Contains(h, "projector-1/12/ABCD") || !strings.Contains(h, "setpoint projections rebuild --server") {
		t.Errorf("where one projects: %s", h)
	}
	s.record.WrittenBy("", errors.New("nobody projects"))
	if h := hint(); !strings.Contains(h, "start a process with the projector") {
		t.Errorf("where none does: %s", h)
	}
	other := errors.New("another")
	if err := s.owned(other); err != other {
		t.Errorf("another error became %v", err)
	}
	if s.owned(nil) != nil {
		t.Error("no error became one")
	}
}

// What a fold could not pass is named, whatever the error under it.
func TestWhereAFoldEndsIsNamed(t *testing.T) {
	for name, err := range map[string]error{
		"a hole":                    &eventlog.HoleError{Expected: 4, Found: 5},
		"an event that is no fault": &record.FoldError{Sequence: 4, Err: errors.New("proto: cannot parse")},
	} {
		var f *fault.Error
		if !errors.As(Located(err), &f) || !strings.Contains(f.Message, "message 4: ") || f.Reason == "" || f.Hint == "" {
			t.Errorf("%s: %v", name, Located(err))
		}
	}
	if Located(nil) != nil {
		t.Error("no error became one")
	}
}

// Whoever sees that a projection has halted is told what to do next, also where
// the error under it says nothing of that.
func TestAHaltSaysWhatToDo(t *testing.T) {
	corrupt := fault.New(fault.Internal, "log.envelope_corrupt", "a stored envelope cannot be decoded")
	newer := fault.New(fault.Unavailable, "record.unknown_event", "the record cannot be kept").WithHint("start a newer binary")
	for err, want := range map[error]string{
		&record.FoldError{Sequence: 4, Err: corrupt}:                    "setpoint doctor",
		&record.FoldError{Sequence: 4, Err: newer}:                      "start a newer binary",
		&record.FoldError{Sequence: 4, Err: errors.New("cannot parse")}: "setpoint doctor",
	} {
		if h := halt(err); h.GetSequence() != 4 || h.GetReason() == "" || !strings.Contains(h.GetHint(), want) {
			t.Errorf("%v: %v", err, h)
		}
	}
}
