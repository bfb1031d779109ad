package runner_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
)

// replica is a process's part: a runner over a record of its own, whose
// projection runs only when it is told to.
type replica struct {
	*runner.Runner
	record *record.Record
	start  func()
}

// replicas makes some on one log.
func replicas(t *testing.T, n int) []replica {
	t.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	var out []replica
	for range n {
		nc, err := server.ConnectInProcess()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"), kinds.Registry())
		if err != nil {
			t.Fatal(err)
		}
		rec := record.New(store, record.Checkpoint{}, time.Minute, log.LastRevision)
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		t.Cleanup(func() {
			stop()
			running.Wait()
			_ = store.Close()
		})
		out = append(out, replica{
			Runner: runner.New(log, rec, time.Now), record: rec,
			start: func() {
				running.Go(func() {
					_ = record.NewProjector(log, kinds.Registry(), store, rec, slog.New(slog.DiscardHandler)).Run(ctx)
				})
			},
		})
	}
	return out
}

var subject = eventlog.Subject{Org: "acme", Service: "strategy", Kind: "observation", ID: "m"}

// add records the next value of a count: what it writes depends on what it
// reads, so a decision on an old picture would show.
func (r replica) add(ctx context.Context, id string) (runner.Outcome, error) {
	c := runner.Command{Org: "acme", RequestID: id, Digest: make([]byte, 32), Principal: "p", Manager: "api", Guards: []eventlog.Subject{subject}}
	return r.Run(ctx, c, func(v record.View) ([]runner.Write, error) {
		have, err := v.Observations("acme", "m", v.Revision(), record.ObservationKey{}, 0)
		if err != nil {
			return nil, err
		}
		payload, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: []*strategyv1.ObservedValue{{
			ObservedAt: "2026-01-01", Source: fmt.Sprintf("n%04d", len(have)), Value: float64(len(have))}}})
		return []runner.Write{{Subject: subject, Events: []eventlog.Event{{Type: record.ObservationsRecorded, Payload: payload}}}}, err
	})
}

func (r replica) count(t *testing.T) int {
	t.Helper()
	n := -1
	if err := r.record.At(t.Context(), record.Snapshot{}, func(v record.View, at uint64) error {
		list, err := v.Observations("acme", "m", at, record.ObservationKey{}, 0)
		n = len(list)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Two processes write one aggregate: each decision rests on the state before
// it, so no number is given twice and none is left out.
func TestTwoReplicasOnOneAggregate(t *testing.T) {
	rs := replicas(t, 2)
	for _, r := range rs {
		r.start()
	}
	const each = 40
	var all sync.WaitGroup
	errs := make(chan error, 2*each)
	var last sync.Map
	for i, r := range rs {
		all.Go(func() {
			for n := range each {
				out, err := r.add(t.Context(), fmt.Sprintf("%d-%d", i, n))
				for fault.ReasonOf(err) == "log.conflict" { // the other was faster eight times
					out, err = r.add(t.Context(), fmt.Sprintf("%d-%d", i, n))
				}
				errs <- err
				last.Store(i, out.Revision)
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range rs {
		for _, at := range []any{0, 1} {
			rev, _ := last.Load(at)
			if err := r.record.Wait(t.Context(), rev.(uint64)); err != nil {
				t.Fatal(err)
			}
		}
		if got := r.count(t); got != 2*each {
			t.Errorf("replica %d has %d values, want %d", i, got, 2*each)
		}
	}
}

// A command is given again through another process whose record has nothing
// yet: it is found in the log, not carried out twice.
func TestARequestGivenAgainToALaggingReplica(t *testing.T) {
	rs := replicas(t, 2)
	rs[0].start()
	first, err := rs[0].add(t.Context(), "once")
	if err != nil {
		t.Fatal(err)
	}
	again, err := rs[1].add(t.Context(), "once") // its projection has not begun
	if err != nil || again.Revision != first.Revision {
		t.Fatalf("again: %+v, %v; first %+v", again, err, first)
	}
	rs[1].start()
	if err := rs[1].record.Wait(t.Context(), first.Revision); err != nil {
		t.Fatal(err)
	}
	if a, b := rs[0].count(t), rs[1].count(t); a != 1 || b != 1 {
		t.Errorf("%d and %d values", a, b)
	}
	third, err := rs[1].add(t.Context(), "once")
	if err != nil || third.Replayed == nil || third.Revision != first.Revision {
		t.Errorf("from the record: %+v, %v", third, err)
	}
}

// The same id with another payload is another request, and is refused.
func TestARequestIDOfAnotherRequest(t *testing.T) {
	r := replicas(t, 1)[0]
	r.start()
	if _, err := r.add(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	c := runner.Command{Org: "acme", RequestID: "id", Digest: append(make([]byte, 31), 1), Principal: "p", Manager: "api", Guards: []eventlog.Subject{subject}}
	_, err := r.Run(t.Context(), c, func(record.View) ([]runner.Write, error) { return nil, nil })
	if got := fault.ReasonOf(err); got != "request.id_reused" {
		t.Errorf("reason %q of %v", got, err)
	}
}

// An id that this process used for another aggregate is refused too, although
// the record has not folded that yet.
func TestARequestIDOfAnotherAggregate(t *testing.T) {
	r := replicas(t, 1)[0]
	if _, err := r.add(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	other := subject
	other.ID = "other"
	done := make(chan error, 1)
	go func() {
		_, err := r.Run(t.Context(), runner.Command{Org: "acme", RequestID: "id", Digest: append(make([]byte, 31), 1), Principal: "p", Manager: "api",
			Guards: []eventlog.Subject{other}}, func(record.View) ([]runner.Write, error) {
			t.Error("it was decided")
			return nil, nil
		})
		done <- err
	}()
	r.start()
	if got := fault.ReasonOf(<-done); got != "request.id_reused" {
		t.Errorf("reason %q", got)
	}
}

// "Already so" must not rest on an old picture.
func TestNothingToDoIsCheckedAgainstTheLog(t *testing.T) {
	rs := replicas(t, 2)
	rs[0].start()
	if _, err := rs[0].add(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	asked := 0
	c := runner.Command{Org: "acme", RequestID: "look", Digest: make([]byte, 32), Principal: "p", Manager: "api", Guards: []eventlog.Subject{subject}}
	started := false
	_, err := rs[1].Run(t.Context(), c, func(v record.View) ([]runner.Write, error) {
		if !started {
			started = true
			rs[1].start()
		}
		asked++
		if asked == 2 && v.Revision() == 0 {
			t.Error("asked again on the same old picture")
		}
		return nil, nil
	})
	if err != nil || asked != 2 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}
