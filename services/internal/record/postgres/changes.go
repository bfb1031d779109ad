package postgres

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/record"
)

// batch is what a list of changes makes of the rows that stand: each row is
// written once, however often the changes touch it.
type batch struct {
	texts   *texts
	size    int // changes
	applied bool

	ids        map[resourceID]*standing // nil: nothing stands, and nothing ever did
	wantIDs    []resourceID
	resources  []*version
	moves      []move
	endings    []ending
	groups     []group // of observed, by identity
	wantValues []*group
	newest     map[metric]string // what is known of metrics: see newest
	observed   []*record.Observation
	corrected  []ending
	names      map[[3]string]bool
	fresh      [][3]string
	said       []record.PutCheckIn
	erased     []record.PutErasure
	states     []record.State
	stateAt    map[stateID]int // place in states
	aggregates map[[4]string]int
	places     []record.PutAggregate
	requests   []*record.Request
	commits    []commitTime
	latest     int64 // the newest time of a commit before the batch
}

// commitTime is when a revision was recorded, and what is kept of that.
type commitTime struct {
	record.PutCommit
	recorded int64
}

type resourceID struct{ org, kind, id string }

type stateID struct {
	org, service, kind, id string
	from                   uint64
}

// standing is the newest version under an id: one of the table, or one of
// resources.
type standing struct {
	row     *version // of this batch; nil: of the table, at place
	place   string
	to, was uint64 // was: when the resource was created
}

type version struct {
	*record.Resource
	to, created         uint64
	metadata, spec, doc []byte
}

// ending ends a row of a table.
type ending struct {
	place string
	to    uint64
}

type valueID struct{ org, metric, at, source string }

// group is the values of one identity, oldest first, and what stood before them.
type group struct {
	valueID
	rows        []*record.Observation
	stood       bool
	place       string
	corrections int
}

// move begins a version of a resource, or ends the one that stands.
type move struct {
	row *version // nil: ends what stands
	end record.EndResource
}

// newBatch does what can be done before the checkpoint is claimed: while it is
// held every moment counts.
func newBatch(t *texts, changes []record.Change) (*batch, error) {
	b := emptyBatch(t)
	if err := b.add(changes); err != nil {
		return nil, err
	}
	b.join()
	return b, nil
}

func emptyBatch(t *texts) *batch {
	return &batch{texts: t, ids: map[resourceID]*standing{}, names: map[[3]string]bool{}, aggregates: map[[4]string]int{}, stateAt: map[stateID]int{}}
}

// add makes the rows of the next changes.
func (b *batch) add(changes []record.Change) error {
	b.size += len(changes)
	for _, c := range changes {
		switch c := c.(type) {
		case record.PutResource:
			b.ids[resourceID{c.Org, c.Kind, c.ID}] = nil
			row := &version{Resource: &c.Resource, to: record.Never, created: c.From}
			if err := row.marshal(); err != nil {
				return fmt.Errorf("put resource: %w", err)
			}
			b.resources = append(b.resources, row)
			b.moves = append(b.moves, move{row: row})
		case record.EndResource:
			b.ids[resourceID{c.Org, c.Kind, c.ID}] = nil
			b.moves = append(b.moves, move{end: c})
		case record.PutObservation:
			row := &c.Observation
			row.To, row.Corrections = record.Never, 0
			b.observed = append(b.observed, row)
		case record.PutCheckIn:
			b.said = append(b.said, c)
		case record.PutErasure:
			b.erased = append(b.erased, c)
		case record.PutState:
			b.putState(c.State)
		case record.PutAggregate:
			b.place(c)
		case record.PutRequest:
			b.request(&c.Request)
		case record.PutCommit:
			b.commits = append(b.commits, commitTime{PutCommit: c})
		default:
			return fmt.Errorf("the record cannot write a %T", c)
		}
	}
	return nil
}

// join puts the rows in order when all has been added, and lists the keys of
// which must be known what stands under them, in order.
func (b *batch) join() {
	b.wantIDs = slices.SortedFunc(maps.Keys(b.ids), resourceID.compare)
	b.group()
	slices.SortFunc(b.places, func(x, y record.PutAggregate) int {
		return cmp.Or(strings.Compare(x.Org, y.Org), strings.Compare(x.Service, y.Service), strings.Compare(x.Kind, y.Kind), strings.Compare(x.ID, y.ID))
	})
	b.mergeRequests()
	slices.SortStableFunc(b.commits, func(x, y commitTime) int { return cmp.Compare(x.Revision, y.Revision) })
}

// group sorts the values by identity and then by age.
func (b *batch) group() {
	slices.SortFunc(b.observed, func(x, y *record.Observation) int {
		if c := strings.Compare(x.Org, y.Org); c != 0 {
			return c
		}
		if c := strings.Compare(x.MetricID, y.MetricID); c != 0 {
			return c
		}
		if c := strings.Compare(x.At, y.At); c != 0 {
			return c
		}
		if c := strings.Compare(x.Source, y.Source); c != 0 {
			return c
		}
		return cmp.Compare(x.From, y.From)
	})
	b.groups = make([]group, 0, len(b.observed))
	for i, o := range b.observed {
		k := valueID{o.Org, o.MetricID, o.At, o.Source}
		if n := len(b.groups); n > 0 && b.groups[n-1].valueID == k {
			b.groups[n-1].rows = b.observed[i-len(b.groups[n-1].rows) : i+1]
			continue
		}
		b.groups = append(b.groups, group{valueID: k, rows: b.observed[i : i+1]})
	}
	b.wantValues = make([]*group, len(b.groups))
	for i := range b.groups {
		b.wantValues[i] = &b.groups[i]
	}
}

// putState remembers a state; of a commit that says twice what an aggregate is
// the last word counts.
func (b *batch) putState(s record.State) {
	k := stateID{s.Org, s.Service, s.Kind, s.ID, s.From}
	if i, again := b.stateAt[k]; again {
		b.states[i] = s
		return
	}
	b.stateAt[k] = len(b.states)
	b.states = append(b.states, s)
}

// mergeRequests adds up what carries the same id.
func (b *batch) mergeRequests() {
	slices.SortFunc(b.requests, func(x, y *record.Request) int {
		if c := strings.Compare(x.Org, y.Org); c != 0 {
			return c
		}
		if c := strings.Compare(x.ID, y.ID); c != 0 {
			return c
		}
		return cmp.Compare(x.Revision, y.Revision)
	})
	merged := b.requests[:0]
	for _, r := range b.requests {
		if n := len(merged); n > 0 && merged[n-1].Org == r.Org && merged[n-1].ID == r.ID {
			addUp(merged[n-1], r)
		} else {
			merged = append(merged, r)
		}
	}
	b.requests = merged
}

func addUp(r, more *record.Request) {
	r.Revision = more.Revision
	r.Recorded += more.Recorded
	r.Corrected += more.Corrected
	if len(more.Detail) > 0 {
		r.Detail = more.Detail
	}
}

func (k resourceID) compare(o resourceID) int {
	return cmp.Or(strings.Compare(k.org, o.org), strings.Compare(k.kind, o.kind), strings.Compare(k.id, o.id))
}

func (r *version) marshal() (err error) {
	if r.metadata, err = (proto.MarshalOptions{Deterministic: true}).Marshal(r.Metadata); err != nil {
		return err
	}
	if r.spec, err = (proto.MarshalOptions{Deterministic: true}).Marshal(r.Spec); err != nil {
		return err
	}
	r.doc, err = document(r.Metadata, r.Spec)
	return err
}

// apply tells every row what came before it, and ends what stood, given what
// stands in the tables. Rows are then in the order of their keys, in which an
// index is fastest to grow.
func (b *batch) apply() {
	b.applied = true
	for _, m := range b.moves {
		if m.row != nil {
			b.put(m.row)
		} else {
			b.end(resourceID{m.end.Org, m.end.Kind, m.end.ID}, m.end.Revision)
		}
	}
	for _, g := range b.groups {
		n := g.corrections
		if g.stood {
			b.corrected = append(b.corrected, ending{g.place, g.rows[0].From})
			n++
		}
		for i, row := range g.rows {
			row.Corrections = n + i
			if i > 0 {
				g.rows[i-1].To = row.From
			}
		}
	}
	for i := range b.commits {
		// The running maximum: writing processes whose clocks differ record times
		// that decrease, and what was known must not become less.
		b.latest = max(b.latest, b.commits[i].Recorded.UnixNano())
		b.commits[i].recorded = b.latest
	}
	slices.SortStableFunc(b.resources, func(x, y *version) int {
		return cmp.Or(strings.Compare(x.Org, y.Org), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name), cmp.Compare(x.From, y.From))
	})
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
		b.endings = append(b.endings, ending{s.place, at})
	}
	return s
}

func (b *batch) put(row *version) {
	k := resourceID{row.Org, row.Kind, row.ID}
	if s := b.end(k, row.From); s != nil && s.to == row.From {
		row.created = s.was
	}
	b.ids[k] = &standing{row: row, to: record.Never, was: row.created}
	if n := [3]string{row.Org, row.Kind, row.Name}; !b.names[n] {
		b.names[n] = true
		b.fresh = append(b.fresh, n)
	}
}

func (b *batch) place(c record.PutAggregate) {
	k := [4]string{c.Org, c.Service, c.Kind, c.ID}
	if i, ok := b.aggregates[k]; ok {
		b.places[i] = c
		return
	}
	b.aggregates[k] = len(b.places)
	b.places = append(b.places, c)
}

func (b *batch) request(c *record.Request) {
	// The messages of a commit follow each other.
	if n := len(b.requests); n > 0 && b.requests[n-1].ID == c.ID && b.requests[n-1].Org == c.Org {
		addUp(b.requests[n-1], c)
		return
	}
	b.requests = append(b.requests, c)
}

// column gathers one value of each row for unnest.
func column[R, V any](rows []R, f func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}

// queueLookups queues the questions what stands under the keys of the batch.
func (b *batch) queueLookups(q *pgx.Batch) {
	if k := b.wantIDs; len(k) > 0 {
		q.Queue(b.texts.earlierResources, column(k, func(k resourceID) string { return k.org }),
			column(k, func(k resourceID) string { return k.kind }), column(k, func(k resourceID) string { return k.id }))
	}
	if k := b.wantValues; len(k) > 0 {
		q.Queue(b.texts.earlierValues, column(k, func(k *group) string { return k.org }), column(k, func(k *group) string { return k.metric }),
			column(k, func(k *group) string { return k.at }), column(k, func(k *group) string { return k.source }))
	}
	if len(b.commits) > 0 {
		q.Queue(b.texts.latest, int64(math.MinInt64))
	}
}

// lookUp reads the answers to queueLookups.
func (b *batch) lookUp(sent pgx.BatchResults) error {
	var i int
	if len(b.wantIDs) > 0 {
		rows, err := sent.Query()
		if err != nil {
			return err
		}
		var s standing
		if _, err := pgx.ForEachRow(rows, []any{&i, &s.place, &s.to, &s.was}, func() error {
			one := s
			b.ids[b.wantIDs[i-1]] = &one
			return nil
		}); err != nil {
			return err
		}
	}
	if len(b.wantValues) > 0 {
		rows, err := sent.Query()
		if err != nil {
			return err
		}
		var place string
		var corrections int
		if _, err := pgx.ForEachRow(rows, []any{&i, &place, &corrections}, func() error {
			g := b.wantValues[i-1]
			g.stood, g.place, g.corrections = true, place, corrections
			return nil
		}); err != nil {
			return err
		}
	}
	if len(b.commits) > 0 {
		return sent.QueryRow().Scan(&b.latest)
	}
	return nil
}

// queueEnds queues the statements that end versions of the tables, once.
func (b *batch) queueEnds(q *pgx.Batch) {
	t := b.texts
	for _, ends := range []struct {
		text string
		rows []ending
	}{{t.endResources, b.endings}, {t.endObservations, b.corrected}} {
		if len(ends.rows) > 0 {
			q.Queue(ends.text, column(ends.rows, func(e ending) string { return e.place }),
				column(ends.rows, func(e ending) int64 { return int64(e.to) }))
		}
	}
	b.endings, b.corrected = nil, nil
}

// queue queues the statements that write the rows of the batch.
func (b *batch) queue(q *pgx.Batch) {
	t := b.texts
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
	}
	if n := b.fresh; len(n) > 0 {
		q.Queue(t.putNames, column(n, func(n [3]string) string { return n[0] }),
			column(n, func(n [3]string) string { return n[1] }), column(n, func(n [3]string) string { return n[2] }))
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
	if r := b.erased; len(r) > 0 {
		type e = record.PutErasure
		q.Queue(t.putErasures,
			column(r, func(e e) string { return e.Org }), column(r, func(e e) string { return e.Kind }),
			column(r, func(e e) string { return e.ID }), column(r, func(e e) int64 { return int64(e.Revision) }),
			column(r, func(e e) string { return e.Name }), column(r, func(e e) string { return strings.Join(e.Holders, " ") }),
			column(r, func(e e) string { return e.Reason }), column(r, func(e e) int64 { return e.Recorded.UnixNano() }),
			column(r, func(e e) string { return e.Principal }))
	}
	if r := b.states; len(r) > 0 {
		type s = record.State
		q.Queue(t.putStates,
			column(r, func(s s) string { return s.Org }), column(r, func(s s) string { return s.Service }),
			column(r, func(s s) string { return s.Kind }), column(r, func(s s) string { return s.ID }),
			column(r, func(s s) int64 { return int64(s.From) }), column(r, func(s s) []byte { return nonNil(s.Payload) }),
			column(r, func(s s) int64 { return s.Recorded.UnixNano() }))
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
		type asked = *record.Request
		q.Queue(t.putRequests,
			column(r, func(r asked) string { return r.Org }), column(r, func(r asked) string { return r.ID }),
			column(r, func(r asked) []byte { return nonNil(r.Digest) }), column(r, func(r asked) int64 { return int64(r.Revision) }),
			column(r, func(r asked) int32 { return int32(r.Recorded) }), column(r, func(r asked) int32 { return int32(r.Corrected) }),
			column(r, func(r asked) []byte { return nonNil(r.Detail) }))
	}
	if r := b.commits; len(r) > 0 {
		type c = commitTime
		q.Queue(t.putCommits, column(r, func(c c) int64 { return int64(c.Revision) }),
			column(r, func(c c) string { return c.Org }), column(r, func(c c) int64 { return c.recorded }))
	}
}

// nonNil keeps NOT NULL columns from seeing a nil slice as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
