package telemetry_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/internal/telemetry"
)

// nowhere takes spans and does nothing with them.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

// A command, synced to disk, with nothing shown, with metrics, and with every
// command traced too.
func BenchmarkCommand(b *testing.B) {
	for _, mode := range []string{"off", "metrics", "traces"} {
		b.Run(mode, func(b *testing.B) {
			var shown *telemetry.Telemetry
			switch mode {
			case "metrics":
				shown = telemetry.New("v", nil)
			case "traces":
				provider, err := telemetry.NewProvider(b.Context(), "v", sdktrace.WithBatcher(nowhere{}))
				if err != nil {
					b.Fatal(err)
				}
				shown = telemetry.New("v", provider)
			}
			p := start(b, shown)
			for n := 0; b.Loop(); n++ {
				metric := fmt.Sprint("m", n)
				if _, err := p.Run(b.Context(), command(metric, metric), observe(metric, n)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the observers of one command cost by themselves.
func BenchmarkObservers(b *testing.B) {
	for _, mode := range []string{"metrics", "traces"} {
		b.Run(mode, func(b *testing.B) {
			shown := telemetry.New("v", nil)
			if mode == "traces" {
				provider, err := telemetry.NewProvider(b.Context(), "v", sdktrace.WithBatcher(nowhere{}))
				if err != nil {
					b.Fatal(err)
				}
				shown = telemetry.New("v", provider)
			}
			commands, log, requests := shown.Runner(), shown.Log(), shown.RPC()
			for b.Loop() {
				answered := requests.Request("/setpoint.strategy.v1.StrategyService/RecordObservations", false)
				ctx, ran := commands.Command(b.Context(), "id")
				_, decided := commands.Decide(ctx)
				decided(nil)
				_, appended := log.Append(ctx, 1)
				appended(eventlog.Appended{Messages: 1, Bytes: 500, Tries: 1})
				ran(runner.Ran{Result: runner.Written, Decisions: 1})
				answered("ok", time.Millisecond)
			}
		})
	}
}
