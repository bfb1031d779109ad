package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/linearizable"
)

// workload is what clients do to a service under faults. Registers are the values
// of some metrics on one day: written without a condition, once, or after a
// revision; and read at a revision at least as new as anything anybody was
// told. Beside them units are declared, two by two.
type workload struct {
	replicas []*replica
	history  *linearizable.History
	newest   atomic.Int64  // the newest revision that anybody was told
	declared atomic.Int64  // of that, the newest declaration
	progress chan struct{} // gets a token, if there is room, for each command acknowledged
}

const (
	loadMetrics = 6
	loadUnits   = 4
	// declarations is the register of the guard on an organization's
	// declarations.
	declarations = "declarations"
	loadDay      = "2020-01-01"
	// tries bounds how often a command whose outcome is unknown is given again
	// under its request id, each time to another replica.
	tries = 3
)

func loadMetric(i int) string { return fmt.Sprintf("load-%d", i) }

// prepare declares the metrics.
func (l *workload) prepare(t *testing.T) {
	t.Helper()
	yaml := small
	for i := range loadMetrics {
		yaml += fmt.Sprintf("---\n{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: %s}, spec: {cadence: yearly}}\n", loadMetric(i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := connectTo(t, l.replicas[0].url(), "default")
	req := &declarationv1.ApplyRequest{RequestId: "prepare", Manifests: manifests(yaml)}
	res, err := c.declare.Apply(ctx, req)
	for err != nil && outcome(err) == linearizable.Unknown && ctx.Err() == nil {
		res, err = c.declare.Apply(ctx, req)
	}
	if err != nil {
		t.Fatalf("apply: %v %v", err, faults(err))
	}
	l.tell(res.GetRevision())
	l.declared.Store(res.GetRevision())
	l.history.Do(func() []linearizable.Operation {
		return []linearizable.Operation{{Register: declarations, ID: "prepare", Value: "prepare", Revision: uint64(res.GetRevision())}}
	})
}

func (l *workload) tell(revision int64) { raise(&l.newest, revision) }

func raise(to *atomic.Int64, revision int64) {
	for old := to.Load(); revision > old && !to.CompareAndSwap(old, revision); old = to.Load() {
	}
}

// goesOn waits until some more commands are acknowledged: after a fault the
// service works again, by itself.
func (l *workload) goesOn(t *testing.T, commands int) {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for n := range commands {
		select {
		case <-l.progress:
		case <-limit:
			t.Fatalf("two minutes after the fault only %d commands were acknowledged", n)
		}
	}
}

func (l *workload) acknowledged(revision int64) {
	l.tell(revision)
	select {
	case l.progress <- struct{}{}:
	default:
	}
}

// user is one client. It has connections of its own, as a process would.
type user struct {
	*workload
	t   *testing.T
	id  int
	rng *rand.Rand
	c   *http.Client
	// known is the last revision at which it saw each register.
	known map[string]int64
}

func (l *workload) user(t *testing.T, seed uint64, id int) *user {
	return &user{workload: l, t: t, id: id, rng: rand.New(rand.NewPCG(seed, uint64(id)+10)),
		c: &http.Client{Transport: &http.Transport{}}, known: map[string]int64{}}
}

// run works at a pace until ctx ends; what it has begun then it finishes.
func (u *user) run(ctx context.Context) {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	defer u.c.CloseIdleConnections()
	for n := 0; ; n++ {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
		id := fmt.Sprintf("u%d-%d", u.id, n)
		switch p := u.rng.IntN(10); {
		case p == 0:
			u.declareUnits(id)
		case p < 4:
			u.readValue()
		default:
			u.writeValue(id)
		}
	}
}

// outcome of a call: nothing but a word of the service is one.
func outcome(err error) linearizable.Outcome {
	switch connect.CodeOf(err) {
	case connect.CodeAborted, connect.CodeInvalidArgument, connect.CodeAlreadyExists, connect.CodeFailedPrecondition:
		return linearizable.Refused
	}
	return linearizable.Unknown
}

// attempt gives a command to a replica, and while its outcome is unknown to
// another one. Half of the users give up at once.
func (u *user) attempt(call func(context.Context, client) error) error {
	first := u.rng.IntN(len(u.replicas))
	most := 1
	if u.id%2 == 0 {
		most = tries
	}
	var err error
	for n := range most {
		r := u.replicas[(first+n)%len(u.replicas)]
		ctx, cancel := context.WithTimeout(u.t.Context(), 5*time.Second)
		err = call(ctx, connectWith(u.t, u.c, r.url()))
		cancel()
		if err == nil || outcome(err) != linearizable.Unknown {
			return err
		}
	}
	return err
}

func (u *user) writeValue(id string) {
	metric := loadMetric(u.rng.IntN(loadMetrics))
	v := float64(1 + u.rng.IntN(4)) // few values, so that some are there already
	req := &strategyv1.RecordObservationsRequest{RequestId: id, Observations: []*strategyv1.Observation{{
		Metric: metric, ObservedAt: loadDay, Source: "load", Value: &v}}}
	o := linearizable.Operation{Client: u.id, Register: metric, ID: id, Value: number(v)}
	switch u.rng.IntN(4) {
	case 0: // once
	case 1:
		req.Correct, req.ExpectedRevision = true, u.known[metric]
		if u.known[metric] > 0 {
			// It names any revision since the last change, so what it says is
			// checked by the model as "not changed since".
			o.Guarded, o.Expected = true, uint64(u.known[metric])
		}
	default:
		req.Correct = true
	}
	u.history.Do(func() []linearizable.Operation {
		err := u.attempt(func(ctx context.Context, c client) error {
			res, err := c.observe.RecordObservations(ctx, req)
			if err == nil {
				o.Revision = uint64(res.GetRevision())
				o.Outcome = linearizable.Done
				if res.GetUnchanged() == 1 {
					o.Outcome, o.Revision = linearizable.Same, 0
				}
			}
			return err
		})
		if err != nil {
			o.Outcome = outcome(err)
			if o.Outcome == linearizable.Refused && connect.CodeOf(err) == connect.CodeFailedPrecondition {
				u.t.Errorf("%s: %v", o, err)
			}
		}
		return []linearizable.Operation{o}
	})
	if o.Outcome == linearizable.Done {
		u.known[metric] = int64(o.Revision)
		u.acknowledged(int64(o.Revision))
	}
}

func (u *user) readValue() {
	metric := loadMetric(u.rng.IntN(loadMetrics))
	u.history.Do(func() []linearizable.Operation {
		o := linearizable.Operation{Client: u.id, Register: metric, Outcome: linearizable.Unknown}
		least := u.newest.Load()
		err := u.attempt(func(ctx context.Context, c client) error {
			res, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: metric, MinRevision: least})
			if err != nil {
				return err
			}
			o.Outcome = linearizable.Done
			for _, v := range res.GetObservations() {
				o.Value, o.Revision = number(v.GetValue()), uint64(v.GetRevision())
			}
			u.tell(res.GetRevision())
			return nil
		})
		if err == nil {
			u.known[metric] = int64(o.Revision)
		}
		return []linearizable.Operation{o}
	})
}

// declareUnits declares two units by one command, after the last declaration
// that anybody was told of, or after whatever there is.
func (u *user) declareUnits(id string) {
	yaml := ""
	for _, n := range u.rng.Perm(loadUnits)[:2] {
		yaml += fmt.Sprintf("---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: unit-%d}, spec: {title: %q}}\n", n, id)
	}
	req := &declarationv1.ApplyRequest{RequestId: id, Manifests: manifests(yaml)}
	o := linearizable.Operation{Client: u.id, Register: declarations, ID: id, Value: id}
	if u.rng.IntN(2) == 0 {
		req.ExpectedRevision = u.declared.Load()
		o.Guarded, o.Expected = true, uint64(req.GetExpectedRevision())
	}
	u.history.Do(func() []linearizable.Operation {
		err := u.attempt(func(ctx context.Context, c client) error {
			res, err := c.declare.Apply(ctx, req)
			if err == nil {
				o.Outcome, o.Revision = linearizable.Done, uint64(res.GetRevision())
			}
			return err
		})
		if err != nil {
			o.Outcome = outcome(err)
		}
		return []linearizable.Operation{o}
	})
	if o.Outcome == linearizable.Done {
		raise(&u.declared, int64(o.Revision))
		u.acknowledged(int64(o.Revision))
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// entries are the log's messages that the history is about.
func (l *workload) entries(log []message) []linearizable.Entry {
	named := map[string]string{} // the metrics by id
	var out []linearizable.Entry
	for _, m := range log {
		for _, e := range m.envelope.GetEvents() {
			if e.GetType() == "strategy.metric_declared.v1" {
				declared := &strategyv1.MetricDeclared{}
				if err := proto.Unmarshal(e.GetPayload(), declared); err == nil {
					named[m.id] = declared.GetMetadata().GetName()
				}
			}
		}
		entry := linearizable.Entry{ID: m.envelope.GetRequestId(), Revision: m.revision}
		switch {
		case m.kind == "observation":
			entry.Register = named[m.id]
		case m.kind == "changes":
			entry.Register = declarations
		default:
			continue
		}
		out = append(out, entry)
	}
	return out
}
