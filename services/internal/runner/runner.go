// Package runner carries out commands: it is the one path from a decision to
// the log.
//
// A command names the aggregates that guard it. The runner looks the request
// id up in the record, lets the pure decision run on one consistent picture,
// and appends what was decided, guarded by what that picture says. If somebody
// was faster it asks the log's leader where the aggregates stand, waits until
// the record has folded that far, and decides again. So it does if nothing is
// to be written, and then the leader must have heard from a majority: neither a
// refusal nor an "already so" rests on an old picture. Commands on one
// aggregate queue in the process, so that a hot one does not burn retries.
package runner

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// Attempts bounds how often a command is decided anew after conflicts. Within
// a process commands on one aggregate take turns: those of other processes are
// what it loses against, half of the time if there are two.
const Attempts = 64

// Runner runs commands against one log and its record.
type Runner struct {
	log    *eventlog.Log
	record *record.Record
	now    func() time.Time
	queues queues

	observer Observer
}

// New makes a runner; now is the clock.
func New(log *eventlog.Log, rec *record.Record, now func() time.Time) *Runner {
	return &Runner{log: log, record: rec, now: now}
}

// Now is the runner's clock, which dates commands.
func (r *Runner) Now() time.Time { return r.now() }

// Command is what every write has in common.
type Command struct {
	Org       string
	RequestID string // empty: one is made
	Digest    []byte // of the canonical request
	Principal string
	Manager   string
	Reason    string
	Guards    []eventlog.Subject // the aggregates the decision rests on
	Personal  bool               // the request holds personal data: its digest is keyed
}

// Write is one aggregate's part of what was decided.
type Write struct {
	Subject   eventlog.Subject
	Events    []eventlog.Event
	Effective string
	Mask      []string
	State     []byte // what the aggregate is after the events; nil where that is not kept
	// Sealed tells that the events' personal text was sealed by who decided, with
	// the keys of those it is about.
	Sealed bool
}

// Outcome tells what became of a command.
type Outcome struct {
	Revision uint64
	// Replayed is set where the request id had been carried out before; the
	// decision was then not needed.
	Replayed *record.Request
	// Wrote tells that the command changed something, now or when it was first
	// carried out.
	Wrote bool

	duplicate bool // found in the log, not on record
}

// Run carries out a command. decide must be repeatable: it runs again after a
// conflict. No writes means that everything is already so.
func (r *Runner) Run(ctx context.Context, c Command, decide func(record.View) ([]Write, error)) (_ Outcome, err error) {
	turns := c.Guards
	if c.RequestID == "" {
		c.RequestID = rand.Text()
	} else {
		// Its earlier use in this process must be on record, whatever it was for.
		turns = append(slices.Clip(turns), eventlog.Subject{Org: c.Org, Kind: "request", ID: c.RequestID})
	}
	var out Outcome
	var wrote bool
	var n int
	ctx, end := r.observer.command(ctx, c.RequestID)
	defer func() { end(ran(out, wrote, n, err)) }()
	turn, err := r.queues.enter(ctx, c.Org, turns)
	if err != nil {
		return Outcome{}, err
	}
	// What this process wrote to the guards, or declared, must be on record, or
	// the append could only fail.
	defer func() {
		at, _ := r.record.Status()
		turn.leave(out.Revision, at)
	}()
	if err := r.record.Wait(ctx, turn.reach); err != nil {
		return Outcome{}, err
	}
	p := onRecord
	err = errPanicked // until a decision returns
	for n = 1; ; n++ {
		out, wrote, err = r.once(ctx, c, p, decide)
		var conflict *eventlog.ConflictError
		switch {
		case errors.As(err, &conflict) && n < Attempts:
			p = max(p, asLed)
		case !wrote && p < confirmed && out.Replayed == nil:
			// A refusal, or "already so", must not rest on an old picture: only
			// an append is checked by its guard.
			p = confirmed
		default:
			out.Wrote = err == nil && (wrote || out.Replayed != nil)
			return out, err
		}
	}
}

// picture says how new the picture is that a decision is made on.
type picture int

const (
	// onRecord is what the record has at the moment.
	onRecord picture = iota
	// asLed holds all that the log's leader has of the guards. It need not lead
	// any more.
	asLed
	// confirmed holds all that was acknowledged before it was asked for.
	confirmed
)

// renew waits until the record has folded as much as a picture asks for.
func (r *Runner) renew(ctx context.Context, guards []eventlog.Subject, p picture) error {
	if p == onRecord {
		return nil
	}
	if p == confirmed && r.log.Copies() > 1 {
		end, err := r.log.ConfirmedEnd(ctx)
		if err != nil {
			return err
		}
		return r.record.Wait(ctx, end)
	}
	for _, g := range guards {
		if err := r.Reach(ctx, g, 0); err != nil {
			return err
		}
	}
	return nil
}

// Reach waits until the record has folded everything the guard has in the log,
// and the given revision, so that what is read next is not older.
func (r *Runner) Reach(ctx context.Context, guard eventlog.Subject, revision uint64) error {
	last, err := r.log.Last(ctx, guard)
	if err != nil {
		return err
	}
	if last != nil {
		revision = max(revision, last.Revision)
	}
	return r.record.Wait(ctx, revision)
}

// CatchUp waits until the record has folded everything that is in the log now.
func (r *Runner) CatchUp(ctx context.Context) error {
	last, err := r.log.LastRevision(ctx)
	if err != nil {
		return err
	}
	return r.record.Wait(ctx, last)
}

// Commits returns every commit on an aggregate after a revision, oldest first,
// as the log's leader has them.
func (r *Runner) Commits(ctx context.Context, s eventlog.Subject, after uint64) ([]*eventlog.Record, error) {
	list, err := r.log.Since(ctx, s, after)
	if err != nil {
		return nil, err
	}
	return r.record.OpenCommits(ctx, list)
}

// LastRevision is where the log ends.
func (r *Runner) LastRevision(ctx context.Context) (uint64, error) { return r.log.LastRevision(ctx) }

// MaxCommit is how many writes one command may decide on.
func (r *Runner) MaxCommit() int { return r.log.MaxBatch() }

// once decides and appends. It trusts the record where that is safe: an
// aggregate that has moved on makes the append fail. A newer picture costs
// questions to the log's leader. wrote tells whether an append was tried.
func (r *Runner) once(ctx context.Context, c Command, p picture, decide func(record.View) ([]Write, error)) (out Outcome, wrote bool, err error) {
	if err := r.renew(ctx, c.Guards, p); err != nil {
		return Outcome{}, false, err
	}
	var drafts []eventlog.Draft
	var before map[int]bool // the drafts that are sealed already; nil: none
	look := r.record.Decide
	if slices.Contains(c.Guards, eventlog.DeclarationGuard(c.Org)) {
		look = r.record.View // declarations ask for more than is kept in memory
	}
	deciding, decided := r.observer.decide(ctx)
	err = look(deciding, func(v record.View) error {
		drafts, before = nil, nil
		done, err := v.Request(c.Org, c.RequestID)
		if err != nil {
			return err
		}
		if done != nil {
			same, err := r.record.Personal().SameDigest(ctx, c.Org, c.Principal, c.Digest, done.Digest)
			if err != nil {
				return err
			}
			if !same {
				return fault.New(fault.Invalid, "request.id_reused",
					"request_id: %q was used at revision %d for another request", c.RequestID, done.Revision).
					WithHint("use a fresh request_id for each new request")
			}
			out = Outcome{Revision: done.Revision, Replayed: done}
			return nil
		}
		writes, err := decide(v)
		if err != nil {
			return err
		}
		out.Revision = v.Revision()
		for _, w := range writes {
			a, err := v.Aggregate(w.Subject.Org, w.Subject.Service, w.Subject.Kind, w.Subject.ID)
			if err != nil {
				return err
			}
			d := eventlog.Draft{Subject: w.Subject, Events: w.Events, Effective: w.Effective, Mask: w.Mask, State: w.State}
			if a != nil {
				d.Expected, d.PreviousHash = a.Sequence, a.Hash
			}
			drafts = append(drafts, d)
			if w.Sealed {
				if before == nil {
					before = map[int]bool{}
				}
				before[len(drafts)-1] = true
			}
		}
		return nil
	})
	decided(err)
	if err != nil || len(drafts) == 0 {
		return out, false, err
	}
	if err := r.seal(ctx, &c, drafts, before); err != nil {
		return Outcome{}, false, err
	}
	committed, err := r.log.AppendBatch(ctx, eventlog.Command{
		RequestID: c.RequestID, RequestDigest: c.Digest,
		Principal: c.Principal, Manager: c.Manager, Reason: c.Reason, Recorded: r.now(),
	}, drafts)
	if err != nil {
		return Outcome{}, true, err
	}
	// Who reads next should find what was written.
	r.record.Owe(committed.Revision)
	return Outcome{Revision: committed.Revision, duplicate: committed.Duplicate}, true, nil
}

// seal encrypts what is personal: the log never has it in the clear. The digest
// of a request that holds such text is keyed, as the text could else be guessed
// from it.
func (r *Runner) seal(ctx context.Context, c *Command, drafts []eventlog.Draft, before map[int]bool) error {
	p := r.record.Personal()
	sealed := c.Reason != "" || c.Personal
	for i, d := range drafts {
		if before[i] {
			continue
		}
		found, err := p.Seal(ctx, d.Subject, c.Principal, d.Events)
		if err != nil {
			return err
		}
		sealed = sealed || found
	}
	if !sealed {
		return nil
	}
	var err error
	if c.Reason, err = p.SealReason(ctx, c.Org, c.RequestID, c.Principal, c.Reason); err != nil {
		return err
	}
	c.Digest, err = p.Digest(ctx, c.Org, c.Principal, c.Digest)
	return err
}

// sortSubjects orders guards, so that two commands never wait for each other.
func sortSubjects(s []eventlog.Subject) []eventlog.Subject {
	s = slices.Clone(s)
	slices.SortFunc(s, func(a, b eventlog.Subject) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Kind, b.Kind),
			strings.Compare(a.Service, b.Service), strings.Compare(a.Org, b.Org))
	})
	return slices.Compact(s)
}
