package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// Database implements record.Database.
type Database struct {
	opts  Options
	read  *pgxpool.Pool
	write *pgxpool.Pool
	live  atomic.Int64 // the number last found live, 0 if none was

	mu    sync.Mutex
	texts map[int]*texts
}

var _ record.Database = (*Database)(nil)

// Open connects, and brings the schema to the newest version if the role may.
// Any number of processes may do so at once.
//
// Errors: Invalid record.database_url; Unavailable record.database_unreachable;
// Denied record.database_refuses if the role, its password or the database's
// name is wrong, record.no_schema if there is none yet and the role may not make
// it, and record.not_owner if the role may not do what it must; Unavailable
// record.newer_schema and record.older_schema if the schema is not this binary's
// and the role may not migrate it; Unavailable record.database_version if the
// server is too old.
func Open(ctx context.Context, o Options) (_ *Database, err error) {
	o, err = o.check()
	if err != nil {
		return nil, err
	}
	d := &Database{opts: o, texts: map[int]*texts{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if err := d.migrate(ctx); err != nil {
		return nil, err
	}
	reads, err := config(o.URL, "setpoint", readerSettings)
	if err != nil {
		return nil, err
	}
	reads.MaxConns = int32(o.Connections)
	if o.Connections <= 0 {
		reads.MaxConns = int32(4 * max(2, runtime.NumCPU()))
	}
	if d.read, err = pgxpool.NewWithConfig(ctx, reads); err != nil {
		return nil, unreachable(err)
	}
	writes, err := config(o.URL, "setpoint writer", writerSettings)
	if err != nil {
		return nil, err
	}
	writes.MaxConns = 6 // the live generation, one that is built and what is written aside, and one more of each
	if d.write, err = pgxpool.NewWithConfig(ctx, writes); err != nil {
		return nil, unreachable(err)
	}
	if err := d.read.Ping(ctx); err != nil {
		return nil, unreachable(err)
	}
	return d, nil
}

// Close implements record.Database.
func (d *Database) Close() error {
	if d.read != nil {
		d.read.Close()
	}
	if d.write != nil {
		d.write.Close()
	}
	return nil
}

// unreachable says what a failure to connect means: a server that refuses who
// connects, or has no such database, does so until somebody changes that.
func unreachable(err error) error {
	switch codeOf(err) {
	case "28000", "28P01", "3D000", forbidden:
		return fault.Wrap(err, fault.Denied, "record.database_refuses", "the record's database does not let setpoint in").
			WithHint("look at the role, the password and the database's name in the URL")
	}
	return fault.Wrap(err, fault.Unavailable, "record.database_unreachable", "the record's database does not answer")
}

// failed says what a failure of the database means: one that is gone, or
// restarts, is worth another try.
func failed(what string, err error) error {
	var e *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*fault.Error)):
		return err
	case errors.As(err, &e):
		if temporary(e.Code) {
			return fault.Wrap(err, fault.Unavailable, "record.database_unreachable", "%s: the record's database does not answer", what)
		}
		return fmt.Errorf("%s: %w", what, err)
	case pgconn.Timeout(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case lost(err):
		return fault.Wrap(err, fault.Unavailable, "record.database_unreachable", "%s: the record's database does not answer", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// temporary are the classes of connection exceptions, lack of resources and
// operator intervention, and what a transaction may meet by chance.
func temporary(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", "53", "57":
		return true
	}
	return code == "40001" || code == "40P01" || code == lockNotAvailable || code == "25P03"
}

const (
	lockNotAvailable = "55P03"
	undefinedTable   = "42P01"
	undefinedSchema  = "3F000"
	forbidden        = "42501"
)

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Checkpoint implements record.Database.
func (d *Database) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	var at record.Checkpoint
	err := d.read.QueryRow(ctx, `SELECT log_id, revision, hash FROM `+d.opts.Schema+`.generation WHERE state = 'live'`).
		Scan(&at.LogID, &at.Revision, &at.Hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return record.Checkpoint{}, nil
	}
	return settled(at), failed("read the record's checkpoint", err)
}

// settled gives the zero Checkpoint for an empty generation.
func settled(at record.Checkpoint) record.Checkpoint {
	if at.Revision == 0 {
		return record.Checkpoint{}
	}
	return at
}

// Generations implements record.Database.
func (d *Database) Generations(ctx context.Context) ([]record.Generation, error) {
	rows, err := d.read.Query(ctx, `SELECT number, version, state = 'live', log_id, revision, hash
		FROM `+d.opts.Schema+`.generation ORDER BY number`)
	if err != nil {
		return nil, failed("list the record's generations", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g record.Generation, err error) {
		err = row.Scan(&g.Number, &g.Version, &g.Live, &g.At.LogID, &g.At.Revision, &g.At.Hash)
		g.At = settled(g.At)
		return g, err
	})
	return list, failed("list the record's generations", err)
}
