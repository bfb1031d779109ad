package erasure_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/erasure"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/keystore"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
)

// process is what erases, over a record of its own.
type process struct {
	*erasure.Eraser
	log    *eventlog.Log
	record *record.Record
	runner *runner.Runner
	keys   *personal.Keys
}

// killed is a store of keys that ends where the process is killed: before any
// key is destroyed.
type killed struct{ personal.Store }

var errKilled = errors.New("killed")

func (killed) Destroy(context.Context, string, personal.Holder, personal.Tombstone) error {
	return errKilled
}

func start(t *testing.T) *embeddednats.Server {
	t.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func join(t *testing.T, server *embeddednats.Server, with func(personal.Store) personal.Store) process {
	t.Helper()
	nc, err := server.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return joinBy(t, nc, 1, with)
}

// joinBy joins over a connection; what is made is kept in as many copies.
func joinBy(t *testing.T, nc *nats.Conn, copies int, with func(personal.Store) personal.Store) process {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Replicas: copies})
	must(err)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"), kinds.Registry())
	must(err)
	bucket, err := keystore.Open(t.Context(), nc, keystore.Options{Replicas: copies})
	must(err)
	keys := personal.NewKeys(with(bucket))
	rec := record.New(store, record.Checkpoint{}, time.Minute, log.LastRevision).
		WithPersonal(record.NewPersonal(kinds.Registry(), keys))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_ = record.NewProjector(log, kinds.Registry(), store, rec, slog.New(slog.DiscardHandler)).Run(ctx)
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		_ = store.Close()
	})
	commands := runner.New(log, rec, time.Now)
	return process{Eraser: erasure.New(commands, rec, kinds.Registry(), slog.New(slog.DiscardHandler)),
		log: log, record: rec, runner: commands, keys: keys}
}

func whole(s personal.Store) personal.Store { return s }

// declare declares a person, by hand.
func (p process) declare(t *testing.T, name, displayName string, principals ...string) {
	t.Helper()
	k, _ := kinds.Registry().Kind("Person")
	s := eventlog.Subject{Org: "acme", Service: k.Service, Kind: k.Token, ID: name}
	out, err := p.runner.Run(t.Context(), runner.Command{
		Org: "acme", Principal: "editor", Manager: "api", Reason: "because of " + displayName, Digest: make([]byte, 32), Guards: []eventlog.Subject{s},
	}, func(record.View) ([]runner.Write, error) {
		typ, payload, err := k.Encode(resource.Declared{
			Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.PersonSpec{DisplayName: displayName, Principals: principals}})
		return []runner.Write{{Subject: s, Events: []eventlog.Event{{Type: typ, Payload: payload}}}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.record.Wait(t.Context(), out.Revision); err != nil {
		t.Fatal(err)
	}
}

func (p process) name(t *testing.T, person string) (name string) {
	t.Helper()
	if err := p.record.At(t.Context(), record.Snapshot{}, func(v record.View, at uint64) error {
		r, err := v.Resource("acme", "Person", person, at)
		if err == nil {
			name = r.Spec.(*strategyv1.PersonSpec).GetDisplayName()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return name
}

func wish(id, person string) erasure.Command {
	return erasure.Command{Name: person, Why: "request 118", Command: runner.Command{
		Org: "acme", RequestID: id, Digest: make([]byte, 32), Principal: "admin", Manager: "api"}}
}

// The process is killed between the event and the destruction of the keys:
// nobody reads the text from the event on, and whoever starts next destroys the
// keys.
func TestKilledBeforeTheKeysAreDestroyed(t *testing.T) {
	server := start(t)
	p := join(t, server, func(s personal.Store) personal.Store { return killed{s} })
	p.declare(t, "p-1", "Ada", "u-42")
	if got := p.name(t, "p-1"); got != "Ada" {
		t.Fatalf("%q", got)
	}
	if _, err := p.Erase(t.Context(), wish("e", "p-1")); !errors.Is(err, errKilled) {
		t.Fatalf("%v", err)
	}
	if got := p.name(t, "p-1"); got != personal.Erased {
		t.Errorf("after the event, before the keys: %q", got)
	}
	next := join(t, server, whole)
	last, err := next.log.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := next.record.Wait(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	holders := []personal.Holder{"person/p-1", "principal/u-42"}
	if done, err := next.keys.Destroyed(t.Context(), "acme", holders); err != nil || done {
		t.Fatalf("before: %v, %v", done, err)
	}
	if left, err := next.Unfinished(t.Context()); err != nil || len(left) != 1 || left[0].Name != "p-1" {
		t.Errorf("unfinished before: %+v, %v", left, err)
	}
	for range 2 {
		if err := next.Complete(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := next.Unfinished(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("unfinished after: %+v, %v", left, err)
	}
	if done, err := next.keys.Destroyed(t.Context(), "acme", holders); err != nil || !done {
		t.Errorf("after: %v, %v", done, err)
	}
	// The one who asked may also ask again.
	again, err := next.Erase(t.Context(), wish("e", "p-1"))
	if err != nil || again.Epoch != 1 || again.Name != "p-1" || again.Before {
		t.Errorf("%+v, %v", again, err)
	}
}

// Many erase two people at once: each erasure is one event.
func TestErasingAtOnce(t *testing.T) {
	server := start(t)
	one, two := join(t, server, whole), join(t, server, whole)
	one.declare(t, "p-1", "Ada")
	one.declare(t, "p-2", "Bob")
	var all sync.WaitGroup
	first := make(chan bool, 16)
	for i := range 16 {
		p := []process{one, two}[i%2]
		all.Go(func() {
			out, err := p.Erase(context.Background(), wish("", []string{"p-1", "p-2"}[i/2%2]))
			if err != nil {
				t.Error(err)
			}
			first <- !out.Before
		})
	}
	all.Wait()
	close(first)
	n := 0
	for f := range first {
		if f {
			n++
		}
	}
	out, err := one.Erase(t.Context(), wish("", "p-1"))
	if err != nil || out.Epoch != 2 || n != 2 {
		t.Errorf("epoch %d after %d erasures, %v", out.Epoch, n, err)
	}
	for _, person := range []string{"p-1", "p-2"} {
		if got := one.name(t, person); got != personal.Erased {
			t.Errorf("%s: %q", person, got)
		}
	}
}

func TestWhoIsUnknownIsNotErased(t *testing.T) {
	p := join(t, start(t), whole)
	if _, err := p.Erase(t.Context(), wish("e", "p-1")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	c := wish("e", "p-1")
	p.declare(t, "p-1", "Ada")
	c.Expected = 1
	if _, err := p.Erase(t.Context(), c); err != nil {
		// Nothing was declared by an apply: the guard has not moved.
		t.Errorf("%v", err)
	}
	p.declare(t, "p-2", "Bob")
	c = wish("f", "p-2")
	c.Expected = 1
	if _, err := p.Erase(t.Context(), c); fault.KindOf(err) != fault.Aborted {
		t.Errorf("declarations moved on: %v", err)
	}
}

// A request that holds personal text cannot be guessed from its digest in the
// log, and is still told from another of the same id.
func TestTheDigestOfPersonalTextIsKeyed(t *testing.T) {
	p := join(t, start(t), whole)
	s := eventlog.Subject{Org: "acme", Service: "strategy", Kind: "observation", ID: "m"}
	digest := []byte("0123456789abcdef0123456789abcdef")
	run := func(id, reason string, digest []byte) (runner.Outcome, error) {
		return p.runner.Run(t.Context(), runner.Command{Org: "acme", RequestID: id, Digest: digest, Principal: "u", Manager: "api", Reason: reason,
			Guards: []eventlog.Subject{s}}, func(record.View) ([]runner.Write, error) {
			return []runner.Write{{Subject: s, Events: []eventlog.Event{{Type: record.ObservationsRecorded, Payload: nil}}}}, nil
		})
	}
	for id, reason := range map[string]string{"plain": "", "personal": "because"} {
		first, err := run(id, reason, digest)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.log.At(t.Context(), first.Revision)
		if err != nil {
			t.Fatal(err)
		}
		if same := string(m.Envelope.GetRequestDigest()) == string(digest); same != (reason == "") || len(m.Envelope.GetRequestDigest()) != 32 {
			t.Errorf("%s: the digest in the log is %x", id, m.Envelope.GetRequestDigest())
		}
		if m.Envelope.GetReason() != "" != personal.IsSealed(m.Envelope.GetReason()) {
			t.Errorf("%s: the reason in the log is %q", id, m.Envelope.GetReason())
		}
		if again, err := run(id, reason, digest); err != nil || again.Revision != first.Revision || again.Replayed == nil {
			t.Errorf("%s again: %+v, %v", id, again, err)
		}
		if _, err := run(id, reason, make([]byte, 32)); fault.ReasonOf(err) != "request.id_reused" {
			t.Errorf("%s for another request: %v", id, err)
		}
	}
}
