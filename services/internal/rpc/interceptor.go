package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// sendTime is how long a stream's message may take to leave.
const sendTime = 30 * time.Second

// call is what the door knows of a request, for the interceptor.
type call struct {
	control *http.ResponseController
	// renew tells whether the caller may still call: a stream outlives its
	// token otherwise.
	renew func() error
}

type callKey struct{}

var silent = slog.New(slog.DiscardHandler)

// interceptor is what every call passes, of whatever type: without a principal
// whose role reaches nothing runs, messages are validated, time is bounded,
// errors are mapped, and a panic becomes an internal error.
type interceptor struct {
	logger     *slog.Logger
	validator  protovalidate.Validator
	stopping   context.Context
	renewEvery time.Duration
}

var _ connect.Interceptor = (*interceptor)(nil)

// WrapUnary implements connect.Interceptor.
func (i *interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		procedure := req.Spec().Procedure
		defer func() { ended(ctx, err) }()
		defer i.recoverPanic(ctx, procedure, func(e error) { res, err = nil, e })
		if c, ok := ctx.Value(callKey{}).(*call); ok {
			// The request has been read. Its deadline would end the call, not
			// the reading, where HTTP/1 watches for the client's leaving.
			_ = c.control.SetReadDeadline(time.Time{})
		}
		ctx, cancel := context.WithTimeout(ctx, callTime(procedure))
		defer cancel()
		err = admit(ctx, procedure)
		if err == nil {
			err = validate(i.validator, req.Any())
		}
		if err == nil {
			res, err = next(ctx, req)
		}
		if err != nil {
			return nil, Error(ctx, i.logger, procedure, err)
		}
		return res, nil
	}
}

// WrapStreamingClient implements connect.Interceptor; there are no clients
// here.
func (i *interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor. The handler's context
// ends when the server stops and when the token does.
func (i *interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		spec := conn.Spec()
		defer func() { ended(ctx, err) }()
		defer i.recoverPanic(ctx, spec.Procedure, func(e error) { err = e })
		c, ok := ctx.Value(callKey{}).(*call)
		if !ok {
			err = fault.New(fault.Unauthenticated, "principal.missing", "the request did not come through the door")
		} else {
			err = admit(ctx, spec.Procedure)
		}
		if err != nil {
			return Error(ctx, i.logger, spec.Procedure, err)
		}
		ctx, end := context.WithCancelCause(ctx)
		defer end(nil)
		stop := context.AfterFunc(i.stopping, func() {
			end(fault.New(fault.Unavailable, "server.stopping", "the server stops").WithHint("connect again"))
			if spec.StreamType&connect.StreamTypeClient != 0 {
				_ = c.control.SetReadDeadline(time.Now()) // whoever reads does not look at the context
			}
		})
		defer stop()
		go i.keepRenewing(ctx, c, end)

		err = next(ctx, &streamConn{StreamingHandlerConn: conn, interceptor: i, call: c})
		logger := i.logger
		var ours *fault.Error
		if errors.As(context.Cause(ctx), &ours) {
			err, logger = ours, silent // nothing failed
		}
		if err != nil {
			return Error(ctx, logger, spec.Procedure, err)
		}
		return nil
	}
}

// keepRenewing ends a stream whose token has ended.
func (i *interceptor) keepRenewing(ctx context.Context, c *call, end context.CancelCauseFunc) {
	tick := time.NewTicker(i.renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := c.renew(); err != nil {
				end(err)
				return
			}
		}
	}
}

// recoverPanic turns a panic into an internal error.
func (i *interceptor) recoverPanic(ctx context.Context, procedure string, set func(error)) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	i.logger.ErrorContext(ctx, "panic", "procedure", procedure, "panic", p, "stack", string(debug.Stack()))
	set(connect.NewError(connect.CodeInternal, errors.New(named(ctx, "internal error"))))
}

// admit is the last check before a handler, whatever came before it.
func admit(ctx context.Context, procedure string) error {
	p, err := principal.From(ctx)
	if err != nil {
		return err
	}
	return authorize(p, procedure)
}

// streamConn validates what comes in, and bounds how long a message goes out.
type streamConn struct {
	connect.StreamingHandlerConn

	interceptor *interceptor
	call        *call
}

// Receive implements connect.StreamingHandlerConn.
func (s *streamConn) Receive(message any) error {
	if err := s.StreamingHandlerConn.Receive(message); err != nil {
		return err
	}
	if s.Spec().StreamType == connect.StreamTypeServer {
		// The one message is here; from now on the stream may last.
		_ = s.call.control.SetReadDeadline(time.Time{})
	}
	return validate(s.interceptor.validator, message)
}

// Send implements connect.StreamingHandlerConn.
func (s *streamConn) Send(message any) error {
	if err := s.call.renew(); err != nil {
		return err
	}
	_ = s.call.control.SetWriteDeadline(time.Now().Add(sendTime))
	return s.StreamingHandlerConn.Send(message)
}
