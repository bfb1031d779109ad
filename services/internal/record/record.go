package record

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// Viewer shows consistent pictures: a Store those of itself, a Database those
// of its live generation.
type Viewer interface {
	View(ctx context.Context, f func(View) error) error
}

// Record is the door to the record for everybody who reads: it waits for
// revisions and resolves snapshots.
type Record struct {
	store    Viewer
	personal *Personal
	wait     time.Duration
	end      func(context.Context) (uint64, error)
	owed     atomic.Uint64

	observer Observer
	recent   recent
	pace     pace

	mu      sync.Mutex
	at      uint64
	orgs    map[string]uint64 // the last revision of each organization that was folded since the start
	anybody uint64            // up to here something of any organization may have been folded
	halted  error
	trouble error
	writer  string
	vacant  error         // why there is no writer
	changed chan struct{} // closed and replaced whenever at or halted moves
}

// New makes the door over a store that stands at a checkpoint. Readers wait
// for a revision that they ask for at most as long as wait, and a fifth of that for
// what this process has acknowledged; end tells where the log ends, so that
// nobody waits for a revision that does not exist.
func New(store Viewer, at Checkpoint, wait time.Duration, end func(context.Context) (uint64, error)) *Record {
	return &Record{store: store, wait: wait, end: end, at: at.Revision, orgs: map[string]uint64{}, pace: newPace(), changed: make(chan struct{})}
}

// Status returns where the projection stands, and why it halted, if it did.
func (r *Record) Status() (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.halted
}

// Troubled is what keeps the projection from going on at the moment, and may
// pass; nil if nothing does.
func (r *Record) Troubled() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

// advance moves to a revision; orgs are the last revisions of the organizations
// that something was folded of. Who folds and who is told of it may both say
// so, in any order: what is on record stays there.
func (r *Record) advance(to uint64, orgs map[string]uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = max(r.at, to)
	for org, last := range orgs {
		r.orgs[org] = max(r.orgs[org], last)
	}
	r.wake()
}

// Halt says that the projection has halted for good, wherever it runs; nil
// says that it goes on.
func (r *Record) Halt(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.halted == nil || err != nil && r.halted != nil && err.Error() == r.halted.Error() {
		return
	}
	r.halted = err
	r.wake()
}

// Trouble says what keeps the projection from going on for a while; nil says
// that it goes on. Readers wait as long as they would for any revision.
func (r *Record) Trouble(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = err
}

// goesOn says that the projection neither has halted nor is kept from going on.
func (r *Record) goesOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = nil
	if r.halted != nil {
		r.halted = nil
		r.wake()
	}
}

// WrittenBy says which process projects; "" where it is this one alone, or
// where none does, which vacant then says.
func (r *Record) WrittenBy(process string, vacant error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writer, r.vacant = process, vacant
}

// Writer is the process that projects, as far as this one knows, or an error if
// there is none.
func (r *Record) Writer() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writer, r.vacant
}

// wake lets those who wait look again; r.mu is held.
func (r *Record) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// await is what Wait does.
func (r *Record) await(ctx context.Context, revision uint64) error {
	var bound <-chan time.Time
	defer func() {
		if bound != nil {
			r.pace.waiting.Add(-1)
		}
	}()
	for {
		r.mu.Lock()
		at, halted, changed := r.at, r.halted, r.changed
		r.mu.Unlock()
		if at >= revision {
			return nil
		}
		if halted != nil {
			return fault.Wrap(halted, fault.Unavailable, "record.halted",
				"the record halted at revision %d", at).
				WithHint("the operator finds the reason with: setpoint status")
		}
		if bound == nil {
			t := time.NewTimer(r.wait)
			defer t.Stop()
			bound = t.C
			r.pace.hurry()
		}
		select {
		case <-changed:
		case <-bound:
			e := fault.New(fault.Unavailable, "record.behind",
				"the record stands at revision %d and did not reach %d within %s", at, revision, r.wait)
			if full(r.Troubled()) {
				e.Message += ": the disk that it is on is full"
				return e.WithHint("the operator makes room; setpoint doctor tells on which disk, and setpoint status when it goes on")
			}
			return e.WithHint("try again; setpoint status tells whether it moves, and the server's log why it does not")
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Unavailable, "record.wait_ended", "gave up waiting for revision %d", revision)
		}
	}
}

// full tells that there is no room for what is to be written, by the words of those
// who say it: SQLite (https://sqlite.org/rescode.html#full), and the operating
// system, whose words PostgreSQL passes on.
func full(trouble error) bool {
	if trouble == nil {
		return false
	}
	words := strings.ToLower(trouble.Error())
	return strings.Contains(words, "disk is full") || strings.Contains(words, "no space left on device")
}

// Follow waits without a bound until the record has reached the revision, and
// tells how far it is at each step. It fails if the projection halts.
func (r *Record) Follow(ctx context.Context, revision uint64, tell func(at uint64)) error {
	for {
		r.mu.Lock()
		at, halted, changed := r.at, r.halted, r.changed
		r.mu.Unlock()
		tell(at)
		if at >= revision || halted != nil {
			return halted
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Reached waits without a bound until the record has reached the revision,
// through halts.
func (r *Record) Reached(ctx context.Context, revision uint64) error {
	for {
		r.mu.Lock()
		at, changed := r.at, r.changed
		r.mu.Unlock()
		if at >= revision {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// beyond waits until the record stands beyond a revision and says of no halt
// what it said before, or the channel is closed, or ctx ends. Where another
// process projects, that it has gone on is heard of after what it has written.
func (r *Record) beyond(ctx context.Context, revision uint64, before error, or <-chan struct{}) {
	for {
		r.mu.Lock()
		at, halted, changed := r.at, r.halted, r.changed
		r.mu.Unlock()
		if at > revision && (halted == nil || halted.Error() != before.Error()) {
			return
		}
		select {
		case <-changed:
		case <-or:
			return
		case <-ctx.Done():
			return
		}
	}
}

// WentOn returns when the projection has not halted, or its halt is over, or ctx
// has ended.
func (r *Record) WentOn(ctx context.Context) error {
	for {
		r.mu.Lock()
		halted, changed := r.halted, r.changed
		r.mu.Unlock()
		if halted == nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Await waits without a bound until the record holds something of the
// organization that is newer than the revision. It fails if the projection
// halts.
func (r *Record) Await(ctx context.Context, org string, after uint64) error {
	for {
		r.mu.Lock()
		last, halted, changed := max(r.orgs[org], r.anybody), r.halted, r.changed
		r.mu.Unlock()
		if last > after || halted != nil {
			return halted
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// View runs f on one consistent picture, which is at least as new as every
// revision that Wait has returned for.
func (r *Record) View(ctx context.Context, f func(View) error) error {
	return r.store.View(ctx, func(v View) error { return f(r.personal.view(ctx, v)) })
}

// WithPersonal has personal text sealed and opened; without, what is sealed is
// read as it is stored, and nothing is sealed. It is called before the record
// is used.
func (r *Record) WithPersonal(p *Personal) *Record {
	r.personal = p
	return r
}

// Personal is what seals and opens personal text; nil without keys.
func (r *Record) Personal() *Personal { return r.personal }

// exists refuses a revision beyond the end of the log.
func (r *Record) exists(ctx context.Context, field string, revision uint64) error {
	if at, _ := r.Status(); revision <= at {
		return nil
	}
	last, err := r.end(ctx)
	if err != nil || revision <= last {
		return err
	}
	return fault.New(fault.Invalid, "snapshot.no_such_revision",
		"%s: there is no revision %d, the log ends at %d", field, revision, last)
}

// settles is the part of the wait for a revision that a read of the newest state
// waits for what this process has acknowledged.
const settles = 5

// Owe says that a revision was acknowledged: reads of the newest state that
// begin from now on show it.
func (r *Record) Owe(revision uint64) {
	for {
		owed := r.owed.Load()
		if owed >= revision || r.owed.CompareAndSwap(owed, revision) {
			return
		}
	}
}

// settle waits for what is owed. A record that lags for longer is read as it
// is: what is asked for is the newest there is.
func (r *Record) settle(ctx context.Context) {
	owed := r.owed.Load()
	if at, halted := r.Status(); at >= owed || halted != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait/settles)
	defer cancel()
	_ = r.Wait(ctx, owed)
}

// Snapshot selects what was known: at most one of Revision, KnownAt and
// KnownOn.
type Snapshot struct {
	Org         string        // whose days KnownOn counts
	Revision    uint64        // 0: the newest
	KnownAt     time.Time     // zero: the newest
	KnownOn     calendar.Date // the end of this day; zero: the newest
	MinRevision uint64
}

// Newest tells that nothing of the past is asked for.
func (s Snapshot) Newest() bool {
	return s.Revision == 0 && s.KnownAt.IsZero() && s.KnownOn.IsZero()
}

// At runs f on a consistent picture, with the legal revision that the
// snapshot selects in it.
func (r *Record) At(ctx context.Context, s Snapshot, f func(v View, at uint64) error) error {
	if s.Revision != 0 && !(s.KnownAt.IsZero() && s.KnownOn.IsZero()) {
		return fault.New(fault.Invalid, "snapshot.two_selectors", "snapshot: give revision or known_at, not both")
	}
	if err := r.exists(ctx, "revision", s.Revision); err != nil {
		return err
	}
	if err := r.exists(ctx, "minRevision", s.MinRevision); err != nil {
		return err
	}
	if err := r.Wait(ctx, max(s.MinRevision, s.Revision)); err != nil {
		return err
	}
	if s.Revision == 0 {
		r.settle(ctx)
	}
	return r.View(ctx, func(v View) error {
		at := v.Revision()
		if !s.KnownOn.IsZero() {
			var err error
			if s.KnownAt, err = endOf(v, s.Org, s.KnownOn); err != nil {
				return err
			}
		}
		switch {
		case s.Revision != 0:
			legal, err := v.Commit(s.Revision)
			if err != nil {
				return err
			}
			if legal != s.Revision {
				return fault.New(fault.Invalid, "snapshot.not_a_commit",
					"snapshot.revision: %d lies inside a commit that ends at %d", s.Revision, legal).
					WithHint("use revision %d", legal)
			}
			at = legal
		case !s.KnownAt.IsZero():
			known, err := v.RevisionAt(within(s.KnownAt))
			if err != nil {
				return err
			}
			at = known
		}
		return f(v, at)
	})
}
