package eventlog_test

import (
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/eventlog/eventlogtest"
	"setpoint.dev/services/natsfault"
)

// Three servers with every message on each: conflicts are met by code 10164,
// and consumers may sit on a server that lags behind.
func TestConformanceCluster(t *testing.T) {
	cluster := natsfault.Start(t, 3)
	var shard atomic.Int64
	eventlogtest.Run(t, func(t testing.TB) eventlogtest.Target {
		return eventlogtest.Target{
			Options: eventlog.Options{Shard: int(shard.Add(1)), Replicas: 3},
			Connect: func(t testing.TB, opts ...nats.Option) *nats.Conn { return connect(t, cluster.URL(), opts...) },
		}
	})
}

func connect(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	return natsfault.Connect(t, url, opts...)
}

// Processes that start at once on servers that hold nothing all get the one
// log that is made.
func TestOpenedAtOnceOnACluster(t *testing.T) {
	cluster := natsfault.Start(t, 3)
	const processes, rounds = 5, 2
	for shard := range rounds {
		ids := make(chan string, processes)
		var all errgroup.Group
		for range processes {
			nc := connect(t, cluster.URL())
			all.Go(func() error {
				l, err := eventlog.Open(t.Context(), nc, eventlog.Options{Shard: shard, Replicas: 3})
				if err == nil {
					ids <- l.ID()
				}
				return err
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatalf("shard %d: %v", shard, err)
		}
		first := <-ids
		for range processes - 1 {
			if id := <-ids; id != first {
				t.Errorf("shard %d has two logs, %s and %s", shard, first, id)
			}
		}
	}
}
