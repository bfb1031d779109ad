package natsfault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// User and Password open the servers.
	User, Password = "setpoint", "test"

	// readyAfter bounds how long servers take to start, or to agree again.
	readyAfter = 3 * time.Minute

	clientPort, routePort, monitorPort = 4222, 6222, 8222
)

// Cluster is some servers, with a link for every way between them and to them.
type Cluster struct {
	Servers []*Server

	routes  [][]*Link // [from][to]
	clients []*Link
}

// Start starts servers, three or one, that allow batches of 20,000 messages
// and sync every write, and waits until streams can be made. They end with the
// test.
func Start(t testing.TB, size int) *Cluster {
	t.Helper()
	c := &Cluster{}
	network, release, err := Network()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	address := func(host, port int) string { return fmt.Sprintf("%s.%d:%d", network, host, port) }
	link := func(host, port, server int) *Link {
		l, err := NewLink(address(host, port), address(server, port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	dir := t.TempDir()
	for i := range size {
		s := &Server{
			Name: fmt.Sprintf("n%d", i+1), Dir: filepath.Join(dir, fmt.Sprintf("n%d", i+1)),
			config: filepath.Join(dir, fmt.Sprintf("n%d.conf", i+1)), log: filepath.Join(dir, fmt.Sprintf("n%d.log", i+1)),
			monitor: "http://" + address(i+1, monitorPort),
		}
		c.Servers = append(c.Servers, s)
		c.clients = append(c.clients, link(50+i, clientPort, i+1))
		routes := make([]*Link, size)
		for j := range routes {
			if j != i {
				routes[j] = link(100+10*i+j, routePort, j+1)
			}
		}
		c.routes = append(c.routes, routes)
		text := configuration(s, address(i+1, clientPort), s.monitor, address(i+1, routePort), address(253, routePort), routes)
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, s := range c.Servers {
				t.Logf("the end of what %s said:\n%s", s.Name, tail(s.Log(), 4000))
			}
		}
	})
	for _, s := range c.Servers {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	c.Ready(t)
	return c
}

// Network finds a loopback network 127.x.y that nobody uses, and holds it by a
// listener until release is called. On its hosts a port stays free while nobody
// listens: elsewhere one that is given back may be given to any connection.
func Network() (network string, release func(), err error) {
	for range 100 {
		network := fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), 1+rand.IntN(254))
		listener, err := net.Listen("tcp", network+".254:1222")
		if err == nil {
			return network, func() { _ = listener.Close() }, nil
		}
	}
	return "", nil, errors.New("no loopback network is free: these tests need Linux, where all of 127.0.0.0/8 is local")
}

// configuration of a server. Servers tell each other the address at which they
// say they are: nobody listens there, so that only the given routes, which are
// links, are used.
func configuration(s *Server, client, monitor, route, nowhere string, routes []*Link) string {
	var b strings.Builder
	fmt.Fprintf(&b, "server_name: %s\nlisten: %q\nhttp: %q\nmax_payload: 8388608\n", s.Name, client, strings.TrimPrefix(monitor, "http://"))
	fmt.Fprintf(&b, "authorization { user: %s, password: %s, timeout: 20 }\n", User, Password)
	fmt.Fprintf(&b, `jetstream {
  store_dir: %q
  sync_interval: always
  max_buffered_msgs: 60000
  max_buffered_size: 512MB
  limits { batch { max_msgs: 20000 } }
}
`, s.Dir)
	if len(routes) > 1 {
		fmt.Fprintf(&b, "cluster {\n  name: test\n  listen: %q\n  advertise: %q\n  no_advertise: true\n  authorization { user: route, password: route, timeout: 20 }\n  routes: [\n", route, nowhere)
		for _, l := range routes {
			if l != nil {
				fmt.Fprintf(&b, "    \"nats://route:route@%s\"\n", l.Address())
			}
		}
		b.WriteString("  ]\n}\n")
	}
	return b.String()
}

// URL is where clients reach the servers, credentials included.
func (c *Cluster) URL() string {
	var urls []string
	for _, l := range c.clients {
		urls = append(urls, fmt.Sprintf("nats://%s:%s@%s", User, Password, l.Address()))
	}
	return strings.Join(urls, ",")
}

// ServerURL is where clients reach one server.
func (c *Cluster) ServerURL(i int) string { return strings.Split(c.URL(), ",")[i] }

// Ready waits until every server runs, agrees with the others, and is up to
// date; a test that waits in vain fails.
func (c *Cluster) Ready(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyAfter)
	defer cancel()
	for _, s := range c.Servers {
		until(t, ctx, s.Name+" is not ready", func() error { return s.healthy(ctx) })
	}
}

// Leader is the index of the server that leads a stream, once it says so itself
// and with it a majority of the servers: of one that was killed the others say
// so for some time. Somebody leads the metadata then, too, which it takes to
// make streams and consumers.
func (c *Cluster) Leader(t testing.TB, stream string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyAfter)
	defer cancel()
	leader := -1
	until(t, ctx, "nobody leads "+stream, func() error {
		votes, metadata := map[string]int{}, map[string]int{}
		var itself, leadsMetadata []string
		var last error
		for _, s := range c.Servers {
			is, err := s.stream(ctx, stream)
			if err != nil {
				last = err
				continue
			}
			votes[is.leader]++
			metadata[is.metadata]++
			if is.leader == s.Name {
				itself = append(itself, s.Name)
			}
			if is.metadata == s.Name {
				leadsMetadata = append(leadsMetadata, s.Name)
			}
		}
		elected := func(votes map[string]int, name string) bool { return votes[name] > len(c.Servers)/2 }
		for i, s := range c.Servers {
			if slices.Contains(itself, s.Name) && elected(votes, s.Name) &&
				(len(c.Servers) == 1 || slices.ContainsFunc(leadsMetadata, func(name string) bool { return elected(metadata, name) })) {
				leader = i
				return nil
			}
		}
		return fmt.Errorf("%v, metadata %v %w", votes, metadata, last)
	})
	return leader
}

// Stored waits until every server has stored a stream up to a sequence: that it
// was acknowledged says so of a majority only.
func (c *Cluster) Stored(t testing.TB, stream string, sequence uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyAfter)
	defer cancel()
	for _, s := range c.Servers {
		until(t, ctx, s.Name+" lacks a part of "+stream, func() error {
			is, err := s.stream(ctx, stream)
			if err == nil && is.last < sequence {
				err = fmt.Errorf("it has %d of %d", is.last, sequence)
			}
			return err
		})
	}
}

// until polls a server's monitoring, which tells nobody when it changes.
func until(t testing.TB, ctx context.Context, what string, f func() error) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		if errors.Is(err, errEnded) {
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// Direction is what a cut lets through.
type Direction int

const (
	// Both directions are cut.
	Both Direction = iota
	// Inbound: nothing reaches the server; what it says arrives.
	Inbound
	// Outbound: nothing that it says arrives; it hears everything.
	Outbound
)

func (d Direction) String() string {
	return [...]string{"both ways", "inbound", "outbound"}[d]
}

// Cut cuts a server off from the other servers; its clients still reach it.
func (c *Cluster) Cut(server int, d Direction) {
	in, out := d == Outbound, d == Inbound // what passes
	for other := range c.Servers {
		if other != server {
			c.routes[server][other].Set(out, in)
			c.routes[other][server].Set(in, out)
		}
	}
}

// CutClients cuts a server off from its clients, both ways.
func (c *Cluster) CutClients(server int) { c.clients[server].Set(false, false) }

// BreakClients ends every client's connection to a server.
func (c *Cluster) BreakClients(server int) { c.clients[server].Break() }

// Delay makes everything that a server says to others or hears from them late.
func (c *Cluster) Delay(server int, d time.Duration) {
	for other := range c.Servers {
		if other != server {
			c.routes[server][other].Delay(d)
			c.routes[other][server].Delay(d)
		}
	}
}

// Heal opens every link, lets stopped servers go on and starts those that were
// killed. It does not wait: see Ready.
func (c *Cluster) Heal(t testing.TB) {
	t.Helper()
	for i, s := range c.Servers {
		for _, l := range append([]*Link{c.clients[i]}, c.routes[i]...) {
			if l != nil {
				l.Set(true, true)
				l.Delay(0)
			}
		}
		s.Resume()
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "… " + s[len(s)-n:]
	}
	return s
}
