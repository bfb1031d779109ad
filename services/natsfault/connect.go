package natsfault

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Connect opens a connection, which is closed with the test, to servers that are
// well: a machine that is busy may take longer for one than a client waits.
func Connect(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append([]nats.Option{nats.MaxReconnects(-1)}, opts...)
	for end := time.Now().Add(readyAfter); ; {
		nc, err := nats.Connect(url, opts...)
		if err == nil {
			t.Cleanup(nc.Close)
			return nc
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
