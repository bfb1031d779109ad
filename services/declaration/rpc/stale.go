package rpc

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

const planStale = "declaration.plan_stale"

// still refuses a change that rests on another state than the declarations'
// last, at this revision.
func (c change) still(declared uint64) error {
	switch {
	case c.expectEmpty && declared != 0:
		return stale(declared, "the plan rests on nothing being declared, the declarations stand at revision %d", declared)
	case c.expected != 0 && declared > c.expected:
		return stale(declared, "the plan rests on revision %d, the declarations stand at %d", c.expected, declared)
	}
	return nil
}

// reached refuses a change that rests on a revision which the log has not: the
// plan is another log's, or this one has lost its tail.
func (s *Service) reached(ctx context.Context, expected uint64) error {
	if at, _ := s.record.Status(); expected <= at {
		return nil
	}
	last, err := s.runner.LastRevision(ctx)
	if err != nil || expected <= last {
		return err
	}
	return stale(last, "the plan rests on revision %d, this log ends at %d", expected, last)
}

func stale(found uint64, format string, args ...any) error {
	f := fault.New(fault.Aborted, planStale, "nothing was changed: "+format, args...).
		WithHint("plan again, look at what changed, and apply the new plan")
	f.Revision = found
	return f
}

// tellWhatCameBetween adds to a stale plan's error the declarations after the
// revision that it rests on. Where they cannot be read the error stands alone.
func (s *Service) tellWhatCameBetween(ctx context.Context, err error, guard eventlog.Subject, expected uint64) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Reason != planStale || f.Revision <= expected {
		return err
	}
	f.Intervening = s.runner.Between(ctx, guard, expected, touched)
	return err
}

// touched is "update Target/vacant-space" for each resource of a declaration.
func touched(m *eventlog.Record) (out []string) {
	for _, e := range m.Envelope.GetEvents() {
		var changed declarationv1.Changed
		if e.GetType() != record.DeclarationChanged || proto.Unmarshal(e.GetPayload(), &changed) != nil {
			continue
		}
		for _, t := range changed.GetTouched() {
			out = append(out, t.GetAction()+" "+t.GetKind()+"/"+t.GetName())
		}
	}
	return out
}
