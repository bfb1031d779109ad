package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`

// View implements record.Store.
func (g *generation) View(ctx context.Context, f func(record.View) error) error {
	return g.d.picture(ctx, g, f)
}

// View implements record.Database.
func (d *Database) View(ctx context.Context, f func(record.View) error) error {
	return d.picture(ctx, nil, f)
}

// picture runs f in a transaction on a generation; nil is the live one.
func (d *Database) picture(ctx context.Context, g *generation, f func(record.View) error) error {
	return d.pin(ctx, g, func(conn *pgx.Conn, g *generation, at record.Checkpoint) error {
		return f(&view{ctx: ctx, conn: conn, d: d, texts: g.texts, at: at.Revision})
	})
}

// pin runs f in a read-only transaction, in which the generation cannot be
// dropped; nil is the one that is live in that transaction.
func (d *Database) pin(ctx context.Context, g *generation, f func(*pgx.Conn, *generation, record.Checkpoint) error) error {
	conn, err := d.read.Acquire(ctx)
	if err != nil {
		return failed("read the record", err)
	}
	defer conn.Release() // closes one that is still in a transaction
	for {
		pinned := g
		if g == nil {
			if pinned, err = d.present(ctx, conn); err != nil {
				return err
			}
		}
		at, live, err := d.begin(ctx, conn.Conn(), pinned)
		switch code := codeOf(err); {
		case code == undefinedTable || code == undefinedSchema:
			if err := end(ctx, conn.Conn()); err != nil {
				return err
			}
			if g != nil {
				return g.dropped()
			}
			d.live.CompareAndSwap(int64(pinned.number), 0)
			continue
		case err != nil:
			return failed("read the record", err)
		case g == nil && !live:
			// Another generation was made live since.
			if err := end(ctx, conn.Conn()); err != nil {
				return err
			}
			d.live.CompareAndSwap(int64(pinned.number), 0)
			continue
		}
		err = f(conn.Conn(), pinned, at)
		return errors.Join(err, end(ctx, conn.Conn()))
	}
}

// present is the generation that was live when last looked.
func (d *Database) present(ctx context.Context, conn *pgxpool.Conn) (*generation, error) {
	if n := d.live.Load(); n != 0 {
		return d.generation(int(n)), nil
	}
	var n int
	err := conn.QueryRow(ctx, `SELECT number FROM `+d.opts.Schema+`.generation WHERE state = 'live'`).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.Unavailable, "record.no_generation", "there is no record yet").
			WithHint("start a process that projects the log")
	}
	if err != nil {
		return nil, failed("read the record", err)
	}
	d.live.Store(int64(n))
	return d.generation(n), nil
}

// begin begins a read-only transaction on a generation: it locks it first, and
// then takes the picture, in one round trip.
func (d *Database) begin(ctx context.Context, conn *pgx.Conn, g *generation) (at record.Checkpoint, live bool, err error) {
	var b pgx.Batch
	b.Queue(begin)
	b.Queue(g.texts.lock)
	b.Queue(g.texts.picture, g.number)
	sent := conn.SendBatch(ctx, &b)
	defer func() { err = errors.Join(err, sent.Close()) }()
	for range 2 {
		if _, err := sent.Exec(); err != nil {
			return at, false, err
		}
	}
	err = sent.QueryRow().Scan(&live, &at.LogID, &at.Revision, &at.Hash)
	return settled(at), live, err
}

// end ends a transaction that only read. A connection that was lost has nothing
// to end.
func end(ctx context.Context, conn *pgx.Conn) error {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUp)
	defer cancel()
	_, err := conn.Exec(ctx, "ROLLBACK")
	return failed("read the record", err)
}

// view implements record.View in one transaction.
type view struct {
	ctx   context.Context
	conn  *pgx.Conn
	d     *Database
	texts *texts
	at    uint64
}

func (v *view) Revision() uint64 { return v.at }

// one scans the one row of a statement; false if there is none.
func (v *view) one(what, text string, args []any, into ...any) (bool, error) {
	err := v.conn.QueryRow(v.ctx, text, args...).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, failed("read "+what, err)
}

func (v *view) rows(what, text string, args []any, scan func(pgx.Row) error) error {
	rows, err := v.conn.Query(v.ctx, text, args...)
	if err != nil {
		return failed("read "+what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return failed("read "+what, err)
		}
	}
	return failed("read "+what, rows.Err())
}

func (v *view) RevisionAt(at time.Time) (r uint64, err error) {
	_, err = v.one("the commits", v.texts.revisionAt, []any{at.UnixNano()}, &r)
	return r, err
}

func (v *view) Commit(sequence uint64) (r uint64, err error) {
	_, err = v.one("the commits", v.texts.commit, []any{min(sequence, record.Never)}, &r)
	return r, err
}

func (v *view) scanResource(row pgx.Row) (*record.Resource, error) {
	var r record.Resource
	var metadata, spec []byte
	var recorded int64
	if err := row.Scan(&r.Org, &r.Kind, &r.Name, &r.From, &r.To, &r.ID, &r.Created, &metadata, &spec,
		&r.Set, &r.Effective, &recorded, &r.Principal, &r.Manager); err != nil {
		return nil, err
	}
	r.Recorded = time.Unix(0, recorded).UTC()
	r.Metadata = &commonv1.Metadata{}
	if err := proto.Unmarshal(metadata, r.Metadata); err != nil {
		return nil, err
	}
	m, ok := v.d.opts.Kinds.NewSpec(r.Kind)
	if !ok {
		return nil, fmt.Errorf("the record holds a %s, a kind this binary does not know", r.Kind)
	}
	if err := proto.Unmarshal(spec, m); err != nil {
		return nil, err
	}
	r.Spec = m
	return &r, nil
}

func (v *view) Resource(org, kind, name string, at uint64) (*record.Resource, error) {
	r, err := v.LastNamed(org, kind, name, at)
	if err != nil || r == nil || r.To <= at {
		return nil, err
	}
	return r, nil
}

func (v *view) LastNamed(org, kind, name string, at uint64) (*record.Resource, error) {
	r, err := v.scanResource(v.conn.QueryRow(v.ctx, v.texts.resource, org, kind, name, at))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return r, failed("read a resource", err)
}

func (v *view) resources(text string, args ...any) (out []*record.Resource, err error) {
	err = v.rows("resources", text, args, func(row pgx.Row) error {
		r, err := v.scanResource(row)
		out = append(out, r)
		return err
	})
	return out, err
}

func (v *view) Resources(org, kind string, at uint64, after string, limit int) ([]*record.Resource, error) {
	return v.resources(v.texts.resources, org, kind, at, after, orAll(limit))
}

func (v *view) Versions(org, kind string, at uint64) ([]*record.Resource, error) {
	return v.resources(v.texts.versions, org, kind, at)
}

func scanObservation(row pgx.Row) (o record.Observation, err error) {
	var recorded int64
	err = row.Scan(&o.Org, &o.MetricID, &o.At, &o.Source, &o.From, &o.To, &o.Value, &o.Note, &recorded, &o.Corrections)
	o.Recorded = time.Unix(0, recorded).UTC()
	return o, err
}

func (v *view) Observations(org, metricID string, at uint64, after record.ObservationKey, limit int) (out []record.Observation, err error) {
	err = v.rows("observations", v.texts.observations, []any{org, metricID, at, after.At, after.Source, orAll(limit)}, func(row pgx.Row) error {
		o, err := scanObservation(row)
		out = append(out, o)
		return err
	})
	return out, err
}

func (v *view) AllObservations(org string, at uint64, f func(record.Observation) error) error {
	return v.rows("observations", v.texts.allObservations, []any{org, at}, func(row pgx.Row) error {
		o, err := scanObservation(row)
		if err != nil {
			return err
		}
		return f(o)
	})
}

func (v *view) Observation(org, metricID string, key record.ObservationKey) (have *record.Observation, beside []string, err error) {
	err = v.rows("an observation", v.texts.observation, []any{org, metricID, key.At, key.Source}, func(row pgx.Row) error {
		o, err := scanObservation(row)
		switch {
		case err != nil:
			return err
		case o.Source == key.Source:
			have = &o
		default:
			beside = append(beside, o.Source)
		}
		return nil
	})
	return have, beside, err
}

func scanCheckIn(row pgx.Row) (record.CheckIn, error) {
	var c record.CheckIn
	var o record.Override
	var recorded int64
	err := row.Scan(&c.Org, &c.TargetID, &c.At, &c.Revision, &c.Confidence, &c.Note,
		&o.Status, &o.Reason, &o.Expires, &c.Clear, &recorded, &c.Principal)
	if o.Status != "" {
		c.Override = &o
	}
	c.Recorded = time.Unix(0, recorded).UTC()
	return c, err
}

func (v *view) CheckIns(org, targetID string, since, at uint64, before record.CheckInKey, limit int) (out []record.CheckIn, err error) {
	if before == (record.CheckInKey{}) {
		before = record.CheckInKey{At: "~", Revision: record.Never} // after every date
	}
	err = v.rows("check-ins", v.texts.checkIns, []any{org, targetID, since, at, before.At, before.Revision, orAll(limit)}, func(row pgx.Row) error {
		c, err := scanCheckIn(row)
		out = append(out, c)
		return err
	})
	return out, err
}

func (v *view) AllCheckIns(org string, at uint64, f func(record.CheckIn) error) error {
	return v.rows("check-ins", v.texts.allCheckIns, []any{org, at}, func(row pgx.Row) error {
		c, err := scanCheckIn(row)
		if err != nil {
			return err
		}
		return f(c)
	})
}

func (v *view) State(org, service, kind, id string, at uint64) (*record.State, error) {
	s := record.State{Org: org, Service: service, Kind: kind}
	var recorded int64
	found, err := v.one("a state", v.texts.state, []any{org, service, kind, id, at}, &s.ID, &s.From, &s.Payload, &recorded)
	if !found {
		return nil, err
	}
	s.Recorded = time.Unix(0, recorded).UTC()
	return &s, nil
}

func (v *view) States(org, service, kind string, at uint64, f func(record.State) error) error {
	return v.rows("states", v.texts.states, []any{org, service, kind, at}, func(row pgx.Row) error {
		s := record.State{Org: org, Service: service, Kind: kind}
		var recorded int64
		if err := row.Scan(&s.ID, &s.From, &s.Payload, &recorded); err != nil {
			return err
		}
		s.Recorded = time.Unix(0, recorded).UTC()
		return f(s)
	})
}

func (v *view) Aggregate(org, service, kind, id string) (*record.Aggregate, error) {
	var a record.Aggregate
	found, err := v.one("an aggregate", v.texts.aggregate, []any{org, service, kind, id}, &a.Sequence, &a.Hash, &a.Revision)
	if !found {
		return nil, err
	}
	return &a, nil
}

func (v *view) Request(org, requestID string) (*record.Request, error) {
	var r record.Request
	found, err := v.one("a request", v.texts.request, []any{org, requestID},
		&r.Org, &r.ID, &r.Digest, &r.Revision, &r.Recorded, &r.Corrected, &r.Detail)
	if !found {
		return nil, err
	}
	return &r, nil
}

// orAll is a limit in SQL: NULL for none.
func orAll(limit int) *int {
	if limit <= 0 {
		return nil
	}
	return &limit
}
