package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// Write implements record.Store in two round trips: one claims the checkpoint
// and reads what the changes end, one writes all rows, moves the checkpoint and
// commits.
//
// A holder of the checkpoint that does not let go within giveUp is ended: it
// was stopped, or it hangs. What it was about to write is undone, and its next
// write finds that the checkpoint has moved.
func (g *generation) Write(ctx context.Context, from, to record.Checkpoint, changes []record.Change) error {
	err := g.write(ctx, from, to, changes)
	for range 2 {
		if codeOf(err) != lockNotAvailable {
			break
		}
		if err := g.endHolder(ctx); err != nil {
			return err
		}
		err = g.write(ctx, from, to, changes)
	}
	return failed("write the record", err)
}

func (g *generation) write(ctx context.Context, from, to record.Checkpoint, changes []record.Change) error {
	conn, err := g.d.write.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	live, b, err := g.claim(ctx, conn.Conn(), from, changes)
	if err != nil {
		return errors.Join(err, end(ctx, conn.Conn()))
	}
	for _, c := range changes {
		if err := b.add(c); err != nil {
			return errors.Join(err, end(ctx, conn.Conn()))
		}
	}
	var q pgx.Batch
	b.queue(&q)
	q.Queue(g.texts.move, g.number, to.LogID, to.Revision, nonNil(to.Hash))
	if live {
		q.Queue(`SELECT pg_notify($1, $2)`, g.d.opts.Schema, fmt.Sprint(to.Revision))
	}
	q.Queue(`COMMIT`)
	if err := conn.Conn().SendBatch(ctx, &q).Close(); err != nil {
		return errors.Join(err, end(ctx, conn.Conn()))
	}
	return nil
}

// claim locks the checkpoint, compares it, and reads what stands under the keys
// that the changes touch.
func (g *generation) claim(ctx context.Context, conn *pgx.Conn, from record.Checkpoint, changes []record.Change) (live bool, b *batch, err error) {
	ids, values := keys(changes)
	var q pgx.Batch
	q.Queue(`BEGIN`)
	q.Queue(g.texts.claim, g.number)
	if len(ids) > 0 {
		q.Queue(g.texts.earlierResources, column(ids, func(k resourceID) string { return k.org }),
			column(ids, func(k resourceID) string { return k.kind }), column(ids, func(k resourceID) string { return k.id }))
	}
	if len(values) > 0 {
		q.Queue(g.texts.earlierValues, column(values, func(k valueID) string { return k.org }),
			column(values, func(k valueID) string { return k.metric }), column(values, func(k valueID) string { return k.at }),
			column(values, func(k valueID) string { return k.source }))
	}
	sent := conn.SendBatch(ctx, &q)
	defer func() { err = errors.Join(err, sent.Close()) }()
	if _, err := sent.Exec(); err != nil {
		return false, nil, err
	}
	var state string
	var have record.Checkpoint
	err = sent.QueryRow().Scan(&state, &have.LogID, &have.Revision)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && state == "dropping":
		return false, nil, g.dropped()
	case err != nil:
		return false, nil, err
	case state == "superseded":
		return false, nil, fault.New(fault.Aborted, "record.generation_superseded",
			"generation %d of the record is not live any more", g.number)
	case have.Revision != from.Revision || have.LogID != from.LogID && have.Revision != 0:
		return false, nil, fault.New(fault.Aborted, "record.checkpoint_moved",
			"the record stands at revision %d of log %q, not at %d of %q: somebody else writes it",
			have.Revision, have.LogID, from.Revision, from.LogID)
	}
	b = newBatch(g.texts)
	if len(ids) > 0 {
		rows, err := sent.Query()
		if err != nil {
			return false, nil, err
		}
		var i int
		var s standing
		if _, err := pgx.ForEachRow(rows, []any{&i, &s.name, &s.from, &s.to, &s.was}, func() error {
			one := s
			b.ids[ids[i-1]] = &one
			return nil
		}); err != nil {
			return false, nil, err
		}
	}
	if len(values) > 0 {
		rows, err := sent.Query()
		if err != nil {
			return false, nil, err
		}
		var i int
		var v value
		if _, err := pgx.ForEachRow(rows, []any{&i, &v.from, &v.corrections}, func() error {
			one := v
			b.values[values[i-1]] = &one
			return nil
		}); err != nil {
			return false, nil, err
		}
	}
	return state == "live", b, nil
}

// endHolder ends the session that holds this generation's checkpoint. A role
// may end its own sessions; those of another one end by their own time limit.
func (g *generation) endHolder(ctx context.Context) error {
	_, err := g.d.read.Exec(ctx, `SELECT pg_terminate_backend(l.pid) FROM `+g.d.opts.Schema+`.generation g
		JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = g.xmax AND l.granted WHERE g.number = $1`, g.number)
	if codeOf(err) == forbidden {
		return nil
	}
	return failed("end a writer that hangs", err)
}

// lost says whether a connection broke.
func lost(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || pgconn.SafeToRetry(err)
}
