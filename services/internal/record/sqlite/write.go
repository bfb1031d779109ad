package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

const putResource = `INSERT INTO resource (org, kind, name, rev_from, rev_to, id, created, metadata, spec,
	set_name, effective, recorded, principal, manager) `

var writeStatements = map[string]string{
	"read checkpoint": readCheckpoint,
	"checkpoint": `INSERT INTO checkpoint (one, log_id, revision, hash) VALUES (1, ?, ?, ?)
		ON CONFLICT (one) DO UPDATE SET log_id = excluded.log_id, revision = excluded.revision, hash = excluded.hash`,
	// The planner knows no statistics: left alone it would scan the whole kind.
	"end resource": `UPDATE resource INDEXED BY resource_by_id SET rev_to = ?
		WHERE org = ? AND kind = ? AND id = ? AND rev_to = 9223372036854775807`,
	"put resource": putResource + `VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
	// A version goes on where the one of its ID ended that stood before it.
	"put resource after": putResource + `VALUES (?1, ?2, ?3, ?4, ?5, ?6,
		coalesce((SELECT created FROM resource INDEXED BY resource_by_id WHERE org = ?1 AND kind = ?2 AND id = ?6 AND rev_to = ?4), ?7),
		?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
	"put name": `INSERT INTO resource_name (org, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
	"end observation": `UPDATE observation SET rev_to = ?
		WHERE org = ? AND metric_id = ? AND observed_at = ? AND source = ? AND rev_to = 9223372036854775807`,
	"count observation": `SELECT count(*) FROM observation WHERE org = ? AND metric_id = ? AND observed_at = ? AND source = ?`,
	"put observation": `INSERT INTO observation (org, metric_id, observed_at, source, rev_from, rev_to, value, note, recorded, corrections)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	"put check-in": `INSERT INTO check_in (org, target_id, at, rev, confidence, note, status, reason, expires, clear,
			recorded, principal)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	"put erasure": `INSERT INTO erasure (org, kind, id, revision, name, holders, reason, recorded, principal)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
	// Of a commit that says twice what an aggregate is the last word counts.
	"put state": `INSERT INTO state (org, service, kind, id, rev_from, payload, recorded) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET payload = excluded.payload, recorded = excluded.recorded`,
	"put aggregate": `INSERT INTO aggregate (org, service, kind, id, sequence, hash, revision) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, revision = excluded.revision`,
	"put request": `INSERT INTO request (org, request_id, digest, revision, recorded, corrected, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET revision = excluded.revision, recorded = recorded + excluded.recorded,
			corrected = corrected + excluded.corrected,
			detail = CASE WHEN length(excluded.detail) > 0 THEN excluded.detail ELSE detail END`,
	// The running maximum: writing processes whose clocks differ record times
	// that decrease, and what was known must not become less.
	"put commit": `INSERT INTO commit_time (revision, org, recorded)
		VALUES (?, ?, max(?, coalesce((SELECT max(recorded) FROM commit_time), 0)))`,
	"newest commit":    `SELECT max(recorded) FROM commit_time`,
	"put commit after": `INSERT INTO commit_time (revision, org, recorded) VALUES (?, ?, ?)`,
}

// Checkpoint implements record.Store. Whoever asks waits for no writer and no
// reader, so that health can be told while both are busy.
func (s *Store) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	return checkpoint(s.read.QueryRowContext(ctx, readCheckpoint).Scan)
}

const readCheckpoint = `SELECT log_id, revision, hash FROM checkpoint`

func (s *session) checkpoint(ctx context.Context) (record.Checkpoint, error) {
	return checkpoint(func(dest ...any) error { return s.one(ctx, "read checkpoint", nil, dest...) })
}

func checkpoint(scan func(dest ...any) error) (record.Checkpoint, error) {
	var c record.Checkpoint
	err := scan(&c.LogID, &c.Revision, &c.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return record.Checkpoint{}, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the record's checkpoint: %w", err)
	}
	return c, nil
}

// Write implements record.Store.
func (s *Store) Write(ctx context.Context, from, to record.Checkpoint, changes []record.Change) error {
	b, err := batchOf(changes)
	if err != nil {
		return err
	}
	defer b.recycle()
	return s.writeBatch(ctx, from, to, b)
}

func (s *Store) writeBatch(ctx context.Context, from, to record.Checkpoint, b *batch) (err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.writer == nil {
		return errClosed
	}
	w := writer{s.writer, s.known}
	if err := w.exec(beginImmediate); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.exec(rollback))
		}
	}()
	have, err := w.checkpoint(ctx)
	if err != nil {
		return err
	}
	if have.Revision != from.Revision || (have.LogID != from.LogID && have.Revision != 0) {
		return fault.New(fault.Aborted, "record.checkpoint_moved",
			"the record stands at revision %d of log %q, not at %d of %q: somebody else writes it",
			have.Revision, have.LogID, from.Revision, from.LogID)
	}
	if err := w.write(b); err != nil {
		return err
	}
	if err := w.exec("checkpoint", to.LogID, to.Revision, nonNil(to.Hash)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.exec(commit); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

type writer struct {
	*session
	known *known // nil: the file is asked
}

func (w *writer) write(b *batch) error {
	for _, part := range []func(*batch) error{
		w.resources, w.observations, w.checkIns, w.states, w.erasures, w.aggregates, w.requests, w.commits,
	} {
		if err := part(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) resources(b *batch) error {
	for _, e := range b.ends {
		if err := w.exec("end resource", e.Revision, e.Org, e.Kind, e.ID); err != nil {
			return err
		}
	}
	type name struct{ org, kind, name string }
	names := map[name]bool{}
	for _, v := range b.resources {
		md, err := proto.MarshalOptions{Deterministic: true}.Marshal(v.Metadata)
		if err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		spec, err := proto.MarshalOptions{Deterministic: true}.Marshal(v.Spec)
		if err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		insert, created := "put resource", v.Created
		if v.first {
			insert, created = "put resource after", v.From
		}
		if err := w.exec(insert, v.Org, v.Kind, v.Name, v.From, v.To, v.ID, created, nonNil(md), nonNil(spec),
			v.Set, v.Effective, v.Recorded.UnixNano(), v.Principal, v.Manager); err != nil {
			return err
		}
		if n := (name{v.Org, v.Kind, v.Name}); !names[n] {
			names[n] = true
			if err := w.exec("put name", n.org, n.kind, n.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) observations(b *batch) error {
	before := 0 // versions of the identity in the file
	for _, i := range b.observationOrder {
		v := &b.observations[i]
		there := (w.known == nil || w.known.add(&v.Observation)) && !v.fresh
		if v.first {
			before = 0
		}
		if v.first && there {
			ended, err := w.change("end observation", v.From, v.Org, v.MetricID, v.At, v.Source)
			if err != nil {
				return err
			}
			if ended > 0 {
				identity := []any{v.Org, v.MetricID, v.At, v.Source}
				if err := w.one(context.Background(), "count observation", identity, &before); err != nil {
					return err
				}
			}
		}
		if err := w.exec("put observation", v.Org, v.MetricID, v.At, v.Source, v.From, v.To, v.Value, v.Note,
			v.Recorded.UnixNano(), before+v.Corrections); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) checkIns(b *batch) error {
	for _, c := range b.checkIns {
		var o record.Override
		if c.Override != nil {
			o = *c.Override
		}
		if err := w.exec("put check-in", c.Org, c.TargetID, c.At, c.Revision, c.Confidence, c.Note,
			o.Status, o.Reason, o.Expires, c.Clear, c.Recorded.UnixNano(), c.Principal); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) states(b *batch) error {
	for _, s := range b.states {
		if err := w.exec("put state", s.Org, s.Service, s.Kind, s.ID, s.From, nonNil(s.Payload), s.Recorded.UnixNano()); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) aggregates(b *batch) error {
	for _, i := range b.aggregateOrder {
		c := &b.aggregates[i]
		if err := w.exec("put aggregate", c.Org, c.Service, c.Kind, c.ID, c.Sequence, nonNil(c.Hash), c.Revision); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) requests(b *batch) error {
	for _, i := range b.requestOrder {
		c := &b.requests[i]
		if err := w.exec("put request", c.Org, c.ID, nonNil(c.Digest), c.Revision, c.Recorded, c.Corrected, nonNil(c.Detail)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) commits(b *batch) error {
	var newest int64 // the running maximum
	for i, c := range b.commits {
		if i == 0 {
			if err := w.exec("put commit", c.Revision, c.Org, c.Recorded.UnixNano()); err != nil {
				return err
			}
			continue
		}
		if i == 1 {
			if err := w.one(context.Background(), "newest commit", nil, &newest); err != nil {
				return err
			}
		}
		newest = max(newest, c.Recorded.UnixNano())
		if err := w.exec("put commit after", c.Revision, c.Org, newest); err != nil {
			return err
		}
	}
	return nil
}

// nonNil keeps NOT NULL columns from seeing a nil slice as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
