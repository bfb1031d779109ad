package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// aside is a part of a large write of a generation that is built, which a second
// session writes meanwhile: a session has one processor of the server, and half
// of a build is spent there.
//
// It commits first, for itself, so that rows may stand that are newer than the
// checkpoint: if the write itself fails, or its process dies. Nobody reads a
// generation that is built. Each of these rows has its revision in its key, so
// that such leftovers can be told, and whoever goes on with the generation
// removes them (tidy). A process that was stopped meanwhile leaves none later:
// aside commits only if the write's transaction, which holds the checkpoint, is
// under way after it has the locks that tidy waits for.
type aside struct{ ended chan error }

// patientWriter is how long the write's own session may wait for the one aside.
const patientWriter = time.Minute

// aside begins to write the dated rows of a batch beside the transaction of a
// connection.
func (g *generation) aside(ctx context.Context, conn *pgx.Conn, b *batch) (aside, error) {
	var q pgx.Batch
	q.Queue(`SET LOCAL idle_in_transaction_session_timeout = ` + milliseconds(patientWriter))
	q.Queue(`SELECT pg_current_xact_id()::text`)
	sent := conn.SendBatch(ctx, &q)
	_, err := sent.Exec()
	var transaction string
	if err == nil {
		err = sent.QueryRow().Scan(&transaction)
	}
	if err = errors.Join(err, sent.Close()); err != nil {
		return aside{}, err
	}
	rows, a := b.takeDated(), aside{make(chan error, 1)}
	go func() { a.ended <- g.writeAside(ctx, transaction, rows) }()
	return a, nil
}

// wait is called once.
func (a aside) wait() error { return <-a.ended }

// writeAside writes and commits rows, if a transaction is then under way.
func (g *generation) writeAside(ctx context.Context, transaction string, rows dated) error {
	conn, err := g.d.write.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = func() error {
		var q pgx.Batch
		q.Queue(`BEGIN`)
		q.Queue(`SET LOCAL synchronous_commit = off`) // the write's own commit follows in the same log
		if err := conn.Conn().SendBatch(ctx, &q).Close(); err != nil {
			return err
		}
		if err := rows.copyIn(ctx, conn.Conn()); err != nil {
			return err
		}
		var underWay bool
		if err := conn.QueryRow(ctx, `SELECT pg_xact_status($1::text::xid8) = 'in progress'`, transaction).Scan(&underWay); err != nil {
			return err
		}
		if !underWay {
			return fault.New(fault.Aborted, "record.checkpoint_moved", "the write to the record was ended: somebody else writes it")
		}
		_, err := conn.Exec(ctx, `COMMIT`)
		return err
	}()
	if err != nil {
		return errors.Join(err, end(ctx, conn.Conn()))
	}
	return nil
}

// tidy removes what was written aside of a write that did not come to pass.
func (o *owner) tidy(g *record.Generation) error {
	schema, control := o.d.schemaOf(g.Number), o.d.opts.Schema
	// No write is under way once this row is had, none aside once the tables are.
	if err := o.tx.QueryRow(o.ctx, `SELECT log_id, revision, hash FROM `+control+`.generation WHERE number = $1 FOR UPDATE`, g.Number).
		Scan(&g.At.LogID, &g.At.Revision, &g.At.Hash); err != nil {
		return err
	}
	err := o.exec(fmt.Sprintf(`LOCK TABLE %s.observation, %s.commit_time IN SHARE MODE`, schema, schema),
		fmt.Sprintf(`DELETE FROM %s.observation WHERE rev_from > %d`, schema, g.At.Revision),
		fmt.Sprintf(`DELETE FROM %s.commit_time WHERE revision > %d`, schema, g.At.Revision))
	g.At = settled(g.At)
	return err
}

// takingUp runs what takes up an unfinished generation. Writers to it that do
// not let go within giveUp are ended, as a write would.
func (d *Database) takingUp(ctx context.Context, f func() error) error {
	err := f()
	for range 2 {
		if codeOf(err) != lockNotAvailable {
			break
		}
		if err := d.endBuilders(ctx); err != nil {
			return err
		}
		err = f()
	}
	return err
}

// endBuilders ends the sessions that write to generations that are built.
func (d *Database) endBuilders(ctx context.Context) error {
	rows, err := d.read.Query(ctx, `SELECT number FROM `+d.opts.Schema+`.generation WHERE state = 'building'`)
	if err != nil {
		return failed("list the record's generations", err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return failed("list the record's generations", err)
	}
	for _, n := range numbers {
		if err := d.generation(n).endHolder(ctx); err != nil {
			return err
		}
		_, err := d.read.Exec(ctx, `SELECT pg_terminate_backend(l.pid) FROM pg_locks l
			WHERE l.relation = to_regclass($1) AND l.mode = 'RowExclusiveLock' AND l.granted
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`, d.schemaOf(n)+`.observation`)
		if err != nil && codeOf(err) != forbidden {
			return failed("end a writer that hangs", err)
		}
	}
	return nil
}
