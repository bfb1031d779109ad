package server

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/token"
)

func tokenFile(t *testing.T) (path, whole string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tokens")
	_, whole, err := token.Create(path, token.Grant{
		Org: "acme", Principal: "u-42", Role: principal.Viewer, Expires: time.Now().Add(time.Hour),
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return path, whole
}

// pair writes a certificate for 127.0.0.1 and its key.
func pair(t *testing.T) (cert, key string, pool *x509.CertPool) {
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
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestWhichDoorsMayBeOpened(t *testing.T) {
	tokens, _ := tokenFile(t)
	cert, key, _ := pair(t)
	malformed := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(malformed, []byte("\nsp_x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		o      Options
		reason string
	}{
		"loopback":                       {Options{Listen: "127.0.0.1:0"}, ""},
		"loopback, IPv6":                 {Options{Listen: "[::1]:0"}, ""},
		"loopback by name":               {Options{Listen: "localhost:0"}, ""},
		"loopback with tokens":           {Options{Listen: "127.0.0.1:0", TokenFile: tokens}, ""},
		"loopback with TLS":              {Options{Listen: "127.0.0.1:0", TLSCert: cert, TLSKey: key}, ""},
		"everybody":                      {Options{Listen: "0.0.0.0:0"}, "server.not_loopback"},
		"everybody, short":               {Options{Listen: ":8080"}, "server.not_loopback"},
		"another name":                   {Options{Listen: "localhost.example:80"}, "server.not_loopback"},
		"everybody behind a proxy":       {Options{Listen: ":8080", BehindProxy: true}, "server.not_loopback"},
		"everybody with TLS":             {Options{Listen: ":8080", TLSCert: cert, TLSKey: key}, "server.not_loopback"},
		"tokens in the clear":            {Options{Listen: ":8080", TokenFile: tokens}, "server.plaintext"},
		"tokens behind a proxy":          {Options{Listen: ":8080", TokenFile: tokens, BehindProxy: true}, ""},
		"tokens with TLS":                {Options{Listen: ":8080", TokenFile: tokens, TLSCert: cert, TLSKey: key}, ""},
		"a certificate without its key":  {Options{Listen: "127.0.0.1:0", TLSCert: cert}, "server.certificate"},
		"a key without its certificate":  {Options{Listen: ":8080", TokenFile: tokens, TLSKey: key}, "server.certificate"},
		"a certificate that is a key":    {Options{Listen: "127.0.0.1:0", TLSCert: key, TLSKey: key}, "server.certificate"},
		"no token file":                  {Options{Listen: "127.0.0.1:0", TokenFile: tokens + "x"}, "token.file_missing"},
		"a malformed token file":         {Options{Listen: "127.0.0.1:0", TokenFile: malformed}, "token.file_malformed"},
		"a public address":               {Options{Listen: "127.0.0.1:0", TokenFile: tokens, PublicURL: "https://setpoint.example.org/"}, ""},
		"a public address without https": {Options{Listen: "127.0.0.1:0", PublicURL: "setpoint.example.org"}, "server.public_url"},
		"a public address with a path":   {Options{Listen: "127.0.0.1:0", PublicURL: "https://example.org/setpoint"}, "server.public_url"},
		"no port":                        {Options{Listen: "127.0.0.1"}, "server.address"},
	} {
		tt.o.Now = time.Now
		if _, err := takeKeys(tt.o); fault.ReasonOf(err) != tt.reason {
			t.Errorf("%s: %v, want %q", name, err, tt.reason)
		}
	}
}

func startServer(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.ReadWait = time.Minute
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestHTTPSOnly(t *testing.T) {
	tokens, whole := tokenFile(t)
	cert, key, pool := pair(t)
	s := startServer(t, Options{TokenFile: tokens, TLSCert: cert, TLSKey: key})
	call := func(url string, c *tls.Config, http2 bool) (*http.Response, error) {
		transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: http2}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequest(http.MethodPost, url+"/setpoint.gap.v1.GapService/Evaluate", strings.NewReader("{}"))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+whole)
		res, err := (&http.Client{Transport: transport}).Do(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		return res, err
	}
	for _, http2 := range []bool{false, true} {
		res, err := call(s.URL(), &tls.Config{RootCAs: pool}, http2)
		if err != nil || res.StatusCode != http.StatusOK || (res.ProtoMajor == 2) != http2 {
			t.Errorf("HTTP/2 %v: %v %v", http2, res, err)
		}
	}
	if _, err := call(s.URL(), &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}, false); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
	res, err := call("http"+strings.TrimPrefix(s.URL(), "https"), nil, false)
	if err == nil && res.StatusCode != http.StatusBadRequest {
		t.Errorf("in the clear: %v", res.Status)
	}
}

// No local process reads or writes the log without the credentials of this
// start, which only the owner of the data folder can read.
func TestTheEmbeddedLogIsClosedToStrangers(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{Data: dir, NATSListen: "127.0.0.1:0"})
	before, err := s.log.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "nats", embeddednats.CredentialsFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("credentials: %v, %v", info.Mode(), err)
	}
	var c embeddednats.Credentials
	if err := json.Unmarshal(content, &c); err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string][]nats.Option{
		"no credentials": nil,
		"wrong password": {nats.UserInfo(c.User, "guess")},
		"wrong user":     {nats.UserInfo("admin", c.Password)},
		"no password":    {nats.UserInfo(c.User, "")},
		"a token":        {nats.Token(c.Password)},
	} {
		nc, err := nats.Connect(c.URL, opt...)
		if err == nil {
			nc.Close()
		}
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// Without the handshake of a well-behaved client.
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.URL, "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprint(conn, "CONNECT {\"verbose\":true}\r\nPUB sp.0.acme.strategy.metric.forged 2\r\nhi\r\nSUB sp.> 1\r\nPING\r\n")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for in := bufio.NewScanner(conn); in.Scan(); {
		said.WriteString(in.Text() + "\n")
	}
	if !strings.Contains(said.String(), "-ERR 'Authorization Violation'") || strings.Contains(said.String(), "+OK") || strings.Contains(said.String(), "PONG") {
		t.Errorf("it answered:\n%s", said.String())
	}
	after, err := s.log.LastRevision(t.Context())
	if err != nil || after != before {
		t.Errorf("the log went from %d to %d, %v", before, after, err)
	}

	// The control: the credentials do open it.
	nc, err := nats.Connect(c.URL, nats.UserInfo(c.User, c.Password))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}
