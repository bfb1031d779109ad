package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

const resourceColumns = `r.org, r.kind, r.name, r.rev_from, r.rev_to, r.id, r.created, r.metadata, r.spec,
	r.set_name, r.effective, r.recorded, r.principal, r.manager`

const observationColumns = `org, metric_id, observed_at, source, rev_from, rev_to, value, note, recorded, corrections`

const checkInColumns = `org, target_id, at, rev, confidence, note, status, reason, expires, clear, recorded, principal`

var readStatements = map[string]string{
	"read checkpoint": readCheckpoint,
	"revision at": `SELECT coalesce((SELECT revision FROM commit_time WHERE recorded <= ?
		ORDER BY recorded DESC, revision DESC LIMIT 1), 0)`,
	"commit": `SELECT coalesce((SELECT min(revision) FROM commit_time WHERE revision >= ?1),
		(SELECT max(revision) FROM commit_time), 0)`,
	// The version before or at the revision is one seek, however many follow.
	"resource": `SELECT ` + resourceColumns + ` FROM resource r
		WHERE r.org = ? AND r.kind = ? AND r.name = ? AND r.rev_from <= ? ORDER BY r.rev_from DESC LIMIT 1`,
	"resources": `SELECT ` + resourceColumns + ` FROM resource_name n CROSS JOIN resource r
		ON r.org = n.org AND r.kind = n.kind AND r.name = n.name
			AND r.rev_from = (SELECT max(v.rev_from) FROM resource v
				WHERE v.org = n.org AND v.kind = n.kind AND v.name = n.name AND v.rev_from <= ?3)
		WHERE n.org = ?1 AND n.kind = ?2 AND n.name > ?4 AND r.rev_to > ?3
		ORDER BY n.name LIMIT ?5`,
	"versions": `SELECT ` + resourceColumns + ` FROM (SELECT n.name, s.id, s.created FROM resource_name n CROSS JOIN resource s
			ON s.org = n.org AND s.kind = n.kind AND s.name = n.name
				AND s.rev_from = (SELECT max(v.rev_from) FROM resource v
					WHERE v.org = n.org AND v.kind = n.kind AND v.name = n.name AND v.rev_from <= ?3)
			WHERE n.org = ?1 AND n.kind = ?2 AND s.rev_to > ?3) live
		CROSS JOIN resource r INDEXED BY resource_by_id
			ON r.org = ?1 AND r.kind = ?2 AND r.id = live.id AND r.rev_from >= live.created AND r.rev_from <= ?3
		ORDER BY r.id, r.rev_from`,
	"observations": `SELECT ` + observationColumns + ` FROM observation
		WHERE org = ?1 AND metric_id = ?2 AND (observed_at, source) > (?4, ?5) AND rev_from <= ?3 AND rev_to > ?3
		ORDER BY observed_at, source LIMIT ?6`,
	"all observations": `SELECT ` + observationColumns + ` FROM observation
		WHERE org = ?1 AND rev_from <= ?2 AND rev_to > ?2 ORDER BY metric_id, observed_at, source`,
	// A value that was ever recorded is superseded, never ended: every source
	// found has a current one. Each part is one seek.
	"observation": `SELECT * FROM (SELECT ` + observationColumns + ` FROM observation
			WHERE org = ?1 AND metric_id = ?2 AND observed_at = ?3 AND source = ?4 ORDER BY rev_from DESC LIMIT 1)
		UNION ALL SELECT * FROM (SELECT ` + observationColumns + ` FROM observation
			WHERE org = ?1 AND metric_id = ?2 AND observed_at = ?3 AND source < ?4 ORDER BY source DESC LIMIT 1)
		UNION ALL SELECT * FROM (SELECT ` + observationColumns + ` FROM observation
			WHERE org = ?1 AND metric_id = ?2 AND observed_at = ?3 AND source > ?4 ORDER BY source LIMIT 1)`,
	"check-ins": `SELECT ` + checkInColumns + ` FROM check_in
		WHERE org = ?1 AND target_id = ?2 AND rev >= ?3 AND rev <= ?4 AND (at, rev) < (?5, ?6)
		ORDER BY at DESC, rev DESC LIMIT ?7`,
	"all check-ins": `SELECT ` + checkInColumns + ` FROM check_in
		WHERE org = ?1 AND rev <= ?2 ORDER BY target_id, at, rev`,
	"organizations": `SELECT DISTINCT org FROM resource_name WHERE kind = ?1 ORDER BY org`,
	"erasures": `SELECT org, kind, id, revision, name, holders, reason, recorded, principal FROM erasure
		WHERE org = ?1 OR ?1 = '' ORDER BY revision, kind, id`,
	"state": `SELECT id, rev_from, payload, recorded FROM state
		WHERE org = ?1 AND service = ?2 AND kind = ?3 AND id = ?4 AND rev_from <= ?5 ORDER BY rev_from DESC LIMIT 1`,
	"states": `SELECT s.id, s.rev_from, s.payload, s.recorded FROM aggregate a CROSS JOIN state s
		ON s.org = a.org AND s.service = a.service AND s.kind = a.kind AND s.id = a.id
			AND s.rev_from = (SELECT max(v.rev_from) FROM state v
				WHERE v.org = a.org AND v.service = a.service AND v.kind = a.kind AND v.id = a.id AND v.rev_from <= ?4)
		WHERE a.org = ?1 AND a.service = ?2 AND a.kind = ?3 ORDER BY a.id`,
	"aggregate": `SELECT sequence, hash, revision FROM aggregate WHERE org = ? AND service = ? AND kind = ? AND id = ?`,
	"identities": `SELECT 'r', org, request_id, '', '' FROM request
		UNION ALL SELECT 'o', org, metric_id, observed_at, '' FROM observation WHERE rev_to = 9223372036854775807
		UNION ALL SELECT 'a', org, service, kind, id FROM aggregate`,
	"request": `SELECT org, request_id, digest, revision, recorded, corrected, detail FROM request
		WHERE org = ? AND request_id = ?`,
}

// View implements record.Store.
func (s *Store) View(ctx context.Context, f func(record.View) error) (err error) {
	reader, err := s.readers.take(ctx)
	if err != nil {
		return fmt.Errorf("read the record: %w", err)
	}
	sound := false
	defer func() { s.readers.put(reader, sound) }()
	if err := reader.exec(begin); err != nil {
		return fmt.Errorf("read the record: %w", err)
	}
	defer func() {
		// A read transaction has nothing to commit, and a session that cannot end
		// it is not used again.
		sound = reader.exec(rollback) == nil
	}()
	// The first read pins the picture.
	at, err := reader.checkpoint(ctx)
	if err != nil {
		return err
	}
	return f(&view{ctx: ctx, session: reader, kinds: s.kinds, at: at.Revision})
}

type view struct {
	*session
	ctx   context.Context
	kinds *resource.Registry
	at    uint64
}

func (v *view) Revision() uint64 { return v.at }

func (v *view) row(name string, args ...any) found { return found{v, name, args} }

// found is a result of one row at most.
type found struct {
	v    *view
	name string
	args []any
}

func (f found) Scan(dest ...any) error { return f.v.one(f.v.ctx, f.name, f.args, dest...) }

func (v *view) rows(name string, scan func(scanner) error, args ...any) error {
	return v.query(v.ctx, name, scan, args...)
}

func (v *view) RevisionAt(at time.Time) (uint64, error) {
	var r uint64
	err := v.row("revision at", at.UnixNano()).Scan(&r)
	return r, err
}

func (v *view) Commit(sequence uint64) (uint64, error) {
	var r uint64
	err := v.row("commit", sequence).Scan(&r)
	return r, err
}

type scanner interface{ Scan(dest ...any) error }

func (v *view) scanResource(row scanner) (*record.Resource, error) {
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
	m, ok := v.kinds.NewSpec(r.Kind)
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
	r, err := v.scanResource(v.row("resource", org, kind, name, at))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read resource: %w", err)
	}
	return r, nil
}

func (v *view) Resources(org, kind string, at uint64, after string, limit int) ([]*record.Resource, error) {
	var out []*record.Resource
	err := v.rows("resources", func(row scanner) error {
		r, err := v.scanResource(row)
		out = append(out, r)
		return err
	}, org, kind, at, after, orAll(limit))
	return out, err
}

func (v *view) Versions(org, kind string, at uint64) ([]*record.Resource, error) {
	var out []*record.Resource
	err := v.rows("versions", func(row scanner) error {
		r, err := v.scanResource(row)
		out = append(out, r)
		return err
	}, org, kind, at)
	return out, err
}

func scanObservation(row scanner) (record.Observation, error) {
	var o record.Observation
	var recorded int64
	err := row.Scan(&o.Org, &o.MetricID, &o.At, &o.Source, &o.From, &o.To, &o.Value, &o.Note, &recorded, &o.Corrections)
	o.Recorded = time.Unix(0, recorded).UTC()
	return o, err
}

func (v *view) Observations(org, metricID string, at uint64, after record.ObservationKey, limit int) ([]record.Observation, error) {
	var out []record.Observation
	err := v.rows("observations", func(row scanner) error {
		o, err := scanObservation(row)
		out = append(out, o)
		return err
	}, org, metricID, at, after.At, after.Source, orAll(limit))
	return out, err
}

func (v *view) AllObservations(org string, at uint64, f func(record.Observation) error) error {
	return v.rows("all observations", func(row scanner) error {
		o, err := scanObservation(row)
		if err != nil {
			return err
		}
		return f(o)
	}, org, at)
}

func (v *view) Observation(org, metricID string, key record.ObservationKey) (have *record.Observation, beside []string, err error) {
	err = v.rows("observation", func(row scanner) error {
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
	}, org, metricID, key.At, key.Source)
	return have, beside, err
}

func (v *view) Aggregate(org, service, kind, id string) (*record.Aggregate, error) {
	var a record.Aggregate
	err := v.row("aggregate", org, service, kind, id).Scan(&a.Sequence, &a.Hash, &a.Revision)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read aggregate: %w", err)
	}
	return &a, nil
}

func (v *view) Request(org, requestID string) (*record.Request, error) {
	var r record.Request
	err := v.row("request", org, requestID).Scan(&r.Org, &r.ID, &r.Digest, &r.Revision, &r.Recorded, &r.Corrected, &r.Detail)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	return &r, nil
}

// Identities lists what must have been seen to know that something is new.
func (v *view) Identities(f func(record.Identity)) error {
	return v.rows("identities", func(row scanner) error {
		var of, org, a, b, c string
		if err := row.Scan(&of, &org, &a, &b, &c); err != nil {
			return err
		}
		switch of {
		case "r":
			f(record.RequestIdentity(org, a))
		case "o":
			f(record.DateIdentity(org, a, b))
		case "a":
			f(record.AggregateIdentity(org, a, b, c))
		}
		return nil
	})
}

func orAll(limit int) int {
	if limit <= 0 {
		return -1
	}
	return limit
}
