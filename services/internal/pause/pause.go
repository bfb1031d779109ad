// Package pause waits for some time, unless there is no more need to.
package pause

import (
	"context"
	"time"
)

// For waits for d, if that is any time, or until ctx ends, and tells whether ctx
// goes on.
func For(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
