package record_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// Whoever waits in vain for a record whose disk is full is told that it is.
func TestWaitingNamesAFullDisk(t *testing.T) {
	for _, c := range []struct {
		trouble error
		full    bool
	}{
		{nil, false},
		{errors.New("write the record: the database is locked"), false},
		{errors.New("write the record: commit: database or disk is full (13)"), true},
		{fmt.Errorf("write the record: %w", syscall.ENOSPC), true},
		{errors.New(`ERROR: could not extend file "base/1/2": No space left on device (SQLSTATE 53100)`), true},
	} {
		rec := record.New(nil, record.Checkpoint{Revision: 3}, time.Nanosecond, func(context.Context) (uint64, error) { return 4, nil })
		rec.Trouble(c.trouble)
		err := rec.Wait(t.Context(), 4)
		if fault.ReasonOf(err) != "record.behind" || strings.Contains(err.Error(), "the disk that it is on is full") != c.full {
			t.Errorf("%v: it says %v", c.trouble, err)
		}
	}
}
