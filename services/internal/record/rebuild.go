package record

import (
	"context"
	"fmt"
	"sync"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Stages of a rebuild and of a verification.
const (
	Folding   = "folding"
	Swapped   = "swapped"
	Comparing = "comparing"
	Done      = "done"
)

// Progress is how far a long work is.
type Progress struct {
	Stage       string
	Generation  int
	Done, Total uint64
	Rate        float64 // a second
}

// rebuild is one that is under way, and those who look on.
type rebuild struct {
	done chan struct{}
	err  error
	own  bool // it ends with the context of who began it

	mu      sync.Mutex
	at      Progress
	changed chan struct{}
}

func (r *rebuild) tell(p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = p
	close(r.changed)
	r.changed = make(chan struct{})
}

// swapAttempts bounds how often a generation that is behind when it should
// become live catches up again.
const swapAttempts = 100

// Rebuild folds the log into a generation beside the live one, makes it live
// when it has caught up, and drops the old one when its readers have gone. A
// rebuild that is under way is joined. tell, which may be nil, is told how far
// it is. When ctx ends the rebuild goes on as long as Project does; in a process
// that does not project it ends with ctx. What is folded stays, and the next
// rebuild goes on there.
func (p *Projection) Rebuild(ctx context.Context, tell func(Progress)) error {
	p.mu.Lock()
	r := p.rebuild
	if r == nil {
		r = &rebuild{done: make(chan struct{}), changed: make(chan struct{}), own: p.running == nil}
		p.rebuild = r
		building := p.running
		if r.own {
			building = ctx
		}
		go func() {
			r.err = p.build(building, r.tell)
			p.mu.Lock()
			p.rebuild = nil
			p.mu.Unlock()
			close(r.done)
		}()
	}
	p.mu.Unlock()
	return r.follow(ctx, tell)
}

func (r *rebuild) follow(ctx context.Context, tell func(Progress)) error {
	for {
		r.mu.Lock()
		at, changed := r.at, r.changed
		r.mu.Unlock()
		if tell != nil && at.Stage != "" {
			tell(at)
		}
		select {
		case <-r.done:
			if r.err == nil && tell != nil {
				tell(r.at)
			}
			return r.err
		case <-changed:
		case <-ctx.Done():
			if r.own {
				<-r.done // nothing is written any more
			}
			return ctx.Err()
		}
	}
}

// build is the rebuild itself.
func (p *Projection) build(ctx context.Context, tell func(Progress)) error {
	_, live, err := p.data.Live(ctx)
	if err != nil {
		return err
	}
	store, g, err := p.data.Begin(ctx)
	if err != nil {
		return err
	}
	if err := Check(ctx, p.log, g.At); err != nil {
		// Begun on a log that was replaced since.
		if err := p.data.Drop(ctx, g.Number); err != nil {
			return err
		}
		if store, g, err = p.data.Begin(ctx); err != nil {
			return err
		}
	}
	p.logger.Info("a generation of the record is built", "generation", g.Number, "from", g.At.Revision, "beside", live.Number)
	began, from := time.Now(), g.At.Revision
	at := g.At
	progress := func(stage string) {
		total, err := p.log.Info(ctx)
		if err != nil {
			total.Last = at.Revision
		}
		tell(Progress{Stage: stage, Generation: g.Number, Done: at.Revision, Total: total.Last,
			Rate: float64(at.Revision-from) / max(time.Since(began).Seconds(), 1e-3)})
	}
	progress(Folding)
	for n := 1; ; n++ {
		if at, err = p.foldTo(ctx, store, at, func(to Checkpoint) { at = to; progress(Folding) }); err != nil {
			return busy(err)
		}
		err := p.data.Promote(ctx, g.Number)
		if err == nil {
			break
		}
		if fault.ReasonOf(err) != "record.generation_behind" || n == swapAttempts {
			return err
		}
	}
	p.logger.Info("the generation is live", "generation", g.Number, "revision", at.Revision)
	progress(Swapped)
	p.Resume() // with the new one it may get further
	all, err := p.data.Generations(ctx)
	if err != nil {
		return err
	}
	for _, old := range all {
		if !old.Live && old.Number < g.Number {
			if err := p.data.Drop(ctx, old.Number); err != nil && fault.ReasonOf(err) != "record.no_generation" {
				return fmt.Errorf("drop generation %d of the record: %w", old.Number, err)
			}
		}
	}
	progress(Done)
	return nil
}

// foldTo folds as far as the log goes, or, where it cannot be passed, as far as
// the live generation stands.
func (p *Projection) foldTo(ctx context.Context, store Store, at Checkpoint, moved func(Checkpoint)) (Checkpoint, error) {
	for {
		except, err := exceptions(ctx, p.log)
		if err != nil {
			return at, err
		}
		b := bulk{log: p.log, kinds: p.kinds, store: store, except: except,
			moved: func(to Checkpoint, _ int, _ map[string]uint64) { moved(to) }}
		last, err := p.end(ctx)
		if err != nil {
			return at, err
		}
		if last <= at.Revision {
			return at, nil
		}
		if at, err = b.run(ctx, at, last); err == nil {
			return at, nil
		}
		sequence, ok := HaltedAt(err)
		if !ok {
			return at, err
		}
		// Left out since this fold began?
		now, again := exceptions(ctx, p.log)
		if again != nil || !now[sequence] || except[sequence] {
			live, lost := p.data.Checkpoint(ctx)
			if lost == nil && live.Revision > 0 && at.Revision >= live.Revision {
				return at, nil // no worse than the one there is
			}
			return at, err
		}
	}
}

// end is where a fold of the whole log ends: at the last whole commit, or, if
// what is there is damaged, where the live generation stands.
func (p *Projection) end(ctx context.Context) (uint64, error) {
	last, err := p.log.LastRevision(ctx)
	if err == nil {
		return last, nil
	}
	if _, damaged := HaltedAt(err); !damaged {
		return 0, err
	}
	at, err := p.data.Checkpoint(ctx)
	return at.Revision, err
}

// busy says in words that another process builds the generation, too.
func busy(err error) error {
	if fault.ReasonOf(err) != "record.checkpoint_moved" && fault.ReasonOf(err) != "record.generation_dropped" {
		return err
	}
	return fault.New(fault.Aborted, "record.rebuilt_elsewhere", "another process rebuilds the record").
		WithHint("setpoint projections list tells how far it is")
}
