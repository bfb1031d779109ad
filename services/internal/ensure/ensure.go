// Package ensure finds what setpoint keeps in NATS, and makes what is not
// there, also while several processes do so at once on servers that are still
// electing: an answer may be lost, and what another process makes is neither
// missing nor there for a moment.
//
// Start with Made; Answered is for questions whose answer makes nothing.
package ensure

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// answer bounds how long one question waits: a request that reaches no
	// leader is answered by nobody.
	answer = 5 * time.Second
	// The pause before the next question, at first and at most.
	pause, longest = 10 * time.Millisecond, 250 * time.Millisecond

	// forming is how long servers that have just started may take to know each
	// other: before, those that they have not heard from do not count.
	forming = 10 * time.Second

	codeClusterNotAvailable jetstream.ErrorCode = 10008
	codeNoPeers             jetstream.ErrorCode = 10005
)

// Made returns what find finds, or makes it, and asks again until there is a
// final answer or ctx ends.
func Made[T any](ctx context.Context, find, make func(context.Context) (T, error)) (T, error) {
	return Answered(ctx, func(asking context.Context) (T, error) {
		found, err := find(asking)
		if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) {
			return asked(ctx, make) // with its own time
		}
		return found, err
	})
}

// Answered returns what question answers, and asks again until there is a final
// answer or ctx ends: between servers that still change their connections a
// request, or what answers it, may be lost.
func Answered[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	began := time.Now()
	for wait := pause; ; wait = min(2*wait, longest) {
		answer, err := asked(ctx, question)
		if !soon(err, time.Since(began)) {
			return answer, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return answer, err
		}
	}
}

func asked[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return question(ctx)
}

// soon tells an error that may be gone in a moment, after some time of asking.
func soon(err error, asking time.Duration) bool {
	var api *jetstream.APIError
	switch {
	case err == nil:
		return false
	case errors.Is(err, jetstream.ErrStreamNameAlreadyInUse), errors.Is(err, jetstream.ErrBucketExists):
		return true // somebody else was first, and it can be found in a moment
	case errors.As(err, &api):
		return api.ErrorCode == codeClusterNotAvailable || api.ErrorCode == codeNoPeers && asking < forming
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse)
}
