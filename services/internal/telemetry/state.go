package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/health"
	"setpoint.dev/services/internal/record"
)

// lookFor bounds how long a scrape waits for the log.
const lookFor = 700 * time.Millisecond

// State is where a process's figures can be looked up. What is nil or "" is
// not shown.
type State struct {
	Log    *eventlog.Log
	Record *record.Record
	Health *health.Prober
	Folder string // of the data, to watch its disk
	// Generation is the number of the record's live generation.
	Generation func(context.Context) (int, error)
	// Projecting tells whether it is this process that keeps the record.
	Projecting func() bool
	// Webhooks is how they fare, in a process that delivers to them.
	Webhooks func(context.Context) (Webhooks, error)
}

// Webhooks are how all webhooks of all organizations fare together.
type Webhooks struct {
	Statuses map[string]int
	Pending  uint64    // events
	Oldest   time.Time // when the oldest of them was published; zero: there is none
	// DeadLetters is how many are kept.
	DeadLetters uint64
}

// The statuses of a webhook that are shown, also where none has it.
var webhookStatuses = []string{"delivering", "failing", "waiting", "paused", "disabled"}

// Show adds figures that are looked up when somebody asks for the metrics.
func (t *Telemetry) Show(s State) {
	if t != nil {
		t.registry.MustRegister(state{s})
	}
}

func gauge(name, help string, labels prometheus.Labels, variable ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, variable, labels)
}

var (
	lastRevision  = gauge("setpoint_log_last_revision", "Where the log ends; absent while the log does not answer.", nil)
	logBytes      = gauge("setpoint_log_size_bytes", "Size of the log.", nil)
	revision      = gauge("setpoint_projection_revision", "Where the record stands.", projection)
	lagRevisions  = gauge("setpoint_projection_lag_revisions", "How far the record is behind the log; absent while the log does not answer.", projection)
	lagSeconds    = gauge("setpoint_projection_lag_seconds", "Time since the oldest commit that is not on record was recorded, 0 if there is none; absent while the log does not answer.", projection)
	isHalted      = gauge("setpoint_projection_halted", "1 if the projection has halted, else 0.", projection)
	isStalled     = gauge("setpoint_projection_stalled", "1 if something keeps the projection from going on that may pass, such as a database that is away, else 0.", projection)
	generation    = gauge("setpoint_projection_generation", "Number of the generation that is read.", projection)
	projecting    = gauge("setpoint_projection_active", "1 if this process keeps the record, else 0.", projection)
	ready         = gauge("setpoint_ready", "1 if the process can do its work, else 0.", nil)
	checkOK       = gauge("setpoint_check_ok", "1 if this condition of being ready holds, else 0.", nil, "check")
	diskFree      = gauge("setpoint_disk_free_bytes", "Room on the disk of the data folder.", nil)
	diskSize      = gauge("setpoint_disk_size_bytes", "Size of the disk of the data folder.", nil)
	webhooks      = gauge("setpoint_webhooks", "Webhooks, by how they fare; waiting is for a secret. Absent in a process that does not deliver, and while the log does not answer.", nil, "status")
	webhookEvents = gauge("setpoint_webhook_pending_events", "Events that webhooks have not been through; those of paused and disabled ones do not count.", nil)
	webhookLag    = gauge("setpoint_webhook_lag_seconds", "Time since the oldest event that a webhook has not been through was published, 0 if there is none; those of paused and disabled ones do not count.", nil)
	webhookDead   = gauge("setpoint_webhook_dead_letters", "Dead letters of webhooks that are kept.", nil)
	descriptions  = []*prometheus.Desc{webhooks, webhookEvents, webhookLag, webhookDead, lastRevision, logBytes, revision, lagRevisions, lagSeconds, isHalted, isStalled, generation, projecting, ready, checkOK, diskFree, diskSize}
	_             = prometheus.Collector(state{})
	numberOf      = map[bool]float64{true: 1}
	constantGauge = prometheus.MustNewConstMetric
)

type state struct{ State }

// Describe implements prometheus.Collector.
func (s state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s state) Collect(out chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- constantGauge(d, prometheus.GaugeValue, v, labels...)
	}
	if s.Health != nil {
		put(ready, numberOf[s.Health.Ready(context.Background()) == nil]) // in bounded time
		for _, r := range s.Health.Results() {
			put(checkOK, numberOf[r.Err == nil], r.Name)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	if s.Record != nil {
		at, err := s.Record.Status()
		put(revision, float64(at))
		put(isHalted, numberOf[err != nil])
		put(isStalled, numberOf[s.Record.Troubled() != nil])
		if s.Projecting != nil {
			put(projecting, numberOf[s.Projecting() && err == nil])
		}
	}
	if s.Generation != nil {
		if n, err := s.Generation(ctx); err == nil {
			put(generation, float64(n))
		}
	}
	if s.Log != nil && s.Record != nil {
		if lag, err := s.Record.Lag(ctx, s.Log); err == nil {
			put(lastRevision, float64(lag.Last))
			put(lagRevisions, float64(lag.Revisions))
			put(lagSeconds, lag.Seconds(time.Now()))
		}
		if info, err := s.Log.Info(ctx); err == nil {
			put(logBytes, float64(info.Bytes))
		}
	}
	if s.Webhooks != nil {
		if w, err := s.Webhooks(ctx); err == nil {
			for _, status := range webhookStatuses {
				put(webhooks, float64(w.Statuses[status]), status)
			}
			put(webhookEvents, float64(w.Pending))
			lag := 0.0
			if !w.Oldest.IsZero() {
				lag = max(0, time.Since(w.Oldest).Seconds())
			}
			put(webhookLag, lag)
			put(webhookDead, float64(w.DeadLetters))
		}
	}
	if s.Folder != "" {
		if free, size, err := health.Disk(s.Folder); err == nil {
			put(diskFree, float64(free))
			put(diskSize, float64(size))
		}
	}
}
