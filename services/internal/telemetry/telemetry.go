// Package telemetry shows operators what the process does: metrics for
// Prometheus and traces for OpenTelemetry, both off unless asked for.
//
// The packages that do the work know neither: each declares an Observer of
// plain funcs, and this package has one for each (observe.go). metrics.go
// lists what is counted, state.go what is looked up when somebody asks,
// traces.go where spans go, listener.go the address that all of it is read at.
//
// Invariants: no label holds the name of an organization or of a person, nor
// anything whose values clients choose; a span holds ids, counts and reasons,
// never what was written.
package telemetry

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names the instrumentation in traces.
const scope = "setpoint.dev/services"

// Telemetry is what a process shows. A nil one shows nothing and costs
// nothing.
type Telemetry struct {
	registry *prometheus.Registry
	metrics  *metrics
	provider *sdktrace.TracerProvider // nil: no traces
	tracer   trace.Tracer             // nil: no traces
}

// New makes the telemetry of a process of a version. provider, if not nil,
// takes its spans and is shut down with it.
func New(version string, provider *sdktrace.TracerProvider) *Telemetry {
	t := &Telemetry{registry: prometheus.NewRegistry(), provider: provider}
	t.metrics = newMetrics(t.registry, version)
	if provider != nil {
		t.tracer = provider.Tracer(scope)
	}
	return t
}

// Close sends the spans that are waiting.
func (t *Telemetry) Close(ctx context.Context) error {
	if t == nil || t.provider == nil {
		return nil
	}
	// Some exporter's receiver may be gone: that is no failure of ours.
	return errors.Join(t.provider.Shutdown(ctx))
}
