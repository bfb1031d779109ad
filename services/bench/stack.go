package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	declarationrpc "setpoint.dev/services/declaration/rpc"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/strategy"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

// aggregates is how many metrics the commands are spread over.
const aggregates = 2000

// stack is the whole service, taken apart enough to be entered at each layer,
// and a raw stream on the same server.
type stack struct {
	nats    *embeddednats.Server
	log     *eventlog.Log
	record  *record.Record
	runner  *runner.Runner
	observe strategyv1connect.StrategyServiceClient
	declare declarationv1connect.DeclarationServiceClient
	raw     jetstream.JetStream
	size    int // of a stored envelope, bytes

	next   atomic.Int64 // makes values and dates new
	rawSeq [aggregates]atomic.Uint64
	close  func()
}

func (b bench) stack(ctx context.Context) (_ *stack, err error) {
	dir, remove, err := b.folder()
	if err != nil {
		return nil, err
	}
	s := &stack{}
	ctx, cancel := context.WithCancel(ctx)
	closers := []func(){remove}
	s.close = func() {
		cancel()
		for i := len(closers) - 1; i >= 0; i-- {
			closers[i]()
		}
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.nats, err = embeddednats.Start(embeddednats.Options{Dir: filepath.Join(dir, "nats"), Listen: "127.0.0.1:0"}); err != nil {
		return nil, err
	}
	closers = append(closers, func() { _ = s.nats.Close() })
	connect := func() (*nats.Conn, error) {
		nc, err := s.nats.Connect()
		if err == nil {
			closers = append(closers, nc.Close)
		}
		return nc, err
	}
	nc, err := connect()
	if err != nil {
		return nil, err
	}
	if s.log, err = eventlog.Open(ctx, nc, eventlog.Options{}); err != nil {
		return nil, err
	}
	closers = append(closers, s.log.Close)
	registry := kinds.Registry()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "record.db"), registry)
	if err != nil {
		return nil, err
	}
	closers = append(closers, func() { _ = store.Close() })
	s.record = record.New(store, record.Checkpoint{}, 10*time.Second, s.log.LastRevision)
	logger := slog.New(slog.DiscardHandler)
	var following sync.WaitGroup
	following.Go(func() { _ = record.NewProjector(s.log, registry, store, s.record, logger).Run(ctx) })
	closers = append(closers, func() { cancel(); following.Wait() })
	s.runner = runner.New(s.log, s.record, time.Now)
	handler, err := rpc.Handler(logger, func(context.Context) error { return nil },
		declarationrpc.New(s.runner, s.record, registry, nil), strategyrpc.New(s.runner, s.record, registry, nil, nil))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := rpc.NewServer(handler, logger)
	go func() { _ = server.Serve(listener) }()
	closers = append(closers, func() { _ = server.Close() })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}
	url := "http://" + listener.Addr().String()
	s.observe = strategyv1connect.NewStrategyServiceClient(client, url)

	yaml := make([]byte, 0, aggregates*120)
	for i := range aggregates {
		yaml = fmt.Appendf(yaml, "---\n{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: %s}, spec: {cadence: daily, unit: points}}\n", metric(i))
	}
	s.declare = declarationv1connect.NewDeclarationServiceClient(client, url)
	if _, err := s.declare.Apply(ctx, &declarationv1.ApplyRequest{
		Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "metrics.yaml", Content: yaml}}},
	}); err != nil {
		return nil, err
	}

	nc, err = connect()
	if err != nil {
		return nil, err
	}
	if s.raw, err = jetstream.New(nc); err != nil {
		return nil, err
	}
	if _, err = s.raw.CreateStream(ctx, jetstream.StreamConfig{
		Name: "RAW", Subjects: []string{"raw.>"}, Storage: jetstream.FileStorage,
		DenyDelete: true, DenyPurge: true, Discard: jetstream.DiscardNew,
	}); err != nil {
		return nil, err
	}
	if err := s.command(ctx, 0); err != nil {
		return nil, err
	}
	last, err := s.log.Last(ctx, subject(0))
	if err != nil {
		return nil, err
	}
	s.size = last.Size
	return s, nil
}

func metric(i int) string { return fmt.Sprintf("metric-%d", i) }

func subject(i int) eventlog.Subject {
	return eventlog.Subject{Org: rpc.DefaultOrg, Service: "strategy", Kind: "observation", ID: metric(i)}
}

// observation is a new value: no other has its date and source.
func (s *stack) observation(i int) *strategyv1.Observation {
	n := s.next.Add(1)
	v := float64(n)
	day := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(n%80_000)).Format(time.DateOnly)
	return &strategyv1.Observation{Metric: metric(i), ObservedAt: day, Value: &v, Source: fmt.Sprintf("s%d", n/80_000)}
}

// rpc is a command as a client gives it.
func (s *stack) rpc(ctx context.Context, i int) error {
	_, err := s.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
		RequestId: fmt.Sprintf("rpc-%d", s.next.Add(1)), Observations: []*strategyv1.Observation{s.observation(i)}})
	return err
}

// command is the same command below the RPC layer.
func (s *stack) command(ctx context.Context, i int) error {
	o := s.observation(i)
	c := runner.Command{Org: rpc.DefaultOrg, RequestID: fmt.Sprintf("cmd-%d", s.next.Add(1)), Digest: make([]byte, 32),
		Principal: rpc.DefaultActor, Manager: "api", Guards: []eventlog.Subject{subject(i)}}
	_, err := s.runner.Run(ctx, c, func(v record.View) ([]runner.Write, error) {
		m, err := v.Resource(c.Org, "Metric", o.GetMetric(), v.Revision())
		if err != nil {
			return nil, err
		}
		id := strategy.Identity{At: o.GetObservedAt(), Source: o.GetSource()}
		on := map[strategy.Identity]strategy.Observed{}
		have, _, err := v.Observation(c.Org, m.ID, record.ObservationKey(id))
		if err != nil {
			return nil, err
		}
		if have != nil {
			on[id] = strategy.Observed{Value: have.Value}
		}
		recorded, _, _ := strategy.Observe(on, []strategy.Observation{{Identity: id, Observed: strategy.Observed{Value: o.GetValue()}}}, false)
		payload, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: strategy.Values(recorded)})
		if err != nil {
			return nil, err
		}
		return []runner.Write{{Subject: subject(i), Events: []eventlog.Event{{Type: record.ObservationsRecorded, Payload: payload}}}}, nil
	})
	return err
}

// guarded is a raw guarded append of as many bytes.
func (s *stack) guarded(ctx context.Context, i int) error {
	m := &nats.Msg{Subject: fmt.Sprintf("raw.%d", i), Data: make([]byte, s.size)}
	ack, err := s.raw.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(s.rawSeq[i].Load()))
	if err == nil {
		s.rawSeq[i].Store(ack.Sequence)
	}
	return err
}
