package eventlog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/natsfault"
)

// One of three replicas is damaged at rest. While it does not lead that does
// not matter; when it does, readers halt and name the sequence unless they are
// served by another, and nobody is given a shorter history than there is; when
// its copy is deleted it gets another one.
func TestADamagedReplica(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	const messages = 200
	for name, c := range map[string]struct {
		damage  func(dir string) error
		missing uint64
	}{
		"a flipped bit":     {func(dir string) error { return natsfault.FlipBit(dir, "SETPOINT_0", []byte("payload of m100")) }, 101},
		"a truncated block": {func(dir string) error { return natsfault.Truncate(dir, "SETPOINT_0", 5_000) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := natsfault.Start(t, 3)
			nc := connect(t, cluster.URL())
			l, err := eventlog.Open(t.Context(), nc, eventlog.Options{Replicas: 3})
			if err != nil {
				t.Fatal(err)
			}
			for i := range messages {
				appendOne(t, l, fmt.Sprintf("m%d", i))
			}
			cluster.Stored(t, "SETPOINT_0", messages)
			victim := (cluster.Leader(t, "SETPOINT_0") + 1) % 3
			damaged := cluster.Servers[victim]
			restart := func(meanwhile func() error) {
				t.Helper()
				damaged.Shutdown()
				if err := meanwhile(); err != nil {
					t.Fatal(err)
				}
				if err := damaged.Start(); err != nil {
					t.Fatal(err)
				}
				cluster.Ready(t)
			}
			restart(func() error { return c.damage(damaged.Dir) })

			// Consumers are placed on any server: some of these are on the
			// damaged one.
			for range 6 {
				if n, err := follow(t, l, messages); err != nil || n != messages {
					t.Fatalf("with a damaged follower %d messages were read, %v", n, err)
				}
			}

			lead(t, nc, cluster, victim)
			// A consumer on a sound server still reads everything.
			for range 6 {
				n, err := follow(t, l, messages)
				var h *eventlog.HoleError
				if (err != nil || n != messages) && (!errors.As(err, &h) || c.missing != 0 && h.Expected != c.missing) {
					t.Fatalf("with a damaged leader %d messages were read, %v", n, err)
				}
			}

			restart(func() error {
				return os.RemoveAll(filepath.Join(damaged.Dir, "jetstream", "$G", "streams", "SETPOINT_0"))
			})
			lead(t, nc, cluster, victim)
			if n, err := follow(t, l, messages); err != nil || n != messages {
				t.Fatalf("with a new copy %d messages were read, %v", n, err)
			}
		})
	}
}

// follow reads as a projection does that begins anew, until it has as many
// messages as there are.
func follow(t *testing.T, l *eventlog.Log, messages uint64) (n uint64, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = l.Follow(ctx, 0, func(batch []*eventlog.Record) error {
		if n += uint64(len(batch)); n >= messages {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return n, err
}

var errEnough = errors.New("enough")

// lead makes a server the leader of the log.
func lead(t *testing.T, nc *nats.Conn, cluster *natsfault.Cluster, server int) {
	t.Helper()
	request, err := json.Marshal(map[string]any{"placement": map[string]string{"preferred": cluster.Servers[server].Name}})
	if err != nil {
		t.Fatal(err)
	}
	limit := time.Now().Add(2 * time.Minute)
	for cluster.Leader(t, "SETPOINT_0") != server {
		if time.Now().After(limit) {
			t.Fatalf("%s does not lead", cluster.Servers[server].Name)
		}
		// Its answer may be lost with the leader that it deposes.
		if _, err := nc.Request("$JS.API.STREAM.LEADER.STEPDOWN.SETPOINT_0", request, 5*time.Second); err != nil {
			t.Logf("step down: %v", err)
		}
	}
}
