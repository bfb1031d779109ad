package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/testpostgres"
)

// privateServer is a PostgreSQL server of its own, as durable as they come.
func privateServer(ctx context.Context) (*testpostgres.Server, error) {
	return testpostgres.Start(ctx, "shared_buffers=256MB", "max_wal_size=2GB")
}

// rebuildPostgres compares a rebuild on PostgreSQL with writing the same rows
// without us.
func (b bench) rebuildPostgres(ctx context.Context) (err error) {
	l, done, err := b.long(ctx)
	if err != nil {
		return err
	}
	defer done()
	s, err := privateServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	data, err := postgres.Open(ctx, postgres.Options{URL: s.URL("postgres"), Kinds: l.registry})
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	rec := record.New(data, record.Checkpoint{}, time.Minute, l.log.LastRevision)
	p := record.NewProjection(l.log, l.registry, data, rec, nil, slog.New(slog.DiscardHandler))
	idle := resident()
	pid, err := postmaster(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	var ours, raws, ratios, ourCPU, rawCPU []float64
	peak := idle
	for range b.rounds {
		watch := watchMemory()
		begin, before, served := time.Now(), used(), usedBy(pid)
		if err := p.Rebuild(ctx, nil); err != nil {
			return err
		}
		took := cost{wall: time.Since(begin), used: before.since(), server: usedBy(pid) - served}
		peak = max(peak, watch())
		_, g, err := data.Live(ctx)
		if err != nil {
			return err
		}
		if g.At.Revision != l.last {
			return fmt.Errorf("rebuilt to %d of %d", g.At.Revision, l.last)
		}
		_, empty, err := data.Begin(ctx)
		if err != nil {
			return err
		}
		raw, rows, err := copyRows(ctx, s.URL("postgres"), pid, g.Number, empty.Number, l.last)
		if err != nil {
			return err
		}
		if err := data.Drop(ctx, empty.Number); err != nil {
			return err
		}
		ours = append(ours, float64(l.last)/took.wall.Seconds())
		raws = append(raws, float64(l.last)/raw.wall.Seconds())
		ratios = append(ratios, raw.wall.Seconds()/took.wall.Seconds())
		ourCPU, rawCPU = append(ourCPU, took.each(l.last)), append(rawCPU, raw.each(l.last))
		fmt.Printf("  rebuild %v, %d rows without us %v\n", took, rows, raw)
	}
	line("rebuild on PostgreSQL: messages per second", fmt.Sprintf("%.0f", median(ours)), "")
	line("the same rows by COPY without us: messages per second", fmt.Sprintf("%.0f", median(raws)), "")
	line("rebuild / raw", fmt.Sprintf("%.2f", median(ratios)), "at least 0.60")
	line("rebuild: processor time a message, the server's included", fmt.Sprintf("%.1f µs", median(ourCPU)), "")
	line("the same rows without us, the same", fmt.Sprintf("%.1f µs", median(rawCPU)), "")
	line("memory over idle, the log's server included", fmt.Sprintf("%d MiB", (peak-idle)>>20), "at most 300 MB")
	return nil
}

// copyRows writes the rows of one generation into another: as they came, in
// batches of as many messages as ours, each in the order of its keys, by COPY,
// a transaction for each batch. Reading them is not timed.
func copyRows(ctx context.Context, url string, server int, from, to int, last uint64) (took cost, rows int, err error) {
	out, err := pgx.Connect(ctx, url)
	if err != nil {
		return took, 0, err
	}
	defer func() { _ = out.Close(ctx) }()
	type source struct {
		table   string
		columns []string
		at      int // the column that orders
		conn    *pgx.Conn
		rows    pgx.Rows
		next    []any
	}
	var sources []*source
	advance := func(s *source) (err error) {
		s.next = nil
		if !s.rows.Next() {
			return s.rows.Err()
		}
		s.next, err = s.rows.Values()
		return err
	}
	for _, r := range rawStatements {
		if r.table == "resource" {
			r.columns += ", doc"
		}
		s := &source{table: r.table, columns: strings.Split(r.columns, ", ")}
		s.at = slices.Index(s.columns, r.order)
		if s.conn, err = pgx.Connect(ctx, url); err != nil {
			return took, 0, err
		}
		defer func() { _ = s.conn.Close(ctx) }()
		text := strings.Replace(r.columns, ", doc", ", doc::text", 1)
		if s.rows, err = s.conn.Query(ctx, fmt.Sprintf("SELECT %s FROM setpoint_g%d.%s ORDER BY %s", text, from, r.table, r.order)); err != nil {
			return took, 0, err
		}
		defer s.rows.Close()
		if err := advance(s); err != nil {
			return took, 0, err
		}
		sources = append(sources, s)
	}
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
		begin, before, served := time.Now(), used(), usedBy(server)
		tx, err := out.Begin(ctx)
		if err != nil {
			return took, 0, err
		}
		for i, s := range sources {
			if len(batch[i]) == 0 {
				continue
			}
			n, err := tx.CopyFrom(ctx, pgx.Identifier{fmt.Sprintf("setpoint_g%d", to), s.table}, s.columns, pgx.CopyFromRows(batch[i]))
			if err != nil {
				return took, 0, err
			}
			rows += int(n)
		}
		if err := tx.Commit(ctx); err != nil {
			return took, 0, err
		}
		took.add(time.Since(begin), before.since())
		took.server += usedBy(server) - served
		if end >= last {
			return took, rows, nil
		}
	}
}

// asOfPostgres compares reads of the past with reads of the present on
// PostgreSQL: of resources with a long history each.
func (b bench) asOfPostgres(ctx context.Context) error {
	return b.pastPostgres(ctx, 500, 200, 10*b.rounds)
}

// asOfManyPostgres does the same with many resources, changed once a year for
// ten years.
func (b bench) asOfManyPostgres(ctx context.Context) error {
	return b.pastPostgres(ctx, b.resources, 10, b.rounds)
}

func (b bench) pastPostgres(ctx context.Context, resources, versions, repeats int) (err error) {
	s, err := privateServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	data, err := postgres.Open(ctx, postgres.Options{URL: s.URL("postgres"), Kinds: kinds.Registry()})
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	store, _, err := data.Live(ctx)
	if err != nil {
		return err
	}
	return b.past(ctx, store, resources, versions, repeats)
}
