package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/reconcile"
	"setpoint.dev/services/internal/eventlog"
)

// targetsEach is how many targets a metric has.
const targetsEach = 5

// nothing is what the bench's policies can do: there are none.
type nothing struct{}

func (nothing) OpenAction(context.Context, string, string, *initiativev1.OpenActionRequest) error {
	return nil
}

func (nothing) RequestCheckIn(context.Context, string, string, *strategyv1.RequestCheckInRequest) error {
	return nil
}

// loop measures, with 10,000 targets in the organization, how long it takes from
// giving an observation to the event of its gap in the log.
func (b bench) loop(ctx context.Context) error {
	s, err := b.stack(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	yaml := make([]byte, 0, aggregates*targetsEach*200)
	for i := range aggregates {
		for j := range targetsEach {
			yaml = fmt.Appendf(yaml, "---\n{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: target-%d-%d}, spec: {metric: %s, baseline: {value: 0, date: 2020-01-01}, value: %d, due: 2035-12-31}}\n",
				i, j, metric(i), 100+j)
		}
	}
	if _, err := s.declare.Apply(ctx, &declarationv1.ApplyRequest{
		Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "targets.yaml", Content: yaml}}},
	}); err != nil {
		return err
	}
	from, err := s.log.LastRevision(ctx)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()

	opened := make(chan string, 100_000) // metrics
	assessed := make(chan struct{}, 100_000)
	all.Go(func() {
		_ = s.log.Follow(running, from, func(batch []*eventlog.Record) error {
			for _, m := range batch {
				if m.Envelope == nil || m.Subject.Kind != condition.Aggregate {
					continue
				}
				for _, e := range m.Envelope.GetEvents() {
					switch e.GetType() {
					case "gap.target_assessed.v1":
						assessed <- struct{}{}
					case "gap.gap_opened.v1":
						var x gapv1.GapOpened
						if err := proto.Unmarshal(e.GetPayload(), &x); err != nil {
							return err
						}
						opened <- x.GetFinding().GetMetric()
					}
				}
			}
			return nil
		})
	})
	began := time.Now()
	all.Go(func() {
		reconcile.New(s.log, s.record, s.runner, nothing{}, slog.New(slog.DiscardHandler)).Run(running)
	})
	for range aggregates * targetsEach {
		select {
		case <-assessed:
		case <-time.After(time.Minute):
			return fmt.Errorf("not every target has been assessed")
		}
	}
	line("the first word on 10,000 targets", time.Since(began).Round(10*time.Millisecond).String(), "")

	var lags []time.Duration
	zero := 0.0
	for i := range aggregates {
		given := time.Now()
		if _, err := s.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
			Observations: []*strategyv1.Observation{{Metric: metric(i), ObservedAt: yesterday, Value: &zero}},
		}); err != nil {
			return err
		}
		for n := 0; n < targetsEach; {
			select {
			case m := <-opened:
				if m == metric(i) {
					n++
				}
			case <-time.After(10 * time.Second):
				return fmt.Errorf("the gaps of %s are not told", metric(i))
			}
		}
		lags = append(lags, time.Since(given))
	}
	line("from an observation to its 5 gap events in the log: p50", quantile(lags, .5).Round(10*time.Microsecond).String(), "")
	line("from an observation to its 5 gap events in the log: p99", quantile(lags, .99).Round(10*time.Microsecond).String(), "at most 100ms")
	line("the longest of 2,000", quantile(lags, 1).Round(10*time.Microsecond).String(), "")
	return nil
}
