package rpc

import (
	"context"
	"errors"
	"log/slog"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/logging"
)

var codes = map[fault.Kind]connect.Code{
	fault.Internal:        connect.CodeInternal,
	fault.Invalid:         connect.CodeInvalidArgument,
	fault.NotFound:        connect.CodeNotFound,
	fault.Exists:          connect.CodeAlreadyExists,
	fault.Stale:           connect.CodeFailedPrecondition,
	fault.Aborted:         connect.CodeAborted,
	fault.Rule:            connect.CodeFailedPrecondition,
	fault.Unauthenticated: connect.CodeUnauthenticated,
	fault.Denied:          connect.CodePermissionDenied,
	fault.Exhausted:       connect.CodeResourceExhausted,
	fault.Unavailable:     connect.CodeUnavailable,
}

// maxFaults bounds the error detail: a client that sent 100,000 bad rows needs
// to see the first ones and how many there are.
const maxFaults = 200

// Error turns any error into a Connect error with an ErrorDetail. What is not
// a fault is a defect: it is logged here, once, and told as "internal".
func Error(ctx context.Context, logger *slog.Logger, procedure string, err error) *connect.Error {
	var c *connect.Error
	if errors.As(err, &c) {
		return c
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		switch {
		case errors.Is(err, context.Canceled) || ctx.Err() == context.Canceled:
			return connect.NewError(connect.CodeCanceled, errors.New("the request was cancelled"))
		case errors.Is(err, context.DeadlineExceeded) || ctx.Err() == context.DeadlineExceeded:
			return connect.NewError(connect.CodeDeadlineExceeded, errors.New("the deadline passed"))
		}
		f = fault.Wrap(err, fault.Internal, "internal", "internal error")
	}
	message := f.Message
	switch f.Kind {
	case fault.Internal:
		logger.ErrorContext(ctx, "internal error", "procedure", procedure, "error", err)
		message = named(ctx, message)
	case fault.Unavailable:
		logger.WarnContext(ctx, "unavailable", "procedure", procedure, "error", err)
	case fault.Unauthenticated: // a stranger learns nothing of why
	default:
		if f.Cause != nil {
			message += ": " + f.Cause.Error()
		}
	}
	out := connect.NewError(codes[f.Kind], errors.New(message))
	if detail, derr := connect.NewErrorDetail(Detail(f)); derr == nil {
		out.AddDetail(detail)
	}
	return out
}

// named adds the request's id, under which the log says more.
func named(ctx context.Context, message string) string {
	if id := logging.RequestID(ctx); id != "" {
		message += "; the operator finds more under request " + id
	}
	return message
}

// Detail is the message form of a fault.
func Detail(f *fault.Error) *commonv1.ErrorDetail {
	d := &commonv1.ErrorDetail{
		Reason: f.Reason, Hint: f.Hint, Revision: int64(f.Revision), Intervening: intervening(f.Intervening),
	}
	for i, p := range f.Places {
		if i == maxFaults {
			break
		}
		d.Faults = append(d.Faults, Fault(p))
	}
	return d
}

// intervening is the message form of what came in between.
func intervening(in []fault.Intervening) []*commonv1.Intervening {
	var out []*commonv1.Intervening
	for _, i := range in {
		out = append(out, &commonv1.Intervening{
			Revision: int64(i.Revision), Recorded: Instant(i.Recorded),
			Principal: i.Principal, Manager: i.Manager, Changes: i.Changes, Count: int32(i.Count),
		})
	}
	return out
}

// Fault is the message form of one place.
func Fault(p fault.Place) *commonv1.Fault {
	return &commonv1.Fault{
		File: p.File, Line: int32(p.Line), Column: int32(p.Column), Field: p.Field,
		Resource: p.Resource, Reason: p.Reason, Message: p.Message, Hint: p.Hint,
	}
}
