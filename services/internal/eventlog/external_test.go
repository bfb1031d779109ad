package eventlog_test

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/eventlog/eventlogtest"
	"setpoint.dev/services/natsfault"
)

// externalURL names a NATS server to run the suite on, with the settings of
// deploy/nats/setpoint.conf; without it a process of our own is the server.
const externalURL = "SETPOINT_TEST_NATS_URL"

func TestConformanceExternal(t *testing.T) {
	url := os.Getenv(externalURL)
	if url == "" {
		url = natsfault.Start(t, 1).URL()
	}
	// A server that others use, too: its shards are taken from the clock.
	shard := atomic.Int64{}
	shard.Store(time.Now().Unix() % 1_000_000_000 * 100)
	eventlogtest.Run(t, func(t testing.TB) eventlogtest.Target {
		return eventlogtest.Target{
			Options: eventlog.Options{Shard: int(shard.Add(1))},
			Connect: func(t testing.TB, opts ...nats.Option) *nats.Conn { return connect(t, url, opts...) },
		}
	})
}
