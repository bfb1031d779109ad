package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// generation is one build of the record; it implements record.Store.
type generation struct {
	d      *Database
	number int
	texts  *texts
	newest newest
}

var _ record.Store = (*generation)(nil)

func (d *Database) generation(number int) *generation {
	return &generation{d: d, number: number, texts: d.textsOf(number)}
}

// Close implements record.Store: connections are the Database's.
func (g *generation) Close() error { return nil }

// Checkpoint implements record.Store.
func (g *generation) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	var at record.Checkpoint
	err := g.d.read.QueryRow(ctx, g.texts.checkpoint, g.number).Scan(&at.LogID, &at.Revision, &at.Hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, g.dropped()
	}
	return settled(at), failed("read the record's checkpoint", err)
}

func (g *generation) dropped() error {
	return fault.New(fault.Aborted, "record.generation_dropped", "generation %d of the record was dropped", g.number)
}

// Live implements record.Database.
func (d *Database) Live(ctx context.Context) (record.Store, record.Generation, error) {
	list, err := d.Generations(ctx)
	if err != nil {
		return nil, record.Generation{}, err
	}
	for _, g := range list {
		if g.Live {
			return d.generation(g.Number), g, nil
		}
	}
	var made record.Generation
	err = d.takingUp(ctx, func() error {
		return d.asOwner(ctx, "make the record", func(o *owner) error {
			found, err := o.one(`state = 'live'`)
			if err == nil && found == nil {
				// An unfinished build is a beginning, if its rows are what today's are.
				if found, err = o.unfinished(); err == nil {
					err = o.index(found.Number)
				}
				if err == nil {
					_, err = o.tx.Exec(ctx, `UPDATE `+d.opts.Schema+`.generation SET state = 'live' WHERE number = $1`, found.Number)
				}
				if err == nil {
					found.Live = true
					err = o.arrange()
				}
			}
			if err == nil {
				made = *found
			}
			return err
		})
	})
	if err != nil {
		return nil, made, err
	}
	return d.generation(made.Number), made, nil
}

// Begin implements record.Database.
func (d *Database) Begin(ctx context.Context) (record.Store, record.Generation, error) {
	var begun record.Generation
	err := d.takingUp(ctx, func() error {
		return d.asOwner(ctx, "begin a generation of the record", func(o *owner) error {
			found, err := o.unfinished()
			if err == nil {
				begun = *found
			}
			return err
		})
	})
	if err != nil {
		return nil, begun, err
	}
	return d.generation(begun.Number), begun, nil
}

// Promote implements record.Database. Views that somebody reads cannot be
// replaced: it waits for a while, and then fails with Unavailable,
// record.views_in_use.
func (d *Database) Promote(ctx context.Context, number int) error {
	if err := d.patiently(ctx, func() error { return d.finish(ctx, number) }); err != nil {
		return err
	}
	return d.patiently(ctx, func() error {
		return d.asOwner(ctx, "make a generation of the record live", func(o *owner) error {
			// Rows are locked in order of their numbers, by everybody.
			if _, err := o.tx.Exec(ctx, `SELECT number FROM `+d.opts.Schema+`.generation
				WHERE state = 'live' OR number = $1 ORDER BY number FOR UPDATE`, number); err != nil {
				return err
			}
			next, err := o.one(`number = $1 AND state <> 'dropping'`, number)
			if err != nil {
				return err
			}
			if next == nil {
				return noGeneration(number)
			}
			live, err := o.one(`state = 'live'`)
			if err != nil || next.Live {
				return err
			}
			if live != nil && live.At.Revision != 0 &&
				(next.At.Revision < live.At.Revision || next.At.LogID != live.At.LogID) {
				return fault.New(fault.Aborted, "record.generation_behind",
					"generation %d stands at revision %d of log %q, the live one at %d of %q",
					number, next.At.Revision, next.At.LogID, live.At.Revision, live.At.LogID)
			}
			if _, err := o.tx.Exec(ctx, `UPDATE `+d.opts.Schema+`.generation SET state = 'superseded' WHERE state = 'live'`); err != nil {
				return err
			}
			if _, err := o.tx.Exec(ctx, `UPDATE `+d.opts.Schema+`.generation SET state = 'live' WHERE number = $1`, number); err != nil {
				return err
			}
			if err := o.arrange(); err != nil {
				return err
			}
			_, err = o.tx.Exec(ctx, `SELECT pg_notify($1, $2)`, d.opts.Schema, "promoted")
			return err
		})
	})
}

// finish makes what only readers need, before they come: indexes, and what the
// planner should know of the tables.
func (d *Database) finish(ctx context.Context, number int) error {
	return d.asOwner(ctx, "finish a generation of the record", func(o *owner) error {
		g, err := o.one(`number = $1 AND state = 'building'`, number)
		if err != nil || g == nil {
			return err // Promote says what is wrong
		}
		if err := o.index(number); err != nil {
			return err
		}
		// Our own reads seek whatever is known; for the questions of other programs
		// a small sample does until the server takes a larger one by itself.
		texts := []string{`SET LOCAL default_statistics_target = 20`}
		for _, table := range partitioned {
			texts = append(texts, `ANALYZE `+d.schemaOf(number)+`.`+table)
		}
		return o.exec(texts...)
	})
}

// What is written never looks for these: a generation gets them when it is built.
var readersIndexes = []struct{ name, on string }{
	{"commit_time_by_recorded", "commit_time (recorded, revision)"},
}

// index makes the indexes for readers that are not there yet.
func (o *owner) index(number int) error {
	for _, i := range readersIndexes {
		if err := o.exec(`CREATE INDEX IF NOT EXISTS ` + i.name + ` ON ` + o.d.schemaOf(number) + `.` + i.on); err != nil {
			return err
		}
	}
	return nil
}

// Drop implements record.Database.
func (d *Database) Drop(ctx context.Context, number int) error {
	// Nobody writes to it from here on, or takes it up again.
	err := d.asOwner(ctx, "drop a generation of the record", func(o *owner) error {
		g, err := o.one(`number = $1`, number)
		switch {
		case err != nil:
			return err
		case g == nil:
			return noGeneration(number)
		case g.Live:
			return fault.New(fault.Rule, "record.generation_live", "generation %d of the record is live", number).
				WithHint("make another one live first")
		}
		_, err = o.tx.Exec(ctx, `UPDATE `+d.opts.Schema+`.generation SET state = 'dropping' WHERE number = $1`, number)
		return err
	})
	if err != nil {
		return err
	}
	return d.patiently(ctx, func() error {
		return d.asOwner(ctx, "drop a generation of the record", func(o *owner) error {
			// Every reader holds this table from its beginning to its end.
			for _, text := range []string{
				`LOCK TABLE ` + d.schemaOf(number) + `.resource IN ACCESS EXCLUSIVE MODE`,
				`DROP SCHEMA ` + d.schemaOf(number) + ` CASCADE`,
				fmt.Sprintf(`DELETE FROM %s.generation WHERE number = %d`, d.opts.Schema, number),
			} {
				if _, err := o.tx.Exec(ctx, text); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func noGeneration(number int) error {
	return fault.New(fault.NotFound, "record.no_generation", "the record has no generation %d", number)
}
