package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
	"setpoint.dev/services/natsfault"
)

// The log's files are damaged while nothing runs. Whether the record is there
// or has to be made again, the service never serves a shorter history as if it
// were whole: it does not start, or is not healthy, and names the place.
func TestDamageAtRest(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	const values = 60
	const unknowable = "the last messages gone, and the index of NATS with them"
	names := regexp.MustCompile(`\b\d+\b`)
	flip := func(n int) func(string) error {
		return func(dir string) error {
			return natsfault.FlipBit(dir, "SETPOINT_0", fmt.Appendf(nil, "source-%02d", n))
		}
	}
	for name, damage := range map[string]func(dir string) error{
		"a bit in the middle":     flip(values / 2),
		"a bit at the end":        flip(values - 1),
		"the last message in two": func(dir string) error { return natsfault.Truncate(dir, "SETPOINT_0", 50) },
		"the last messages gone":  func(dir string) error { return natsfault.Truncate(dir, "SETPOINT_0", 3000) },
		unknowable: func(dir string) error {
			indexes, err := filepath.Glob(filepath.Join(dir, "jetstream", "$G", "streams", "SETPOINT_0", "msgs", "index.db"))
			if err != nil || len(indexes) != 1 {
				return fmt.Errorf("indexes %v, %w", indexes, err)
			}
			return errors.Join(os.Remove(indexes[0]), natsfault.Truncate(dir, "SETPOINT_0", 3000))
		},
	} {
		for _, rebuild := range []bool{false, true} {
			if rebuild && name == unknowable {
				continue // nothing is left that knows how long the log was, but a backup
			}
			t.Run(fmt.Sprintf("%s, record made again %t", name, rebuild), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				start := func() (*devserver.Server, error) {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
					defer cancel()
					return devserver.Start(ctx, devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test"})
				}
				s, err := start()
				if err != nil {
					t.Fatal(err)
				}
				c := connectTo(t, s.URL(), "default")
				c.apply(small)
				for i := range values {
					v := value("revenue", "2020-01-01", float64(i))
					v.Source = fmt.Sprintf("source-%02d", i)
					if _, err := c.record(v); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if err := damage(filepath.Join(dir, "nats")); err != nil {
					t.Fatal(err)
				}
				if rebuild {
					dropRecord(t, dir)
				}

				s, err = start()
				if err != nil {
					t.Logf("refused: %v", err)
					if !names.MatchString(err.Error()) {
						t.Errorf("it does not start, and names no place: %v", err)
					}
					return
				}
				defer func() { _ = s.Close() }()
				there := -1
				res, err := connectTo(t, s.URL(), "default").observe.ListObservations(t.Context(), &strategyv1.ListObservationsRequest{Metric: "revenue"})
				if err == nil {
					there = len(res.GetObservations())
				}
				sick := s.Healthy(t.Context())
				t.Logf("%d values, %v; healthy: %v", there, err, sick)
				if sick == nil && there != values {
					t.Errorf("%d of %d values (%v), and the service is healthy", there, values, err)
				}
			})
		}
	}
}
