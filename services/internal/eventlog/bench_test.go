package eventlog_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
)

// bench is a log beside the raw client on a server of the same kind.
type bench struct {
	log  *eventlog.Log
	js   jetstream.JetStream
	runs atomic.Int64
	size int // bytes that a stored envelope of draft takes
}

func newBench(b *testing.B) *bench {
	b.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: b.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Close() })
	connect := func() *nats.Conn {
		nc, err := server.Connect()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(nc.Close)
		return nc
	}
	l, err := eventlog.Open(b.Context(), connect(), eventlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	js, err := jetstream.New(connect())
	if err != nil {
		b.Fatal(err)
	}
	_, err = js.CreateStream(b.Context(), jetstream.StreamConfig{
		Name: "RAW", Subjects: []string{"raw.>"}, Storage: jetstream.FileStorage, AllowAtomicPublish: true,
		DenyDelete: true, DenyPurge: true, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		b.Fatal(err)
	}
	f := &bench{log: l, js: js}
	d := f.draft("probe")
	if _, err := l.Append(b.Context(), f.command("probe"), d); err != nil {
		b.Fatal(err)
	}
	r, err := l.Last(b.Context(), d.Subject)
	if err != nil {
		b.Fatal(err)
	}
	f.size = r.Size
	return f
}

func (f *bench) command(id string) eventlog.Command {
	return eventlog.Command{RequestID: id, RequestDigest: make([]byte, 32), Principal: "p-4711", Manager: "cli", Recorded: time.Now()}
}

func (f *bench) draft(id string) eventlog.Draft {
	return eventlog.Draft{
		Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "observations", ID: id},
		Events:  []eventlog.Event{{Type: "strategy.observations_recorded.v1", Payload: make([]byte, 128)}},
	}
}

func (f *bench) raw(id string) *nats.Msg {
	m := nats.NewMsg("raw.0.acme.strategy.observations." + id)
	m.Header.Set("Sp-Types", "strategy.observations_recorded.v1")
	m.Header.Set("Sp-Request-Id", id)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
	m.Data = make([]byte, f.size)
	return m
}

// spread calls do n times from several writers, with ids never used before,
// and returns how long it took.
func (f *bench) spread(b *testing.B, writers, n int, do func(id string) error) time.Duration {
	run := strconv.FormatInt(f.runs.Add(1), 10)
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := do(run + "-" + strconv.FormatInt(i, 10)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

// compare alternates ours and the raw limit in slices, so that what else the
// machine does falls on both.
func compare(b *testing.B, each int, ours, raw func(n int) time.Duration) {
	var spentOurs, spentRaw time.Duration
	done := 0
	b.ResetTimer()
	for done < b.N {
		n := min(each, b.N-done)
		spentRaw += raw(n)
		spentOurs += ours(n)
		done += n
	}
	b.StopTimer()
	b.ReportMetric(float64(done)/spentOurs.Seconds(), "ours/s")
	b.ReportMetric(float64(done)/spentRaw.Seconds(), "raw/s")
	b.ReportMetric(spentRaw.Seconds()/spentOurs.Seconds(), "ours÷raw")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAppend is Append on subjects of its own beside a guarded PublishMsg
// of the same size.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			f := newBench(b)
			compare(b, 100*writers,
				func(n int) time.Duration {
					return f.spread(b, writers, n, func(id string) error {
						_, err := f.log.Append(context.Background(), f.command(id), f.draft(id))
						return err
					})
				},
				func(n int) time.Duration {
					return f.spread(b, writers, n, func(id string) error {
						_, err := f.js.PublishMsg(context.Background(), f.raw(id))
						return err
					})
				})
		})
	}
}

// BenchmarkAppendBatch is AppendBatch of 1,000 drafts beside a raw atomic
// batch of 1,000 messages of the same size.
func BenchmarkAppendBatch(b *testing.B) {
	const size = 1_000
	f := newBench(b)
	compare(b, 1,
		func(n int) time.Duration {
			return f.spread(b, 1, n, func(id string) error {
				drafts := make([]eventlog.Draft, size)
				for i := range drafts {
					drafts[i] = f.draft(id + "-" + strconv.Itoa(i))
				}
				_, err := f.log.AppendBatch(context.Background(), f.command(id), drafts)
				return err
			})
		},
		func(n int) time.Duration {
			return f.spread(b, 1, n, func(id string) error {
				messages := make([]*nats.Msg, size)
				for i := range messages {
					messages[i] = f.raw(id + "-" + strconv.Itoa(i))
				}
				_, err := jetstreamext.PublishMsgBatch(context.Background(), f.js, messages,
					jetstreamext.BatchFlowControl{AckFirst: true, AckTimeout: 30 * time.Second})
				return err
			})
		})
}

// BenchmarkRead is replay: decoding, hashing and checking every record.
func BenchmarkRead(b *testing.B) {
	f := newBench(b)
	const size = 1_000
	for stored := 0; stored < b.N; stored += size {
		id := "s" + strconv.Itoa(stored)
		drafts := make([]eventlog.Draft, size)
		for i := range drafts {
			drafts[i] = f.draft(id + "-" + strconv.Itoa(i))
		}
		if _, err := f.log.AppendBatch(b.Context(), f.command(id), drafts); err != nil {
			b.Fatal(err)
		}
	}
	last, err := f.log.LastRevision(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	b.ResetTimer()
	err = f.log.Read(b.Context(), 0, last, func(batch []*eventlog.Record) error {
		n += len(batch)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
