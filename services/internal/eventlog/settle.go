package eventlog

import (
	"bytes"
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"setpoint.dev/services/internal/fault"
)

// readers is how many messages are asked for at a time.
const readers = 16

// errNotMoved says that a commit was refused for a subject that moved, while
// every subject is where it was expected.
var errNotMoved = errors.New("nothing moved")

// settle finds out what became of a commit whose acknowledgement was lost or
// negative: our own request id at the same place is success; otherwise a
// subject that moved on is a conflict, errNotMoved if none did, and all else is
// unknown.
//
// A subject that is said to be before where it was expected has not moved: a
// server that was cut off says so when it comes back, until it learns that it
// was deposed, and both it and the leader that followed it take our messages
// and answer our questions; the commit that one of them refuses the other may
// have carried out. On a log with a single copy it is damage, on others if a
// leader that a majority hears goes on saying so (gone).
func (l *Log) settle(ctx context.Context, c Command, drafts []Draft, a attempt, cause error) (Committed, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return Committed{}, unavailable(errors.Join(cause, ctx.Err()))
	}
	first := drafts[0]
	done, last, err := l.find(ctx, c, drafts, a, cause)
	switch {
	case err != nil || done.Revision > 0:
		return done, err
	case last > 0:
		return Committed{}, conflict(first.Subject, first.Expected, last)
	case judge(cause) != moved:
		return Committed{}, unavailable(cause)
	}
	return l.blame(ctx, c, drafts, a, cause)
}

// find looks for the commit, which an earlier attempt may have written; without
// it, last is the newest message of the first subject after what was expected, 0
// if there is none.
func (l *Log) find(ctx context.Context, c Command, drafts []Draft, a attempt, cause error) (done Committed, last uint64, err error) {
	records, err := l.Since(ctx, drafts[0].Subject, drafts[0].Expected)
	if err != nil {
		if fault.KindOf(err) == fault.Unavailable {
			err = unavailable(cause)
		}
		return Committed{}, 0, err
	}
	for _, r := range records {
		e := r.Envelope
		if e.RequestId != c.RequestID || e.Commit.Index != 0 || int(e.Commit.Count) != len(drafts) {
			last = r.Sequence
			continue
		}
		if !bytes.Equal(e.RequestDigest, c.RequestDigest) {
			return Committed{}, 0, fault.New(fault.Exists, "log.request_reused",
				"request id %q was used before for another request", c.RequestID).
				WithHint("send a new request_id with each new request")
		}
		done, err = l.duplicate(ctx, r, drafts, a)
		return done, 0, err
	}
	return Committed{}, last, nil
}

// blame says which subject moved, after the commit was not found. An earlier
// attempt may have been on its way then: whatever it was that moved a subject
// since, this attempt itself or who came after it, the commit is there by now.
// So it is looked for once more. If another was first it can never be there.
func (l *Log) blame(ctx context.Context, c Command, drafts []Draft, a attempt, cause error) (Committed, error) {
	blamed := l.findConflict(ctx, drafts, cause)
	var other *ConflictError
	if !errors.As(blamed, &other) {
		return Committed{}, blamed
	}
	done, _, err := l.find(ctx, c, drafts, a, cause)
	if err != nil || done.Revision > 0 {
		return done, err
	}
	return Committed{}, blamed
}

// duplicate is the commit that begins with r, which an earlier attempt wrote.
func (l *Log) duplicate(ctx context.Context, r *Record, drafts []Draft, a attempt) (Committed, error) {
	n := len(drafts)
	found := attempt{at: r.Recorded(), hashes: make([][]byte, n), last: r.Revision}
	found.hashes[0] = r.Hash
	if len(a.hashes) == n && bytes.Equal(a.hashes[0], r.Hash) {
		// The very bytes of this attempt, and a commit is written whole.
		found.hashes = a.hashes
	} else {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(readers)
		for i := 1; i < n; i++ {
			group.Go(func() error {
				sequence := r.Sequence + uint64(i)
				other, err := l.At(ctx, sequence)
				if err != nil {
					return err
				}
				if other == nil {
					return hole(sequence, 0)
				}
				if other.Subject != drafts[i].Subject {
					return fault.New(fault.Exists, "log.request_reused",
						"request id %q was used before for another request", r.Envelope.RequestId)
				}
				found.hashes[i] = other.Hash
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return Committed{}, err
		}
	}
	done := found.committed()
	done.Duplicate = true
	return done, nil
}

// findConflict names the subject that is not where it was expected.
// The server's answer holds its sequence, but not which subject it is.
func (l *Log) findConflict(ctx context.Context, drafts []Draft, cause error) error {
	if n, ok := sequenceIn(cause); ok && n > 0 {
		r, err := l.At(ctx, n)
		if err != nil {
			return err
		}
		for _, d := range drafts {
			if r != nil && d.Subject == r.Subject && n > d.Expected {
				return conflict(d.Subject, d.Expected, n)
			}
		}
	}
	actual := make([]uint64, len(drafts))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, d := range drafts {
		group.Go(func() error {
			r, err := l.Last(reading, d.Subject)
			if r != nil {
				actual[i] = r.Sequence
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, d := range drafts {
		if actual[i] > d.Expected {
			return conflict(d.Subject, d.Expected, actual[i])
		}
	}
	for i, d := range drafts {
		if actual[i] >= d.Expected {
			continue
		}
		if l.copies == 1 {
			return l.tailLost(d)
		}
		return &behindError{d}
	}
	return errNotMoved
}

// behindError is an errNotMoved whose subject is said to be before where it was
// expected.
type behindError struct{ Draft }

func (e *behindError) Error() string        { return errNotMoved.Error() }
func (e *behindError) Is(target error) bool { return target == errNotMoved }

// absence is a message that a leader lacks, and since when it says so.
type absence struct {
	sequence uint64
	since    time.Time
}

// gone is the damage where the last message of a subject that is behind is
// lost: a leader that a majority hears has what comes after it, and has lacked
// it for as long as a server that was deposed may take to learn of it. nil if
// that is not so, or not yet.
func (l *Log) gone(ctx context.Context, err error, seen *absence) error {
	var behind *behindError
	if !errors.As(err, &behind) {
		return nil
	}
	before := *seen
	*seen = absence{}
	if r, err := l.At(ctx, behind.Expected); err != nil || r != nil {
		return nil
	}
	if end, err := l.ConfirmedEnd(ctx); err != nil || end < behind.Expected {
		return nil
	}
	if *seen = before; before.sequence != behind.Expected {
		*seen = absence{behind.Expected, time.Now()}
	}
	if time.Since(seen.since) < settles {
		return nil
	}
	return l.tailLost(behind.Draft)
}
