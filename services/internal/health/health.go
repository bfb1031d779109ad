// Package health tells whether the process can do its work, in words, at a
// bounded price: however many ask, each check runs once a second at most, and
// one that hangs is reported as that, not waited for.
//
// A Prober goes from starting to watching (Begin) to stopping (Stop), and is
// ready only while it watches and every check passes.
package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// fresh is how long an answer stands.
	fresh = time.Second
	// patience is how long the checks may take together: a probe must be
	// answered within a second.
	patience = 700 * time.Millisecond
)

// Check is one condition of being ready. Test returns the reason why not.
type Check struct {
	Name string
	Test func(context.Context) error
}

// Prober answers probes. Its methods may be called concurrently.
type Prober struct {
	mu       sync.Mutex
	phase    error // why the process is not ready whatever the checks say
	watched  []*watched
	last     *round
	starting func() string
}

// watched is a check and whether it is running, since when.
type watched struct {
	Check
	mu    sync.Mutex
	since time.Time // zero: it does not run
}

// round is one run of all checks.
type round struct {
	began   time.Time
	done    chan struct{}
	results []Result
	err     error
}

// Result is what one check said.
type Result struct {
	Name string
	Err  error
}

var errStopping = errors.New("shutting down")

// New makes a prober of a process that starts; progress, if not nil, says how
// far it is.
func New(progress func() string) *Prober {
	return &Prober{phase: errors.New("starting"), starting: progress}
}

// Begin says that the process has started, and what to watch from now on.
func (p *Prober) Begin(checks ...Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range checks {
		p.watched = append(p.watched, &watched{Check: c})
	}
	if !errors.Is(p.phase, errStopping) {
		p.phase, p.starting = nil, nil
	}
}

// Stop says that the process shuts down: from now on it is not ready.
func (p *Prober) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.starting = errStopping, nil
}

// Ready is nil if the process can do its work, else it says why not.
func (p *Prober) Ready(ctx context.Context) error {
	p.mu.Lock()
	if p.phase != nil {
		defer p.mu.Unlock()
		if p.starting != nil {
			if s := p.starting(); s != "" {
				return fmt.Errorf("%w: %s", p.phase, s)
			}
		}
		return p.phase
	}
	r := p.round()
	p.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("whether the process is ready was not learned in time: %w", ctx.Err())
	}
}

// Results are what each check says; none while the process starts.
func (p *Prober) Results() []Result {
	p.mu.Lock()
	if len(p.watched) == 0 {
		p.mu.Unlock()
		return nil
	}
	r := p.round()
	p.mu.Unlock()
	<-r.done
	return r.results
}

// round is the last one if it is fresh or under way, else a new one.
func (p *Prober) round() *round {
	if p.last != nil && time.Since(p.last.began) < fresh {
		return p.last
	}
	r := &round{began: time.Now(), done: make(chan struct{})}
	p.last = r
	go r.run(p.watched)
	return r
}

func (r *round) run(checks []*watched) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.results = make([]Result, len(checks))
	answers := make([]chan error, len(checks))
	for i, c := range checks {
		answers[i] = c.start(ctx)
	}
	var wrong []error
	for i, c := range checks {
		r.results[i] = Result{Name: c.Name, Err: c.await(ctx, answers[i])}
		if err := r.results[i].Err; err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", c.Name, err))
		}
	}
	r.err = join(wrong)
	close(r.done)
}

// start runs the check, unless its last run has not ended yet.
func (w *watched) start(ctx context.Context) chan error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.since.IsZero() {
		return nil
	}
	w.since = time.Now()
	answer := make(chan error, 1)
	go func() {
		err := w.Test(ctx)
		w.mu.Lock()
		w.since = time.Time{}
		w.mu.Unlock()
		answer <- err
	}()
	return answer
}

func (w *watched) await(ctx context.Context, answer chan error) error {
	if answer != nil {
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
		}
		select {
		case err := <-answer: // both were there
			return err
		default:
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() {
		return errors.New("it answered too late")
	}
	return fmt.Errorf("no answer for %s", time.Since(w.since).Round(100*time.Millisecond))
}

// reasons are several errors on one line.
type reasons []error

func join(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return reasons(errs)
}

func (r reasons) Error() string {
	s := r[0].Error()
	for _, err := range r[1:] {
		s += "; " + err.Error()
	}
	return s
}

func (r reasons) Unwrap() []error { return r }
