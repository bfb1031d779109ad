package rpc

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/strategy"
)

// Many values are looked up in the same way as each by itself, however many
// stand between the first and the last of them.
func TestManyValuesStandAsEachDoes(t *testing.T) {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "record.db"), kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	day := func(n int) string { return time.Date(2000, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) }
	var changes []record.Change
	for n := range 3000 {
		sources := [][]string{{""}, {"a"}, {"a", "b", "c"}, {"", "z"}, {}, {"b"}, {"a", "c"}}[n%7]
		for _, source := range sources {
			changes = append(changes, record.PutObservation{Observation: record.Observation{
				Org: "acme", MetricID: "m", ObservationKey: record.ObservationKey{At: day(n), Source: source},
				Value: float64(n), From: 1, To: record.Never, Recorded: time.Unix(0, 0).UTC(),
			}})
		}
	}
	changes = append(changes, record.PutCommit{Org: "acme", Revision: 1, Recorded: time.Unix(0, 0).UTC()})
	if err := store.Write(ctx, record.Checkpoint{}, record.Checkpoint{LogID: "log", Revision: 1}, changes); err != nil {
		t.Fatal(err)
	}
	// In a row, far apart, and before, across and after all that stands.
	for name, c := range map[string]struct{ first, step, n int }{
		"in a row": {100, 1, 500}, "far apart": {0, 50, 60}, "around": {-40, 1, 80}, "after": {2990, 1, 60}, "few": {10, 1, 5},
	} {
		t.Run(name, func(t *testing.T) {
			var values []strategy.Observation
			for i := range c.n {
				values = append(values, strategy.Observation{Identity: strategy.Identity{
					At: day(c.first + i*c.step), Source: []string{"", "a", "b", "bb", "z", "zz"}[i%6]}})
			}
			slices.Reverse(values)
			if err := store.View(ctx, func(v record.View) error {
				s, err := standingOf(v, "acme", "m", values)
				if err != nil {
					return err
				}
				if wasMany := s.days != nil; wasMany != (c.n > few) {
					t.Errorf("%d values: read at once is %v", c.n, wasMany)
				}
				for _, o := range values {
					key := record.ObservationKey{At: o.At, Source: o.Source}
					have, beside, err := s.find(key)
					want, wantBeside, wantErr := v.Observation("acme", "m", key)
					if err != nil || wantErr != nil {
						return fmt.Errorf("%v %w", err, wantErr)
					}
					if !reflect.DeepEqual(have, want) || !slices.Equal(beside, wantBeside) {
						t.Errorf("%v: %v beside %q, want %v beside %q", key, have, beside, want, wantBeside)
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
