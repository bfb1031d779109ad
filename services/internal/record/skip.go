package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// EventSkipped is the wire name of the event by which a message is left out.
const EventSkipped = "record.event_skipped.v1"

// SkipSubject is the aggregate of everything that is left out of the folds of
// a log. It is of no tenant: a message that is missing tells no organization.
func SkipSubject() eventlog.Subject {
	return eventlog.Subject{Org: "setpoint", Service: "record", Kind: "skips", ID: "all"}
}

// Skip is a message that every fold of a log leaves out.
type Skip struct {
	Sequence          uint64
	Problem           string // what was wrong with it
	Revision          uint64 // of the event that says so
	Recorded          time.Time
	RequestID         string
	Principal, Reason string
}

// Skips reads from the log's leader what is left out, in the order in which it
// was decided. Every fold reads it before it begins, because the decision
// stands in the log behind the message that it is about.
func Skips(ctx context.Context, log *eventlog.Log) ([]Skip, error) {
	records, err := log.Since(ctx, SkipSubject(), 0)
	if err != nil {
		return nil, err
	}
	var out []Skip
	for _, r := range records {
		skips, err := SkipsIn(r)
		if err != nil {
			return nil, err
		}
		out = append(out, skips...)
	}
	return out, nil
}

// SkipsIn are the decisions that a message of SkipSubject holds.
func SkipsIn(r *eventlog.Record) ([]Skip, error) {
	var out []Skip
	for _, e := range r.Envelope.GetEvents() {
		if e.GetType() != EventSkipped {
			return nil, &FoldError{r.Sequence, unknownEvent(fmt.Errorf("event %s at sequence %d: %w", e.GetType(), r.Sequence, errUnknown))}
		}
		var skipped adminv1.EventSkipped
		if err := proto.Unmarshal(e.GetPayload(), &skipped); err != nil {
			return nil, &FoldError{r.Sequence, fmt.Errorf("event %s at sequence %d: %w", e.GetType(), r.Sequence, err)}
		}
		out = append(out, Skip{
			Sequence: uint64(skipped.GetSequence()), Problem: skipped.GetProblem(),
			Revision: r.Revision, Recorded: r.Recorded(), RequestID: r.Envelope.GetRequestId(),
			Principal: r.Envelope.GetPrincipal(), Reason: r.Envelope.GetReason(),
		})
	}
	return out, nil
}

func exceptions(ctx context.Context, log *eventlog.Log) (map[uint64]bool, error) {
	skips, err := Skips(ctx, log)
	if err != nil {
		return nil, err
	}
	except := make(map[uint64]bool, len(skips))
	for _, s := range skips {
		except[s.Sequence] = true
	}
	return except, nil
}

// Whole fails if the log is known to lack a message that nobody has decided to
// leave out; see eventlog.Log.Whole.
func Whole(ctx context.Context, log *eventlog.Log) error {
	return log.Whole(ctx, func(ctx context.Context) (map[uint64]bool, error) { return exceptions(ctx, log) })
}

// HaltedAt is the message of the log that a projection could not pass; false
// if it halted for another reason.
func HaltedAt(err error) (sequence uint64, ok bool) {
	var f *FoldError
	if errors.As(err, &f) {
		return f.Sequence, true
	}
	return eventlog.Damaged(err)
}

// Newer tells whether a projection halted because the binary is older than the
// log or the record: another binary would go on.
func Newer(err error) bool {
	switch fault.ReasonOf(err) {
	case "record.unknown_event", "record.newer_fold", "record.newer_schema", "log.format_newer":
		return true
	}
	return false
}

// SkipCommand asks for a message to be left out.
type SkipCommand struct {
	Sequence  uint64
	RequestID string
	Principal string
	Reason    string
	Unknown   bool // also one that only this binary does not know
}

// probeFor bounds how long the message is looked for.
const probeFor = time.Minute

// Skipped is what Skip did.
type Skipped struct {
	Revision uint64 // of the event that says so
	// OnRecord says that the live generation lies behind the message, and may
	// hold what it said until the record is rebuilt.
	OnRecord bool
}

// Skip leaves a message out of every fold of the log. It refuses any message
// but the first that folding cannot pass; asking again for one that is left out
// changes nothing. A projection that halted there goes on before Skip returns,
// if this process projects; others learn of it within seconds.
//
// A message before the place of the live generation, lost after it was folded,
// stays on record until the next rebuild, which would halt there otherwise.
//
// Of a message that decodes as an envelope only the effects are left out: the
// aggregate's place in the log and the request id stay on record, so that the
// next command on the aggregate is guarded as it should be. The other messages
// of its commit are folded.
func (p *Projection) Skip(ctx context.Context, c SkipCommand) (done Skipped, err error) {
	skips, err := Skips(ctx, p.log)
	if err != nil {
		return done, err
	}
	at, err := p.data.Checkpoint(ctx)
	if err != nil {
		return done, err
	}
	done.OnRecord = c.Sequence <= at.Revision
	for _, s := range skips {
		switch {
		case s.Sequence == c.Sequence:
			p.Retry(ctx)
			// A generation that lies behind the decision may have been built before it.
			return Skipped{Revision: s.Revision, OnRecord: done.OnRecord}, nil
		case s.RequestID == c.RequestID:
			return done, fault.New(fault.Invalid, "request.id_reused",
				"request_id: %q was used at revision %d for another request", c.RequestID, s.Revision).
				WithHint("use a fresh request_id for each new request")
		}
	}
	problem, err := p.probe(ctx, at, c.Sequence)
	if err != nil {
		return done, err
	}
	if Newer(problem) && !c.Unknown {
		return done, fault.Wrap(problem, fault.Rule, "record.skip_unknown",
			"sequence: message %d is newer than this binary, which is no reason to leave it out for ever", c.Sequence).
			WithHint("start a newer binary; if there is none that knows the event, say so with --unknown")
	}
	payload, err := proto.Marshal(&adminv1.EventSkipped{Sequence: int64(c.Sequence), Problem: problem.Error()})
	if err != nil {
		return done, err
	}
	draft := eventlog.Draft{Subject: SkipSubject(), Events: []eventlog.Event{{Type: EventSkipped, Payload: payload}}}
	last, err := p.log.Last(ctx, draft.Subject)
	if err != nil {
		return done, err
	}
	if last != nil {
		draft.Expected, draft.PreviousHash = last.Sequence, last.Hash
	}
	appended, err := p.log.Append(ctx, eventlog.Command{
		RequestID: c.RequestID, Principal: c.Principal, Manager: "api", Reason: c.Reason, Recorded: time.Now(),
	}, draft)
	if err != nil {
		return done, err
	}
	p.logger.Warn("a message of the log is left out of the projections", "sequence", c.Sequence,
		"principal", c.Principal, "reason", c.Reason, "problem", problem)
	p.Retry(ctx)
	done.Revision = appended.Revision
	return done, nil
}

var errPassed = errors.New("the message was passed")

// probe reads on from the live checkpoint, or from the beginning if the message
// lies before it, and returns what is wrong with the message; it fails if that
// is not the first that cannot be passed.
func (p *Projection) probe(ctx context.Context, at Checkpoint, sequence uint64) (problem, err error) {
	info, err := p.log.Info(ctx)
	if err != nil {
		return nil, err
	}
	folds := fault.New(fault.Rule, "record.skip_folds",
		"sequence: message %d folds well: only a message that the projection halts at can be left out", sequence).
		WithHint("setpoint projections list tells where it halted, if it did")
	if sequence > info.Last {
		return nil, fault.New(fault.Invalid, "record.skip_beyond_end",
			"sequence: there is no message %d, the log ends at %d", sequence, info.Last)
	}
	from := at.Revision
	if sequence <= from {
		from = 0
	}
	except, err := exceptions(ctx, p.log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	err = p.log.FollowExcept(ctx, from, except, func(batch []*eventlog.Record) error {
		for _, m := range batch {
			if _, err := Fold(p.kinds, m); err != nil {
				return err
			}
			if m.Sequence >= sequence {
				return errPassed
			}
		}
		return nil
	})
	found, known := HaltedAt(err)
	switch {
	case errors.Is(err, errPassed):
		return nil, folds
	case ctx.Err() != nil:
		return nil, fault.Wrap(err, fault.Unavailable, "record.skip_unsure", "it was not learned in time whether message %d folds", sequence)
	case !known:
		return nil, err
	case found != sequence:
		return nil, fault.Wrap(err, fault.Rule, "record.skip_elsewhere",
			"sequence: the projection cannot pass message %d, which is not %d", found, sequence).
			WithHint("see to message %d first", found)
	}
	return err, nil
}
