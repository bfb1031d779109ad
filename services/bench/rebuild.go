package main

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/kinds"
)

// long is the service's parts on a log of many messages.
type long struct {
	dir      string
	nats     *embeddednats.Server
	nc       *nats.Conn
	log      *eventlog.Log
	registry *resource.Registry
	last     uint64
}

func (b bench) long(ctx context.Context) (l *long, done func(), err error) {
	dir, remove, err := b.folder()
	if err != nil {
		return nil, nil, err
	}
	l = &long{dir: dir, registry: kinds.Registry()}
	begin := time.Now()
	if err := makeHistory(ctx, dir, b.events); err != nil {
		return nil, remove, err
	}
	if err := l.open(ctx); err != nil {
		return nil, remove, err
	}
	info, err := l.log.Info(ctx)
	if err != nil {
		return nil, remove, err
	}
	fmt.Printf("a log of %d messages, %d MiB, made in %.0f s\n", info.Messages, info.Bytes>>20, time.Since(begin).Seconds())
	return l, func() { l.close(); remove() }, nil
}

func (l *long) open(ctx context.Context) (err error) {
	if l.nats, err = embeddednats.Start(embeddednats.Options{Dir: filepath.Join(l.dir, "nats")}); err != nil {
		return err
	}
	if l.nc, err = l.nats.ConnectInProcess(); err != nil {
		return err
	}
	if l.log, err = eventlog.Open(ctx, l.nc, eventlog.Options{}); err != nil {
		return err
	}
	l.last, err = l.log.LastRevision(ctx)
	return err
}

func (l *long) close() {
	l.log.Close()
	l.nc.Close()
	_ = l.nats.Close()
}

// rebuild compares a rebuild on SQLite with writing the same rows without us.
func (b bench) rebuild(ctx context.Context) error {
	l, done, err := b.long(ctx)
	if err != nil {
		return err
	}
	defer done()
	data, err := sqlite.OpenDatabase(ctx, l.dir, l.registry)
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	rec := record.New(data, record.Checkpoint{}, time.Minute, l.log.LastRevision)
	p := record.NewProjection(l.log, l.registry, data, rec, nil, slog.New(slog.DiscardHandler))
	var ours, raws, ratios, ourCPU, rawCPU, over []float64
	for range b.rounds {
		idle := resident()
		watch := watchMemory()
		begin, before := time.Now(), used()
		if err := p.Rebuild(ctx, nil); err != nil {
			return err
		}
		took := cost{wall: time.Since(begin), used: before.since()}
		over = append(over, float64(watch()-idle)/(1<<20))
		_, g, err := data.Live(ctx)
		if err != nil {
			return err
		}
		if g.At.Revision != l.last {
			return fmt.Errorf("rebuilt to %d of %d", g.At.Revision, l.last)
		}
		path := filepath.Join(l.dir, fmt.Sprintf("record-%d.db", g.Number))
		raw, rows, err := rawLoad(ctx, path, filepath.Join(l.dir, "raw.db"), l.last)
		if err != nil {
			return err
		}
		ours = append(ours, float64(l.last)/took.wall.Seconds())
		raws = append(raws, float64(l.last)/raw.wall.Seconds())
		ratios = append(ratios, raw.wall.Seconds()/took.wall.Seconds())
		ourCPU, rawCPU = append(ourCPU, took.each(l.last)), append(rawCPU, raw.each(l.last))
		fmt.Printf("  rebuild %v, %d rows without us %v\n", took, rows, raw)
	}
	line("rebuild: messages per second", fmt.Sprintf("%.0f", median(ours)), "")
	line("the same rows without us: messages per second", fmt.Sprintf("%.0f", median(raws)), "")
	line("rebuild / raw", fmt.Sprintf("%.2f", median(ratios)), "at least 0.60")
	line("rebuild: processor time a message", fmt.Sprintf("%.1f µs", median(ourCPU)), "")
	line("the same rows without us: processor time a message", fmt.Sprintf("%.1f µs", median(rawCPU)), "")
	line("memory over idle, the log's server included", fmt.Sprintf("%.0f MiB", slices.Max(over)), "at most 300 MB")
	return nil
}

// rawStatements are what rawLoad writes, with the column that orders it.
var rawStatements = []struct{ table, order, columns string }{
	{"resource", "rev_from", "org, kind, name, rev_from, rev_to, id, created, metadata, spec, set_name, effective, recorded, principal, manager"},
	{"observation", "rev_from", "org, metric_id, observed_at, source, rev_from, rev_to, value, note, recorded, corrections"},
	{"aggregate", "revision", "org, service, kind, id, sequence, hash, revision"},
	{"request", "revision", "org, request_id, digest, revision, recorded, corrected, detail"},
	{"commit_time", "revision", "revision, org, recorded"},
}

// rawLoad writes the rows of a finished record into an empty one of the same
// schema: as they came, in batches of as many messages as ours, each batch in
// the order of its keys, by prepared inserts in one transaction. Reading them
// is not timed, nor are the names of resources (one row each).
func rawLoad(ctx context.Context, from, to string, last uint64) (took cost, rows int, err error) {
	for _, f := range []string{to, to + "-wal", to + "-shm"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return took, 0, err
		}
	}
	empty, err := sqlite.Open(ctx, to, kinds.Registry())
	if err != nil {
		return took, 0, err
	}
	if err := empty.Close(); err != nil {
		return took, 0, err
	}
	const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=temp_store(FILE)&_pragma=cache_size(-%d)&_pragma=wal_autocheckpoint(%d)"
	in, err := sql.Open("sqlite", "file:"+from+fmt.Sprintf(pragmas, 16_000, 4000))
	if err != nil {
		return took, 0, err
	}
	defer func() { _ = in.Close() }()
	// The driver by itself, as the store has it: database/sql costs as much again.
	out, err := in.Driver().Open("file:" + to + fmt.Sprintf(pragmas, rawCache, rawPages))
	if err != nil {
		return took, 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	prepare := func(text string) (driver.StmtExecContext, error) {
		st, err := out.Prepare(text)
		if err != nil {
			return nil, err
		}
		return st.(driver.StmtExecContext), nil
	}
	var begins, commits driver.StmtExecContext
	for text, into := range map[string]*driver.StmtExecContext{"BEGIN IMMEDIATE": &begins, "COMMIT": &commits} {
		if *into, err = prepare(text); err != nil {
			return took, 0, err
		}
	}
	type source struct {
		rows    *sql.Rows
		at      int // the column that orders
		columns int
		insert  driver.StmtExecContext
		next    []any
	}
	var sources []*source
	for _, s := range rawStatements {
		columns := strings.Split(s.columns, ", ")
		one := &source{columns: len(columns)}
		for i, c := range columns {
			if c == s.order {
				one.at = i
			}
		}
		if one.rows, err = in.QueryContext(ctx, "SELECT "+s.columns+" FROM "+s.table+" ORDER BY "+s.order); err != nil {
			return took, 0, err
		}
		defer func() { _ = one.rows.Close() }()
		if one.insert, err = prepare("INSERT INTO " + s.table + " (" + s.columns + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"); err != nil {
			return took, 0, err
		}
		sources = append(sources, one)
	}
	advance := func(s *source) error {
		s.next = nil
		if !s.rows.Next() {
			return s.rows.Err()
		}
		values, into := make([]any, s.columns), make([]any, s.columns)
		for i := range values {
			into[i] = &values[i]
		}
		s.next = values
		err := s.rows.Scan(into...)
		for i, v := range values {
			if b, ok := v.([]byte); v == nil || ok && b == nil {
				values[i] = []byte{} // none of these columns is ever NULL
			}
		}
		return err
	}
	for _, s := range sources {
		if err := advance(s); err != nil {
			return took, 0, err
		}
	}
	ctx = context.Background() // one that ends would cost a goroutine for each statement
	var args []driver.NamedValue
	for end := uint64(rawBatch); ; end += rawBatch {
		batch := make([][][]any, len(sources))
		for i, s := range sources {
			for s.next != nil && uint64(s.next[s.at].(int64)) <= end {
				batch[i] = append(batch[i], s.next)
				if err := advance(s); err != nil {
					return took, 0, err
				}
			}
			sortByKey(batch[i])
		}
		begin, before := time.Now(), used()
		if _, err := begins.ExecContext(ctx, nil); err != nil {
			return took, rows, err
		}
		for i, s := range sources {
			for _, row := range batch[i] {
				args = args[:0]
				for n, v := range row {
					args = append(args, driver.NamedValue{Ordinal: n + 1, Value: v})
				}
				if _, err := s.insert.ExecContext(ctx, args); err != nil {
					return took, rows, err
				}
			}
			rows += len(batch[i])
		}
		if _, err := commits.ExecContext(ctx, nil); err != nil {
			return took, rows, err
		}
		took.add(time.Since(begin), before.since())
		if end >= last {
			break
		}
	}
	begin, before := time.Now(), used()
	checkpoint, err := out.Prepare("PRAGMA wal_checkpoint(TRUNCATE)")
	if err != nil {
		return took, rows, err
	}
	if _, err := checkpoint.(driver.StmtExecContext).ExecContext(ctx, nil); err != nil {
		return took, rows, err
	}
	took.add(time.Since(begin), before.since())
	return took, rows, checkpoint.Close()
}

// As the store has it while it is built.
const (
	rawBatch = 20_000
	rawPages = 32_000
	rawCache = 32_000
)

// replay compares our reading of the log, and folding without a database, with
// an ordered consumer that does nothing but decode.
func (b bench) replay(ctx context.Context) error {
	l, done, err := b.long(ctx)
	if err != nil {
		return err
	}
	defer done()
	js, err := jetstream.New(l.nc)
	if err != nil {
		return err
	}
	bare := func() error {
		c, err := js.OrderedConsumer(ctx, "SETPOINT_0", jetstream.OrderedConsumerConfig{})
		if err != nil {
			return err
		}
		it, err := c.Messages(jetstream.PullMaxMessages(10_000))
		if err != nil {
			return err
		}
		defer it.Stop()
		for n := uint64(0); n < l.last; n++ {
			m, err := it.Next()
			if err != nil {
				return err
			}
			var e eventv1.Envelope
			if err := proto.Unmarshal(m.Data(), &e); err != nil {
				return err
			}
			for _, event := range e.GetEvents() {
				if err := decodePayload(l.registry, event); err != nil {
					return err
				}
			}
		}
		return nil
	}
	fold := func() error {
		return l.log.Read(ctx, 0, l.last, func(batch []*eventlog.Record) error {
			for _, m := range batch {
				if _, err := record.Fold(l.registry, m); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var raws, ours, ratios []float64
	for range b.rounds {
		begin := time.Now()
		if err := bare(); err != nil {
			return err
		}
		raw := time.Since(begin)
		begin = time.Now()
		if err := fold(); err != nil {
			return err
		}
		took := time.Since(begin)
		raws, ours = append(raws, float64(l.last)/raw.Seconds()), append(ours, float64(l.last)/took.Seconds())
		ratios = append(ratios, raw.Seconds()/took.Seconds())
	}
	line("bare ordered consumer, decoding: messages per second", fmt.Sprintf("%.0f", median(raws)), "")
	line("replay, folding: messages per second", fmt.Sprintf("%.0f", median(ours)), "")
	line("replay / bare", fmt.Sprintf("%.2f", median(ratios)), "at least 0.80")
	return nil
}

func decodePayload(r *resource.Registry, e *eventv1.Event) error {
	switch e.GetType() {
	case record.DeclarationChanged:
		return proto.Unmarshal(e.GetPayload(), &declarationv1.Changed{})
	case record.ObservationsRecorded, record.ObservationsCorrected:
		return proto.Unmarshal(e.GetPayload(), &strategyv1.ObservationsRecorded{})
	}
	_, _, _, err := r.Decode(e.GetType(), e.GetPayload())
	return err
}

// restart measures the start on a long log whose record is on disk, and how
// long the state that a command decides on takes to load.
func (b bench) restart(ctx context.Context) error {
	l, done, err := b.long(ctx)
	if err != nil {
		return err
	}
	defer done()
	l.close()
	start := func() (*devserver.Server, time.Duration, error) {
		begin := time.Now()
		s, err := devserver.Start(ctx, devserver.Options{Data: l.dir, Listen: "127.0.0.1:0"})
		return s, time.Since(begin), err
	}
	s, first, err := start() // makes the record
	if err != nil {
		return err
	}
	line("first start, which makes the record", first.Round(10*time.Millisecond).String(), "")
	var starts []float64
	for range b.rounds {
		if err := s.Close(); err != nil {
			return err
		}
		var took time.Duration
		if s, took, err = start(); err != nil {
			return err
		}
		starts = append(starts, float64(took))
	}
	line("restart until it answers", time.Duration(median(starts)).Round(time.Millisecond).String(), "at most 3 s")
	if err := s.Close(); err != nil {
		return err
	}
	if err := l.open(ctx); err != nil {
		return err
	}
	data, err := sqlite.OpenDatabase(ctx, l.dir, l.registry)
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	rec := record.New(data, record.Checkpoint{Revision: l.last}, time.Minute, l.log.LastRevision)
	p := record.NewProjection(l.log, l.registry, data, rec, nil, slog.New(slog.DiscardHandler))
	projecting, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- p.Project(projecting) }()
	defer func() { stop(); <-ended }()
	if err := rec.Wait(ctx, l.last); err != nil {
		return err
	}
	if err := l.loads("from SQLite", func(f func(record.View) error) error { return data.View(ctx, f) }); err != nil {
		return err
	}
	// The memory of the process that projects, once it knows what there is.
	return l.loads("from memory or SQLite", func(f func(record.View) error) error { return rec.Decide(ctx, f) })
}

// loads measures how long what a command on a metric's values asks for takes.
func (l *long) loads(from string, view func(func(record.View) error) error) error {
	var loads []time.Duration
	day := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 20_000 {
		i := rand.IntN(historyMetrics)
		if i%redeclareEvery == 0 {
			i++ // of these there are no values
		}
		s := subject(i)
		key := record.ObservationKey{At: day.AddDate(0, 0, n).Format(time.DateOnly), Source: "erp"}
		if n%correctEvery == 0 {
			key.At = "2016-02-01" // there is one
		}
		begin := time.Now()
		err := view(func(v record.View) error {
			m, err := v.Resource(s.Org, "Metric", metric(i), v.Revision())
			if err != nil {
				return err
			}
			if m == nil {
				return fmt.Errorf("no metric %s", metric(i))
			}
			if _, _, err := v.Observation(s.Org, s.ID, key); err != nil {
				return err
			}
			a, err := v.Aggregate(s.Org, s.Service, s.Kind, s.ID)
			if err == nil && a == nil {
				err = fmt.Errorf("no aggregate %v", s)
			}
			return err
		})
		if err != nil {
			return err
		}
		loads = append(loads, time.Since(begin))
	}
	line("load an aggregate's state "+from+", p50", quantile(loads, .5).Round(100*time.Nanosecond).String(), "at most 100µs")
	line("load an aggregate's state "+from+", p99", quantile(loads, .99).Round(100*time.Nanosecond).String(), "")
	return nil
}

// resident is the memory of this process, in bytes, without what it has no use
// for.
func resident() uint64 {
	debug.FreeOSMemory()
	return residentNow()
}

func residentNow() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages uint64
	_, _ = fmt.Sscan(string(text), &size, &pages)
	return pages * uint64(os.Getpagesize())
}

// watchMemory looks at the memory until the returned function is called, which
// tells the most there was.
func watchMemory() func() uint64 {
	stop, peak := make(chan struct{}), make(chan uint64, 1)
	go func() {
		var most uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, residentNow())
			select {
			case <-tick.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-peak }
}

func sortByKey(rows [][]any) {
	slices.SortFunc(rows, func(a, b []any) int {
		for i := range a {
			var c int
			switch x := a[i].(type) {
			case string:
				c = strings.Compare(x, b[i].(string))
			case int64:
				c = cmp.Compare(x, b[i].(int64))
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}
