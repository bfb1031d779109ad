package eventlog_test

import (
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

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
	nc, err := nats.Connect(url, append([]nats.Option{nats.MaxReconnects(-1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}
