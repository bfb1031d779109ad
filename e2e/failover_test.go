package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// takeover bounds how long nobody projects when the one that did is gone
// without a word.
const takeover = 5 * time.Second

// round is how long a write took, and until it could be read elsewhere. Writes
// do not need who projects.
type round struct{ write, read time.Duration }

// slowness is added to a bound: what it may take depends on the machine, too, and
// how slow that is at the moment other rounds show.
func slowness(others time.Duration) time.Duration { return 10 * others }

// failover is a deployment of its own, with somebody who writes all the time
// and looks through another replica for what was written.
type failover struct {
	*deployment
	t       *testing.T
	c       client
	waited  chan round
	stop    context.CancelFunc
	running sync.WaitGroup
	written atomic.Int64
}

func startFailover(t *testing.T) *failover {
	t.Helper()
	d, err := deploy(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return writing(t, d, 0)
}

// writing lets somebody write. What is unavailable is asked for again, under
// the same request id, for as long as patience says.
func writing(t *testing.T, d *deployment, patience time.Duration) *failover {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			for _, c := range d.projectors {
				t.Logf("a projector said: %s", c.said)
			}
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	f := &failover{deployment: d, t: t, c: connectTo(t, entrance(t, d), "default"), waited: make(chan round, 100_000)}
	f.c.apply(small)
	ctx, cancel := context.WithCancel(context.Background())
	f.stop = cancel
	record := func(req *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
		for begin := time.Now(); ; {
			res, err := f.c.observe.RecordObservations(context.Background(), req)
			if connect.CodeOf(err) != connect.CodeUnavailable || time.Since(begin) > patience {
				return res, err
			}
		}
	}
	f.running.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			begin := time.Now()
			// Writes go on without a projector; the next reads wait for it.
			req := &strategyv1.RecordObservationsRequest{RequestId: fmt.Sprint("w", n), Observations: []*strategyv1.Observation{
				value("revenue", time.Date(2000, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), float64(n)),
			}}
			res, err := record(req)
			if err != nil {
				t.Errorf("write %d: %v", n, err)
				return
			}
			// Another replica, which does not know of it yet, finds it in the log.
			again, err := record(req)
			if err != nil || again.GetRevision() != res.GetRevision() {
				t.Errorf("write %d again: %v, %v; first %v", n, again, err, res)
				return
			}
			f.written.Add(1)
			wrote := time.Since(begin)
			for begun := time.Now(); ; {
				_, err := f.c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{
					Metric: "revenue", PageSize: 1, MinRevision: res.GetRevision(),
				})
				if err == nil || ctx.Err() != nil {
					break
				}
				if connect.CodeOf(err) != connect.CodeUnavailable || time.Since(begun) > patience {
					t.Errorf("read %d: %v", n, err)
					return
				}
			}
			f.waited <- round{wrote, time.Since(begin)}
		}
	})
	t.Cleanup(func() { cancel(); f.running.Wait() })
	return f
}

// holder is the projector that every process says it is.
func (f *failover) holder() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	p, err := status(ctx, f.api["gap"][0].url)
	if err != nil {
		return -1, err
	}
	i := slices.IndexFunc(f.projectors, func(c child) bool {
		return strings.Contains(p.GetProjector(), fmt.Sprintf("/%d/", c.cmd.Process.Pid))
	})
	if i < 0 {
		return i, fmt.Errorf("nobody projects: %v", p)
	}
	return i, nil
}

// triesInTime is how often a bound on time may be missed: a machine that stands still in
// between misses it now and then, what waits for the wrong thing always does.
const triesInTime = 3

// away does something to the holder, and returns who it was once another one
// projects, having checked how long nobody did.
func (f *failover) away(what string, within time.Duration, do func(child)) int {
	f.t.Helper()
	for try := 1; ; try++ {
		old, took, bound := f.awayOnce(what, within, do)
		if took <= bound {
			return old
		}
		if try == triesInTime {
			f.t.Errorf("%s: nothing was projected for %s", what, took)
			return old
		}
		f.projectors[old].kill()
		c, err := f.serve("projector")
		if err != nil {
			f.t.Fatal(err)
		}
		f.projectors[old] = c
	}
}

func (f *failover) awayOnce(what string, within time.Duration, do func(child)) (old int, took, bound time.Duration) {
	f.t.Helper()
	eventually(f.t, "somebody projects", time.Minute, func() (err error) { old, err = f.holder(); return err })
	usual := f.usual()
	do(f.projectors[old])
	eventually(f.t, what+": another one projects", 2*time.Minute, func() error {
		now, err := f.holder()
		if err == nil && now == old {
			err = errors.New("it is still the same one")
		}
		return err
	})
	longest := f.longest()
	f.t.Logf("%s: the longest write took %s, and until it was read %s; before it took %s", what, longest.write, longest.read, usual)
	return old, longest.read, within + slowness(max(usual, longest.write))
}

// usual is the longest of some rounds while nothing is wrong.
func (f *failover) usual() (longest time.Duration) {
	f.t.Helper()
	f.drain()
	for range 5 {
		longest = max(longest, f.next().read)
	}
	return longest
}

// longest are the longest times since the last look, of the round that was under
// way and of the next one at least.
func (f *failover) longest() (longest round) {
	f.t.Helper()
	for n := max(2, len(f.waited)); n > 0; n-- {
		r := f.next()
		longest = round{max(longest.write, r.write), max(longest.read, r.read)}
	}
	return longest
}

func (f *failover) drain() {
	for len(f.waited) > 0 {
		<-f.waited
	}
	f.next()
}

func (f *failover) next() round {
	f.t.Helper()
	select {
	case r := <-f.waited:
		return r
	case <-time.After(2 * time.Minute):
		f.t.Fatal("nothing is written any more")
		return round{}
	}
}

// end stops the writer, and compares what is on record with what was written.
func (f *failover) end() {
	f.t.Helper()
	f.stop()
	f.running.Wait()
	n := 0
	for token := ""; ; {
		res, err := f.c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000, PageToken: token})
		if err != nil {
			f.t.Fatal(err)
		}
		n += len(res.GetObservations())
		if token = res.GetNextPageToken(); token == "" {
			break
		}
	}
	if int64(n) < f.written.Load() || int64(n) > f.written.Load()+1 {
		f.t.Errorf("%d values on record, %d were acknowledged", n, f.written.Load())
	}
}

// The process that projects is killed, stopped and asked to end, one after the
// other: each time another one goes on, in time, and nothing is lost or twice.
func TestAnotherProcessProjects(t *testing.T) {
	f := startFailover(t)
	again := func(i int) {
		t.Helper()
		c, err := f.serve("projector")
		if err != nil {
			t.Fatal(err)
		}
		f.projectors[i] = c
	}
	again(f.away("killed", takeover, child.kill))

	stopped := f.away("stopped (SIGSTOP)", takeover, func(c child) { _ = c.cmd.Process.Signal(syscall.SIGSTOP) })
	// It goes on as if no time had passed, and must notice that it did. On a busy
	// machine the other one may lose the lease to it, which it says.
	taken := func() int {
		return strings.Count(f.projectors[stopped].said.String(), "this process projects the log")
	}
	before := taken()
	_ = f.projectors[stopped].cmd.Process.Signal(syscall.SIGCONT)
	f.drain()
	f.next()
	var now int
	eventually(t, "somebody projects", time.Minute, func() (err error) { now, err = f.holder(); return err })
	if now == stopped && taken() == before {
		t.Errorf("after it went on %d projects as before", now)
	}

	again(f.away("asked to end", time.Second, func(c child) {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		c.ended.Do(func() { _ = c.cmd.Wait() })
	}))
	f.end()
	for _, c := range f.projectors {
		if strings.Contains(c.said.String(), "halted") {
			t.Errorf("a projector said: %s", c.said)
		}
	}
}

// A database that is gone for a while is waited for by everybody; nothing
// halts.
func TestTheDatabaseIsAwayForAWhile(t *testing.T) {
	f := startFailover(t)
	f.drain()
	f.stop()
	f.running.Wait()
	before := f.written.Load()
	if err := f.postgres.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	eventually(t, "a replica says that it cannot read", 2*time.Minute, func() error {
		p, err := status(ctx, f.api["gap"][0].url)
		if err == nil && p.GetState() != "waiting" {
			err = fmt.Errorf("state %s", p.GetState())
		}
		return err
	})
	if err := f.postgres.Run(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a write after that", 2*time.Minute, func() error {
		_, err := f.c.record(value("revenue", "1999-01-01", 1))
		return err
	})
	eventually(t, "all goes on", 2*time.Minute, func() error {
		for _, c := range append(slices.Clone(f.api["gap"]), f.projectors...) {
			if p, err := status(ctx, c.url); err != nil || p.GetState() != "running" {
				return fmt.Errorf("%v %w", p, err)
			}
		}
		res, err := f.c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000})
		if err == nil && int64(len(res.GetObservations())) < before+1 {
			err = fmt.Errorf("%d of %d values", len(res.GetObservations()), before+1)
		}
		return err
	})
}

// NATS that is away for a while is waited for, too: what was acknowledged is
// there, and somebody projects again.
func TestNATSIsAwayForAWhile(t *testing.T) {
	f := startFailover(t)
	f.drain()
	f.stop()
	f.running.Wait()
	before := f.written.Load()
	f.nats.kill()
	ctx := context.Background()
	limited, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := f.c.observe.RecordObservations(limited, &strategyv1.RecordObservationsRequest{
		RequestId: "away", Observations: []*strategyv1.Observation{value("revenue", "1999-01-01", 1)},
	}); err == nil {
		t.Error("a write was acknowledged by nobody")
	}
	if err := f.runNATS(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the same write after that", 2*time.Minute, func() error {
		_, err := f.c.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
			RequestId: "away", Observations: []*strategyv1.Observation{value("revenue", "1999-01-01", 1)},
		})
		return err
	})
	eventually(t, "all goes on", 2*time.Minute, func() error {
		for _, c := range append(slices.Clone(f.api["gap"]), f.projectors...) {
			if p, err := status(ctx, c.url); err != nil || p.GetState() != "running" {
				return fmt.Errorf("%v %w", p, err)
			}
		}
		if _, err := f.holder(); err != nil {
			return err
		}
		res, err := f.c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000})
		if n := int64(len(res.GetObservations())); err == nil && n != before+1 {
			err = fmt.Errorf("%d of %d values", n, before+1)
		}
		return err
	})
}
