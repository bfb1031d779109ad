package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/fault"
)

func embeddedConn(t *testing.T, opts embeddednats.Options) *nats.Conn {
	t.Helper()
	opts.Dir = t.TempDir()
	server, err := embeddednats.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// damaged is a log of ten messages on a stream that, unlike ours, allows
// deleting; the given sequences are gone.
func damaged(t *testing.T, ctx context.Context, gone ...uint64) *Log {
	t.Helper()
	nc := embeddedConn(t, embeddednats.Options{})
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	cfg := streamConfig(0, 1)
	cfg.DenyDelete = false
	stream, err := js.CreateStream(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, nc, Options{}); fault.ReasonOf(err) != "log.stream_unsafe" {
		t.Fatalf("a stream that allows deleting was opened: %v", err)
	}
	l := &Log{
		nc: nc, js: js, stream: stream, batching: make(chan struct{}, 1),
		opts: Options{MaxBatch: 100, Timeout: time.Minute, BatchTimeout: time.Minute},
	}
	for i := range 10 {
		id := fmt.Sprintf("m%d", i)
		_, err := l.Append(ctx, Command{RequestID: id, Recorded: time.Now()}, Draft{
			Subject: Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id},
			Events:  []Event{{Type: "strategy.metric_declared.v1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, sequence := range gone {
		if err := stream.DeleteMsg(ctx, sequence); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestHoleIsDetected(t *testing.T) {
	for name, c := range map[string]struct {
		gone []uint64
		want HoleError
		seen int
	}{
		"one":       {[]uint64{4}, HoleError{4, 5}, 3},
		"several":   {[]uint64{6, 7, 8}, HoleError{6, 9}, 5},
		"the first": {[]uint64{1}, HoleError{1, 2}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			l := damaged(t, ctx, c.gone...)
			for reader, read := range map[string]func(Handler) error{
				"follow": func(h Handler) error { return l.Follow(ctx, 0, h) },
				"read":   func(h Handler) error { return l.Read(ctx, 0, 10, h) },
			} {
				var last uint64
				err := read(func(batch []*Record) error {
					last = batch[len(batch)-1].Sequence
					return nil
				})
				var h *HoleError
				if !errors.As(err, &h) || *h != c.want || fault.ReasonOf(err) != "log.hole" {
					t.Errorf("%s ended with %v, want %+v", reader, err, c.want)
				}
				if last > uint64(c.seen) {
					t.Errorf("%s went on to %d", reader, last)
				}
			}
		})
	}
}

func TestHoleAtTheEndIsDetected(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	l := damaged(t, ctx, 10)
	var h *HoleError
	err := l.Read(ctx, 0, 10, func([]*Record) error { return nil })
	if !errors.As(err, &h) || h.Expected != 10 {
		t.Errorf("read ended with %v", err)
	}
	if _, err := l.LastRevision(ctx); !errors.As(err, &h) {
		t.Errorf("the last revision is told of a damaged log: %v", err)
	}
}

func TestForeignMessageHaltsReaders(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	l := damaged(t, ctx)
	if _, err := l.js.Publish(ctx, "sp.0.acme.strategy.metric.forged", []byte("not an envelope")); err != nil {
		t.Fatal(err)
	}
	err := l.read(ctx, 0, forever, nil, func([]*Record) error { return nil })
	if fault.ReasonOf(err) != "log.envelope_corrupt" {
		t.Errorf("follow ended with %v", err)
	}
}

func TestOpenChecksTheBatchLimit(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	nc := embeddedConn(t, embeddednats.Options{MaxBatch: 1_000})
	_, err := Open(ctx, nc, Options{})
	if fault.KindOf(err) != fault.Exhausted || fault.ReasonOf(err) != "log.batch_limit_low" {
		t.Fatalf("opened with %v", err)
	}
	l, err := Open(ctx, nc, Options{MaxBatch: 1_000})
	if err != nil {
		t.Fatal(err)
	}
	if revision, err := l.LastRevision(ctx); err != nil || revision != 0 {
		t.Errorf("asking for the limit left the log at %d, %v", revision, err)
	}
}

func TestOpenRefusesUnsafeStreams(t *testing.T) {
	for name, change := range map[string]func(*jetstream.StreamConfig){
		"expiry":         func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"memory":         func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"purge":          func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"direct":         func(c *jetstream.StreamConfig) { c.AllowDirect = true },
		"no batches":     func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"discard old":    func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"compressed":     func(c *jetstream.StreamConfig) { c.Compression = jetstream.S2Compression },
		"no identity":    func(c *jetstream.StreamConfig) { c.Metadata = nil },
		"other subjects": func(c *jetstream.StreamConfig) { c.Subjects = []string{"sp.0.acme.>"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := streamConfig(0, 1)
			if wrong := unsafeSettings(cfg, 0); len(wrong) != 0 {
				t.Fatalf("our own stream is called unsafe: %v", wrong)
			}
			change(&cfg)
			if wrong := unsafeSettings(cfg, 0); len(wrong) != 1 {
				t.Errorf("found %v", wrong)
			}
		})
	}
}

// Whoever writes to an aggregate whose end is lost has not lost a race: the
// writer is told of the damage, on one server and on three, and so is health.
func TestAnAggregateThatLostItsEnd(t *testing.T) {
	for name, copies := range map[string]int{"one copy": 1, "several, of which a confirmed leader says so": 3} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			l := damaged(t, ctx, 4)
			l.copies = copies // a single server counts as heard by a majority of itself
			command := Command{RequestID: "again", Recorded: time.Now()}
			draft := func(n int, expected uint64) Draft {
				return Draft{
					Subject:  Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: fmt.Sprintf("m%d", n)},
					Expected: expected, PreviousHash: make([]byte, 32), Events: []Event{{Type: "strategy.metric_declared.v1"}},
				}
			}
			_, err := l.Append(ctx, command, draft(3, 4))
			if at, _ := Damaged(err); at != 4 || fault.ReasonOf(err) != "log.aggregate_tail_lost" || fault.KindOf(err) != fault.Internal {
				t.Errorf("one: %v", err)
			}
			_, err = l.AppendBatch(ctx, command, []Draft{draft(5, 6), draft(3, 4)})
			if at, _ := Damaged(err); at != 4 || fault.ReasonOf(err) != "log.aggregate_tail_lost" {
				t.Errorf("a batch: %v", err)
			}
			_, err = l.Append(ctx, command, draft(6, 2))
			if fault.ReasonOf(err) != "log.conflict" {
				t.Errorf("one that moved on: %v", err)
			}
		})
	}
}

func TestWhole(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for name, c := range map[string]struct {
		gone, except []uint64
		want         string
	}{
		"dense":               {nil, nil, ""},
		"one":                 {[]uint64{4}, nil, "sequence 4 is missing, the next is 5"},
		"several":             {[]uint64{4, 5, 7}, nil, "sequence 4 is missing, the next is 6"},
		"the first ones":      {[]uint64{1, 2}, nil, "sequence 1 is missing, the next is 3"},
		"left out":            {[]uint64{4}, []uint64{4}, ""},
		"the first, left out": {[]uint64{1}, []uint64{1}, ""},
		"one of them":         {[]uint64{4, 5, 7}, []uint64{4, 5}, "sequence 7 is missing, the next is 8"},
		"another":             {[]uint64{4}, []uint64{5}, "sequence 4 is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			l := damaged(t, ctx, c.gone...)
			except := map[uint64]bool{}
			for _, n := range c.except {
				except[n] = true
			}
			err := l.Whole(ctx, func(context.Context) (map[uint64]bool, error) { return except, nil })
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	// What the server does not know, and a writer met.
	l := damaged(t, ctx)
	_ = l.tailLost(Draft{Subject: Subject{Kind: "metric", ID: "m3"}, Expected: 4})
	none := func(context.Context) (map[uint64]bool, error) { return nil, nil }
	if err := l.Whole(ctx, none); fault.ReasonOf(err) != "log.aggregate_tail_lost" {
		t.Errorf("met by a writer: %v", err)
	}
	if err := l.Whole(ctx, func(context.Context) (map[uint64]bool, error) { return map[uint64]bool{4: true}, nil }); err != nil {
		t.Errorf("and left out: %v", err)
	}
}
