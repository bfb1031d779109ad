package externalnats_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"setpoint.dev/services/internal/externalnats"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/natsfault"
)

const secret = "s3cret-word"

// run starts a server with user and password.
func run(t *testing.T, edit func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{
		ServerName: "one", Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: "setpoint", Password: secret,
		NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
	}
	if edit != nil {
		edit(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	return s
}

func address(s *server.Server) string { return s.Addr().String() }

func TestConnect(t *testing.T) {
	s := run(t, nil)
	nc, err := externalnats.Connect(t.Context(), externalnats.Options{URL: "nats://setpoint:" + secret + "@" + address(s)})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if n := externalnats.Replicas(nc); n != 1 {
		t.Errorf("%d copies on a single server", n)
	}
}

// nobody is an address at which nobody listens but who is told to.
func nobody(t *testing.T) string {
	t.Helper()
	network, release, err := natsfault.Network()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return network + ".1:4222"
}

// Each refusal has its reason and names the server; none says a secret, nor
// does the log.
func TestRefusals(t *testing.T) {
	open, plain := run(t, nil), run(t, func(o *server.Options) { o.JetStream = false })
	dir := t.TempDir()
	certificate, key := selfSigned(t, dir)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	secured := run(t, func(o *server.Options) { o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}} })
	with := func(s *server.Server, password string) string {
		return "nats://setpoint:" + password + "@" + address(s)
	}
	for name, c := range map[string]struct {
		o      externalnats.Options
		reason string
	}{
		"a wrong password":           {externalnats.Options{URL: with(open, secret+"x")}, "nats.refused"},
		"nobody there":               {externalnats.Options{URL: "nats://setpoint:" + secret + "@" + nobody(t)}, "nats.unreachable"},
		"no JetStream":               {externalnats.Options{URL: with(plain, secret)}, "nats.no_jetstream"},
		"an unknown authority":       {externalnats.Options{URL: with(secured, secret)}, "nats.refused"},
		"not a URL":                  {externalnats.Options{URL: "http://setpoint:" + secret + "@127.0.0.1:1"}, "nats.url"},
		"a broken URL":               {externalnats.Options{URL: "nats://setpoint:" + secret + "@[::1"}, "nats.url"},
		"no credentials file":        {externalnats.Options{URL: with(open, secret), Creds: filepath.Join(dir, "none")}, "nats.file"},
		"a certificate without key":  {externalnats.Options{URL: with(open, secret), Cert: certificate}, "nats.file"},
		"an address that is missing": {externalnats.Options{URL: with(open, secret) + ",,"}, "nats.url"},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			// What is refused is not tried again until the time is over.
			c.o.Logger, c.o.Within = slog.New(slog.NewTextHandler(&said, nil)), 5*time.Minute
			if name == "nobody there" || name == "no JetStream" {
				c.o.Within = time.Second
			}
			began := time.Now()
			nc, err := externalnats.Connect(t.Context(), c.o)
			if err == nil {
				nc.Close()
				t.Fatal("connected")
			}
			if fault.ReasonOf(err) != c.reason {
				t.Errorf("reason %q of %v, want %q", fault.ReasonOf(err), err, c.reason)
			}
			if strings.Contains(err.Error()+said.String(), secret) {
				t.Errorf("the secret is told: %v\n%s", err, said.String())
			}
			if took := time.Since(began); took > 2*time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
	nc, err := externalnats.Connect(t.Context(), externalnats.Options{URL: with(secured, secret), CA: certificate})
	if err != nil {
		t.Fatalf("with the authority: %v", err)
	}
	nc.Close()
}

// A server that comes later is waited for.
func TestAServerThatComesLater(t *testing.T) {
	at := nobody(t)
	connected := make(chan error, 1)
	said := make(lines, 16)
	go func() {
		nc, err := externalnats.Connect(context.Background(), externalnats.Options{
			URL: "setpoint:" + secret + "@" + at, Logger: slog.New(slog.NewTextHandler(said, nil)),
		})
		if err == nil {
			nc.Close()
		}
		connected <- err
	}()
	if line := <-said; !strings.Contains(line, "does not answer yet") {
		t.Errorf("it says %q", line)
	}
	run(t, func(o *server.Options) { o.Host, o.Port = hostAndPort(t, at) })
	if err := <-connected; err != nil {
		t.Error(err)
	}
}

type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

func hostAndPort(t *testing.T, address string) (string, int) {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.IP.String(), a.Port
}

func selfSigned(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}
