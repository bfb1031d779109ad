package ensure_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/ensure"
)

// A question that nobody answers is asked again while there is time for it.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		answer, err := ensure.Answered(t.Context(), func(ctx context.Context) (int, error) {
			if asked++; asked < 3 {
				<-ctx.Done() // as a request does that is lost on its way
				return 0, ctx.Err()
			}
			return 42, nil
		})
		if answer != 42 || err != nil || asked != 3 {
			t.Errorf("after %d questions the answer is %d, %v", asked, answer, err)
		}
	})
}

// What is not there is made, also if the first answer to that is lost and what
// was made is then found.
func TestALostMakingIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there, asked := false, 0
		find := func(context.Context) (string, error) {
			if !there {
				return "", jetstream.ErrStreamNotFound
			}
			return "found", nil
		}
		make := func(ctx context.Context) (string, error) {
			asked++
			there = true
			<-ctx.Done()
			return "", ctx.Err()
		}
		if got, err := ensure.Made(t.Context(), find, make); got != "found" || err != nil || asked != 1 {
			t.Errorf("%q, %v after it was made %d times", got, err, asked)
		}
	})
}

// A final answer ends the asking, and so does the end of the caller's time.
func TestAskingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		final := errors.New("no")
		if _, err := ensure.Answered(t.Context(), func(context.Context) (int, error) { return 0, final }); !errors.Is(err, final) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		_, err := ensure.Answered(ctx, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() == nil {
			t.Errorf("got %v", err)
		}
	})
}
