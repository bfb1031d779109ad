package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/keystore"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/internal/telemetry"
	"setpoint.dev/services/kinds"
)

// process is what carries out commands, observed by a telemetry.
type process struct {
	*runner.Runner
	log    *eventlog.Log
	record *record.Record
	stop   func() // the projection
}

func start(t testing.TB, shown *telemetry.Telemetry) process {
	t.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := server.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Observer: shown.Log()})
	if err != nil {
		t.Fatal(err)
	}
	database, err := sqlite.OpenDatabase(t.Context(), t.TempDir(), kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	store, _, err := database.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := keystore.Open(t.Context(), nc, keystore.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	p := process{log: log, record: record.New(database, record.Checkpoint{}, wait, log.LastRevision).
		WithPersonal(record.NewPersonal(kinds.Registry(), personal.NewKeys(bucket)))}
	p.record.Observe(shown.Record())
	p.Runner = runner.New(log, p.record, time.Now)
	p.Observe(shown.Runner())
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_ = record.NewProjector(log, kinds.Registry(), store, p.record, slog.New(slog.DiscardHandler)).Run(ctx)
	})
	p.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(p.stop)
	return p
}

func command(metric, id string) runner.Command {
	return runner.Command{Org: "acme", RequestID: id, Digest: make([]byte, 32), Principal: "jane-canary", Manager: "api",
		Guards: []eventlog.Subject{subject(metric)}}
}

func subject(metric string) eventlog.Subject {
	return eventlog.Subject{Org: "acme", Service: "strategy", Kind: "observation", ID: metric}
}

// observe decides to record one value.
func observe(metric string, n int) func(record.View) ([]runner.Write, error) {
	return func(record.View) ([]runner.Write, error) {
		payload, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: []*strategyv1.ObservedValue{{
			ObservedAt: "2026-01-01", Source: fmt.Sprint(n), Value: float64(n), Note: "note-canary"}}})
		return []runner.Write{{Subject: subject(metric), Events: []eventlog.Event{{Type: record.ObservationsRecorded, Payload: payload}}}}, err
	}
}

// wait is how long somebody waits for a record that has stopped, and at most for
// one that has not.
const wait = 4 * time.Second

// everything makes each kind of end once.
func (p process) everything(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	first, err := p.Run(ctx, command("m", "first"), observe("m", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.record.Wait(ctx, first.Revision); err != nil {
		t.Fatal(err)
	}
	if out, err := p.Run(ctx, command("m", "first"), observe("m", 1)); err != nil || out.Replayed == nil {
		t.Fatalf("again: %+v %v", out, err)
	}
	if _, err := p.Run(ctx, command("m", "so"), func(record.View) ([]runner.Write, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	rule := fault.New(fault.Rule, "x.rule", "jane-canary may not")
	if _, err := p.Run(ctx, command("m", "refused"), func(record.View) ([]runner.Write, error) { return nil, rule }); !errors.Is(err, rule) {
		t.Fatal(err)
	}
	if _, err := p.Run(ctx, command("m", "failed"), func(record.View) ([]runner.Write, error) { return nil, errors.New("jane-canary") }); err == nil {
		t.Fatal("no error")
	}
	// Somebody else is faster each time.
	n := 0
	_, err = p.Run(ctx, command("h", "conflict"), func(v record.View) ([]runner.Write, error) {
		n++
		var d eventlog.Draft
		writes, err := observe("h", n)(v)
		if err == nil {
			d = eventlog.Draft{Subject: writes[0].Subject, Events: writes[0].Events}
			if a, aerr := v.Aggregate("acme", "strategy", "observation", "h"); a != nil && aerr == nil {
				d.Expected, d.PreviousHash = a.Sequence, a.Hash
			}
			_, err = p.log.Append(ctx, eventlog.Command{RequestID: fmt.Sprint("other-", n), RequestDigest: make([]byte, 32), Principal: "p", Manager: "api", Recorded: time.Now()}, d)
		}
		return writes, err
	})
	if fault.ReasonOf(err) != "log.conflict" {
		t.Fatal(err)
	}
	// The record stops, and somebody waits for it.
	last, err := p.log.LastRevision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.record.Wait(ctx, last); err != nil {
		t.Fatal(err)
	}
	p.stop()
	if _, err := p.Run(ctx, command("m", "unfolded"), observe("m", 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(ctx, command("m", "waits"), observe("m", 3)); fault.ReasonOf(err) != "record.behind" {
		t.Fatal(err)
	}
}

func gathered(t *testing.T, shown *telemetry.Telemetry) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := shown.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*dto.MetricFamily{}
	for _, f := range families {
		out[f.GetName()] = f
	}
	return out
}

// figure is the value of a metric with a label, or how many it has observed.
func figure(t *testing.T, all map[string]*dto.MetricFamily, name, label string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		values := []string{""}
		for _, l := range m.GetLabel() {
			values = append(values, l.GetValue())
		}
		if !slices.Contains(values, label) {
			continue
		}
		switch {
		case m.Counter != nil:
			return m.Counter.GetValue()
		case m.Gauge != nil:
			return m.Gauge.GetValue()
		}
		return float64(m.Histogram.GetSampleCount())
	}
	t.Errorf("there is no %s{%s}", name, label)
	return -1
}

func TestWhatIsCounted(t *testing.T) {
	began := time.Now()
	shown := telemetry.New("1.2.3", nil)
	p := start(t, shown)
	shown.Show(telemetry.State{Log: p.log, Record: p.record})
	p.everything(t)
	all := gathered(t, shown)
	const tries, again = runner.Attempts, runner.Attempts - 1
	for _, want := range []struct {
		name, label string
		value       float64
	}{
		{"setpoint_commands_total", "written", 2},
		{"setpoint_commands_total", "replayed", 1},
		{"setpoint_commands_total", "already_so", 1},
		{"setpoint_commands_total", "refused", 1},
		{"setpoint_commands_total", "failed", 2},
		{"setpoint_commands_total", "conflict", 1},
		{"setpoint_command_duration_seconds", "", 8},
		// Each refusal is checked on a fresh picture; a conflict is decided anew until it is given up.
		{"setpoint_command_redecisions_total", "", 3 + again},
		{"setpoint_command_decide_duration_seconds", "", 7 + 3 + again},
		{"setpoint_log_appends_total", "committed", 2 + tries},
		{"setpoint_log_appends_total", "conflict", tries},
		{"setpoint_log_appended_messages_total", "", 2 + tries},
		{"setpoint_log_append_duration_seconds", "", 2 + 2*tries},
		{"setpoint_log_last_revision", "", 2 + tries},
		{"setpoint_projection_revision", "record", 1 + tries},
		{"setpoint_projection_lag_revisions", "record", 1},
		{"setpoint_projection_halted", "record", 0},
		{"setpoint_record_waits_total", "timed_out", 1},
		{"setpoint_build_info", "1.2.3", 1},
	} {
		if got := figure(t, all, want.name, want.label); got != want.value {
			t.Errorf("%s{%s} is %v, want %v", want.name, want.label, got, want.value)
		}
	}
	if lag := figure(t, all, "setpoint_projection_lag_seconds", "record"); lag < wait.Seconds() || lag > time.Since(began).Seconds() {
		t.Errorf("the lag is %v s after more than %s", lag, wait)
	}
	if n := figure(t, all, "setpoint_log_appended_bytes_total", ""); n < 1000 {
		t.Errorf("%v bytes", n)
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if all[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}

// Labels have few values, whatever clients send.
func TestNoLabelIsWhatClientsChoose(t *testing.T) {
	shown := telemetry.New("v", nil)
	p := start(t, shown)
	p.everything(t)
	series := 0
	for _, f := range gathered(t, shown) {
		for _, m := range f.GetMetric() {
			series++
			for _, l := range m.GetLabel() {
				if !slices.Contains([]string{"procedure", "code", "result", "projection", "check", "status", "version", "go_version", "quantile"}, l.GetName()) ||
					strings.Contains(l.GetValue(), "acme") || strings.Contains(l.GetValue(), "canary") {
					t.Errorf("%s has %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
	if series > 150 {
		t.Errorf("%d series", series)
	}
}

func TestTheSpansOfACommand(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider, err := telemetry.NewProvider(t.Context(), "1.2.3", sdktrace.WithSyncer(exporter))
	if err != nil {
		t.Fatal(err)
	}
	shown := telemetry.New("1.2.3", provider)
	p := start(t, shown)
	p.everything(t)
	spans := exporter.GetSpans()
	if err := shown.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	byID := map[string]tracetest.SpanStub{}
	for _, s := range spans {
		byID[s.SpanContext.SpanID().String()] = s
	}
	of := func(name, command string) (out []tracetest.SpanStub) {
		for _, s := range spans {
			parent := byID[s.Parent.SpanID().String()]
			if s.Name == name && (value(s, "setpoint.command_id") == command || value(parent, "setpoint.command_id") == command) {
				out = append(out, s)
			}
		}
		return out
	}
	for _, want := range []struct {
		name, command string
		n             int
	}{
		{"command", "first", 2}, {"decide", "first", 2}, {"append", "first", 1},
		{"decide", "conflict", runner.Attempts}, {"append", "conflict", runner.Attempts},
		{"wait for record", "waits", 1}, {"append", "waits", 0},
	} {
		if got := of(want.name, want.command); len(got) != want.n {
			t.Errorf("%d spans %q of %q, want %d", len(got), want.name, want.command, want.n)
		}
	}
	// A batch is no part of the command that it puts on record, but names it.
	batches := 0
	for _, s := range spans {
		if s.Name == "project" && strings.Contains(value(s, "setpoint.command_ids"), `"first"`) {
			batches++
			if s.Parent.IsValid() {
				t.Error("the batch is part of a trace")
			}
		}
	}
	if batches != 1 {
		t.Errorf("%d batches name the command", batches)
	}
	if got := value(of("command", "refused")[0], "error.type"); got != "x.rule" {
		t.Errorf("a refusal is %q", got)
	}
	if text := fmt.Sprintf("%+v", spans); strings.Contains(text, "canary") || strings.Contains(text, "acme") {
		t.Errorf("a span has what was written, or by whom")
	}
}

func value(s tracetest.SpanStub, key attribute.Key) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}
