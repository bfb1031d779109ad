package eventlog_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/eventlog/eventlogtest"
)

// Three servers with every message on each: conflicts are met by code 10164,
// and consumers may sit on a server that lags behind.
func TestConformanceCluster(t *testing.T) {
	urls := cluster(t, 3)
	var shard atomic.Int64
	eventlogtest.Run(t, func(t testing.TB) eventlogtest.Target {
		return eventlogtest.Target{
			Options: eventlog.Options{Shard: int(shard.Add(1)), Replicas: 3},
			Connect: func(t testing.TB, opts ...nats.Option) *nats.Conn {
				nc, err := nats.Connect(strings.Join(urls, ","), append([]nats.Option{nats.UserInfo("test", "test")}, opts...)...)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(nc.Close)
				return nc
			},
		}
	})
}

// cluster starts servers that form one, and waits until it can make streams.
func cluster(t *testing.T, size int) (urls []string) {
	t.Helper()
	routes := make([]*url.URL, size)
	ports := make([]int, size)
	for i := range routes {
		// Servers of a cluster must know each other's ports before they start.
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = listener.Addr().(*net.TCPAddr).Port
		routes[i] = &url.URL{Scheme: "nats", Host: listener.Addr().String(), User: url.UserPassword("route", "route")}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
	}
	servers := make([]*server.Server, size)
	for i := range servers {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT,
			Username: "test", Password: "test", NoSigs: true, NoLog: true, MaxPayload: 8 << 20,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			JetStreamLimits:       server.JSLimitOpts{MaxBatchSize: eventlog.DefaultMaxBatch},
			StreamMaxBufferedMsgs: 3 * eventlog.DefaultMaxBatch, StreamMaxBufferedSize: 512 << 20,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i], Username: "route", Password: "route"},
			Routes:  routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		servers[i] = s
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		go s.Start()
	}
	for _, s := range servers {
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server is not ready")
		}
		urls = append(urls, s.ClientURL())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !formed(servers) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the cluster did not form")
		}
	}
	return urls
}

func formed(servers []*server.Server) bool {
	peers := 0
	for _, s := range servers {
		if !s.JetStreamIsCurrent() || s.Healthz(nil).Error != "" {
			return false
		}
		if s.JetStreamIsLeader() {
			peers = len(s.JetStreamClusterPeers())
		}
	}
	return peers == len(servers)
}
