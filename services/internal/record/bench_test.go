package record_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/eventlog/eventlogtest"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/kinds"
)

// bound is the longest that anything here waits.
const bound = 3 * time.Minute

// bench is a log on a server of its own, and what projects it.
type bench struct {
	t        testing.TB
	dir      string
	registry *resource.Registry
	nats     *embeddednats.Server
	nc       *nats.Conn
	log      *eventlog.Log
	places   map[eventlog.Subject]eventlog.Committed
	n        int

	data       *sqlite.Database
	record     *record.Record
	projection *record.Projection
	stop       func()
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), registry: kinds.Registry(), places: map[eventlog.Subject]eventlog.Committed{}, stop: func() {}}
	b.check(func() (err error) {
		b.nats, err = embeddednats.Start(embeddednats.Options{Dir: filepath.Join(b.dir, "nats")})
		return err
	}())
	b.check(func() (err error) { b.nc, err = b.nats.ConnectInProcess(); return err }())
	b.openLog()
	t.Cleanup(func() {
		b.halt()
		b.log.Close()
		b.nc.Close()
		if err := b.nats.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) openLog() {
	b.t.Helper()
	log, err := eventlog.Open(context.Background(), b.nc, eventlog.Options{})
	b.check(err)
	b.log = log
}

// damage takes messages out of the log while nothing projects.
func (b *bench) damage(gone ...uint64) {
	b.t.Helper()
	b.halt()
	b.log.Close()
	eventlogtest.Damage(b.t, b.nc, 0, gone...)
	b.openLog()
}

// run projects.
func (b *bench) run() {
	b.t.Helper()
	data, err := sqlite.OpenDatabase(context.Background(), b.dir, b.registry)
	b.check(err)
	_, live, err := data.Live(context.Background())
	b.check(err)
	b.data = data
	b.record = record.New(data, live.At, bound, b.log.LastRevision)
	logger := slog.New(slog.NewTextHandler(testWriter{b.t}, nil))
	b.projection = record.NewProjection(b.log, b.registry, data, b.record, func(ctx context.Context) (record.Store, error) {
		return sqlite.Scratch(ctx, b.dir, b.registry)
	}, logger)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.record.Track(ctx, data, logger) })
	running.Go(func() {
		for ctx.Err() == nil {
			if err := b.projection.Project(ctx); ctx.Err() == nil && record.Halts(err) {
				b.projection.AwaitRetry(ctx, err)
			} else if ctx.Err() == nil {
				b.t.Error(err)
				return
			}
		}
	})
	b.stop = func() {
		stop()
		running.Wait()
		if err := data.Close(); err != nil {
			b.t.Error(err)
		}
	}
}

// halt stops projecting.
func (b *bench) halt() {
	b.stop()
	b.stop = func() {}
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (b *bench) draft(org, service, kind, id, typ string, payload []byte) eventlog.Draft {
	s := eventlog.Subject{Org: org, Service: service, Kind: kind, ID: id}
	d := eventlog.Draft{Subject: s, Events: []eventlog.Event{{Type: typ, Payload: payload}}, Effective: "2026-01-01"}
	if c, ok := b.places[s]; ok {
		d.Expected, d.PreviousHash = c.Revision, c.Hashes[0]
	}
	return d
}

func (b *bench) unit(org, name, title string) eventlog.Draft {
	b.t.Helper()
	k, _ := b.registry.Kind("Unit")
	typ, payload, err := k.Encode(resource.Declared{Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.UnitSpec{Title: title}})
	b.check(err)
	return b.draft(org, "strategy", "unit", name, typ, payload)
}

func (b *bench) observation(org, metric, at string, value float64) eventlog.Draft {
	b.t.Helper()
	payload, err := proto.Marshal(&strategyv1.ObservationsRecorded{Values: []*strategyv1.ObservedValue{{ObservedAt: at, Value: value}}})
	b.check(err)
	return b.draft(org, "strategy", "observation", metric, record.ObservationsRecorded, payload)
}

// commit appends the drafts as one commit and returns its revision.
func (b *bench) commit(drafts ...eventlog.Draft) uint64 {
	b.t.Helper()
	b.n++
	c, err := b.log.AppendBatch(context.Background(), eventlog.Command{RequestID: fmt.Sprintf("r%d", b.n),
		Principal: "p", Manager: "api", Recorded: time.Now()}, drafts)
	b.check(err)
	for i, d := range drafts {
		b.places[d.Subject] = eventlog.Committed{Revision: c.Sequences[i], Hashes: c.Hashes[i : i+1]}
	}
	return c.Revision
}

// fill appends commits of several sorts and returns the last revision.
func (b *bench) fill(commits int) uint64 {
	var last uint64
	for range commits {
		i := b.n
		switch i % 4 {
		case 0:
			last = b.commit(b.unit("acme", fmt.Sprintf("u%d", i%40), fmt.Sprint(i)))
		case 1:
			last = b.commit(b.unit("acme", fmt.Sprintf("x%d", i%40), fmt.Sprint(i)), b.unit("acme", fmt.Sprintf("y%d", i%40), fmt.Sprint(i)))
		default:
			last = b.commit(b.observation("umbrella", fmt.Sprintf("m%d", i%8), fmt.Sprintf("2020-%02d-%02d", 1+i%12, 1+i%28), float64(i)))
		}
	}
	return last
}

// reach waits until the record has a revision.
func (b *bench) reach(revision uint64) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	b.check(b.record.Reached(ctx, revision))
}

// halted waits until the projection has halted, and returns why.
func (b *bench) halted() error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	err := b.record.Follow(ctx, 1<<62, func(uint64) {})
	if ctx.Err() != nil || err == nil {
		b.t.Fatalf("it did not halt: %v", err)
	}
	return err
}

// rows is all that the live generation holds.
func (b *bench) rows() []string {
	b.t.Helper()
	s, _, err := b.data.Live(context.Background())
	b.check(err)
	return rowsOf(b.t, s)
}

func rowsOf(t testing.TB, s record.Store) []string {
	t.Helper()
	var out []string
	if _, err := s.Rows(context.Background(), func(r record.Row) error {
		out = append(out, r.Table+" "+r.Key+" "+r.Value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") == strings.Join(want, "\n") {
		return
	}
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s: %d rows and %d; the first that differs is %q, not %q", what, len(got), len(want), g, w)
		}
	}
}

func (b *bench) verify() record.Verification {
	b.t.Helper()
	v, err := b.projection.Verify(context.Background(), 10, func(record.Progress) {})
	b.check(err)
	return v
}

func (b *bench) generations() string {
	b.t.Helper()
	all, err := b.data.Generations(context.Background())
	b.check(err)
	var out []string
	for _, g := range all {
		s := fmt.Sprint(g.Number)
		if g.Live {
			s += "*"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}
