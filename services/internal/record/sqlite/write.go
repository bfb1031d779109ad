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

var writeStatements = map[string]string{
	"read checkpoint": readCheckpoint,
	"checkpoint": `INSERT INTO checkpoint (one, log_id, revision, hash) VALUES (1, ?, ?, ?)
		ON CONFLICT (one) DO UPDATE SET log_id = excluded.log_id, revision = excluded.revision, hash = excluded.hash`,
	// The planner knows no statistics: left alone it would scan the whole kind.
	"end resource": `UPDATE resource INDEXED BY resource_by_id SET rev_to = ?
		WHERE org = ? AND kind = ? AND id = ? AND rev_to = 9223372036854775807`,
	"put resource": `INSERT INTO resource (org, kind, name, rev_from, rev_to, id, created, metadata, spec,
			set_name, effective, recorded, principal, manager)
		VALUES (?1, ?2, ?3, ?4, 9223372036854775807, ?5,
			coalesce((SELECT created FROM resource INDEXED BY resource_by_id WHERE org = ?1 AND kind = ?2 AND id = ?5 AND rev_to = ?4), ?4),
			?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
	"put name": `INSERT INTO resource_name (org, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
	"end observation": `UPDATE observation SET rev_to = ?
		WHERE org = ? AND metric_id = ? AND observed_at = ? AND source = ? AND rev_to = 9223372036854775807`,
	"put observation": `INSERT INTO observation (org, metric_id, observed_at, source, rev_from, rev_to, value, note,
			recorded, corrections)
		VALUES (?1, ?2, ?3, ?4, ?5, 9223372036854775807, ?6, ?7, ?8,
			(SELECT count(*) FROM observation WHERE org = ?1 AND metric_id = ?2 AND observed_at = ?3 AND source = ?4))`,
	"put check-in": `INSERT INTO check_in (org, target_id, at, rev, confidence, note, status, reason, expires, clear,
			recorded, principal)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
}

// Checkpoint implements record.Store.
func (s *Store) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.writer == nil {
		return record.Checkpoint{}, errClosed
	}
	return s.writer.checkpoint(ctx)
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
func (s *Store) Write(ctx context.Context, from, to record.Checkpoint, changes []record.Change) (err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.writer == nil {
		return errClosed
	}
	w := writer{s.writer}
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
	for _, c := range changes {
		if err := w.change(c); err != nil {
			return err
		}
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

type writer struct{ *session }

func (w *writer) change(c record.Change) error {
	switch c := c.(type) {
	case record.PutResource:
		md, err := proto.MarshalOptions{Deterministic: true}.Marshal(c.Metadata)
		if err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		spec, err := proto.MarshalOptions{Deterministic: true}.Marshal(c.Spec)
		if err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		if err := w.exec("end resource", c.From, c.Org, c.Kind, c.ID); err != nil {
			return err
		}
		if err := w.exec("put resource", c.Org, c.Kind, c.Name, c.From, c.ID, nonNil(md), nonNil(spec),
			c.Set, c.Effective, c.Recorded.UnixNano(), c.Principal, c.Manager); err != nil {
			return err
		}
		return w.exec("put name", c.Org, c.Kind, c.Name)
	case record.EndResource:
		return w.exec("end resource", c.Revision, c.Org, c.Kind, c.ID)
	case record.PutObservation:
		if err := w.exec("end observation", c.From, c.Org, c.MetricID, c.At, c.Source); err != nil {
			return err
		}
		return w.exec("put observation", c.Org, c.MetricID, c.At, c.Source, c.From, c.Value, c.Note, c.Recorded.UnixNano())
	case record.PutCheckIn:
		var o record.Override
		if c.Override != nil {
			o = *c.Override
		}
		return w.exec("put check-in", c.Org, c.TargetID, c.At, c.Revision, c.Confidence, c.Note,
			o.Status, o.Reason, o.Expires, c.Clear, c.Recorded.UnixNano(), c.Principal)
	case record.PutAggregate:
		return w.exec("put aggregate", c.Org, c.Service, c.Kind, c.ID, c.Sequence, nonNil(c.Hash), c.Revision)
	case record.PutRequest:
		return w.exec("put request", c.Org, c.ID, nonNil(c.Digest), c.Revision, c.Recorded, c.Corrected, nonNil(c.Detail))
	case record.PutCommit:
		return w.exec("put commit", c.Revision, c.Org, c.Recorded.UnixNano())
	}
	return fmt.Errorf("the record cannot write a %T", c)
}

// nonNil keeps NOT NULL columns from seeing a nil slice as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
