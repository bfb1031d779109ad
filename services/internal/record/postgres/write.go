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
	b, err := g.batchOf(changes)
	if err == nil {
		err = g.write(ctx, from, to, b)
	}
	for range 2 {
		// Once it holds the checkpoint nobody else makes it wait.
		if codeOf(err) != lockNotAvailable || b.applied {
			break
		}
		if err := g.endHolder(ctx); err != nil {
			return err
		}
		err = g.write(ctx, from, to, b)
	}
	return failed("write the record", err)
}

func (g *generation) write(ctx context.Context, from, to record.Checkpoint, b *batch) error {
	conn, err := g.d.write.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	live, err := g.claim(ctx, conn.Conn(), from, b)
	if err != nil {
		return errors.Join(err, end(ctx, conn.Conn()))
	}
	b.apply()
	if b.size >= many {
		if err := g.writeMany(ctx, conn.Conn(), b, live); err != nil {
			return errors.Join(err, end(ctx, conn.Conn()))
		}
	}
	var q pgx.Batch
	b.queueEnds(&q)
	b.queue(&q)
	q.Queue(g.texts.move, g.number, to.LogID, to.Revision, nonNil(to.Hash))
	if live {
		q.Queue(`SELECT pg_notify($1, $2)`, g.d.opts.Schema, fmt.Sprint(to.Revision))
	}
	if !live {
		// Should the server crash, the build goes on from what is left of it. When
		// the generation becomes live all of it is on disk.
		q.Queue(`SET LOCAL synchronous_commit = off`)
	}
	q.Queue(`COMMIT`)
	if err := conn.Conn().SendBatch(ctx, &q).Close(); err != nil {
		return errors.Join(err, end(ctx, conn.Conn()))
	}
	g.newest.keep(to, b)
	return nil
}

// claim locks the checkpoint, compares it, and reads what stands under the keys
// that the changes touch.
func (g *generation) claim(ctx context.Context, conn *pgx.Conn, from record.Checkpoint, b *batch) (live bool, err error) {
	var q pgx.Batch
	q.Queue(`BEGIN`)
	q.Queue(g.texts.claim, g.number)
	sift := len(b.wantValues) >= many
	if !sift {
		b.queueLookups(&q)
	}
	sent := conn.SendBatch(ctx, &q)
	defer func() { err = errors.Join(err, sent.Close()) }()
	if _, err := sent.Exec(); err != nil {
		return false, err
	}
	var state string
	var have record.Checkpoint
	err = sent.QueryRow().Scan(&state, &have.LogID, &have.Revision)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && state == "dropping":
		return false, g.dropped()
	case err != nil:
		return false, err
	case state == "superseded":
		return false, fault.New(fault.Aborted, "record.generation_superseded",
			"generation %d of the record is not live any more", g.number)
	case have.Revision != from.Revision || have.LogID != from.LogID && have.Revision != 0:
		return false, fault.New(fault.Aborted, "record.checkpoint_moved",
			"the record stands at revision %d of log %q, not at %d of %q: somebody else writes it",
			have.Revision, have.LogID, from.Revision, from.LogID)
	}
	b.newest = g.newest.take(from)
	if sift {
		if err := sent.Close(); err != nil {
			return false, err
		}
		if err := b.sift(ctx, conn); err != nil {
			return false, err
		}
		var q pgx.Batch
		if b.queueLookups(&q); q.Len() > 0 {
			sent = conn.SendBatch(ctx, &q)
		}
	}
	return state == "live", b.lookUp(sent)
}

// writeMany writes what large writes write by COPY; of a generation that is
// built a part of it aside.
func (g *generation) writeMany(ctx context.Context, conn *pgx.Conn, b *batch, live bool) error {
	// What ends is written first: an id stands once.
	var q pgx.Batch
	b.queueEnds(&q)
	if q.Len() > 0 {
		if err := conn.SendBatch(ctx, &q).Close(); err != nil {
			return err
		}
	}
	if live {
		return b.copyIn(ctx, conn)
	}
	a, err := g.aside(ctx, conn, b)
	if err != nil {
		return err
	}
	return errors.Join(b.copyIn(ctx, conn), a.wait())
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
