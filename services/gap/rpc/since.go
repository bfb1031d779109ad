package rpc

import (
	"context"
	"strconv"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/report"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
)

// moment is a point of the past to read at.
type moment struct {
	revision int64
	knownAt  string
}

func (m moment) GetRevision() int64    { return m.revision }
func (m moment) GetKnownAt() string    { return m.knownAt }
func (m moment) GetMinRevision() int64 { return 0 }

// before evaluates what a report is compared with. A position of the log is what
// was known then, on the day of the report. A day is its end, with what was
// known by then; where nothing was, because history was loaded later, with what
// the report knows.
func (s *Service) before(ctx context.Context, q query, since string, now gap.Result) (*report.Before, error) {
	at, isRevision := strconv.ParseInt(since, 10, 64)
	b := &report.Before{Argument: since}
	if isRevision == nil {
		if uint64(at) >= now.Revision {
			return nil, fault.New(fault.Invalid, "gap.since", "since: revision %d is not before the report's, %d", at, now.Revision).
				WithHint("an earlier revision, or a day")
		}
		b.Label = "revision " + since
		return b, s.compareWith(ctx, q, b, now.AsOf, at, now)
	} else {
		day, err := calendar.ParseDate(since)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "gap.since", "since: %.64q is neither a revision nor a day", since).WithHint("4711 or YYYY-MM-DD")
		}
		if !day.Before(now.AsOf) {
			return nil, fault.New(fault.Invalid, "gap.since", "since: %s is not before the report's day, %s", day, now.AsOf).WithHint("an earlier day")
		}
		b.Label = since
		known, err := s.knownBy(ctx, day, now.Revision)
		if err != nil {
			return nil, err
		}
		if known == 0 {
			known = int64(now.Revision)
			b.Note = "Nothing was on record by then: it is compared with that day as it is known now."
		}
		return b, s.compareWith(ctx, q, b, day, known, now)
	}
}

// compareWith evaluates a day with what was known at a revision into b.
func (s *Service) compareWith(ctx context.Context, q query, b *report.Before, day calendar.Date, revision int64, now gap.Result) error {
	q.asOf, q.snapshot, q.forecast = day.String(), moment{revision: revision}, false
	// A policy or a strategy that did not exist yet: then there is nothing to
	// compare with, and all of it is new.
	p, r, _, err := s.evaluate(ctx, q)
	if fault.KindOf(err) == fault.NotFound {
		r = gap.Result{AsOf: now.AsOf, Revision: uint64(revision)}
		b.Note = "The strategy or the policy was not declared by then."
		err = nil
	}
	b.Portfolio, b.Result = p, r
	return err
}

// knownBy is the last position that was on record by the end of a day, at most
// latest; 0 if nothing was.
func (s *Service) knownBy(ctx context.Context, day calendar.Date, latest uint64) (int64, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return 0, err
	}
	var known uint64
	err = s.record.At(ctx, record.Snapshot{Org: who.Org, KnownOn: day}, func(_ record.View, at uint64) error {
		known = at
		return nil
	})
	return int64(min(known, latest)), err
}
