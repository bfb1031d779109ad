package rpc

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/pause"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
)

// watching bounds what those who watch may cost.
type watching struct {
	places     chan struct{} // one for each who watches
	evaluating chan struct{} // one for each of their evaluations that runs
	// pause is the least time from one evaluation to the next of one who
	// watches; what is recorded meanwhile is evaluated once.
	pause time.Duration
	// lookEvery is how often the calendar is looked at.
	lookEvery time.Duration
}

func newWatching() watching {
	return watching{
		places: make(chan struct{}, 64), evaluating: make(chan struct{}, 2),
		pause: 200 * time.Millisecond, lookEvery: 20 * time.Second,
	}
}

// Watch implements GapService. The revision of a result alone makes no
// difference: others record, too.
func (s *Service) Watch(ctx context.Context, req *gapv1.WatchRequest, stream *connect.ServerStream[gapv1.WatchResponse]) error {
	who, err := principal.From(ctx)
	if err != nil {
		return err
	}
	select {
	case s.watching.places <- struct{}{}:
		defer func() { <-s.watching.places }()
	default:
		return fault.New(fault.Exhausted, "gap.too_many_watch", "%d clients watch already", cap(s.watching.places)).
			WithHint("ask with Evaluate, or try again later")
	}
	q := req.GetQuery()
	var sent [sha256.Size]byte
	for {
		after, _ := s.record.Status() // before the picture is taken, so that nothing is missed
		res, took, err := s.evaluateForWatch(ctx, q)
		if err != nil {
			return err
		}
		sum, err := digest(res)
		if err != nil {
			return err
		}
		if sum != sent {
			if err := stream.Send(&gapv1.WatchResponse{Result: res}); err != nil {
				return err
			}
			sent = sum
		}
		// A large portfolio takes a fifth of a core at most.
		if !pause.For(ctx, max(s.watching.pause, 4*took)) {
			return ctx.Err()
		}
		if err := s.awaitChange(ctx, who.Org, after, q, res.GetAsOf()); err != nil {
			return err
		}
	}
}

func (s *Service) evaluateForWatch(ctx context.Context, q *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, time.Duration, error) {
	select {
	case s.watching.evaluating <- struct{}{}:
		defer func() { <-s.watching.evaluating }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	began := time.Now()
	res, err := s.Evaluate(ctx, q)
	return res, time.Since(began), err
}

// digest is the same for two results that differ in their revision only.
func digest(res *gapv1.EvaluateResponse) ([sha256.Size]byte, error) {
	revision := res.GetRevision()
	res.Revision = 0
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(res)
	res.Revision = revision
	return sha256.Sum256(content), err
}

// awaitChange waits until something is recorded of the organization after a
// revision, or until it is another day there; neither matters to a query that
// says what was known, or which day.
func (s *Service) awaitChange(ctx context.Context, org string, after uint64, q *gapv1.EvaluateRequest, asOf string) error {
	known := q.GetRevision() != 0 || q.GetKnownAt() != ""
	for {
		look, cancel := context.WithTimeout(ctx, s.watching.lookEvery)
		var err error
		if known {
			<-look.Done()
			err = look.Err()
		} else {
			err = s.record.Await(look, org, after)
		}
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return fault.Wrap(err, fault.Unavailable, "record.halted", "the record has halted").
				WithHint("the operator finds the reason with: setpoint status")
		}
		if q.GetAsOf() != "" {
			continue
		}
		today, err := s.today(ctx, org)
		if err != nil || today.String() != asOf {
			return err
		}
	}
}

func (s *Service) today(ctx context.Context, org string) (day calendar.Date, err error) {
	err = s.record.View(ctx, func(v record.View) error {
		day = record.Today(v, org, v.Revision(), s.now())
		return nil
	})
	return day, err
}
