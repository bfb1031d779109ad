package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// poll is how often Watch looks by itself, should a notification be lost.
const poll = time.Second

// Watch implements record.Database. The first call, at once, tells where the
// record stands, with the newest revision of every organization. A database
// that does not answer is asked again.
func (d *Database) Watch(ctx context.Context, f func(at record.Checkpoint, orgs map[string]uint64)) error {
	w := watch{d: d, f: f}
	for ctx.Err() == nil {
		if err := w.listen(ctx); err == nil || ctx.Err() != nil {
			continue
		}
		// The connection broke, or there is none to be had.
		select {
		case <-ctx.Done():
		case <-time.After(poll):
		}
	}
	return ctx.Err()
}

// watch is what a watcher was told.
type watch struct {
	d      *Database
	f      func(at record.Checkpoint, orgs map[string]uint64)
	told   bool
	number int
	at     record.Checkpoint
}

// listen tells of every move until the connection breaks.
func (w *watch) listen(ctx context.Context) error {
	conn, err := w.d.read.Acquire(ctx)
	if err != nil {
		return err
	}
	// It listens to the end: nobody else is to have it.
	own := conn.Hijack()
	defer func() { _ = own.Close(context.WithoutCancel(ctx)) }()
	if _, err := own.Exec(ctx, `LISTEN `+pgx.Identifier{w.d.opts.Schema}.Sanitize()); err != nil {
		return err
	}
	for {
		if err := w.look(ctx); err != nil {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, poll)
		_, err := own.WaitForNotification(wait)
		cancel()
		if err != nil && (ctx.Err() != nil || !pgconn.Timeout(err)) {
			return err
		}
	}
}

// look tells of a move since the last look.
func (w *watch) look(ctx context.Context) error {
	orgs := map[string]uint64{}
	var number int
	var at record.Checkpoint
	err := w.d.pin(ctx, nil, func(conn *pgx.Conn, g *generation, now record.Checkpoint) error {
		number, at = g.number, now
		if w.told && number == w.number && at.Revision == w.at.Revision {
			return nil
		}
		rows, err := conn.Query(ctx, g.texts.organizations, w.at.Revision)
		if err != nil {
			return err
		}
		var org string
		var revision uint64
		_, err = pgx.ForEachRow(rows, []any{&org, &revision}, func() error { orgs[org] = revision; return nil })
		return err
	})
	if fault.ReasonOf(err) == "record.no_generation" {
		return nil
	}
	if err != nil || w.told && number == w.number && at.Revision == w.at.Revision {
		return err
	}
	w.told, w.number, w.at = true, number, at
	w.f(at, orgs)
	return nil
}
