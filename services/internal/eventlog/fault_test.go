package eventlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/linearizable"
	"setpoint.dev/services/natsfault"
)

// The faults of `make chaos` are set by the environment; `make test` has few.
const (
	chaosSeed   = "SETPOINT_CHAOS_SEED"
	chaosRounds = "SETPOINT_CHAOS_ROUNDS"
)

// schedule is what befalls the servers: what the environment says, or a short
// list of the worst.
func schedule(t *testing.T) []natsfault.Fault {
	t.Helper()
	if os.Getenv(chaosRounds) == "" {
		return []natsfault.Fault{
			{Kind: natsfault.Kill, Lasts: 2 * time.Second},
			{Kind: natsfault.Isolate, Lasts: 6 * time.Second},
			{Kind: natsfault.PowerCut, Lasts: time.Second},
		}
	}
	seed, err := strconv.ParseUint(os.Getenv(chaosSeed), 10, 64)
	rounds, rerr := strconv.Atoi(os.Getenv(chaosRounds))
	if err != nil || rerr != nil {
		t.Fatalf("%s and %s are not numbers: %v %v", chaosSeed, chaosRounds, err, rerr)
	}
	t.Logf("seed %d: repeat with make chaos SEED=%d ROUNDS=%d", seed, seed, rounds)
	return natsfault.Schedule(seed, rounds)
}

// Twenty writers append single messages and batches while servers are killed,
// stopped and cut off: nothing that was acknowledged is lost, nobody wins
// twice, no commit is there by half, and a follower sees the log as it is.
func TestFaultsUnderWriters(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	// between two faults some commands are acknowledged.
	const writers, connections, between = 20, 4, 40
	faults := schedule(t)
	cluster := natsfault.Start(t, 3)
	openLog := func(opts eventlog.Options) *eventlog.Log {
		t.Helper()
		opts.Replicas = 3
		l, err := eventlog.Open(t.Context(), connect(t, cluster.URL()), opts)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	logs := make([]*eventlog.Log, connections)
	for i := range logs {
		// Who writes gives up before the servers are well again.
		logs[i] = openLog(eventlog.Options{Timeout: 3 * time.Second, BatchTimeout: 3 * time.Second})
	}

	following, stopFollowing := context.WithCancel(t.Context())
	var followed []*eventlog.Record
	caughtUp, end := make(chan struct{}), make(chan uint64, 1)
	followerEnded := make(chan error, 1)
	follower := openLog(eventlog.Options{Timeout: 3 * time.Second})
	go func() {
		to := uint64(0)
		followerEnded <- follower.Follow(following, 0, func(batch []*eventlog.Record) error {
			followed = append(followed, batch...)
			select {
			case to = <-end:
			default:
			}
			if to > 0 && batch[len(batch)-1].Revision >= to {
				close(caughtUp)
				to = 0
			}
			return nil
		})
	}()

	history := linearizable.New()
	progress := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			writer{id: w, log: logs[w%connections], history: history, progress: progress, rng: rand.New(rand.NewPCG(uint64(w), 3))}.run(ctx, t)
		})
	}
	for i, f := range faults {
		t.Logf("%d: %s", i+1, f)
		goesOn(t, progress, between)
		cluster.Inflict(t, f, "SETPOINT_0")
	}
	goesOn(t, progress, between)
	stop()
	work.Wait()

	last := openLog(eventlog.Options{Timeout: time.Minute})
	// One more commit: the follower, which may be told late where the end is,
	// is told by it.
	revision, err := last.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	end <- revision
	if _, err := last.Append(t.Context(), eventlog.Command{RequestID: "end", Recorded: time.Now()}, eventlog.Draft{
		Subject: register("end"), Events: []eventlog.Event{{Type: "strategy.metric_declared.v1"}},
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-caughtUp:
	case err := <-followerEnded:
		t.Fatalf("the follower ended: %v", err)
	case <-time.After(2 * time.Minute):
		t.Fatal("the follower does not come to the end of the log")
	}
	stopFollowing()
	if err := <-followerEnded; !errors.Is(err, context.Canceled) {
		t.Errorf("the follower ended with %v", err)
	}

	entries, records := stored(t, last)
	v := history.Check(entries, false)
	for _, wrong := range v.Wrong {
		t.Error(wrong)
	}
	for i, r := range followed {
		if r.Sequence != uint64(i+1) || i < len(records) && !bytes.Equal(r.Hash, records[i].Hash) {
			t.Fatalf("the follower's record %d is message %d", i, r.Sequence)
		}
	}
	if len(followed) < int(revision) {
		t.Errorf("the follower has %d of %d messages", len(followed), revision)
	}
	if least := between * (len(faults) + 1); v.Acknowledged < least {
		t.Errorf("%d commands were acknowledged, and the writers saw %d", v.Acknowledged, least)
	}
	t.Logf("%d faults, %s", len(faults), v)
}

// goesOn waits until some more commands are acknowledged: after a fault the log
// takes them again, by itself.
func goesOn(t *testing.T, progress <-chan struct{}, commands int) {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for n := range commands {
		select {
		case <-progress:
		case <-limit:
			t.Fatalf("two minutes after the fault only %d commands were acknowledged", n)
		}
	}
}

// stored reads the whole log: every commit is whole, or reading fails; and
// each message continues its aggregate's chain.
func stored(t *testing.T, l *eventlog.Log) (entries []linearizable.Entry, records []*eventlog.Record) {
	t.Helper()
	to, err := l.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	previous := map[eventlog.Subject][]byte{}
	err = l.Read(t.Context(), 0, to, func(batch []*eventlog.Record) error {
		for _, r := range batch {
			if !bytes.Equal(r.Envelope.PreviousHash, previous[r.Subject]) {
				return fmt.Errorf("message %d does not continue %s", r.Sequence, r.Subject.ID)
			}
			previous[r.Subject] = r.Hash
			records = append(records, r)
			entries = append(entries, linearizable.Entry{ID: r.Envelope.RequestId, Register: r.Subject.ID, Revision: r.Sequence})
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return entries, records
}

func register(id string) eventlog.Subject {
	return eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id}
}

// writer reads some aggregates and appends to them what rests on what it read.
type writer struct {
	id      int
	log     *eventlog.Log
	history *linearizable.History
	rng     *rand.Rand
	// progress gets a token, if somebody waits for one, for each command
	// acknowledged.
	progress chan<- struct{}
}

const registers = 12

func (w writer) run(ctx context.Context, t *testing.T) {
	// Work at a pace: the search for an order takes time for each command.
	pace := time.NewTicker(25 * time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
		var on []string
		count := 1
		if w.rng.IntN(4) == 0 {
			count += 1 + w.rng.IntN(3)
		}
		for _, r := range w.rng.Perm(registers)[:count] {
			on = append(on, fmt.Sprintf("r%d", r))
		}
		w.once(t, fmt.Sprintf("w%d-%d", w.id, n), on)
	}
}

// once does not end with the writers' context: what it began has an outcome.
func (w writer) once(t *testing.T, id string, on []string) {
	ctx := t.Context()
	drafts := make([]eventlog.Draft, len(on))
	for i, name := range on {
		var known *eventlog.Record
		ok := false
		w.history.Do(func() []linearizable.Operation {
			r, err := w.log.Last(ctx, register(name))
			o := linearizable.Operation{Client: w.id, Register: name, Outcome: linearizable.Unknown}
			if err == nil {
				known, ok = r, true
				o.Outcome = linearizable.Done
				if r != nil {
					o.Revision, o.Value = r.Sequence, r.Envelope.RequestId
				}
			}
			return []linearizable.Operation{o}
		})
		if !ok {
			return
		}
		drafts[i] = eventlog.Draft{Subject: register(name), Events: []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: make([]byte, 100)}}}
		if known != nil {
			drafts[i].Expected, drafts[i].PreviousHash = known.Sequence, known.Hash
		}
	}
	acknowledged := false
	w.history.Do(func() []linearizable.Operation {
		done, err := w.log.AppendBatch(ctx, eventlog.Command{RequestID: id, Recorded: time.Now()}, drafts)
		ops := make([]linearizable.Operation, len(on))
		for i, name := range on {
			ops[i] = linearizable.Operation{Client: w.id, Register: name, ID: id, Value: id, Guarded: true, Expected: drafts[i].Expected}
			switch {
			case err == nil:
				ops[i].Revision = done.Sequences[i]
				acknowledged = true
			case fault.KindOf(err) == fault.Aborted:
				ops[i].Outcome = linearizable.Refused
			case fault.KindOf(err) == fault.Unavailable:
				ops[i].Outcome = linearizable.Unknown
			default:
				t.Errorf("%s: %v", id, err)
				ops[i].Outcome = linearizable.Unknown
			}
		}
		return ops
	})
	if acknowledged {
		select {
		case w.progress <- struct{}{}:
		default:
		}
	}
}
