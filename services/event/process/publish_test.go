package process_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/event"
	"setpoint.dev/services/event/process"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/kinds"
)

// The consumer of that name knows what has been published.
func TestHandlerNameIsPinned(t *testing.T) {
	if process.HandlerName != "public-events" {
		t.Errorf("the handler is called %s: everything would be published again", process.HandlerName)
	}
}

type stand struct {
	t   *testing.T
	nc  *nats.Conn
	log *eventlog.Log
	out *stream.Stream
}

func open(t *testing.T) stand {
	t.Helper()
	ns, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(t.TempDir(), "nats")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	nc, err := ns.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	out, err := stream.Open(t.Context(), nc, stream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return stand{t, nc, log, out}
}

// tell appends n messages of two events each.
func (s stand) tell(org string, from, n int) {
	s.t.Helper()
	for i := from; i < from+n; i++ {
		v, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: []*strategyv1.ObservedValue{{ObservedAt: "2026-01-01", Value: float64(i), Note: "Jane"}}})
		if err != nil {
			s.t.Fatal(err)
		}
		e := eventlog.Event{Type: record.ObservationsRecorded, Payload: v}
		_, err = s.log.Append(s.t.Context(), eventlog.Command{RequestID: fmt.Sprintf("%s-%d", org, i), RequestDigest: make([]byte, 32), Principal: "p", Manager: "api", Recorded: time.Now()},
			eventlog.Draft{Subject: eventlog.Subject{Org: org, Service: "strategy", Kind: "observation", ID: fmt.Sprintf("m-%d", i)}, Events: []eventlog.Event{e, e}})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// run publishes until stop is called.
func (s stand) run(to process.Public) (stop func()) {
	s.t.Helper()
	sub, err := stream.NewSubscriber(s.nc, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	p := process.New(s.log.ID(), to, func(typ string) proto.Message { return record.Message(kinds.Registry(), typ) }, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := p.Run(ctx, sub, stream.PublishDead{Stream: s.out}); err != nil && ctx.Err() == nil {
			s.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		ended.Wait()
		_ = sub.Close()
	})
	s.t.Cleanup(stop)
	return stop
}

// read takes n events of an organization, as stored.
func (s stand) read(org string, n int) (ids []string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	r, err := s.out.Read(ctx, org, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	for len(ids) < n {
		body, _, err := r.Next(ctx)
		if err != nil {
			s.t.Fatalf("%v after %v", err, ids)
		}
		var e event.CloudEvent
		if err := json.Unmarshal(body, &e); err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func (s stand) stored() uint64 {
	s.t.Helper()
	_, last, err := s.out.Bounds(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return last
}

// wanted are the ids of messages of two events each, alone in the log.
func wanted(first, n int) (ids []string) {
	for i := first; i < first+n; i++ {
		for index := range 2 {
			ids = append(ids, fmt.Sprintf("0-%d-%d-dev.setpoint.strategy.observations-recorded.v1", i, index))
		}
	}
	return ids
}

func TestEachOrganizationGetsItsOwnInOrder(t *testing.T) {
	s := open(t)
	s.run(s.out)
	s.tell("acme", 1, 5)
	s.tell("umbrella", 1, 5)
	if got := s.read("acme", 10); !slices.Equal(got, wanted(1, 5)) {
		t.Errorf("acme: %v", got)
	}
	if got := s.read("umbrella", 10); !slices.Equal(got, wanted(6, 5)) {
		t.Errorf("umbrella: %v", got)
	}
}

// lossy loses answers: what it says has failed may have been stored.
type lossy struct {
	*stream.Stream
	mu sync.Mutex
	n  int
}

func (l *lossy) Publish(ctx context.Context, o event.Outgoing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	switch l.n % 3 {
	case 0:
		return errors.New("not stored")
	case 1:
		_ = l.Stream.Publish(ctx, o)
		return errors.New("stored, and the answer was lost")
	}
	return l.Stream.Publish(ctx, o)
}

// Two processes, lost answers and a consumer that begins anew: each event is
// stored once, also where the server's window is over.
func TestExactlyOnePerCause(t *testing.T) {
	s := open(t)
	js, err := jetstream.New(s.nc)
	if err != nil {
		t.Fatal(err)
	}
	public, err := js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := public.CachedInfo().Config
	cfg.Duplicates = 100 * time.Millisecond
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	first, second := s.run(&lossy{Stream: s.out}), s.run(&lossy{Stream: s.out, n: 1})
	s.tell("acme", 1, 10)
	if got := s.read("acme", 20); !slices.Equal(got, wanted(1, 10)) {
		t.Errorf("%v", got)
	}
	first()
	second()
	log, err := js.Stream(t.Context(), "SETPOINT_0")
	if err != nil {
		t.Fatal(err)
	}
	if err := log.DeleteConsumer(t.Context(), process.HandlerName); err != nil {
		t.Fatal(err)
	}
	s.run(s.out)
	s.tell("acme", 11, 1)
	if got := s.read("acme", 22); !slices.Equal(got, wanted(1, 11)) {
		t.Errorf("after beginning anew: %v", got)
	}
	if n := s.stored(); n != 22 {
		t.Errorf("%d are stored", n)
	}
}

// What is damaged is set aside with the reason, and the rest goes on.
func TestDamageIsSetAside(t *testing.T) {
	s := open(t)
	s.tell("acme", 1, 1)
	if _, err := s.nc.Request("sp.0.acme.strategy.observation.x", []byte("garbage"), time.Minute); err != nil {
		t.Fatal(err)
	}
	s.run(s.out)
	s.read("acme", 2)
	js, err := jetstream.New(s.nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.OrderedConsumer(t.Context(), stream.Dead, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Next(jetstream.FetchMaxWait(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Data()) != "garbage" || m.Headers().Get("Setpoint-sequence") != "2" || m.Headers().Get("Setpoint-reason_poisoned") == "" {
		t.Errorf("%s %v", m.Data(), m.Headers())
	}
}
