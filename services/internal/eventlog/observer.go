package eventlog

import (
	"context"

	"setpoint.dev/services/internal/fault"
)

// Observer is told what happens to the log. It must be quick; a nil func is
// not called.
type Observer struct {
	// Append is called when a commit begins; what it returns, when it ends.
	Append func(ctx context.Context, messages int) (context.Context, func(Appended))
}

// Appended tells how a commit ended.
type Appended struct {
	Messages, Bytes int
	Tries           int // at sending it
	Duplicate       bool
	Err             error
	// GivenUp is set where the caller went away, which says nothing of the log.
	GivenUp bool
}

// observed carries out a commit in sight of the observer.
func (l *Log) observed(ctx context.Context, messages int, run func(context.Context, *Appended) (Committed, error)) (Committed, error) {
	if l.opts.Observer.Append == nil {
		return run(ctx, &Appended{})
	}
	caller := ctx
	ctx, end := l.opts.Observer.Append(ctx, messages)
	a := Appended{Messages: messages}
	done, err := run(ctx, &a)
	a.Duplicate, a.Err = done.Duplicate, err
	a.GivenUp = err != nil && fault.KindOf(err) == fault.Unavailable && caller.Err() != nil
	end(a)
	return done, err
}

// TakesWrites asks the leader of the log for a refusal, on the way that writes
// take: nil says that it is there and answers. Nothing is written.
func (l *Log) TakesWrites(ctx context.Context) error { return l.checkBatchLimit(ctx) }
