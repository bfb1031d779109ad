package pause

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, tt := range []struct {
			d, took time.Duration
			goesOn  bool
		}{
			{0, 0, true}, {-time.Second, 0, true}, {time.Second, time.Second, true},
			{time.Hour, 59 * time.Second, false}, // until the context ends
			{time.Hour, 0, false}, {0, 0, false},
		} {
			before := time.Since(began)
			if goesOn, took := For(ctx, tt.d), time.Since(began)-before; goesOn != tt.goesOn || took != tt.took {
				t.Errorf("%s: %t after %s, want %t after %s", tt.d, goesOn, took, tt.goesOn, tt.took)
			}
		}
	})
}
