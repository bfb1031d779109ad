package record

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Bounds of what is remembered.
const (
	mostAggregates = 50_000
	mostResources  = 20_000
	mostLists      = 1_000
	longestList    = 16        // resources
	mostFilterBits = 512 << 20 // 64 MiB: about 30 million identities
)

// recent is what the projection of this process has in memory, so that the
// usual command (a new value of a metric that was read before) asks the
// database nothing.
//
// It mirrors the store at exactly one checkpoint, at. It is told of every write
// and moves with it; a write that does not follow on the one before makes it
// start anew. What it does not know it does not guess: the question then goes
// to the database. That something is not there, it knows from a filter of all
// request ids, aggregates and dates of observations, which errs on the safe
// side only.
//
// Another process may write the store instead. Then at stays behind what the
// record knows, and nothing is answered from here.
type recent struct {
	mu sync.RWMutex
	at uint64 // 0: nothing is known

	aggregates map[aggregateKey]Aggregate
	resources  map[resourceKey]*Resource
	names      map[resourceID]string // of what resources holds
	lists      map[listKey][]*Resource
	filter     *filter
	complete   bool   // filter holds all that is in the store
	era        uint64 // how often it started anew
	list       func(f func(Identity)) error
}

type aggregateKey struct{ org, service, kind, id string }
type resourceKey struct{ org, kind, name string }
type listKey struct {
	org, kind string
	limit     int
}
type resourceID struct{ org, kind, id string }

// Identity is what a filter knows of.
type Identity struct {
	Kind      byte
	Org, A, B string
}

// RequestIdentity is that of a command.
func RequestIdentity(org, id string) Identity { return Identity{'r', org, id, ""} }

// DateIdentity is that of the values of a metric at a date.
func DateIdentity(org, metricID, at string) Identity { return Identity{'o', org, metricID, at} }

// AggregateIdentity is that of an aggregate.
func AggregateIdentity(org, service, kind, id string) Identity {
	return Identity{'a', org, service + "." + kind, id}
}

// lister is a View that can tell the identities it holds.
type lister interface {
	// Identities calls f for every request, every metric and date with a value,
	// and every aggregate, as often as it likes.
	Identities(f func(Identity)) error
}

// start begins anew at a checkpoint of the store, and reads in the background
// what is there already.
func (m *recent) start(ctx context.Context, store Viewer, at uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = func(f func(Identity)) error {
		return store.View(ctx, func(v View) error {
			l, ok := v.(lister)
			if !ok {
				return errUnlisted
			}
			return l.Identities(f)
		})
	}
	m.restart(at)
}

func (m *recent) restart(at uint64) {
	m.at, m.complete = at, false
	m.aggregates = map[aggregateKey]Aggregate{}
	m.resources = map[resourceKey]*Resource{}
	m.names = map[resourceID]string{}
	m.lists = map[listKey][]*Resource{}
	m.filter = newFilter()
	m.era++
	if at == 0 {
		m.complete = true // of an empty store
		return
	}
	era, f, list := m.era, m.filter, m.list
	go func() {
		err := list(func(i Identity) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.add(i)
		})
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.era != era {
			return // it began anew meanwhile, and that reading may have ended first
		}
		// Whatever was written since the start is in the filter, too.
		m.complete = err == nil && !f.full
	}()
}

var errUnlisted = errors.New("the store does not list its identities")

// wrote moves with a write to the store.
func (m *recent) wrote(from, to uint64, changes []Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list == nil {
		return
	}
	if m.at != from {
		m.restart(to)
		return
	}
	m.filter.mu.Lock()
	defer m.filter.mu.Unlock()
	for _, c := range changes {
		switch c := c.(type) {
		case PutRequest:
			m.filter.add(RequestIdentity(c.Org, c.ID))
		case PutObservation:
			m.filter.add(DateIdentity(c.Org, c.MetricID, c.At))
		case PutAggregate:
			k := aggregateKey{c.Org, c.Service, c.Kind, c.ID}
			if _, known := m.aggregates[k]; !known {
				evict(m.aggregates, mostAggregates, nil)
			}
			m.aggregates[k] = c.Aggregate
			m.filter.add(AggregateIdentity(c.Org, c.Service, c.Kind, c.ID))
		case PutResource:
			m.forget(resourceID{c.Org, c.Kind, c.ID}, c.Name)
		case EndResource:
			m.forget(resourceID{c.Org, c.Kind, c.ID}, "")
		}
	}
	m.complete = m.complete && !m.filter.full
	m.at = to
}

// absent tells the projector, which alone calls it, what the store does not
// hold at a checkpoint; nil if that is not known.
func (m *recent) absent(at uint64) func(Identity) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.complete || m.at != at {
		return nil
	}
	f := m.filter // whoever else adds to it has ended: it is complete
	return func(i Identity) bool { return !f.has(i) }
}

// forget leaves a resource to the database, under the name it has, or had, and
// under another, and the lists of its kind.
func (m *recent) forget(id resourceID, name string) {
	for k := range m.lists {
		if k.org == id.org && k.kind == id.kind {
			delete(m.lists, k)
		}
	}
	if had, ok := m.names[id]; ok {
		delete(m.resources, resourceKey{id.org, id.kind, had})
		delete(m.names, id)
	}
	if r := m.resources[resourceKey{id.org, id.kind, name}]; r != nil {
		delete(m.resources, resourceKey{id.org, id.kind, name})
		delete(m.names, resourceID{id.org, id.kind, r.ID})
	}
}

// learn remembers a resource that the database has at its newest revision.
func (m *recent) learn(r *Resource, at uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at != at || r.To != Never {
		return
	}
	evict(m.resources, mostResources, func(r *Resource) { delete(m.names, resourceID{r.Org, r.Kind, r.ID}) })
	m.resources[resourceKey{r.Org, r.Kind, r.Name}] = r
	m.names[resourceID{r.Org, r.Kind, r.ID}] = r.Name
}

// learnList remembers a short list of a kind from its beginning, such as that
// of the one organization.
func (m *recent) learnList(k listKey, list []*Resource, at uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at != at || len(list) > longestList {
		return
	}
	evict(m.lists, mostLists, nil)
	m.lists[k] = list
}

// evict makes room for one more, at whoever's expense.
func evict[K comparable, V any](m map[K]V, most int, gone func(V)) {
	for k, v := range m {
		if len(m) < most {
			return
		}
		delete(m, k)
		if gone != nil {
			gone(v)
		}
	}
}

// Decide runs f on one consistent picture of the newest state, like View, but
// from memory where that has all that f asks. f may be run twice, and must not
// change what it is given.
func (r *Record) Decide(ctx context.Context, f func(View) error) error {
	if ok, err := r.fromMemory(f); ok {
		return err
	}
	return r.View(ctx, func(v View) error { return f(learner{v, &r.recent, r.personal}) })
}

func (r *Record) fromMemory(f func(View) error) (answered bool, err error) {
	at, _ := r.Status()
	m := &r.recent
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.complete || m.at < at {
		return false, nil
	}
	v := &memory{recent: m}
	err = f(v)
	return !v.asked, err
}

// memory is the View that recent can give. Its methods are called with the
// lock held.
type memory struct {
	*recent
	asked bool // for something that is not in memory
}

var errNotInMemory = errors.New("not in memory")

func (v *memory) miss() error {
	v.asked = true
	return errNotInMemory
}

func (v *memory) Revision() uint64 { return v.at }

func (v *memory) Resource(org, kind, name string, at uint64) (*Resource, error) {
	if r := v.resources[resourceKey{org, kind, name}]; r != nil && at == v.at {
		return r, nil
	}
	return nil, v.miss()
}

func (v *memory) Observation(org, metricID string, key ObservationKey) (*Observation, []string, error) {
	if v.filter.has(DateIdentity(org, metricID, key.At)) {
		return nil, nil, v.miss()
	}
	return nil, nil, nil
}

func (v *memory) Aggregate(org, service, kind, id string) (*Aggregate, error) {
	if a, ok := v.aggregates[aggregateKey{org, service, kind, id}]; ok {
		return &a, nil
	}
	if v.filter.has(AggregateIdentity(org, service, kind, id)) {
		return nil, v.miss()
	}
	return nil, nil
}

func (v *memory) Request(org, requestID string) (*Request, error) {
	if v.filter.has(RequestIdentity(org, requestID)) {
		return nil, v.miss()
	}
	return nil, nil
}

func (v *memory) RevisionAt(time.Time) (uint64, error) { return 0, v.miss() }
func (v *memory) Commit(uint64) (uint64, error)        { return 0, v.miss() }
func (v *memory) LastNamed(_, _, _ string, _ uint64) (*Resource, error) {
	return nil, v.miss()
}
func (v *memory) Resources(org, kind string, at uint64, after string, limit int) ([]*Resource, error) {
	if list, ok := v.lists[listKey{org, kind, limit}]; ok && after == "" && at == v.at {
		return slices.Clone(list), nil
	}
	return nil, v.miss()
}
func (v *memory) Versions(_, _ string, _ uint64) ([]*Resource, error) { return nil, v.miss() }
func (v *memory) Observations(_, _ string, _ uint64, _ ObservationKey, _ int) ([]Observation, error) {
	return nil, v.miss()
}
func (v *memory) AllObservations(_ string, _ uint64, _ func(Observation) error) error {
	return v.miss()
}
func (v *memory) CheckIns(_, _ string, _, _ uint64, _ CheckInKey, _ int) ([]CheckIn, error) {
	return nil, v.miss()
}
func (v *memory) State(_, _, _, _ string, _ uint64) (*State, error) { return nil, v.miss() }
func (v *memory) States(_, _, _ string, _ uint64, _ func(State) error) error {
	return v.miss()
}
func (v *memory) Organizations(string) ([]string, error)                      { return nil, v.miss() }
func (v *memory) Erasures(string) ([]Erasure, error)                          { return nil, v.miss() }
func (v *memory) AllCheckIns(_ string, _ uint64, _ func(CheckIn) error) error { return v.miss() }

// learner is a picture of the database whose resources are remembered, but for
// those that tell of a person: an erasure must leave nothing readable.
type learner struct {
	View
	recent   *recent
	personal *Personal
}

func (l learner) Resource(org, kind, name string, at uint64) (*Resource, error) {
	r, err := l.View.Resource(org, kind, name, at)
	if err == nil && r != nil && at == l.Revision() && !l.personal.tells(kind) {
		l.recent.learn(r, at)
	}
	return r, err
}

func (l learner) Resources(org, kind string, at uint64, after string, limit int) ([]*Resource, error) {
	list, err := l.View.Resources(org, kind, at, after, limit)
	if err == nil && after == "" && at == l.Revision() && !l.personal.tells(kind) {
		l.recent.learnList(listKey{org, kind, limit}, slices.Clone(list), at)
	}
	return list, err
}

// filter is a scalable Bloom filter (Almeida et al. 2007): it may say of
// something that it is there when it is not, about once in 1,000, and never the
// other way round. Each part has twice the bits of the one before. A command asks
// three times, and each time that it is wrong costs it a transaction of the
// database, which takes as long as ten decisions from memory.
type filter struct {
	mu    sync.Mutex // is held by those who add
	seed  maphash.Seed
	parts []part
	full  bool // it would need more than mostFilterBits
}

type part struct {
	bits []uint64
	room int // for so many more
}

const (
	bitsEach   = 16
	hashesEach = 8
	firstRoom  = 1 << 14
)

func newFilter() *filter { return &filter{seed: maphash.MakeSeed()} }

func (f *filter) hash(id Identity) uint64 {
	var h maphash.Hash
	h.SetSeed(f.seed)
	_ = h.WriteByte(id.Kind)
	for _, s := range [...]string{id.Org, id.A, id.B} {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0) // in none of them
	}
	return h.Sum64()
}

func (f *filter) add(id Identity) {
	h := f.hash(id)
	if f.full || f.holds(h) {
		return
	}
	n := len(f.parts)
	if n == 0 || f.parts[n-1].room == 0 {
		room := firstRoom << n
		if room*bitsEach > mostFilterBits/2 {
			f.full, f.parts = true, nil
			return
		}
		f.parts = append(f.parts, part{bits: make([]uint64, room*bitsEach/64), room: room})
		n++
	}
	p := &f.parts[n-1]
	p.room--
	for i := range uint64(hashesEach) {
		w, b := p.place(h, i)
		p.bits[w] |= b
	}
}

func (f *filter) has(id Identity) bool { return f.holds(f.hash(id)) }

func (f *filter) holds(h uint64) bool {
	for i := range f.parts {
		if f.parts[i].has(h) {
			return true
		}
	}
	return f.full
}

func (p *part) has(h uint64) bool {
	for i := range uint64(hashesEach) {
		if w, b := p.place(h, i); p.bits[w]&b == 0 {
			return false
		}
	}
	return true
}

// place is the word and the bit of the i-th hash, made of two halves as Kirsch
// and Mitzenmacher (2006) show to be enough.
func (p *part) place(h, i uint64) (word int, bit uint64) {
	n := (h + i*(h>>32|1)) % uint64(len(p.bits)*64)
	return int(n / 64), 1 << (n % 64)
}
