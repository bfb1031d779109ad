package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// stand is a log on a server of its own.
type stand struct {
	*eventlog.Log
	dir    string
	server *embeddednats.Server
	close  func()
}

// natsDir is the server's folder in a data folder.
func natsDir(data string) string { return filepath.Join(data, "nats") }

func openLog(t testing.TB, data string) *stand {
	t.Helper()
	s := &stand{dir: data}
	var err error
	if s.server, err = embeddednats.Start(embeddednats.Options{Dir: natsDir(data)}); err != nil {
		t.Fatal(err)
	}
	nc, err := s.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	s.close = func() {
		if closed {
			return
		}
		closed = true
		nc.Close()
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.close)
	if s.Log, err = eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	return s
}

// writer commits to its own aggregates, one at a time or many, new or old.
type writer struct {
	log   *eventlog.Log
	name  string
	rand  *rand.Rand
	heads map[string]*eventlog.Draft
	ids   []string
	n     int
}

func newWriter(log *eventlog.Log, name string, seed uint64) *writer {
	return &writer{log: log, name: name, rand: rand.New(rand.NewPCG(seed, 1)), heads: map[string]*eventlog.Draft{}}
}

func (w *writer) commit(ctx context.Context) error {
	w.n++
	count := 1
	if w.n%3 == 0 {
		count = 2 + w.rand.IntN(40)
	}
	if w.n%97 == 0 {
		count = 1500
	}
	var drafts []eventlog.Draft
	used := map[string]bool{}
	for len(drafts) < count {
		id := fmt.Sprintf("%s-%d-%d", w.name, w.n, len(drafts))
		if len(w.ids) > 0 && w.rand.IntN(2) == 0 {
			id = w.ids[w.rand.IntN(len(w.ids))]
		}
		if used[id] {
			continue
		}
		used[id] = true
		payload := make([]byte, w.rand.IntN(400))
		for i := range payload {
			payload[i] = byte(w.rand.Uint32())
		}
		d := eventlog.Draft{
			Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id},
			Events:  []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: payload}},
		}
		if w.rand.IntN(5) == 0 {
			d.Events = append(d.Events, eventlog.Event{Type: "strategy.metric_retired.v1"})
		}
		if h := w.heads[id]; h != nil {
			d.Expected, d.PreviousHash = h.Expected, h.PreviousHash
		}
		drafts = append(drafts, d)
	}
	done, err := w.log.AppendBatch(ctx, eventlog.Command{
		RequestID: fmt.Sprintf("%s-%d", w.name, w.n), Principal: "p-1", Manager: "cli", Reason: "because", Recorded: now.Add(time.Duration(w.n) * time.Second),
	}, drafts)
	if err != nil {
		return err
	}
	for i, d := range drafts {
		if w.heads[d.Subject.ID] == nil {
			w.ids = append(w.ids, d.Subject.ID)
		}
		w.heads[d.Subject.ID] = &eventlog.Draft{Expected: done.Sequences[i], PreviousHash: done.Hashes[i]}
	}
	return nil
}

func (w *writer) commits(t testing.TB, n int) {
	t.Helper()
	for range n {
		if err := w.commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// line is all that can be known of a record.
type line struct {
	Sequence, Revision uint64
	Subject            eventlog.Subject
	Index, Count       uint32
	Hash               string
	Size               int
	Recorded           time.Time
}

func lines(t testing.TB, l *eventlog.Log, to uint64) []line {
	t.Helper()
	var out []line
	err := l.Read(t.Context(), 0, to, func(batch []*eventlog.Record) error {
		for _, r := range batch {
			c := r.Envelope.Commit
			out = append(out, line{r.Sequence, r.Revision, r.Subject, c.Index, c.Count, fmt.Sprintf("%x", r.Hash), r.Size, r.Recorded()})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stored are the messages as they are.
func stored(t testing.TB, l *eventlog.Log, to uint64) []eventlog.Stored {
	t.Helper()
	var out []eventlog.Stored
	if err := l.Export(t.Context(), to, func(s *eventlog.Stored) error { out = append(out, *s); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func revision(t testing.TB, l *eventlog.Log) uint64 {
	t.Helper()
	r, err := l.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func take(t testing.TB, l *eventlog.Log) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := backup.Take(t.Context(), l, &b, backup.Options{Version: "v1", Now: now}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// restoreInto restores a backup into a data folder.
func restoreInto(ctx context.Context, data string, file []byte) (*backup.Restored, error) {
	server, err := embeddednats.Start(embeddednats.Options{Dir: natsDir(data)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.Close() }()
	nc, err := server.Connect()
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	return backup.Restore(ctx, bytes.NewReader(file), func(shard int, origin eventlog.Origin) (*eventlog.Restore, error) {
		return eventlog.BeginRestore(ctx, nc, eventlog.Options{Shard: shard}, origin)
	}, nil)
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if reflect.DeepEqual(want, got) {
		return // at once, where cmp takes minutes
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differ (-want +got):\n%.2000s", what, diff)
	}
}
