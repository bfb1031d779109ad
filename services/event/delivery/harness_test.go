package delivery_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	declarationrpc "setpoint.dev/services/declaration/rpc"
	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/process"
	eventrpc "setpoint.dev/services/event/rpc"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
)

// world is one log with its public events, and a door.
type world struct {
	t      *testing.T
	opts   delivery.Options
	asked  *delivery.Asked // of who delivers
	public *stream.Stream
	js     jetstream.JetStream
	event  eventv1connect.EventServiceClient
	apply  declarationv1connect.DeclarationServiceClient

	mu     sync.Mutex
	ahead  time.Duration // of the clock
	failed chan int      // the number of each attempt that failed
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return time.Now().Add(w.ahead) }

func (w *world) later(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.ahead += d }

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldBehind(t, nil)
}

// newWorldBehind has a door that may post what another sender may; nil: what who
// delivers may.
func newWorldBehind(t *testing.T, door *delivery.Sender) *world {
	t.Helper()
	w := &world{t: t, failed: make(chan int, 1000)}
	ns, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	w.ok(err)
	t.Cleanup(func() { _ = ns.Close() })
	nc, err := ns.Connect()
	w.ok(err)
	t.Cleanup(nc.Close)
	w.js, err = jetstream.New(nc)
	w.ok(err)
	log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
	w.ok(err)
	t.Cleanup(log.Close)
	registry, logger := kinds.Registry(), slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"), registry)
	w.ok(err)
	t.Cleanup(func() { _ = store.Close() })
	rec := record.New(store, record.Checkpoint{}, time.Minute, log.LastRevision)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	running.Go(func() { _ = record.NewProjector(log, registry, store, rec, logger).Run(ctx) })
	run := runner.New(log, rec, w.now)
	w.public, err = stream.Open(t.Context(), nc, stream.Options{})
	w.ok(err)
	vault, err := w.public.Vault(t.Context())
	w.ok(err)
	sub, err := stream.NewSubscriber(nc, 0)
	w.ok(err)
	t.Cleanup(func() { _ = sub.Close() })
	of := func(typ string) proto.Message { return record.Message(registry, typ) }
	running.Go(func() {
		_ = process.New(log.ID(), w.public, of, logger).Run(ctx, sub, stream.PublishDead{Stream: w.public})
	})
	w.opts = delivery.Options{
		Events: w.public, Vault: vault, Record: rec, Acts: delivery.NewActs(run, rec), Sender: delivery.NewSender(true),
		Now: w.now, Logger: logger, Grace: 50 * time.Millisecond,
		Delay: func(attempt int, _ time.Duration) time.Duration {
			w.failed <- attempt
			return time.Millisecond
		},
	}
	w.asked = &delivery.Asked{Sender: w.opts.Sender, Events: w.public, Vault: vault, Record: rec, Now: w.now}
	theirs := *w.asked
	if door != nil {
		theirs.Sender = door
	}
	handler, err := rpc.Handler(logger, func(context.Context) error { return nil }, declarationrpc.New(run, rec, registry, nil),
		eventrpc.New(w.public, func(context.Context) error { return nil }, eventrpc.Hooks{
			Record: rec, Kinds: registry, Acts: w.opts.Acts, Events: w.public, Vault: vault, Asked: &theirs, Now: w.now,
		}))
	w.ok(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.ok(err)
	server := rpc.NewServer(handler, logger)
	running.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { _ = server.Close() })
	url := "http://" + l.Addr().String()
	w.event, w.apply = eventv1connect.NewEventServiceClient(http.DefaultClient, url), declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, url)
	return w
}

// run delivers, as one of several processes, until stop is called.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { delivery.NewManager(w.opts).Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(stop)
	return stop
}

func (w *world) declare(manifests ...string) {
	w.t.Helper()
	_, err := w.apply.Apply(w.t.Context(), &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{
		Path: "plan.yaml", Content: []byte(strings.Join(manifests, "\n---\n")),
	}}}})
	w.ok(err)
}

func unit(name string) string {
	return "{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: " + name + "}, spec: {}}"
}

func hook(name, url, more string) string {
	return "{apiVersion: setpoint.dev/v1, kind: Webhook, metadata: {name: " + name + "}, spec: {url: '" + url + "', types: [strategy.unit-declared] " + more + "}}"
}

func (w *world) rotate(name string, hours int32) string {
	w.t.Helper()
	res, err := w.event.RotateWebhookSecret(w.t.Context(), &eventv1.RotateWebhookSecretRequest{Webhook: name, OverlapHours: hours})
	w.ok(err)
	return res.GetSecret()
}

func (w *world) entry(name string) *eventv1.WebhookEntry {
	w.t.Helper()
	res, err := w.event.ListWebhooks(w.t.Context(), &eventv1.ListWebhooksRequest{Webhook: name})
	w.ok(err)
	return res.GetWebhooks()[0]
}

// until waits for a condition that nobody signals.
func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !f(); {
		if time.Now().After(end) {
			w.t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// arrival is a request as the endpoint saw it.
type arrival struct {
	header http.Header
	body   []byte
}

// endpoint is a receiver: it answers as it is told.
type endpoint struct {
	*httptest.Server
	arrived chan arrival
	mu      sync.Mutex
	answer  func(subject string) int
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{arrived: make(chan arrival, 1000), answer: func(string) int { return http.StatusNoContent }}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a := arrival{r.Header.Clone(), body}
		e.mu.Lock()
		answer := e.answer
		e.mu.Unlock()
		status := answer(a.subject())
		e.arrived <- a
		w.WriteHeader(status)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) answers(f func(subject string) int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = f
}

func (a arrival) subject() string {
	var e struct{ Subject string }
	_ = json.Unmarshal(a.body, &e)
	return e.Subject
}

func (a arrival) id() string { return a.header.Get(standardwebhooks.HeaderWebhookID) }

func (e *endpoint) next(t *testing.T) arrival {
	t.Helper()
	select {
	case a := <-e.arrived:
		return a
	case <-time.After(time.Minute):
		t.Fatal("nothing arrives")
		panic("unreachable")
	}
}

// subjects are those of the next n that arrive.
func (e *endpoint) subjects(t *testing.T, n int) string {
	t.Helper()
	var out []string
	for range n {
		out = append(out, strings.TrimPrefix(e.next(t).subject(), "unit/"))
	}
	return strings.Join(out, " ")
}

func verify(t *testing.T, a arrival, secret string) error {
	t.Helper()
	v, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return v.VerifyIgnoringTimestamp(a.body, a.header)
}
