package record

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Projection keeps the record of a log in a database: it follows the log with
// the live generation, builds another beside it when asked to or when the
// present FoldVersion is not that of the live one, and says why it halts.
//
// Any number of processes may have one; Project is for the one that projects,
// the other methods are for all. Whoever swaps generations need not be who
// projects: the writer of the old one learns it by its next write, and goes on
// with the new one.
//
// A reaction (what is published, sent or started because of an event) must not
// hang on a fold: a rebuild folds every event again. It follows the log by
// itself, or Database.Watch, which tells of the live generation alone.
type Projection struct {
	log    *eventlog.Log
	kinds  *resource.Registry
	data   Database
	record *Record
	logger *slog.Logger
	// scratch makes an empty store that is gone when it is closed.
	scratch func(context.Context) (Store, error)

	meter   meter
	writing sync.Mutex    // held by each write of the live generation's projector
	resume  chan struct{} // holds a token if somebody wants it to try again

	mu      sync.Mutex
	running context.Context // Project's; nil where it does not run
	ended   chan struct{}   // closed when Project returns
	rebuild *rebuild        // under way; nil: none
}

// NewProjection makes a projection that tells record how far it is. scratch
// makes an empty store for Verify.
func NewProjection(log *eventlog.Log, kinds *resource.Registry, data Database, record *Record,
	scratch func(context.Context) (Store, error), logger *slog.Logger) *Projection {
	return &Projection{log: log, kinds: kinds, data: data, record: record, scratch: scratch, logger: logger,
		resume: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Name is what operators call it.
func (p *Projection) Name() string { return "record" }

// lookForSkips is how often a halted projection looks whether somebody, in
// whichever process, has decided to leave the message out.
const lookForSkips = 2 * time.Second

// Project projects with the live generation, whichever that is, until ctx ends
// or it cannot go on: see Projector.Run for the errors. What a killed process
// left of a build, or an older version of the fold, is seen to beside it.
func (p *Projection) Project(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer p.begins(ctx)()
	defer stop()
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	for {
		store, live, err := p.data.Live(ctx)
		if err != nil {
			return &storeError{err} // a database that is away has halted nothing
		}
		if live.Version > FoldVersion {
			err := fault.New(fault.Unavailable, "record.newer_fold",
				"the record is of version %d, this binary makes version %d", live.Version, FoldVersion).
				WithHint("start a newer binary")
			p.logger.Error("the record's projection halted", "error", err)
			p.record.Halt(err)
			return err
		}
		p.tidy(ctx, live, &background)
		projector := Projector{log: p.log, kinds: p.kinds, store: store, record: p.record, logger: p.logger,
			meter: &p.meter, writing: &p.writing}
		err = projector.Run(ctx)
		switch reason := fault.ReasonOf(err); {
		case reason == "record.generation_superseded" || reason == "record.generation_dropped":
			// Another one is live.
		default:
			return err
		}
	}
}

// begins notes that Project does; what it returns waits for a rebuild to end.
func (p *Projection) begins(ctx context.Context) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = ctx
	return func() {
		p.mu.Lock()
		p.running = nil
		r := p.rebuild
		close(p.ended)
		p.ended = make(chan struct{})
		p.mu.Unlock()
		if r != nil && !r.own {
			<-r.done
		}
	}
}

// tidy goes on with what a killed process left: an unfinished generation of
// the present version is finished, every other one is dropped. A live one of an
// older version is replaced.
func (p *Projection) tidy(ctx context.Context, live Generation, background *sync.WaitGroup) {
	p.mu.Lock()
	building := p.rebuild != nil
	p.mu.Unlock()
	if building {
		return // who builds drops the old one
	}
	all, err := p.data.Generations(ctx)
	if err != nil {
		p.logger.Error("the generations of the record cannot be listed", "error", err)
		return
	}
	build := live.Version < FoldVersion
	for _, g := range all {
		switch {
		case g.Live || g.Number > live.Number && g.Version > FoldVersion:
		case g.Number > live.Number && g.Version == FoldVersion:
			build = true
		default:
			background.Go(func() {
				if err := p.data.Drop(ctx, g.Number); err != nil && ctx.Err() == nil && fault.ReasonOf(err) != "record.no_generation" {
					p.logger.Error("a generation of the record cannot be dropped", "generation", g.Number, "error", err)
				}
			})
		}
	}
	if build {
		background.Go(func() {
			if err := p.Rebuild(ctx, nil); err != nil && ctx.Err() == nil {
				p.logger.Error("the record cannot be rebuilt", "error", err)
			}
		})
	}
}

// AwaitRetry returns when a projection that halted with an error should try
// again: after Resume, or when the message it halted at was left out, in
// whichever process. False: ctx ended.
func (p *Projection) AwaitRetry(ctx context.Context, halted error) bool {
	sequence, atMessage := HaltedAt(halted)
	look := time.NewTicker(lookForSkips)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-p.resume:
			return true
		case <-look.C:
			if except, err := exceptions(ctx, p.log); err == nil && atMessage && except[sequence] {
				return true
			}
		}
	}
}

// Resume lets a halted projection try again at once.
func (p *Projection) Resume() {
	select {
	case p.resume <- struct{}{}:
	default:
	}
}

// Status is how a projection stands.
type Status struct {
	Revision    uint64 // of the live generation
	Last        uint64 // of the log
	Rate        float64
	Rebuilding  bool
	Halted      error
	Generations []Generation
	Skips       []Skip
}

// Status tells how the projection stands.
func (p *Projection) Status(ctx context.Context) (s Status, err error) {
	info, err := p.log.Info(ctx)
	if err != nil {
		return s, err
	}
	s.Last = info.Last
	if s.Generations, err = p.data.Generations(ctx); err != nil {
		return s, err
	}
	for _, g := range s.Generations {
		if g.Live {
			s.Revision = g.At.Revision
		}
	}
	// That the decisions cannot be read does not hide the rest.
	var skips error
	s.Skips, skips = Skips(ctx, p.log)
	if _, s.Halted = p.record.Status(); s.Halted == nil {
		s.Halted = skips
	}
	s.Rate = p.meter.rate()
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Rebuilding = p.rebuild != nil
	return s, nil
}

// Retry lets a halted projection try again, and returns when it has got beyond
// where it halted and Status says so, or halted again, or a while has passed.
func (p *Projection) Retry(ctx context.Context) {
	at, halted := p.record.Status()
	if halted == nil {
		return
	}
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	p.Resume()
	ctx, cancel := context.WithTimeout(ctx, retryFor)
	defer cancel()
	p.record.beyond(ctx, at, halted, ended)
}

// retryFor bounds how long Retry waits: where several processes can project, a
// lease is given anew, and the others hear of it a second later.
const retryFor = 8 * time.Second
