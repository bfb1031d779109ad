package runner

import (
	"context"
	"errors"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// Observer is told how commands go. It must be quick; a nil func is not called.
type Observer struct {
	// Command is called when a command begins, with its request id; what it
	// returns, when it ends.
	Command func(ctx context.Context, requestID string) (context.Context, func(Ran))
	// Decide is called when a picture is taken and decided on; what it returns,
	// when the decision is there.
	Decide func(ctx context.Context) (context.Context, func(error))
}

// Ran tells how a command ended.
type Ran struct {
	Result    Result
	Decisions int // 1, and one more after each conflict or check of an old picture
	Err       error
}

// Result is a kind of end of a command.
type Result string

// What can become of a command.
const (
	Written   Result = "written"
	AlreadySo Result = "already_so" // nothing was to be written
	Replayed  Result = "replayed"   // its request id had been carried out before
	Conflict  Result = "conflict"   // others were faster each time
	Refused   Result = "refused"    // by a rule, or because the request is wrong
	Failed    Result = "failed"     // a defect, or something is not there
)

var errPanicked = errors.New("the decision panicked")

// Results are all of them.
var Results = []Result{Written, AlreadySo, Replayed, Conflict, Refused, Failed}

// Observe sets who is told; it is for before the first command.
func (r *Runner) Observe(o Observer) { r.observer = o }

func (o Observer) command(ctx context.Context, requestID string) (context.Context, func(Ran)) {
	if o.Command == nil {
		return ctx, func(Ran) {}
	}
	return o.Command(ctx, requestID)
}

func (o Observer) decide(ctx context.Context) (context.Context, func(error)) {
	if o.Decide == nil {
		return ctx, func(error) {}
	}
	return o.Decide(ctx)
}

// ran sorts the end of a command.
func ran(out Outcome, wrote bool, decisions int, err error) Ran {
	r := Ran{Decisions: decisions, Err: err}
	switch {
	case err == nil && (out.Replayed != nil || out.duplicate):
		r.Result = Replayed
	case err == nil && wrote:
		r.Result = Written
	case err == nil:
		r.Result = AlreadySo
	case errors.As(err, new(*eventlog.ConflictError)):
		r.Result = Conflict
	case fault.KindOf(err) == fault.Internal || fault.KindOf(err) == fault.Unavailable:
		r.Result = Failed
	default:
		r.Result = Refused
	}
	return r
}
