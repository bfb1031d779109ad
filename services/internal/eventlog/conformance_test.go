package eventlog_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog/eventlogtest"
)

func TestConformanceEmbedded(t *testing.T) {
	eventlogtest.Run(t, embedded)
}

func embedded(t testing.TB) eventlogtest.Target {
	server, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return eventlogtest.Target{Connect: func(t testing.TB, opts ...nats.Option) *nats.Conn {
		nc, err := server.Connect(opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}}
}
