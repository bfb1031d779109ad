package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	eh "github.com/looplab/eventhorizon"
	"github.com/looplab/eventhorizon/eventstore/memory"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

// noted is the event that the other store keeps.
type noted struct {
	At    string
	Value float64
}

const notedType eh.EventType = "noted"

// eventhorizon puts our log beside another Go event store in the same run. Its
// store is the one it ships for use without a database: it keeps events in
// memory and loses them with the process, ours has them synced on disk when it
// answers. The figures say what that costs, not who is better.
func (b bench) eventhorizon(ctx context.Context) error {
	const events, loads = 50, 300
	eh.RegisterEventData(notedType, func() eh.EventData { return &noted{} })
	other, err := memory.NewEventStore()
	if err != nil {
		return err
	}
	s, err := b.stack(ctx)
	if err != nil {
		return err
	}
	defer s.close()

	payload, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: []*strategyv1.ObservedValue{{ObservedAt: "2018-09-30", Value: 1}}})
	if err != nil {
		return err
	}
	var theirs, ours, theirLoads, ourLoads, ourStates []float64
	id := uuid.New()
	target := eventlog.Subject{Org: "bench", Service: "strategy", Kind: "observation", ID: "loaded"}
	var last eventlog.Committed
	for n := range events {
		begin := time.Now()
		e := eh.NewEventForAggregate(notedType, &noted{At: "2018-09-30", Value: float64(n)}, time.Now(), "metric", id, n+1)
		if err := other.Save(ctx, []eh.Event{e}, n); err != nil {
			return err
		}
		theirs = append(theirs, float64(time.Since(begin)))

		draft := eventlog.Draft{Subject: target, Events: []eventlog.Event{{Type: record.ObservationsRecorded, Payload: payload}}}
		if n > 0 {
			draft.Expected, draft.PreviousHash = last.Revision, last.Hashes[0]
		}
		begin = time.Now()
		if last, err = s.log.Append(ctx, eventlog.Command{RequestID: fmt.Sprintf("eh-%d", n), Principal: "p", Manager: "api", Recorded: time.Now()}, draft); err != nil {
			return err
		}
		ours = append(ours, float64(time.Since(begin)))
		// Other aggregates write in between, as in life.
		for i := range 4 {
			if err := s.command(ctx, n*4+i); err != nil {
				return err
			}
		}
	}
	if err := s.record.Wait(ctx, last.Revision); err != nil {
		return err
	}
	for range loads {
		begin := time.Now()
		loaded, err := other.Load(ctx, id)
		if err != nil || len(loaded) != events {
			return fmt.Errorf("%d events: %w", len(loaded), err)
		}
		theirLoads = append(theirLoads, float64(time.Since(begin)))
		begin = time.Now()
		records, err := s.log.Since(ctx, target, 0)
		if err != nil || len(records) != events {
			return fmt.Errorf("%d records: %w", len(records), err)
		}
		ourLoads = append(ourLoads, float64(time.Since(begin)))
		begin = time.Now()
		if err := s.record.View(ctx, func(v record.View) error {
			_, err := v.Observations(target.Org, target.ID, v.Revision(), record.ObservationKey{}, 0)
			return err
		}); err != nil {
			return err
		}
		ourStates = append(ourStates, float64(time.Since(begin)))
	}
	show := func(name string, v []float64) {
		line(name, time.Duration(median(v)).Round(100*time.Nanosecond).String(), "")
	}
	show("append with a concurrency check: eventhorizon, in memory", theirs)
	show("append with a concurrency check: setpoint, synced to disk", ours)
	show("load an aggregate of 50 events: eventhorizon, in memory", theirLoads)
	show("load an aggregate of 50 events: setpoint, from the log", ourLoads)
	show("read its state: setpoint, from the record", ourStates)
	return nil
}
