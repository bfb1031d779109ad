package postgres

import "strings"

// texts are the statements of one generation. Each names its tables in full:
// connections are shared by generations.
type texts struct {
	schema       string
	lock         string
	newestValues string
	checkpoint   string
	picture      string

	revisionAt, commit                                    string
	resource, resources, versions                         string
	observations, allObservations, observation            string
	tenants                                               string
	erasures, putErasures                                 string
	checkIns, allCheckIns                                 string
	state, states, putStates                              string
	aggregate, request                                    string
	claim, move, earlierResources, earlierValues          string
	endResources, putResources, putNames                  string
	endObservations, putObservations, putCheckIns         string
	putAggregates, putRequests, putCommits, organizations string
	latest                                                string
}

const (
	resourceColumns = `r.org, r.kind, r.name, r.rev_from, r.rev_to, r.id, r.created, r.metadata, r.spec,
		r.set_name, r.effective, r.recorded, r.principal, r.manager`
	observationColumns = `org, metric_id, observed_at, source, rev_from, rev_to, value, note, recorded, corrections`
	checkInColumns     = `org, target_id, at, rev, confidence, note, status, reason, expires, clear, recorded, principal`
)

// textsOf makes the statements of a generation once.
func (d *Database) textsOf(number int) *texts {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t, ok := d.texts[number]; ok {
		return t
	}
	t := newTexts(d.opts.Schema, d.schemaOf(number))
	d.texts[number] = t
	return t
}

func newTexts(control, schema string) *texts {
	s := func(text string) string {
		return strings.NewReplacer("{c}", control, "{g}", schema).Replace(text)
	}
	return &texts{
		schema: schema,
		// Whoever reads holds this lock, so that nobody drops the generation.
		lock:       s(`LOCK TABLE {g}.resource IN ACCESS SHARE MODE`),
		checkpoint: s(`SELECT log_id, revision, hash FROM {c}.generation WHERE number = $1 AND state <> 'dropping'`),

		picture: s(`SELECT state = 'live', log_id, revision, hash FROM {c}.generation WHERE number = $1`),

		revisionAt: s(`SELECT coalesce((SELECT revision FROM {g}.commit_time WHERE recorded <= $1
			ORDER BY recorded DESC, revision DESC LIMIT 1), 0)`),
		commit: s(`SELECT coalesce((SELECT revision FROM {g}.commit_time WHERE revision >= $1 ORDER BY revision LIMIT 1),
			(SELECT revision FROM {g}.commit_time ORDER BY revision DESC LIMIT 1), 0)`),
		// The version before or at the revision is one seek, however many follow.
		resource: s(`SELECT ` + resourceColumns + ` FROM {g}.resource r
			WHERE r.org = $1 AND r.kind = $2 AND r.name = $3 AND r.rev_from <= $4 ORDER BY r.rev_from DESC LIMIT 1`),
		resources: s(`SELECT ` + resourceColumns + ` FROM {g}.resource_name n CROSS JOIN LATERAL (
				SELECT * FROM {g}.resource v WHERE v.org = n.org AND v.kind = n.kind AND v.name = n.name AND v.rev_from <= $3
				ORDER BY v.rev_from DESC LIMIT 1) r
			WHERE n.org = $1 AND n.kind = $2 AND n.name > $4 AND r.rev_to > $3
			ORDER BY n.name LIMIT $5`),
		versions: s(`SELECT ` + resourceColumns + ` FROM (
				SELECT s.id, s.created FROM {g}.resource_name n CROSS JOIN LATERAL (
					SELECT v.id, v.created, v.rev_to FROM {g}.resource v
					WHERE v.org = n.org AND v.kind = n.kind AND v.name = n.name AND v.rev_from <= $3
					ORDER BY v.rev_from DESC LIMIT 1) s
				WHERE n.org = $1 AND n.kind = $2 AND s.rev_to > $3 ORDER BY s.id) live
			CROSS JOIN LATERAL (SELECT * FROM {g}.resource v
				WHERE v.org = $1 AND v.kind = $2 AND v.id = live.id AND v.rev_from >= live.created AND v.rev_from <= $3
				ORDER BY v.rev_from OFFSET 0) r
			ORDER BY r.id, r.rev_from`),
		observations: s(`SELECT ` + observationColumns + ` FROM {g}.observation
			WHERE org = $1 AND metric_id = $2 AND (observed_at, source) > ($4, $5) AND rev_from <= $3 AND rev_to > $3
			ORDER BY observed_at, source LIMIT $6`),
		allObservations: s(`SELECT ` + observationColumns + ` FROM {g}.observation
			WHERE org = $1 AND rev_from <= $2 AND rev_to > $2 ORDER BY metric_id, observed_at, source`),
		// A value that was ever recorded is superseded, never ended: every source
		// found has a current one. Each part is one seek.
		observation: s(`(SELECT ` + observationColumns + ` FROM {g}.observation
				WHERE org = $1 AND metric_id = $2 AND observed_at = $3 AND source = $4
				ORDER BY rev_from DESC LIMIT 1)
			UNION ALL (SELECT ` + observationColumns + ` FROM {g}.observation
				WHERE org = $1 AND metric_id = $2 AND observed_at = $3 AND source < $4 ORDER BY source DESC LIMIT 1)
			UNION ALL (SELECT ` + observationColumns + ` FROM {g}.observation
				WHERE org = $1 AND metric_id = $2 AND observed_at = $3 AND source > $4 ORDER BY source LIMIT 1)`),
		checkIns: s(`SELECT ` + checkInColumns + ` FROM {g}.check_in
			WHERE org = $1 AND target_id = $2 AND rev >= $3 AND rev <= $4 AND (at, rev) < ($5, $6)
			ORDER BY at DESC, rev DESC LIMIT $7`),
		allCheckIns: s(`SELECT ` + checkInColumns + ` FROM {g}.check_in
			WHERE org = $1 AND rev <= $2 ORDER BY target_id, at, rev`),
		state: s(`SELECT id, rev_from, payload, recorded FROM {g}.state
			WHERE org = $1 AND service = $2 AND kind = $3 AND id = $4 AND rev_from <= $5 ORDER BY rev_from DESC LIMIT 1`),
		states: s(`SELECT s.id, s.rev_from, s.payload, s.recorded FROM {g}.aggregate a CROSS JOIN LATERAL (
				SELECT * FROM {g}.state v WHERE v.org = a.org AND v.service = a.service AND v.kind = a.kind AND v.id = a.id AND v.rev_from <= $4
				ORDER BY v.rev_from DESC LIMIT 1) s
			WHERE a.org = $1 AND a.service = $2 AND a.kind = $3 ORDER BY a.id`),
		putStates: s(`INSERT INTO {g}.state (org, service, kind, id, rev_from, payload, recorded)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bigint[])
			ON CONFLICT (org, service, kind, id, rev_from) DO UPDATE SET payload = excluded.payload, recorded = excluded.recorded`),
		aggregate: s(`SELECT sequence, hash, revision FROM {g}.aggregate
			WHERE org = $1 AND service = $2 AND kind = $3 AND id = $4`),
		request: s(`SELECT org, request_id, digest, revision, recorded, corrected, detail FROM {g}.request
			WHERE org = $1 AND request_id = $2`),

		claim: s(`SELECT state, log_id, revision FROM {c}.generation WHERE number = $1 FOR UPDATE`),
		move:  s(`UPDATE {c}.generation SET log_id = $2, revision = $3, hash = $4 WHERE number = $1`),
		// Of versions that one revision wrote, under several names, the last is the
		// one that ended last.
		earlierResources: s(`SELECT u.i, r.place, r.rev_to, r.created
			FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY u (org, kind, id, i)
			CROSS JOIN LATERAL (SELECT v.rev_from FROM {g}.resource v
				WHERE v.org = u.org AND v.kind = u.kind AND v.id = u.id ORDER BY v.rev_from DESC LIMIT 1) newest
			CROSS JOIN LATERAL (SELECT v.ctid::text AS place, v.rev_to, v.created FROM {g}.resource v
				WHERE v.org = u.org AND v.kind = u.kind AND v.id = u.id AND v.rev_from = newest.rev_from
				ORDER BY v.rev_to DESC LIMIT 1) r`),
		newestValues: s(`SELECT m.i, v.observed_at FROM unnest($1::text[], $2::text[]) WITH ORDINALITY m (org, metric_id, i)
			CROSS JOIN LATERAL (SELECT o.observed_at FROM {g}.observation o WHERE o.org = m.org AND o.metric_id = m.metric_id
				ORDER BY o.observed_at DESC LIMIT 1) v`),
		earlierValues: s(`SELECT u.i, o.place, o.corrections
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY u (org, metric_id, observed_at, source, i)
			CROSS JOIN LATERAL (SELECT v.ctid::text AS place, v.corrections FROM {g}.observation v
				WHERE v.org = u.org AND v.metric_id = u.metric_id AND v.observed_at = u.observed_at AND v.source = u.source
				ORDER BY v.rev_from DESC LIMIT 1) o`),
		// Rows are where the look-ups of the same transaction found them: nobody
		// else writes. No plan is needed to find them again.
		endResources: s(`UPDATE {g}.resource r SET rev_to = u.rev_to
			FROM unnest($1::text[], $2::bigint[]) u (place, rev_to) WHERE r.ctid = u.place::tid`),
		putResources: s(`INSERT INTO {g}.resource (org, kind, name, rev_from, rev_to, id, created, metadata, spec,
				set_name, effective, recorded, principal, manager, doc)
			SELECT u.org, u.kind, u.name, u.rev_from, u.rev_to, u.id, u.created, u.metadata, u.spec,
				u.set_name, u.effective, u.recorded, u.principal, u.manager, u.doc::jsonb
			FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bytea[], $9::bytea[],
				$10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::text[])
				u (org, kind, name, rev_from, rev_to, id, created, metadata, spec, set_name, effective, recorded, principal, manager, doc)`),
		putNames: s(`INSERT INTO {g}.resource_name (org, kind, name) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
			ON CONFLICT DO NOTHING`),
		endObservations: s(`UPDATE {g}.observation o SET rev_to = u.rev_to
			FROM unnest($1::text[], $2::bigint[]) u (place, rev_to) WHERE o.ctid = u.place::tid`),
		putObservations: s(`INSERT INTO {g}.observation (` + observationColumns + `)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::double precision[],
				$8::text[], $9::bigint[], $10::integer[])`),
		tenants:  s(`SELECT DISTINCT org COLLATE "C" FROM {g}.resource_name WHERE kind = $1 ORDER BY 1`),
		erasures: s(`SELECT ` + erasureColumns + ` FROM {g}.erasure WHERE org = $1 OR $1 = '' ORDER BY revision, kind, id`),
		// The first erasure of a resource stands.
		putErasures: s(`INSERT INTO {g}.erasure (` + erasureColumns + `)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
			ON CONFLICT DO NOTHING`),
		putCheckIns: s(`INSERT INTO {g}.check_in (` + checkInColumns + `)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::smallint[], $6::text[], $7::text[], $8::text[],
				$9::text[], $10::boolean[], $11::bigint[], $12::text[])`),
		putAggregates: s(`INSERT INTO {g}.aggregate (org, service, kind, id, sequence, hash, revision)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bigint[])
			ON CONFLICT (org, service, kind, id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, revision = excluded.revision`),
		putRequests: s(`INSERT INTO {g}.request AS r (org, request_id, digest, revision, recorded, corrected, detail)
			SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::integer[], $6::integer[], $7::bytea[])
			ON CONFLICT (org, request_id) DO UPDATE SET revision = excluded.revision, recorded = r.recorded + excluded.recorded,
				corrected = r.corrected + excluded.corrected,
				detail = CASE WHEN length(excluded.detail) > 0 THEN excluded.detail ELSE r.detail END`),
		putCommits: s(`INSERT INTO {g}.commit_time (revision, org, recorded)
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])`),
		latest:        s(`SELECT coalesce((SELECT recorded FROM {g}.commit_time ORDER BY revision DESC LIMIT 1), $1)`),
		organizations: s(`SELECT org, max(revision) FROM {g}.commit_time WHERE revision > $1 GROUP BY org`),
	}
}
