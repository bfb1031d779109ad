package rpc

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"

	"setpoint.dev/services/internal/logging"
)

// RequestIDHeader names a request in the logs of both sides. It is the
// client's where that is sane, and in every answer.
const RequestIDHeader = "X-Request-Id"

// Observer is told of each request. It must be quick; a nil func is not called.
type Observer struct {
	// Request is called when a request begins; what it returns, when it ends.
	// procedure is one of the table of access, or OtherProcedure; code is a
	// Connect code, or "ok".
	Request func(procedure string, stream bool) (end func(code string, took time.Duration))
}

// OtherProcedure stands for every path that is no procedure.
const OtherProcedure = "other"

func (o Observer) request(procedure string, stream bool) func(string, time.Duration) {
	if o.Request == nil {
		return func(string, time.Duration) {}
	}
	return o.Request(procedure, stream)
}

// ServeHTTP implements http.Handler: it names the request and tells how it
// ended; pass says what happens in between.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer d.underWay.begin()()
	ctx, id := logging.WithRequestID(r.Context(), r.Header.Get(RequestIDHeader))
	w.Header().Set(RequestIDHeader, id)
	if open[r.URL.Path] {
		d.pass(w, r.WithContext(ctx))
		return
	}
	procedure := OtherProcedure
	if _, known := Access[r.URL.Path]; known {
		procedure = r.URL.Path
	}
	began := time.Now()
	a := &answer{ResponseWriter: w}
	end := d.observer.request(procedure, d.streams[procedure])
	defer func() {
		code, took := a.code(), time.Since(began)
		end(code, took)
		if d.logger.Enabled(ctx, slog.LevelDebug) {
			d.logger.DebugContext(ctx, "request", "procedure", procedure, "code", code, "duration", took)
		}
	}()
	d.pass(a, r.WithContext(context.WithValue(ctx, answerKey{}, a)))
}

// answer is a response that remembers how it ended.
type answer struct {
	http.ResponseWriter
	status int
	ended  string // what the interceptor said
}

type answerKey struct{}

// ended notes how a call ended, for whoever watches the door.
func ended(ctx context.Context, err error) {
	a, ok := ctx.Value(answerKey{}).(*answer)
	switch {
	case !ok:
	case err == nil:
		a.ended = "ok"
	default:
		a.ended = connect.CodeOf(err).String()
	}
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements http.Flusher, which the protocols look for.
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// statuses are the codes that a Connect status most likely means, where no
// handler ran: the request could not be read.
var statuses = map[int]connect.Code{
	http.StatusBadRequest: connect.CodeInvalidArgument, http.StatusUnauthorized: connect.CodeUnauthenticated,
	http.StatusForbidden: connect.CodePermissionDenied, http.StatusNotFound: connect.CodeNotFound,
	http.StatusMethodNotAllowed: connect.CodeUnimplemented, http.StatusUnsupportedMediaType: connect.CodeUnimplemented,
	http.StatusRequestTimeout: connect.CodeDeadlineExceeded, http.StatusConflict: connect.CodeAborted,
	http.StatusTooManyRequests: connect.CodeResourceExhausted, http.StatusServiceUnavailable: connect.CodeUnavailable,
	http.StatusGatewayTimeout: connect.CodeDeadlineExceeded, http.StatusInternalServerError: connect.CodeInternal,
	http.StatusNotImplemented: connect.CodeUnimplemented, 499: connect.CodeCanceled,
}

// code is what came of the request.
func (a *answer) code() string {
	// A message that cannot be encoded or is too large fails after the handler.
	for _, h := range []string{"Grpc-Status", http.TrailerPrefix + "Grpc-Status"} {
		if s := a.Header().Get(h); s != "" && s != "0" {
			return grpcCode(s)
		}
	}
	if a.ended != "" {
		return a.ended
	}
	if a.status == 0 || a.status < 300 {
		return "ok"
	}
	if c, ok := statuses[a.status]; ok {
		return c.String()
	}
	return connect.CodeUnknown.String()
}

func grpcCode(status string) string {
	n, err := strconv.ParseUint(status, 10, 32)
	if c := connect.Code(n); err == nil && connect.CodeCanceled <= c && c <= connect.CodeUnauthenticated {
		return c.String()
	}
	return connect.CodeUnknown.String()
}
