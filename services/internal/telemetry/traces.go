package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/logging"
)

// Attributes of spans. The id of a request is of one call; the id of a
// command is its request_id, the same each time it is given again, and what
// leads from a command to the batch that put it on record.
const (
	requestID  = "setpoint.request_id"
	commandID  = "setpoint.command_id"
	commandIDs = "setpoint.command_ids"

	// mostIDs bounds the ids on the span of a batch.
	mostIDs = 32
)

// Traces makes a provider that sends spans by OTLP over HTTP to a URL. "" is
// where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says,
// and nil if neither does. The other standard variables are obeyed, too:
// OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME and so on.
func Traces(ctx context.Context, address, version string, logger *slog.Logger) (*sdktrace.TracerProvider, error) {
	var opts []otlptracehttp.Option
	switch {
	case address != "":
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("%q is no http or https URL", address)
		}
		if u.Path == "" || u.Path == "/" {
			u = u.JoinPath("v1", "traces")
		}
		opts = append(opts, otlptracehttp.WithEndpointURL(u.String()))
	case os.Getenv("OTEL_SDK_DISABLED") == "true", os.Getenv("OTEL_TRACES_EXPORTER") == "none",
		os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "":
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, opts...)
	if err != nil {
		return nil, err
	}
	// That spans cannot be sent is for the log, not for standard error.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("traces", "error", err) }))
	return NewProvider(ctx, version, sdktrace.WithBatcher(exporter))
}

// NewProvider makes a provider with the process's resource.
func NewProvider(ctx context.Context, version string, opts ...sdktrace.TracerProviderOption) (*sdktrace.TracerProvider, error) {
	r, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "setpoint"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	return sdktrace.NewTracerProvider(append(opts, sdktrace.WithResource(r))...), nil
}

// Interceptors make a span for each call, which names the request. What a
// client says of its own trace is linked, and decides nothing.
func (t *Telemetry) Interceptors() ([]connect.Interceptor, error) {
	if t == nil || t.provider == nil {
		return nil, nil
	}
	spans, err := otelconnect.NewInterceptor(otelconnect.WithTracerProvider(t.provider), otelconnect.WithoutMetrics(),
		otelconnect.WithPropagator(propagation.TraceContext{}))
	if err != nil {
		return nil, err
	}
	return []connect.Interceptor{spans, naming{}}, nil
}

// naming puts the request's id on the span.
type naming struct{}

// WrapUnary implements connect.Interceptor.
func (naming) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		name(ctx)
		return next(ctx, r)
	}
}

// WrapStreamingClient implements connect.Interceptor; there are no clients
// here.
func (naming) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (naming) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		name(ctx)
		return next(ctx, conn)
	}
}

func name(ctx context.Context) {
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(requestID, logging.RequestID(ctx)))
}

// span begins a span, if there are traces.
func (t *Telemetry) span(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if t.tracer == nil {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, opts...)
}

// end ends a span. Of an error it has kind and reason: a message may name what
// clients wrote.
func end(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		kind := fault.KindOf(err)
		span.SetAttributes(attribute.String("error.type", reason(err)))
		if kind == fault.Internal || kind == fault.Unavailable {
			span.SetStatus(codes.Error, kind.String())
		}
	}
	span.End()
}

func reason(err error) string {
	if r := fault.ReasonOf(err); r != "" {
		return r
	}
	return fault.KindOf(err).String()
}

// requestIDs are those of the commands in a batch, the first few.
func requestIDs(batch []*eventlog.Record) []string {
	var ids []string
	for _, m := range batch {
		id := m.Envelope.GetRequestId()
		if n := len(ids); n > 0 && ids[n-1] == id {
			continue
		}
		if ids = append(ids, id); len(ids) == mostIDs {
			break
		}
	}
	return ids
}
