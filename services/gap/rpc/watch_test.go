package rpc

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	declarationrpc "setpoint.dev/services/declaration/rpc"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

// clock is set by the test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// stack is a whole server whose watching the test has set.
type stack struct {
	t       *testing.T
	url     string
	service *Service
}

func start(t *testing.T, now func() time.Time, change func(*watching)) stack {
	t.Helper()
	dir := t.TempDir()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ns, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(dir, "nats")})
	ok(err)
	t.Cleanup(func() { _ = ns.Close() })
	nc, err := ns.Connect()
	ok(err)
	t.Cleanup(nc.Close)
	log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
	ok(err)
	t.Cleanup(log.Close)
	registry := kinds.Registry()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "record.db"), registry)
	ok(err)
	t.Cleanup(func() { _ = store.Close() })
	logger := slog.New(slog.DiscardHandler)
	rec := record.New(store, record.Checkpoint{}, time.Minute, log.LastRevision)
	ctx, stop := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { _ = record.NewProjector(log, registry, store, rec, logger).Run(ctx) })
	t.Cleanup(func() { stop(); following.Wait() })

	commands := runner.New(log, rec, now)
	s := &Service{record: rec, now: now, watching: newWatching()}
	s.watching.pause = time.Millisecond
	if change != nil {
		change(&s.watching)
	}
	door, err := rpc.Handler(logger, func(context.Context) error { return nil },
		declarationrpc.New(commands, rec, registry, func(x declarationrpc.Supposed) (*gapv1.Consequences, error) {
			return Suppose(x.Is, x.Then, x.Org, x.AsOf, x.Policy, x.Renamed)
		}), strategyrpc.New(commands, rec, registry, nil, nil), s.service())
	ok(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(err)
	server := rpc.NewServer(door, logger)
	following.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return stack{t: t, url: "http://" + l.Addr().String(), service: s}
}

type asOrg string

func (o asOrg) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(rpc.OrgHeader, string(o))
	return http.DefaultTransport.RoundTrip(r)
}

const plan = `
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: sales}, spec: {unit: count, cadence: yearly}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: sales}, spec: {metric: sales, direction: increase,
  baseline: {value: 0, date: 2019-12-31}, value: 100, due: 2023-12-31}}
`

func (s stack) apply(org, yaml string) {
	s.t.Helper()
	c := declarationv1connect.NewDeclarationServiceClient(&http.Client{Transport: asOrg(org)}, s.url)
	_, err := c.Apply(s.t.Context(), &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
		Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(yaml)}},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s stack) observe(org, at string, value float64) {
	s.t.Helper()
	c := strategyv1connect.NewStrategyServiceClient(&http.Client{Transport: asOrg(org)}, s.url)
	_, err := c.RecordObservations(s.t.Context(), &strategyv1.RecordObservationsRequest{
		Observations: []*strategyv1.Observation{{Metric: "sales", ObservedAt: at, Value: &value}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s stack) client(org string) gapv1connect.GapServiceClient {
	return gapv1connect.NewGapServiceClient(&http.Client{Transport: asOrg(org)}, s.url)
}

// watcher receives one by one.
type watcher struct {
	t      *testing.T
	stream *connect.ServerStreamForClient[gapv1.WatchResponse]
	leave  context.CancelFunc
}

func (s stack) watch(org string, q *gapv1.EvaluateRequest) watcher {
	s.t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	stream, err := s.client(org).Watch(ctx, &gapv1.WatchRequest{Query: q})
	if err != nil {
		leave()
		s.t.Fatal(err)
	}
	s.t.Cleanup(leave)
	return watcher{s.t, stream, leave}
}

func (w watcher) next() *gapv1.EvaluateResponse {
	w.t.Helper()
	if !w.stream.Receive() {
		w.t.Fatalf("the stream ended: %v", w.stream.Err())
	}
	return w.stream.Msg().GetResult()
}

func (w watcher) end() error {
	w.t.Helper()
	if w.stream.Receive() {
		w.t.Errorf("something came: %v", w.stream.Msg())
	}
	return w.stream.Err()
}

func actual(r *gapv1.EvaluateResponse) float64 {
	if len(r.GetTargets()) != 1 || r.GetTargets()[0].Actual == nil {
		return -1
	}
	return r.GetTargets()[0].GetActual()
}

// What changes the result comes, what does not does not: had it been sent, it
// would stand where the next change is expected.
func TestWatchSendsEachDifferenceAndNothingElse(t *testing.T) {
	s := start(t, time.Now, nil)
	s.apply("acme", plan)
	s.apply("umbrella", plan)
	w := s.watch("acme", &gapv1.EvaluateRequest{AsOf: "2022-12-31"})
	other := s.watch("umbrella", &gapv1.EvaluateRequest{AsOf: "2022-12-31"})
	if r := w.next(); actual(r) != -1 || len(r.GetTargets()) != 1 {
		t.Fatalf("at first: %v", r)
	}
	other.next()
	s.observe("acme", "2020-12-31", 20)
	if r := w.next(); actual(r) != 20 {
		t.Fatalf("after an observation: %v", r)
	}
	s.apply("acme", "{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: north}, spec: {title: North}}")
	s.observe("umbrella", "2020-12-31", 5)
	if r := other.next(); actual(r) != 5 {
		t.Fatalf("the other organization: %v", r)
	}
	s.observe("acme", "2021-12-31", 60)
	r := w.next()
	if actual(r) != 60 {
		t.Fatalf("after a unit, another organization's value and an observation: %v", r)
	}
	now, err := s.client("acme").Evaluate(t.Context(), &gapv1.EvaluateRequest{AsOf: "2022-12-31"})
	if err != nil {
		t.Fatal(err)
	}
	if now.Revision = r.Revision; !proto.Equal(now, r) {
		t.Errorf("watched\n%v\nevaluated\n%v", r, now)
	}
	s.apply("acme", strings.Replace(plan, "value: 100", "value: 120", 1))
	if r := w.next(); r.GetTargets()[0].GetTarget() != 120 {
		t.Errorf("after a new target: %v", r)
	}
}

func TestWatchFollowsTheCalendar(t *testing.T) {
	c := &clock{at: time.Date(2022, 3, 1, 23, 30, 0, 0, time.UTC)}
	s := start(t, c.now, func(w *watching) { w.lookEvery = time.Millisecond })
	s.apply("acme", "{apiVersion: setpoint.dev/v1, kind: Organization, metadata: {name: acme}, spec: {timeZone: Europe/Berlin}}")
	w, fixed := s.watch("acme", nil), s.watch("acme", &gapv1.EvaluateRequest{AsOf: "2022-03-02"})
	if r := w.next(); r.GetAsOf() != "2022-03-02" { // half past midnight in Berlin
		t.Errorf("as of %s", r.GetAsOf())
	}
	fixed.next()
	c.set(time.Date(2022, 3, 2, 23, 1, 0, 0, time.UTC))
	if r := w.next(); r.GetAsOf() != "2022-03-03" {
		t.Errorf("as of %s", r.GetAsOf())
	}
	s.apply("acme", plan)
	if r := fixed.next(); r.GetAsOf() != "2022-03-02" || len(r.GetTargets()) != 1 {
		t.Errorf("a query for a day was told of another: %v", r)
	}
}

func TestWatchOfThePastStaysWithIt(t *testing.T) {
	s := start(t, time.Now, func(w *watching) { w.lookEvery = time.Millisecond })
	s.apply("acme", plan)
	r := s.watch("acme", &gapv1.EvaluateRequest{AsOf: "2022-12-31"}).next()
	w := s.watch("acme", &gapv1.EvaluateRequest{AsOf: "2022-12-31", Revision: r.GetRevision()})
	w.next()
	live := s.watch("acme", &gapv1.EvaluateRequest{AsOf: "2022-12-31"})
	live.next()
	s.observe("acme", "2020-12-31", 20)
	live.next()
	w.leave()
	if err := w.end(); connect.CodeOf(err) != connect.CodeCanceled {
		t.Errorf("%v", err)
	}
}

// A burst is told once, not value by value, and its end is not lost.
func TestWatchCoalesces(t *testing.T) {
	s := start(t, time.Now, func(w *watching) { w.pause = 100 * time.Millisecond })
	s.apply("acme", plan)
	w := s.watch("acme", &gapv1.EvaluateRequest{AsOf: "2022-12-31"})
	w.next()
	began := time.Now()
	const values = 40
	var observing sync.WaitGroup
	defer observing.Wait() // its last answer may come after the last message
	observing.Go(func() {
		for i := range values {
			s.observe("acme", calendar.Of(2020, 1, 1).AddDays(i).String(), float64(i+1))
		}
	})
	messages := 0
	for {
		messages++
		if actual(w.next()) == values {
			break
		}
	}
	if most := int(time.Since(began)/(100*time.Millisecond)) + 1; messages > most {
		t.Errorf("%d messages in %v, at most %d", messages, time.Since(began), most)
	}
}

func TestWatchersAreBoundedAndGiveTheirPlaceBack(t *testing.T) {
	s := start(t, time.Now, func(w *watching) { w.places = make(chan struct{}, 1) })
	w := s.watch("acme", nil)
	w.next()
	if err := s.watch("acme", nil).end(); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a second one: %v", err)
	}
	w.leave()
	s.service.watching.places <- struct{}{} // free again, else the test hangs here
	<-s.service.watching.places
	s.watch("acme", nil).next()
}

func TestWatchRefusesWhatEvaluateRefuses(t *testing.T) {
	s := start(t, time.Now, nil)
	for name, q := range map[string]*gapv1.EvaluateRequest{
		"strategy": {Strategy: "none"}, "policy": {Policy: "none"}, "day": {AsOf: "2022-02-30"}, "form": {AsOf: "soon"},
		"revision": {Revision: 1 << 40},
	} {
		_, want := s.client("acme").Evaluate(t.Context(), q)
		if err := s.watch("acme", q).end(); want == nil || connect.CodeOf(err) != connect.CodeOf(want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// What was watched disappears: the stream ends with the reason.
func TestWatchEndsWithItsStrategy(t *testing.T) {
	s := start(t, time.Now, nil)
	s.apply("acme", "{apiVersion: setpoint.dev/v1, kind: Strategy, metadata: {name: plan}, spec: {title: P, horizon: {start: 2020-01-01, end: 2022-12-31}}}")
	w := s.watch("acme", &gapv1.EvaluateRequest{Strategy: "plan"})
	w.next()
	c := declarationv1connect.NewDeclarationServiceClient(&http.Client{Transport: asOrg("acme")}, s.url)
	if _, err := c.Delete(t.Context(), &declarationv1.DeleteRequest{Kind: "Strategy", Name: "plan"}); err != nil {
		t.Fatal(err)
	}
	if err := w.end(); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("%v", err)
	}
}
