package rpc

import (
	"context"
	"errors"
	"strconv"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// changedError is a refusal of who has not seen the newest of an aggregate.
type changedError struct {
	fault   *fault.Error
	subject eventlog.Subject
}

func (e *changedError) Error() string { return e.fault.Error() }

func (e *changedError) Unwrap() error { return e.fault }

func changed(s eventlog.Subject, stands uint64, reason, format string, args ...any) error {
	f := fault.New(fault.Aborted, reason, format, args...).WithHint("read them again and decide anew")
	f.Revision = stands
	return &changedError{f, s}
}

// tellWhatCameBetween adds to such a refusal who wrote what since the revision
// that was expected.
func (s *Service) tellWhatCameBetween(ctx context.Context, err error, expected uint64) error {
	var c *changedError
	if !errors.As(err, &c) {
		return err
	}
	c.fault.Intervening = s.runner.Between(ctx, c.subject, expected, inWords)
	return c.fault
}

// inWords is "record 2018-09-30: 0.031" for each value of an envelope, or
// "check in 2018-09-30"; never a note, which may be about somebody.
func inWords(m *eventlog.Record) (out []string) {
	for _, e := range m.Envelope.GetEvents() {
		switch e.GetType() {
		case record.ObservationsRecorded, record.ObservationsCorrected:
			act := "record "
			if e.GetType() == record.ObservationsCorrected {
				act = "correct "
			}
			var values strategyv1.ObservationsRecorded // both messages have one shape
			if proto.Unmarshal(e.GetPayload(), &values) != nil {
				continue
			}
			for _, v := range values.GetValues() {
				out = append(out, act+v.GetObservedAt()+": "+strconv.FormatFloat(v.GetValue(), 'g', -1, 64))
			}
		case record.CheckedIn:
			var said strategyv1.CheckedIn
			if proto.Unmarshal(e.GetPayload(), &said) == nil {
				out = append(out, "check in "+said.GetAt())
			}
		}
	}
	return out
}
