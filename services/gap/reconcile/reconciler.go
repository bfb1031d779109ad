package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/pause"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
)

const (
	// Principal and Manager are who tells of conditions.
	Principal = "reconciler"
	Manager   = "reconciler"

	// byPolicy is the manager of what policies do.
	byPolicy = "policy"
)

// Acts are what policies can do.
type Acts interface {
	// OpenAction opens a corrective action as a principal; the request's id makes
	// it happen once.
	OpenAction(ctx context.Context, org, principal string, req *initiativev1.OpenActionRequest) error
	// RequestCheckIn asks the owner of a target to check in, in the same way.
	RequestCheckIn(ctx context.Context, org, principal string, req *strategyv1.RequestCheckInRequest) error
}

// Reconciler reconciles all organizations of a shard. One of several runs; if
// two do, each tells only what the other has not.
type Reconciler struct {
	log    *eventlog.Log
	record *record.Record
	runner *runner.Runner
	acts   Acts
	logger *slog.Logger
	// reviews reads reviews; nil: there are none.
	reviews ReviewsFunc

	// lookEvery is how often the calendar is looked at, and pause the least time
	// between two readings of a whole organization.
	lookEvery, pause time.Duration
	// told is called, for tests, after each pass over an organization.
	told func(org string, targets int)

	mu    sync.Mutex
	dirty map[string]*change // by organization
	wake  chan struct{}
}

// change is what has been recorded of an organization since it was looked at.
type change struct {
	to      uint64
	metrics map[string]bool // ids of those with new values
	all     bool            // more than values
}

// New makes a reconciler; Run runs it.
func New(log *eventlog.Log, rec *record.Record, run *runner.Runner, acts Acts, logger *slog.Logger) *Reconciler {
	return &Reconciler{
		log: log, record: rec, runner: run, acts: acts, logger: logger,
		lookEvery: 20 * time.Second, pause: 200 * time.Millisecond, told: func(string, int) {},
		dirty: map[string]*change{}, wake: make(chan struct{}, 1),
	}
}

// Run reconciles until ctx ends. Whatever keeps it from going on is told once,
// and tried again.
func (r *Reconciler) Run(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.run(ctx)
		if ctx.Err() != nil {
			return
		}
		r.logger.Warn("conditions are not kept up to date at the moment", "error", err)
		pause.For(ctx, time.Second)
	}
}

func (r *Reconciler) run(ctx context.Context) error {
	// Nothing is told of a record that is still being built.
	if err := r.reach(ctx); err != nil {
		return err
	}
	begin, err := r.begin(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var following sync.WaitGroup
	following.Go(func() {
		cancel(r.log.Follow(ctx, begin, func(batch []*eventlog.Record) error {
			for _, m := range batch {
				r.note(m)
			}
			return nil
		}))
	})
	defer following.Wait()
	defer cancel(nil)
	err = r.work(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// reach waits, as long as it takes, until the record has folded the log.
func (r *Reconciler) reach(ctx context.Context) error {
	last, err := r.runner.LastRevision(ctx)
	if err != nil {
		return err
	}
	return r.record.Reached(ctx, last)
}

// begin marks every organization, at a revision from which the log is followed.
func (r *Reconciler) begin(ctx context.Context) (at uint64, err error) {
	var orgs []string
	err = r.record.View(ctx, func(v record.View) error {
		at, orgs = v.Revision(), nil
		for _, kind := range []string{"Target", "Review", "Objective", "Strategy", "Unit"} {
			some, err := v.Organizations(kind)
			if err != nil {
				return err
			}
			orgs = append(orgs, some...)
		}
		return nil
	})
	r.mu.Lock()
	r.dirty = map[string]*change{}
	for _, org := range orgs {
		r.dirty[org] = &change{to: at, all: true}
	}
	r.mu.Unlock()
	r.stir()
	return at, err
}

// note says what a message of the log touches.
func (r *Reconciler) note(m *eventlog.Record) {
	if m.Envelope == nil || m.Envelope.GetManager() == byPolicy || m.Envelope.GetManager() == Manager {
		return
	}
	values, else_ := false, false
	for _, e := range m.Envelope.GetEvents() {
		switch e.GetType() {
		case record.ObservationsRecorded, record.ObservationsCorrected:
			values = true
		case record.CheckedIn, record.DeclarationChanged:
			// What people say changes nothing that is computed; what is declared
			// comes with messages of its own.
		default:
			else_ = true
		}
	}
	if !values && !else_ {
		return
	}
	r.mu.Lock()
	c := r.dirty[m.Subject.Org]
	if c == nil {
		c = &change{metrics: map[string]bool{}}
		r.dirty[m.Subject.Org] = c
	}
	c.to = max(c.to, m.Revision)
	c.all = c.all || else_
	if values && c.metrics != nil {
		c.metrics[m.Subject.ID] = true
	}
	r.mu.Unlock()
	r.stir()
}

func (r *Reconciler) stir() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// work goes over what has changed until ctx ends.
func (r *Reconciler) work(ctx context.Context) error {
	pictures := map[string]*picture{}
	// When an organization may be read as a whole again: a burst of declarations
	// is one reading, and a large organization takes a fifth of a core at most.
	rest := map[string]time.Time{}
	tick := time.NewTicker(r.lookEvery)
	defer tick.Stop()
	for {
		r.mu.Lock()
		todo := r.dirty
		r.dirty = map[string]*change{}
		r.mu.Unlock()
		later := map[string]*change{}
		var next time.Time
		for org, c := range todo {
			p := pictures[org]
			if c.all || p == nil {
				if until := rest[org]; time.Now().Before(until) {
					c.all = true
					later[org] = c
					if next.IsZero() || until.Before(next) {
						next = until
					}
					continue
				}
			}
			began := time.Now()
			p, err := r.look(ctx, org, p, c)
			if err != nil {
				return err
			}
			pictures[org] = p
			if took := time.Since(began); c.all {
				rest[org] = time.Now().Add(max(r.pause, 4*took))
			}
		}
		r.putBack(later)
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.wake:
		case <-timer:
		case <-tick.C:
			r.passed(pictures)
		}
	}
}

// putBack keeps changes for later.
func (r *Reconciler) putBack(later map[string]*change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for org, c := range later {
		if newer := r.dirty[org]; newer != nil {
			c.to = max(c.to, newer.to)
		}
		r.dirty[org] = c
	}
}

// passed marks the organizations where it is another day: a target drifts, and
// data goes stale, without any event.
func (r *Reconciler) passed(pictures map[string]*picture) {
	now := r.runner.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for org, p := range pictures {
		if calendar.FromTime(now.In(p.zone)) != p.day {
			if r.dirty[org] == nil {
				r.dirty[org] = &change{}
			}
			r.dirty[org].all = true
		}
	}
}

// look goes over one organization.
func (r *Reconciler) look(ctx context.Context, org string, p *picture, c *change) (*picture, error) {
	if err := r.record.Reached(ctx, c.to); err != nil {
		return p, err
	}
	whole := c.all || p == nil || calendar.FromTime(r.runner.Now().In(p.zone)) != p.day
	var before *picture // what was kept when somebody else told something
	for range 10 {
		var targets []int
		begun := p == nil
		err := r.record.View(ctx, func(v record.View) (err error) {
			targets = nil
			if whole {
				p, err = r.load(v, org, p)
				return err
			}
			targets, err = p.observe(v, c.metrics)
			return err
		})
		if err != nil {
			return p, err
		}
		if begun || before != nil {
			if err := r.makeUp(ctx, p, before); err != nil {
				return p, err
			}
			before = nil
		}
		n := 0
		if whole || len(targets) > 0 {
			n, err = r.tell(ctx, p, targets)
		}
		if errors.Is(err, errElsewhere) {
			whole, before = true, p
			continue
		}
		if err == nil {
			r.told(org, n)
		}
		return p, err
	}
	return p, errElsewhere
}
