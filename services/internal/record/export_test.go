package record

import (
	"context"
	"time"
)

// StartMemory, WroteMemory and Advance are what a projector does.
func (r *Record) StartMemory(ctx context.Context, at uint64) { r.recent.start(ctx, r.store, at) }

func (r *Record) WroteMemory(from, to uint64, changes []Change) { r.recent.wrote(from, to, changes) }

func (r *Record) Advance(to uint64) { r.advance(to, nil) }

// MarkNew says of each value whether the store has none of its identity, as a
// projector does that stands at a checkpoint, and how many are said so of.
func (r *Record) MarkNew(at uint64, changes []Change) (marked []Change, fresh int) {
	absent := r.recent.absent(at)
	for _, c := range changes {
		if o, ok := c.(PutObservation); ok && absent != nil && absent(DateIdentity(o.Org, o.MetricID, o.At)) {
			o.New = true
			fresh++
			c = o
		}
		marked = append(marked, c)
	}
	return marked, fresh
}

// Pace is a projector's.
type Pace struct{ p pace }

func NewPace() *Pace                            { return &Pace{newPace()} }
func (p *Pace) Taken(n int, now time.Time)      { p.p.taken(n, now) }
func (p *Pace) Length(n int) time.Duration      { return p.p.length(n) }
func (p *Pace) Rest(ctx context.Context, n int) { p.p.rest(ctx, n) }
func (p *Pace) Hurry()                          { p.p.hurry() }
func (p *Pace) Done()                           { p.p.waiting.Add(-1) }

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
