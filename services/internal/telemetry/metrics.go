package telemetry

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"setpoint.dev/services/internal/runner"
)

// Buckets, in seconds: of what happens inside the process, and of requests.
var (
	steps    = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	requests = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	sizes    = []float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 20000}
)

// metrics are what is counted as it happens.
type metrics struct {
	rpcRequests *prometheus.CounterVec
	rpcDuration *prometheus.HistogramVec
	rpcInFlight prometheus.Gauge
	rpcStreams  prometheus.Gauge

	commands  *prometheus.CounterVec
	duration  prometheus.Histogram
	decide    prometheus.Histogram
	redecided prometheus.Counter

	appends       *prometheus.CounterVec
	appendTime    prometheus.Histogram
	appendBytes   prometheus.Counter
	appendSize    prometheus.Counter
	appendRetries prometheus.Counter

	batchSize prometheus.Histogram
	batchTime prometheus.Histogram
	batches   *prometheus.CounterVec

	waits    *prometheus.CounterVec
	waitTime prometheus.Histogram

	webhookAttempts *prometheus.CounterVec
	webhookTime     prometheus.Histogram
	webhookGivenUp  prometheus.Counter
}

// How an append, a batch and a wait can end.
const (
	committed   = "committed"
	duplicate   = "duplicate"
	conflicted  = "conflict"
	refused     = "refused"
	unavailable = "unavailable"
	givenUp     = "given_up"

	written = "written"
	failed  = "failed"

	reached  = "reached"
	timedOut = "timed_out"
	halted   = "halted"
)

// How an attempt to send to a webhook can end.
const (
	Taken      = "taken"
	Refused    = "refused"    // with an answer that says no
	Unanswered = "unanswered" // with none
)

// projection is the one there is; the label leaves room for others.
var projection = prometheus.Labels{"projection": "record"}

func newMetrics(r *prometheus.Registry, version string) *metrics {
	f := promauto.With(r)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	counters := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		for _, value := range values {
			v.WithLabelValues(value) // there from the start, so that a rate is 0 and not unknown
		}
		return v
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return f.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	ofProjection := func(name, help string, buckets []float64) prometheus.Histogram {
		return f.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets, ConstLabels: projection})
	}
	var results []string
	for _, result := range runner.Results {
		results = append(results, string(result))
	}
	m := &metrics{
		rpcRequests: f.NewCounterVec(prometheus.CounterOpts{Name: "setpoint_rpc_requests_total",
			Help: "Requests that ended, by procedure and Connect code."}, []string{"procedure", "code"}),
		rpcDuration: f.NewHistogramVec(prometheus.HistogramOpts{Name: "setpoint_rpc_request_duration_seconds",
			Help: "How long calls took; streams are not in it.", Buckets: requests}, []string{"procedure"}),
		rpcInFlight: f.NewGauge(prometheus.GaugeOpts{Name: "setpoint_rpc_requests_in_flight", Help: "Calls under way; streams are not in it."}),
		rpcStreams:  f.NewGauge(prometheus.GaugeOpts{Name: "setpoint_rpc_streams_open", Help: "Streams open, such as Watch."}),

		commands: counters("setpoint_commands_total", "Commands that ended, by what became of them.", "result", results...),
		duration: histogram("setpoint_command_duration_seconds",
			"How long commands took, from their place in the queue of their aggregates to the last word.", steps),
		decide:    histogram("setpoint_command_decide_duration_seconds", "How long one decision took, with the reads it rests on.", steps),
		redecided: counter("setpoint_command_redecisions_total", "Decisions made again: after a conflict, or to check a picture before refusing."),

		appends: counters("setpoint_log_appends_total", "Commits sent to the log, by how that ended.", "result",
			committed, duplicate, conflicted, refused, unavailable, givenUp),
		appendTime:    histogram("setpoint_log_append_duration_seconds", "How long a commit took to be acknowledged or refused.", steps),
		appendSize:    counter("setpoint_log_appended_messages_total", "Messages in the commits that the log took."),
		appendBytes:   counter("setpoint_log_appended_bytes_total", "Bytes in the commits that the log took."),
		appendRetries: counter("setpoint_log_append_retries_total", "Times a commit was sent again, with no final word from the log."),

		batchSize: ofProjection("setpoint_projection_batch_messages", "Messages of the log in one transaction of the projection.", sizes),
		batchTime: ofProjection("setpoint_projection_write_duration_seconds", "How long it took to fold and write one batch.", steps),
		batches: f.NewCounterVec(prometheus.CounterOpts{Name: "setpoint_projection_batches_total",
			Help: "Batches of the projection, by how they ended.", ConstLabels: projection}, []string{"result"}),

		waits: counters("setpoint_record_waits_total", "Times somebody waited for the record to reach a revision, by how that ended.", "result",
			reached, timedOut, halted, givenUp),
		waitTime: histogram("setpoint_record_wait_duration_seconds", "How long they waited.", steps),

		webhookAttempts: counters("setpoint_webhook_attempts_total", "Attempts to send to a webhook, tests and redeliveries included, by how they ended.", "result",
			Taken, Refused, Unanswered),
		webhookTime:    histogram("setpoint_webhook_attempt_duration_seconds", "How long an attempt to send to a webhook took.", requests),
		webhookGivenUp: counter("setpoint_webhook_given_up_total", "Events that became dead letters of a webhook."),
	}
	m.batches.WithLabelValues(written)
	m.batches.WithLabelValues(failed)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "setpoint_build_info", Help: "1, with the version and what built it.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
	}, func() float64 { return 1 })
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}
