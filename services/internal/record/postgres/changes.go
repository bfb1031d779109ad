package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/record"
)

// batch is what a list of changes makes of the rows that stand: each row is
// written once, however often the changes touch it.
type batch struct {
	texts *texts

	ids        map[resourceID]*standing
	resources  []*version
	endings    []ending
	values     map[valueID]*value
	observed   []*record.Observation
	corrected  []correction
	names      map[[3]string]bool
	fresh      [][3]string
	said       []record.PutCheckIn
	aggregates map[[4]string]int
	places     []record.PutAggregate
	asked      map[[2]string]int
	requests   []record.Request
	commits    []record.PutCommit
}

type resourceID struct{ org, kind, id string }

// standing is the newest version under an id: one of the table, or one of
// resources.
type standing struct {
	row           *version // of this batch; nil: of the table
	name          string
	from, to, was uint64 // was: when the resource was created
}

type version struct {
	*record.Resource
	to, created         uint64
	metadata, spec, doc []byte
}

// ending ends a version of the table.
type ending struct {
	resourceID
	name     string
	from, to uint64
}

type valueID struct{ org, metric, at, source string }

// value is the newest one of an identity.
type value struct {
	row         *record.Observation // of this batch; nil: of the table
	from        uint64
	corrections int
}

type correction struct {
	valueID
	from, to uint64
}

// keys lists what must be known of the table before the changes can be applied.
func keys(changes []record.Change) (ids []resourceID, values []valueID) {
	seenIDs, seenValues := map[resourceID]bool{}, map[valueID]bool{}
	id := func(k resourceID) {
		if !seenIDs[k] {
			seenIDs[k] = true
			ids = append(ids, k)
		}
	}
	for _, c := range changes {
		switch c := c.(type) {
		case record.PutResource:
			id(resourceID{c.Org, c.Kind, c.ID})
		case record.EndResource:
			id(resourceID{c.Org, c.Kind, c.ID})
		case record.PutObservation:
			k := valueID{c.Org, c.MetricID, c.At, c.Source}
			if !seenValues[k] {
				seenValues[k] = true
				values = append(values, k)
			}
		}
	}
	return ids, values
}

func newBatch(t *texts) *batch {
	return &batch{texts: t, ids: map[resourceID]*standing{}, values: map[valueID]*value{}, names: map[[3]string]bool{},
		aggregates: map[[4]string]int{}, asked: map[[2]string]int{}}
}

// end ends what stands under an id.
func (b *batch) end(k resourceID, at uint64) *standing {
	s := b.ids[k]
	if s == nil || s.to != record.Never {
		return s
	}
	s.to = at
	if s.row != nil {
		s.row.to = at
	} else {
		b.endings = append(b.endings, ending{k, s.name, s.from, at})
	}
	return s
}

func (b *batch) add(change record.Change) error {
	switch c := change.(type) {
	case record.PutResource:
		k := resourceID{c.Org, c.Kind, c.ID}
		row := &version{Resource: &c.Resource, to: record.Never, created: c.From}
		if s := b.end(k, c.From); s != nil && s.to == c.From {
			row.created = s.was
		}
		var err error
		if row.metadata, err = (proto.MarshalOptions{Deterministic: true}).Marshal(c.Metadata); err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		if row.spec, err = (proto.MarshalOptions{Deterministic: true}).Marshal(c.Spec); err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		if row.doc, err = document(c.Metadata, c.Spec); err != nil {
			return fmt.Errorf("put resource: %w", err)
		}
		b.ids[k] = &standing{row: row, name: c.Name, from: c.From, to: record.Never, was: row.created}
		b.resources = append(b.resources, row)
		if n := [3]string{c.Org, c.Kind, c.Name}; !b.names[n] {
			b.names[n] = true
			b.fresh = append(b.fresh, n)
		}
	case record.EndResource:
		b.end(resourceID{c.Org, c.Kind, c.ID}, c.Revision)
	case record.PutObservation:
		k := valueID{c.Org, c.MetricID, c.At, c.Source}
		row := &c.Observation
		row.To, row.Corrections = record.Never, 0
		if before := b.values[k]; before != nil {
			row.Corrections = before.corrections + 1
			if before.row != nil {
				before.row.To = c.From
			} else {
				b.corrected = append(b.corrected, correction{k, before.from, c.From})
			}
		}
		b.values[k] = &value{row: row, from: c.From, corrections: row.Corrections}
		b.observed = append(b.observed, row)
	case record.PutCheckIn:
		b.said = append(b.said, c)
	case record.PutAggregate:
		k := [4]string{c.Org, c.Service, c.Kind, c.ID}
		if i, ok := b.aggregates[k]; ok {
			b.places[i] = c
		} else {
			b.aggregates[k] = len(b.places)
			b.places = append(b.places, c)
		}
	case record.PutRequest:
		k := [2]string{c.Org, c.ID}
		i, ok := b.asked[k]
		if !ok {
			b.asked[k] = len(b.requests)
			b.requests = append(b.requests, c.Request)
			break
		}
		r := &b.requests[i]
		r.Revision = c.Revision
		r.Recorded += c.Recorded
		r.Corrected += c.Corrected
		if len(c.Detail) > 0 {
			r.Detail = c.Detail
		}
	case record.PutCommit:
		b.commits = append(b.commits, c)
	default:
		return fmt.Errorf("the record cannot write a %T", c)
	}
	return nil
}

// column gathers one value of each row for unnest.
func column[R, V any](rows []R, f func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}

// queue queues the statements that write the batch.
func (b *batch) queue(q *pgx.Batch) {
	t := b.texts
	if r := b.endings; len(r) > 0 {
		q.Queue(t.endResources,
			column(r, func(e ending) string { return e.org }), column(r, func(e ending) string { return e.kind }),
			column(r, func(e ending) string { return e.name }),
			column(r, func(e ending) int64 { return int64(e.from) }), column(r, func(e ending) int64 { return int64(e.to) }))
	}
	if r := b.resources; len(r) > 0 {
		q.Queue(t.putResources,
			column(r, func(r *version) string { return r.Org }), column(r, func(r *version) string { return r.Kind }),
			column(r, func(r *version) string { return r.Name }),
			column(r, func(r *version) int64 { return int64(r.From) }), column(r, func(r *version) int64 { return int64(r.to) }),
			column(r, func(r *version) string { return r.ID }), column(r, func(r *version) int64 { return int64(r.created) }),
			column(r, func(r *version) []byte { return nonNil(r.metadata) }), column(r, func(r *version) []byte { return nonNil(r.spec) }),
			column(r, func(r *version) string { return r.Set }), column(r, func(r *version) string { return r.Effective }),
			column(r, func(r *version) int64 { return r.Recorded.UnixNano() }),
			column(r, func(r *version) string { return r.Principal }), column(r, func(r *version) string { return r.Manager }),
			column(r, func(r *version) string { return string(r.doc) }))
		n := b.fresh
		q.Queue(t.putNames, column(n, func(n [3]string) string { return n[0] }),
			column(n, func(n [3]string) string { return n[1] }), column(n, func(n [3]string) string { return n[2] }))
	}
	if r := b.corrected; len(r) > 0 {
		q.Queue(t.endObservations,
			column(r, func(c correction) string { return c.org }), column(r, func(c correction) string { return c.metric }),
			column(r, func(c correction) string { return c.at }), column(r, func(c correction) string { return c.source }),
			column(r, func(c correction) int64 { return int64(c.from) }), column(r, func(c correction) int64 { return int64(c.to) }))
	}
	if r := b.observed; len(r) > 0 {
		type o = *record.Observation
		q.Queue(t.putObservations,
			column(r, func(o o) string { return o.Org }), column(r, func(o o) string { return o.MetricID }),
			column(r, func(o o) string { return o.At }), column(r, func(o o) string { return o.Source }),
			column(r, func(o o) int64 { return int64(o.From) }), column(r, func(o o) int64 { return int64(o.To) }),
			column(r, func(o o) float64 { return o.Value }), column(r, func(o o) string { return o.Note }),
			column(r, func(o o) int64 { return o.Recorded.UnixNano() }), column(r, func(o o) int32 { return int32(o.Corrections) }))
	}
	if r := b.said; len(r) > 0 {
		type c = record.PutCheckIn
		override := func(c c) record.Override {
			if c.Override == nil {
				return record.Override{}
			}
			return *c.Override
		}
		q.Queue(t.putCheckIns,
			column(r, func(c c) string { return c.Org }), column(r, func(c c) string { return c.TargetID }),
			column(r, func(c c) string { return c.At }), column(r, func(c c) int64 { return int64(c.Revision) }),
			column(r, func(c c) *int { return c.Confidence }), column(r, func(c c) string { return c.Note }),
			column(r, func(c c) string { return override(c).Status }), column(r, func(c c) string { return override(c).Reason }),
			column(r, func(c c) string { return override(c).Expires }), column(r, func(c c) bool { return c.Clear }),
			column(r, func(c c) int64 { return c.Recorded.UnixNano() }), column(r, func(c c) string { return c.Principal }))
	}
	if r := b.places; len(r) > 0 {
		type a = record.PutAggregate
		q.Queue(t.putAggregates,
			column(r, func(a a) string { return a.Org }), column(r, func(a a) string { return a.Service }),
			column(r, func(a a) string { return a.Kind }), column(r, func(a a) string { return a.ID }),
			column(r, func(a a) int64 { return int64(a.Sequence) }), column(r, func(a a) []byte { return nonNil(a.Hash) }),
			column(r, func(a a) int64 { return int64(a.Aggregate.Revision) }))
	}
	if r := b.requests; len(r) > 0 {
		type asked = record.Request
		q.Queue(t.putRequests,
			column(r, func(r asked) string { return r.Org }), column(r, func(r asked) string { return r.ID }),
			column(r, func(r asked) []byte { return nonNil(r.Digest) }), column(r, func(r asked) int64 { return int64(r.Revision) }),
			column(r, func(r asked) int32 { return int32(r.Recorded) }), column(r, func(r asked) int32 { return int32(r.Corrected) }),
			column(r, func(r asked) []byte { return nonNil(r.Detail) }))
	}
	if r := b.commits; len(r) > 0 {
		type c = record.PutCommit
		q.Queue(t.putCommits, column(r, func(c c) int64 { return int64(c.Revision) }),
			column(r, func(c c) string { return c.Org }), column(r, func(c c) int64 { return c.Recorded.UnixNano() }))
	}
}

// nonNil keeps NOT NULL columns from seeing a nil slice as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
