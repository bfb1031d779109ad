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

// owner is a transaction of the role that owns the tables. There is one at a
// time, in all processes together: each holds the same advisory lock.
type owner struct {
	ctx context.Context
	d   *Database
	tx  pgx.Tx
}

// advisory is the key of the lock: the installation's name.
func (d *Database) advisory() string { return "setpoint/" + d.opts.Schema }

// connectOwner connects as the owner.
func (d *Database) connectOwner(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ParseConfig(d.opts.OwnerURL)
	if err != nil {
		return nil, badURL(err)
	}
	fill(c, "setpoint owner", map[string]string{"client_min_messages": "warning"})
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, unreachable(err)
	}
	return conn, nil
}

// asOwner runs f in a transaction of the owner. Who may act as the role
// SCHEMA_owner does, so that it owns what is made, whoever logs in.
func (d *Database) asOwner(ctx context.Context, what string, f func(*owner) error) error {
	conn, err := d.connectOwner(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, d.advisory()); err != nil {
			return err
		}
		var member bool
		if err := tx.QueryRow(ctx, `SELECT coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = $1), false)`,
			d.role("owner")).Scan(&member); err != nil {
			return err
		}
		if member {
			if _, err := tx.Exec(ctx, `SET LOCAL ROLE `+d.role("owner")); err != nil {
				return err
			}
		}
		// Whoever reads is not to wait behind one who waits.
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = `+milliseconds(giveUp)); err != nil {
			return err
		}
		return f(&owner{ctx: ctx, d: d, tx: tx})
	})
	if codeOf(err) == forbidden {
		return fault.Wrap(err, fault.Denied, "record.not_owner", "%s: the database's role may not", what).
			WithHint("ask a process that has the URL of the role that owns the schema %s (--database-owner-url), such as one with the projector", d.opts.Schema)
	}
	return failed(what, err)
}

// patience is how long a change of the schema goes on trying while somebody
// reads what it changes.
const patience = time.Minute

func (d *Database) patiently(ctx context.Context, f func() error) error {
	for end := time.Now().Add(patience); ; {
		err := f()
		if codeOf(err) != lockNotAvailable {
			return err
		}
		if time.Now().After(end) {
			return fault.Wrap(err, fault.Unavailable, "record.in_use",
				"the record's tables are read by a transaction that does not end").
				WithHint("find it in pg_stat_activity, and try again when it has ended")
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// one is the first generation that a condition selects, nil if none.
func (o *owner) one(where string, args ...any) (*record.Generation, error) {
	var g record.Generation
	err := o.tx.QueryRow(o.ctx, `SELECT number, version, state = 'live', log_id, revision, hash
		FROM `+o.d.opts.Schema+`.generation WHERE `+where+` ORDER BY number DESC LIMIT 1`, args...).
		Scan(&g.Number, &g.Version, &g.Live, &g.At.LogID, &g.At.Revision, &g.At.Hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	g.At = settled(g.At)
	return &g, err
}

// unfinished is the generation of the present version that was begun and never
// live; it is made if there is none.
func (o *owner) unfinished() (*record.Generation, error) {
	if g, err := o.one(`state = 'building' AND version = $1`, record.FoldVersion); g != nil || err != nil {
		if err == nil {
			err = o.tidy(g)
		}
		return g, err
	}
	g := &record.Generation{Version: record.FoldVersion}
	if err := o.tx.QueryRow(o.ctx, `INSERT INTO `+o.d.opts.Schema+`.generation (version, state) VALUES ($1, 'building')
		RETURNING number`, g.Version).Scan(&g.Number); err != nil {
		return nil, err
	}
	schema := o.d.schemaOf(g.Number)
	if _, err := o.tx.Exec(o.ctx, `CREATE SCHEMA `+schema); err != nil {
		return nil, err
	}
	if err := o.migrateGeneration(g.Number, 0); err != nil {
		return nil, err
	}
	for _, i := range readersIndexes {
		if err := o.exec(`DROP INDEX ` + schema + `.` + i.name); err != nil {
			return nil, err
		}
	}
	return g, o.grant(g.Number)
}

func (d *Database) role(name string) string { return fmt.Sprintf("%s_%s", d.opts.Schema, name) }
