package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	declarationrpc "setpoint.dev/services/declaration/rpc"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/gap/portfolio"
	initiativerpc "setpoint.dev/services/initiative/rpc"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

const org = rpc.DefaultOrg

// clock is set by the test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) set(day string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = calendar.MustParse(day).Time().Add(12 * time.Hour)
}

// process is one of several on a log, with a record of its own.
type process struct {
	log    *eventlog.Log
	record *record.Record
	runner *runner.Runner
	url    string
}

// world is a log that processes share.
type world struct {
	t         *testing.T
	clock     *clock
	processes []*process
	reviews   ReviewsFunc // of each reconciler; nil: there are none
}

// doer does what policies decide, through the door of initiatives; broken, it
// fails, as one that is killed before it could.
type doer struct {
	acts     initiativev1connect.InitiativeServiceHandler
	strategy *strategyrpc.Service
	broken   bool
}

func (d *doer) RequestCheckIn(ctx context.Context, org, who string, req *strategyv1.RequestCheckInRequest) error {
	if d.broken {
		return context.Canceled
	}
	_, err := d.strategy.RequestCheckIn(principal.With(ctx, principal.Principal{Org: org, ID: who}), req)
	return err
}

func (d *doer) OpenAction(ctx context.Context, org, who string, req *initiativev1.OpenActionRequest) error {
	if d.broken {
		return context.Canceled
	}
	_, err := d.acts.OpenAction(principal.With(ctx, principal.Principal{Org: org, ID: who}), req)
	return err
}

func newWorld(t *testing.T, n int) *world {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, clock: &clock{}}
	w.clock.set("2026-06-15")
	ns, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	ok(err)
	t.Cleanup(func() { _ = ns.Close() })
	registry := kinds.Registry()
	logger := slog.New(slog.DiscardHandler)
	for range n {
		nc, err := ns.Connect()
		ok(err)
		t.Cleanup(nc.Close)
		log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
		ok(err)
		t.Cleanup(log.Close)
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"), registry)
		ok(err)
		t.Cleanup(func() { _ = store.Close() })
		rec := record.New(store, record.Checkpoint{}, time.Minute, log.LastRevision)
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = record.NewProjector(log, registry, store, rec, logger).Run(ctx) })
		t.Cleanup(func() { stop(); running.Wait() })
		run := runner.New(log, rec, w.clock.now)
		door, err := rpc.Handler(logger, func(context.Context) error { return nil },
			declarationrpc.New(run, rec, registry, nil), strategyrpc.New(run, rec, registry, nil, nil), initiativerpc.New(run, rec))
		ok(err)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ok(err)
		server := rpc.NewServer(door, logger)
		running.Go(func() { _ = server.Serve(l) })
		t.Cleanup(func() { _ = server.Close() })
		w.processes = append(w.processes, &process{log, rec, run, "http://" + l.Addr().String()})
	}
	return w
}

// reconciling runs a reconciler until the returned function is called; passes
// gets a word after each look at the organization.
func (w *world) reconciling(i int, broken bool) (passes chan int, stop func()) {
	p := w.processes[i]
	r := New(p.log, p.record, p.runner, &doer{initiativerpc.Acts(p.runner, p.record), strategyrpc.Acts(p.runner, p.record), broken}, slog.New(slog.DiscardHandler))
	r.Reviews(w.reviews)
	r.lookEvery, r.pause = 5*time.Millisecond, time.Millisecond
	passes = make(chan int, 10_000)
	r.told = func(_ string, n int) {
		select {
		case passes <- n:
		default: // nobody is waiting
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	once := sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(once)
	return passes, once
}

func (w *world) apply(yaml string) {
	w.t.Helper()
	_, err := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, w.processes[0].url).Apply(w.t.Context(), &declarationv1.ApplyRequest{
		Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(yaml)}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) observe(metric, at string, value float64) {
	w.t.Helper()
	_, err := strategyv1connect.NewStrategyServiceClient(http.DefaultClient, w.processes[0].url).RecordObservations(w.t.Context(), &strategyv1.RecordObservationsRequest{
		Observations: []*strategyv1.Observation{{Metric: metric, ObservedAt: at, Value: &value}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// set is what the record of the first process has of a target, once it has what
// the log has.
func (w *world) set(target string) (s *condition.Set) {
	w.t.Helper()
	p := w.processes[0]
	if err := p.runner.CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	err := p.record.View(w.t.Context(), func(v record.View) error {
		r, err := v.Resource(org, "Target", target, v.Revision())
		if err != nil || r == nil {
			return err
		}
		s, err = setOf(v, subject(org, r.ID))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// until waits until something holds of a target's conditions: passes tells when
// to look again.
func (w *world) until(passes chan int, target string, holds func(*condition.Set) bool) *condition.Set {
	w.t.Helper()
	for {
		if s := w.set(target); holds(s) {
			return s
		}
		select {
		case <-passes:
		case <-time.After(time.Minute):
			w.t.Fatalf("the conditions of %s stay %v", target, w.set(target))
		}
	}
}

// events are the types of what is in the log of a service and kind.
func (w *world) events(service, kind string) (out []string) {
	w.t.Helper()
	p := w.processes[0]
	last, err := p.log.LastRevision(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	err = p.log.Read(w.t.Context(), 0, last, func(batch []*eventlog.Record) error {
		for _, m := range batch {
			if m.Subject.Service == service && m.Subject.Kind == kind {
				for _, e := range m.Envelope.GetEvents() {
					out = append(out, strings.TrimSuffix(e.GetType(), ".v1"))
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func count(list []string, what string) (n int) {
	for _, x := range list {
		if x == what {
			n++
		}
	}
	return n
}

const plan = `
{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: company}, spec: {title: Company}}
---
{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: ops}, spec: {title: Ops, parent: company}}
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: sales}, spec: {unit: count, cadence: monthly, reportingLag: 20d}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: sales}, spec: {metric: sales, owner: unit/ops,
  baseline: {value: 0, date: 2025-12-31}, value: 120, due: 2026-12-31}}
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: calls}, spec: {unit: count, cadence: monthly, aggregation: sum}}
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: rate}, spec: {unit: fraction, cadence: monthly, aggregation: ratio, ratio: {numerator: sales, denominator: calls}}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: rate}, spec: {metric: rate, owner: unit/ops, maintain: {lower: 0.5}}}
`

const reacts = `
apiVersion: setpoint.dev/v1
kind: Policy
metadata: {name: act}
spec:
  reactions:
    - name: open
      when: condition.OnTrack == 'False' && actions.open == 0 && target.name == 'sales'
      do: [{openCorrectiveAction: {dueInDays: 10}}, {notify: {channel: office}}, {requireCheckIn: {dueInDays: 5}}]
`

func fired(s *condition.Set) bool { return len(s.GetFirings()) > 0 }
func open(s *condition.Set) bool  { return s.GetGapOpen() }

// An observation opens a gap; the policy that it sets off acts once, although its
// action changes what it watches; a day that passes makes the data stale.
func TestFromAnObservationToAnAction(t *testing.T) {
	w := newWorld(t, 1)
	w.apply(plan)
	w.apply(reacts)
	passes, _ := w.reconciling(0, false)
	w.observe("sales", "2026-05", 50)
	w.until(passes, "sales", func(s *condition.Set) bool { return condition.Of(s, condition.OnTrack).GetStatus() == condition.True })
	if slices.Contains(w.events("initiative", "action"), "initiative.action_opened") {
		t.Fatal("an action against no gap")
	}
	w.clock.set("2026-07-10")
	w.observe("sales", "2026-06", 20)
	s := w.until(passes, "sales", fired)
	f := s.GetFirings()[0]
	if f.GetPolicy() != "act" || f.GetInputs()["condition.OnTrack"] != "False" || f.GetEffects()[0].GetOwner() != "unit/ops" || f.GetEffects()[0].GetDue() != "2026-07-20" {
		t.Errorf("fired %v", f)
	}
	// The same again, and everything read anew: it holds on, and fires no more.
	w.observe("calls", "2026-06", 100)
	w.apply(strings.Replace(reacts, "spec:", "spec:\n  title: Act", 1))
	w.clock.set("2026-09-30")
	s = w.until(passes, "sales", func(s *condition.Set) bool {
		return condition.Of(s, condition.DataFresh).GetStatus() == condition.False
	})
	if len(s.GetFirings()) != 1 || !s.GetGapOpen() {
		t.Errorf("after the data went stale: %v", s)
	}
	told := w.events("gap", "condition")
	for _, what := range []string{"gap.reaction_fired", "gap.notification_requested"} {
		if n := count(told, what); n != 1 {
			t.Errorf("%s was told %d times: %v", what, n, told)
		}
	}
	if count(told, "gap.data_went_stale") == 0 {
		t.Errorf("nothing went stale: %v", told)
	}
	if acts := w.events("initiative", "action"); len(acts) != 1 {
		t.Errorf("acts %v", acts)
	}
	if asked := w.events("strategy", "request"); len(asked) != 1 || asked[0] != "strategy.check_in_requested" || f.GetEffects()[2].GetDue() != "2026-07-15" {
		t.Errorf("asked for check-ins %v, %v", asked, f)
	}
}

// A value touches the targets of its metric and of ratios that use it, and gives
// what reading everything gives.
func TestAValueTouchesItsTargets(t *testing.T) {
	w := newWorld(t, 1)
	w.apply(plan)
	passes, stop := w.reconciling(0, false)
	w.observe("sales", "2026-05", 5)
	w.observe("calls", "2026-05", 100)
	w.until(passes, "rate", open)
	w.until(passes, "sales", open)
	stop()
	before := w.events("gap", "condition")
	// Another one reads everything, and has nothing to add.
	passes, _ = w.reconciling(0, false)
	<-passes
	if after := w.events("gap", "condition"); len(after) != len(before) {
		t.Errorf("a full reading tells of targets: %v", after[len(before):])
	}
}

// The forecast of a target decides ForecastAttains, as an evaluation forecasts it;
// a value of its metric moves it, and reading everything anew gives the same.
func TestForecastAttains(t *testing.T) {
	w := newWorld(t, 1)
	w.apply(plan)
	passes, stop := w.reconciling(0, false)
	attains := func(status string) func(*condition.Set) bool {
		return func(s *condition.Set) bool { return condition.Of(s, condition.ForecastAttains).GetStatus() == status }
	}
	w.observe("sales", "2026-01", 5)
	w.until(passes, "sales", attains(condition.Unknown))
	for i, v := range []float64{6, 4, 7} {
		w.observe("sales", fmt.Sprintf("2026-%02d", i+2), v)
	}
	s := w.until(passes, "sales", attains(condition.False))
	if m := condition.Of(s, condition.ForecastAttains); m.GetReason() != "FallsShort" {
		t.Errorf("%v", m)
	}
	w.observe("sales", "2026-05", 5_000)
	s = w.until(passes, "sales", attains(condition.True))
	stop()
	var outlook *gap.Outlook
	err := w.processes[0].record.View(t.Context(), func(v record.View) error {
		p, err := portfolio.Load(v, org, v.Revision(), calendar.MustParse("2026-06-15"))
		if err != nil {
			return err
		}
		rules, _ := policy.Preset("default")
		for _, r := range gap.Evaluate(p, calendar.MustParse("2026-06-15"), rules.Policy, gap.Options{Forecast: true}).Targets {
			if r.Name == "sales" {
				outlook = r.Outlook
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("the forecast attains with a probability of %.0f %%", 100**outlook.Attainment)
	if got := condition.Of(s, condition.ForecastAttains).GetMessage(); got != want {
		t.Errorf("told %q, an evaluation says %q", got, want)
	}
	before := len(w.events("gap", "condition"))
	passes, _ = w.reconciling(0, false)
	<-passes
	if after := w.events("gap", "condition"); len(after) != before {
		t.Errorf("a full reading tells of targets: %v", after[before:])
	}
}

// Two reconcilers run at once on records of their own, and are stopped again and
// again: nothing is told twice, and nothing is lost.
func TestNothingIsRepeatedOrLost(t *testing.T) {
	w := newWorld(t, 2)
	w.clock.set("2026-07-10")
	w.apply(plan)
	w.apply(reacts)
	var passes chan int
	for round := range 12 {
		a, stopA := w.reconciling(0, false)
		b, stopB := w.reconciling(1, round%3 == 0)
		passes = a
		value := 100.0
		if round%2 == 0 {
			value = float64(-round) // worse than it ever was
		}
		w.observe("sales", fmt.Sprintf("2026-06-%02d", round+1), value)
		select {
		case <-a:
		case <-b:
		}
		stopA()
		stopB()
	}
	w.observe("sales", "2026-06-30", -50)
	passes, _ = w.reconciling(1, false)
	w.until(passes, "sales", fired)
	// The log folds to the state that it holds, and what was told alternates.
	p := w.processes[0]
	sets := map[string]*condition.Set{}
	last, err := p.log.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	isOpen, requests := map[string]bool{}, map[string]bool{}
	err = p.log.Read(t.Context(), 0, last, func(batch []*eventlog.Record) error {
		for _, m := range batch {
			if m.Subject.Service != policy.Service || m.Subject.Kind != condition.Aggregate {
				continue
			}
			id := m.Subject.ID
			for _, e := range m.Envelope.GetEvents() {
				event, err := condition.Acts().Decode(e.GetType(), e.GetPayload())
				if err != nil {
					return err
				}
				switch x := event.(type) {
				case *gapv1.GapOpened:
					if isOpen[id] {
						t.Errorf("opened twice at %d", m.Revision)
					}
					isOpen[id] = true
				case *gapv1.GapClosed:
					if !isOpen[id] {
						t.Errorf("closed twice at %d", m.Revision)
					}
					isOpen[id] = false
				case *gapv1.TargetAssessed:
					if sets[id] != nil {
						t.Errorf("a first word again at %d", m.Revision)
					}
				case *gapv1.ReactionFired:
					for _, effect := range x.GetEffects() {
						// Without an id it says that the one before is still open.
						if effect.GetKind() == "openCorrectiveAction" && effect.GetRequestId() != "" {
							requests[effect.GetRequestId()] = true
						}
					}
				}
				sets[id] = condition.Evolve(sets[id], event)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Each firing has its one action, although some were stopped before it.
	for {
		acts := w.events("initiative", "action")
		if len(acts) == len(requests) && len(acts) > 0 {
			break
		}
		if len(acts) > len(requests) {
			t.Fatalf("%d actions of %d firings", len(acts), len(requests))
		}
		select {
		case <-passes:
		case <-time.After(time.Minute):
			t.Fatalf("%d actions of %d firings", len(acts), len(requests))
		}
	}
}

// A policy that is tested would have done what it did.
func TestReplayDoesWhatWasDone(t *testing.T) {
	w := newWorld(t, 1)
	w.apply(plan)
	w.apply(reacts)
	passes, stop := w.reconciling(0, false)
	w.clock.set("2026-07-01")
	w.observe("sales", "2026-05", 10)
	w.until(passes, "sales", fired)
	stop() // what is written from now on, the test writes
	w.clock.set("2026-07-03")
	before := len(w.events("gap", "condition"))
	err := w.processes[0].record.View(t.Context(), func(v record.View) error {
		r, err := v.Resource(org, "Policy", "act", v.Revision())
		if err != nil {
			return err
		}
		res, err := Replay(v, org, "act", r.Spec.(*policy.Spec), r.From, calendar.MustParse("2026-06-10"), calendar.MustParse("2026-07-03"), false, nil)
		if err != nil {
			return err
		}
		if len(res.GetFirings()) != 1 || res.GetFirings()[0].GetDay() != "2026-07-01" || res.GetFirings()[0].GetTarget() != "sales" || res.GetDays() != 24 {
			t.Errorf("would have done %v", res)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for days, hint := range map[[2]string]string{
		{"2026-07-04", "2026-07-03"}: "until, which is today",
		{"2020-01-01", "2026-07-03"}: "begin on 2023-06-30, or give until, 2023-01-04 at the latest",
	} {
		err := w.processes[0].record.View(t.Context(), func(v record.View) error {
			_, err := Replay(v, org, "act", &policy.Spec{}, 0, calendar.MustParse(days[0]), calendar.MustParse(days[1]), false, nil)
			return err
		})
		var f *fault.Error
		if !errors.As(err, &f) || f.Reason != "gap.replay_days" || !strings.Contains(f.Hint, hint) {
			t.Errorf("%v: %+v", days, f)
		}
	}
	if after := len(w.events("gap", "condition")); after != before {
		t.Errorf("a test has written %d events", after-before)
	}
}
