package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/internal/record"
)

// batch is what many changes come to: the rows as they stand after the last of
// them. What came before the batch is in the file, and is looked at where it
// matters: where a row continues one there.
//
// It is the same as applying the changes one by one; a property test holds the
// two together.
type batch struct {
	ends         []record.EndResource // of versions in the file
	resources    []*version
	observations []observed
	checkIns     []record.CheckIn
	erasures     []record.Erasure
	states       []record.State
	aggregates   []record.PutAggregate
	requests     []record.Request
	commits      []record.PutCommit

	resourceAt map[resourceKey]*version // the newest version of an id; nil: ended in the file by the batch
}

// version is a version of a resource that the batch begins.
type version struct {
	record.Resource
	stands bool // nothing in the batch has ended it
	// first: what stood before the batch, if anything, is in the file, which
	// then knows when the resource was created.
	first bool
}

// observed is a version of an observed value that the batch begins.
type observed struct {
	record.Observation
	first bool // as with version
}

type resourceKey struct{ org, kind, id string }

func newBatch(changes []record.Change) (*batch, error) {
	b := &batch{resourceAt: map[resourceKey]*version{}}
	for _, c := range changes {
		switch c := c.(type) {
		case record.PutResource:
			b.putResource(c.Resource)
		case record.EndResource:
			b.endResource(c)
		case record.PutObservation:
			v := observed{Observation: c.Observation, first: true}
			v.To, v.Corrections = record.Never, 0
			b.observations = append(b.observations, v)
		case record.PutCheckIn:
			b.checkIns = append(b.checkIns, c.CheckIn)
		case record.PutErasure:
			b.erasures = append(b.erasures, c.Erasure)
		case record.PutState:
			b.states = append(b.states, c.State)
		case record.PutAggregate:
			b.aggregates = append(b.aggregates, c)
		case record.PutRequest:
			b.requests = append(b.requests, c.Request)
		case record.PutCommit:
			b.commits = append(b.commits, c)
		default:
			return nil, fmt.Errorf("the record cannot write a %T", c)
		}
	}
	b.joinObservations()
	b.joinAggregates()
	b.joinRequests()
	return b, nil
}

func (b *batch) putResource(r record.Resource) {
	k := resourceKey{r.Org, r.Kind, r.ID}
	v := &version{Resource: r, stands: true}
	v.To = record.Never
	before, known := b.resourceAt[k]
	switch {
	case before == nil:
		v.first = true
		if !known {
			b.ends = append(b.ends, record.EndResource{Org: r.Org, Kind: r.Kind, ID: r.ID, Revision: r.From})
		}
	default:
		if before.stands {
			before.To, before.stands = r.From, false
		}
		// It goes on where the one before it ended.
		v.Created = r.From
		if before.To == r.From {
			v.Created, v.first = before.Created, before.first
		}
	}
	b.resourceAt[k] = v
	b.resources = append(b.resources, v)
}

func (b *batch) endResource(c record.EndResource) {
	k := resourceKey{c.Org, c.Kind, c.ID}
	switch before, known := b.resourceAt[k]; {
	case !known:
		b.ends = append(b.ends, c)
		b.resourceAt[k] = nil
	case before != nil && before.stands:
		before.To, before.stands = c.Revision, false
	}
}

// Rows of large tables are brought into the order of their keys: what is about
// one thing is then side by side, and neighbours are written together. Of one
// thing the order of the changes stays.

func (b *batch) joinObservations() {
	same := func(x, y *observed) int {
		return cmp.Or(strings.Compare(x.MetricID, y.MetricID), strings.Compare(x.At, y.At),
			strings.Compare(x.Source, y.Source), strings.Compare(x.Org, y.Org))
	}
	b.observations = sorted(b.observations, same)
	for i := 1; i < len(b.observations); i++ {
		before, v := &b.observations[i-1], &b.observations[i]
		if same(before, v) == 0 {
			before.To = v.From
			v.first, v.Corrections = false, before.Corrections+1
		}
	}
}

func (b *batch) joinAggregates() {
	same := func(x, y *record.PutAggregate) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), strings.Compare(x.Kind, y.Kind),
			strings.Compare(x.Service, y.Service), strings.Compare(x.Org, y.Org))
	}
	// The last of each.
	b.aggregates = compact(sorted(b.aggregates, same), func(last, next *record.PutAggregate) bool {
		if same(last, next) != 0 {
			return false
		}
		*last = *next
		return true
	})
}

func (b *batch) joinRequests() {
	same := func(x, y *record.Request) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), strings.Compare(x.Org, y.Org))
	}
	b.requests = compact(sorted(b.requests, same), func(last, next *record.Request) bool {
		if same(last, next) != 0 {
			return false
		}
		last.Revision = next.Revision
		last.Recorded += next.Recorded
		last.Corrected += next.Corrected
		if len(next.Detail) > 0 {
			last.Detail = next.Detail
		}
		return true
	})
}

// sorted is a sorted copy of the list; the order of equals stays. Places are
// sorted, not the rows, which are large.
func sorted[T any](list []T, compare func(x, y *T) int) []T {
	places := make([]int32, len(list))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortFunc(places, func(i, j int32) int {
		if c := compare(&list[i], &list[j]); c != 0 {
			return c
		}
		return cmp.Compare(i, j)
	})
	out := make([]T, len(list))
	for i, p := range places {
		out[i] = list[p]
	}
	return out
}

// compact joins neighbours where join says that it has.
func compact[T any](list []T, join func(last, next *T) bool) []T {
	if len(list) == 0 {
		return list
	}
	n := 1
	for i := 1; i < len(list); i++ {
		if !join(&list[n-1], &list[i]) {
			list[n] = list[i]
			n++
		}
	}
	return list[:n]
}

// prepared is a batch in the place of the changes that it was made of.
type prepared struct {
	record.Change
	*batch
}

// Prepare implements record.Preparer.
func (s *Store) Prepare(changes []record.Change) ([]record.Change, error) {
	b, err := newBatch(changes)
	if err != nil {
		return nil, err
	}
	return []record.Change{prepared{batch: b}}, nil
}

// batchOf is what the changes come to, prepared or not.
func batchOf(changes []record.Change) (*batch, error) {
	if len(changes) == 1 {
		if p, ok := changes[0].(prepared); ok {
			return p.batch, nil
		}
	}
	return newBatch(changes)
}

// organizations are the newest revisions of those that something is folded of.
func (b *batch) organizations() map[string]uint64 {
	orgs := map[string]uint64{}
	for _, c := range b.commits {
		orgs[c.Org] = c.Revision
	}
	return orgs
}
