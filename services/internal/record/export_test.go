package record

import "context"

// StartMemory, WroteMemory and Advance are what a projector does.
func (r *Record) StartMemory(ctx context.Context, at uint64) { r.recent.start(ctx, r.store, at) }

func (r *Record) WroteMemory(from, to uint64, changes []Change) { r.recent.wrote(from, to, changes) }

func (r *Record) Advance(to uint64) { r.advance(to, nil) }

// FromMemory is the first half of Decide.
func (r *Record) FromMemory(f func(View) error) (bool, error) { return r.fromMemory(f) }

// Complete tells whether the memory knows what is not there.
func (r *Record) Complete() bool {
	r.recent.mu.RLock()
	defer r.recent.mu.RUnlock()
	return r.recent.complete
}

// Filter is the filter of what is there.
type Filter struct{ f *filter }

func NewFilter() Filter              { return Filter{newFilter()} }
func (f Filter) Add(i Identity)      { f.f.add(i) }
func (f Filter) Has(i Identity) bool { return f.f.has(i) }
