package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
)

// RPC observes a door.
func (t *Telemetry) RPC() rpc.Observer {
	if t == nil {
		return rpc.Observer{}
	}
	m := t.metrics
	return rpc.Observer{Request: func(procedure string, stream bool) func(string, time.Duration) {
		underWay := m.rpcInFlight
		if stream {
			underWay = m.rpcStreams
		}
		underWay.Inc()
		return func(code string, took time.Duration) {
			underWay.Dec()
			m.rpcRequests.WithLabelValues(procedure, code).Inc()
			if !stream {
				m.rpcDuration.WithLabelValues(procedure).Observe(took.Seconds())
			}
		}
	}}
}

// Runner observes commands.
func (t *Telemetry) Runner() runner.Observer {
	if t == nil {
		return runner.Observer{}
	}
	m := t.metrics
	return runner.Observer{
		Command: func(ctx context.Context, requestID string) (context.Context, func(runner.Ran)) {
			began := time.Now()
			ctx, span := t.span(ctx, "command")
			span.SetAttributes(attribute.String(commandID, requestID))
			return ctx, func(r runner.Ran) {
				m.duration.Observe(time.Since(began).Seconds())
				m.commands.WithLabelValues(string(r.Result)).Inc()
				if r.Decisions > 1 {
					m.redecided.Add(float64(r.Decisions - 1))
				}
				span.SetAttributes(attribute.String("setpoint.result", string(r.Result)), attribute.Int("setpoint.decisions", r.Decisions))
				end(span, r.Err)
			}
		},
		Decide: func(ctx context.Context) (context.Context, func(error)) {
			began := time.Now()
			ctx, span := t.span(ctx, "decide")
			return ctx, func(err error) {
				m.decide.Observe(time.Since(began).Seconds())
				end(span, err)
			}
		},
	}
}

// Log observes the event log.
func (t *Telemetry) Log() eventlog.Observer {
	if t == nil {
		return eventlog.Observer{}
	}
	m := t.metrics
	return eventlog.Observer{Append: func(ctx context.Context, messages int) (context.Context, func(eventlog.Appended)) {
		began := time.Now()
		ctx, span := t.span(ctx, "append")
		return ctx, func(a eventlog.Appended) {
			result := appendResult(a)
			m.appendTime.Observe(time.Since(began).Seconds())
			m.appends.WithLabelValues(result).Inc()
			if result == committed {
				m.appendSize.Add(float64(a.Messages))
				m.appendBytes.Add(float64(a.Bytes))
			}
			if a.Tries > 1 {
				m.appendRetries.Add(float64(a.Tries - 1))
			}
			span.SetAttributes(attribute.String("setpoint.result", result), attribute.Int("setpoint.messages", messages),
				attribute.Int("setpoint.bytes", a.Bytes), attribute.Int("setpoint.tries", a.Tries))
			end(span, a.Err)
		}
	}}
}

func appendResult(a eventlog.Appended) string {
	switch {
	case a.Err == nil && a.Duplicate:
		return duplicate
	case a.Err == nil:
		return committed
	case errors.As(a.Err, new(*eventlog.ConflictError)):
		return conflicted
	case a.GivenUp:
		return givenUp
	case fault.KindOf(a.Err) == fault.Unavailable || fault.KindOf(a.Err) == fault.Internal:
		return unavailable
	}
	return refused
}

// Record observes the record and its projection.
func (t *Telemetry) Record() record.Observer {
	if t == nil {
		return record.Observer{}
	}
	m := t.metrics
	return record.Observer{
		Batch: func(ctx context.Context, batch record.Batch) (context.Context, func(error)) {
			began := time.Now()
			ctx, span := t.span(ctx, "project", trace.WithNewRoot())
			if span.IsRecording() {
				span.SetAttributes(attribute.StringSlice(commandIDs, requestIDs(batch.Records)),
					attribute.Int64("setpoint.revision", int64(batch.Revision)), attribute.Int("setpoint.messages", batch.Messages))
			}
			return ctx, func(err error) {
				m.batchSize.Observe(float64(batch.Messages))
				m.batchTime.Observe(time.Since(began).Seconds())
				result := written
				if err != nil {
					result = failed
				}
				m.batches.WithLabelValues(result).Inc()
				end(span, err)
			}
		},
		Wait: func(ctx context.Context) (context.Context, func(error)) {
			began := time.Now()
			ctx, span := t.span(ctx, "wait for record")
			return ctx, func(err error) {
				m.waitTime.Observe(time.Since(began).Seconds())
				m.waits.WithLabelValues(waitResult(err)).Inc()
				end(span, err)
			}
		},
	}
}

func waitResult(err error) string {
	switch {
	case err == nil:
		return reached
	case fault.ReasonOf(err) == "record.behind":
		return timedOut
	case fault.ReasonOf(err) == "record.halted":
		return halted
	}
	return givenUp
}

// Webhooks observes what is sent to webhooks: each attempt, by how it ended, and
// each event that is given up. Both are nil where nothing is shown.
func (t *Telemetry) Webhooks() (attempt func(result string, took time.Duration), gaveUp func()) {
	if t == nil {
		return nil, nil
	}
	m := t.metrics
	return func(result string, took time.Duration) {
		m.webhookTime.Observe(took.Seconds())
		m.webhookAttempts.WithLabelValues(result).Inc()
	}, m.webhookGivenUp.Inc
}
