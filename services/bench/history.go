package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/kinds"
)

// history writes a log of n messages, as years of use leave it: metrics that
// are declared, and again now and then (one message of the resource and one of
// the guard), and values that are observed, of which one in twenty corrects an
// earlier one. Messages are as large as those of commands; only the fsync of
// each is left out, which would take most of the time.
type history struct {
	js       jetstream.JetStream
	registry *resource.Registry
	last     map[eventlog.Subject][]byte // the hash of the newest message
	n        uint64
	at       time.Time
	pending  []jetstream.PubAckFuture
}

const (
	historyMetrics = 2000
	redeclareEvery = 20 // of the commits, one declares
	correctEvery   = 20
)

// makeHistory makes the log in the folder of a data folder that is not in use.
func makeHistory(ctx context.Context, dir string, n int) error {
	nats1, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		return err
	}
	nc, err := nats1.ConnectInProcess()
	if err != nil {
		return err
	}
	log, err := eventlog.Open(ctx, nc, eventlog.Options{}) // makes the stream
	if err != nil {
		return err
	}
	log.Close()
	nc.Close()
	if err := nats1.Close(); err != nil {
		return err
	}
	ns, err := server.NewServer(&server.Options{ServerName: "setpoint", DontListen: true, JetStream: true, NoSigs: true, NoLog: true,
		StoreDir: filepath.Join(dir, "nats"), MaxPayload: embeddednats.MaxPayload,
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: embeddednats.MaxBatch}})
	if err != nil {
		return err
	}
	go ns.Start()
	if !ns.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("the server for the history did not start")
	}
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	if nc, err = nats.Connect("", nats.InProcessServer(ns)); err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(4096))
	if err != nil {
		return err
	}
	h := &history{js: js, registry: kinds.Registry(), last: map[eventlog.Subject][]byte{}, at: time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := 0; h.n < uint64(n)-1; i++ {
		if i < historyMetrics || i%redeclareEvery == 0 {
			err = h.declare(i)
		} else {
			err = h.observe(i)
		}
		if err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(time.Minute):
		return fmt.Errorf("the history was not acknowledged")
	}
	for _, f := range h.pending {
		select {
		case err := <-f.Err():
			return err
		default:
		}
	}
	return nil
}

func (h *history) declare(i int) error {
	name := metric(i % historyMetrics)
	k, _ := h.registry.Kind("Metric")
	typ, payload, err := k.Encode(resource.Declared{
		Metadata: &commonv1.Metadata{Name: name, Labels: map[string]string{"source": "bench"}},
		Spec:     &strategyv1.MetricSpec{Title: fmt.Sprintf("Metric %d, version %d", i%historyMetrics, i/historyMetrics), Unit: "points", Cadence: "daily"},
	})
	if err != nil {
		return err
	}
	changed, err := proto.Marshal(&declarationv1.Changed{})
	if err != nil {
		return err
	}
	return h.commit(i, []eventlog.Subject{
		{Org: rpc.DefaultOrg, Service: k.Service, Kind: k.Token, ID: name}, eventlog.DeclarationGuard(rpc.DefaultOrg),
	}, []*eventv1.Event{{Type: typ, Payload: payload}, {Type: record.DeclarationChanged, Payload: changed}})
}

func (h *history) observe(i int) error {
	typ, day := record.ObservationsRecorded, i/historyMetrics
	if i%correctEvery == 1 && day > 2 {
		typ, day = record.ObservationsCorrected, day-2
	}
	payload, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: []*strategyv1.ObservedValue{{
		ObservedAt: time.Date(2016, 1, 1+day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), Value: float64(i), Source: "erp",
	}}})
	if err != nil {
		return err
	}
	return h.commit(i, []eventlog.Subject{subject(i % historyMetrics)}, []*eventv1.Event{{Type: typ, Payload: payload}})
}

func (h *history) commit(i int, subjects []eventlog.Subject, events []*eventv1.Event) error {
	h.at = h.at.Add(time.Second)
	digest := sha256.Sum256(fmt.Append(nil, i))
	request := fmt.Sprintf("%x", digest[:13]) // as random as those that clients make
	for n, s := range subjects {
		body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&eventv1.Envelope{
			Format: eventlog.Format, RequestId: request, RequestDigest: digest[:], Principal: "u-42", Manager: "api",
			Effective: "2016-01-01", Recorded: timestamppb.New(h.at), PreviousHash: h.last[s],
			Commit: &eventv1.Commit{Index: uint32(n), Count: uint32(len(subjects))}, Events: events[n : n+1],
		})
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		h.last[s] = sum[:]
		f, err := h.js.PublishMsgAsync(&nats.Msg{Subject: s.String(0), Data: body, Header: nats.Header{
			eventlog.HeaderTypes: {events[n].Type}, eventlog.HeaderRequest: {request},
		}}, jetstream.WithStallWait(time.Minute))
		if err != nil {
			return err
		}
		h.n++
		if h.n%1000 == 0 {
			h.pending = append(h.pending, f)
		}
	}
	return nil
}
