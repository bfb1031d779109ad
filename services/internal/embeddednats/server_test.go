package embeddednats

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/fault"
)

func startServer(t *testing.T, opts Options) *Server {
	t.Helper()
	s, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.nats.Running() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

func TestInProcessServerDoesNotListen(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{Dir: dir})
	if s.URL() != "" || s.nats.Addr() != nil {
		t.Errorf("it listens on %q", s.nats.Addr())
	}
	if _, err := os.Stat(filepath.Join(dir, CredentialsFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("credentials are written for nobody: %v", err)
	}
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got := nc.MaxPayload(); got != MaxPayload {
		t.Errorf("largest message %d", got)
	}
}

func TestListeningServerKeepsStrangersOut(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{Dir: dir, Listen: "127.0.0.1:0"})
	if host, _, err := net.SplitHostPort(s.nats.Addr().String()); err != nil || host != "127.0.0.1" {
		t.Errorf("it listens on %v", s.nats.Addr())
	}
	if _, err := nats.Connect(s.URL()); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("a connection without credentials: %v", err)
	}
	path := filepath.Join(dir, CredentialsFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("credentials file: %v, %v", info, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c Credentials
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(c.URL, nats.UserInfo(c.User, c.Password))
	if err != nil {
		t.Fatalf("the credentials in the file do not open: %v", err)
	}
	nc.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("credentials are left behind: %v", err)
	}
	again := startServer(t, Options{Dir: dir, Listen: "127.0.0.1:0"})
	if again.password == c.Password {
		t.Error("the password is the same at the next start")
	}
}

func TestListenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, reason := range map[string]string{
		"0.0.0.0:0":             "nats.listen_not_loopback",
		":4222":                 "nats.listen_not_loopback",
		"example.com:4222":      "nats.listen_not_loopback",
		"10.0.0.1:4222":         "nats.listen_not_loopback",
		"127.0.0.1":             "nats.listen_invalid",
		"127.0.0.1:x":           "nats.listen_invalid",
		"127.0.0.1:70000":       "nats.listen_invalid",
		taken.Addr().String():   "nats.listen_in_use",
		"":                      "",
		"[::1]:0":               "",
		"localhost:0":           "",
		"127.0.0.1:0":           "",
		"127.8.9.1:0":           "",
		"[::ffff:127.0.0.1]:0":  "",
		"[::ffff:10.0.0.1]:99":  "nats.listen_not_loopback",
		"localhost.evil.org:99": "nats.listen_not_loopback",
	} {
		t.Run(address, func(t *testing.T) {
			if _, _, err := listenAddress(address); fault.ReasonOf(err) != reason {
				t.Errorf("got %v, want %q", err, reason)
			}
		})
	}
}

func TestFolderIsLocked(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{Dir: dir})
	_, err := Start(Options{Dir: dir})
	if fault.KindOf(err) != fault.Rule || fault.ReasonOf(err) != "nats.data_in_use" {
		t.Fatalf("a second server on the folder: %v", err)
	}
	for _, want := range []string{dir, strconv.Itoa(os.Getpid())} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	startServer(t, Options{Dir: dir})
}

func TestFailedStartGivesTheFolderFree(t *testing.T) {
	dir := t.TempDir()
	// JetStream keeps its files in a folder of this name.
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Options{Dir: dir}); fault.ReasonOf(err) != "nats.start_failed" {
		t.Fatalf("started on a folder that cannot hold JetStream: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "jetstream")); err != nil {
		t.Fatal(err)
	}
	startServer(t, Options{Dir: dir})
}

func TestHealth(t *testing.T) {
	var log bytes.Buffer
	s := startServer(t, Options{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err := s.Healthy(t.Context()); err != nil {
		t.Errorf("a running server: %v", err)
	}
	nc, err := s.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AccountInfo(t.Context()); err != nil {
		t.Errorf("JetStream: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Healthy(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a server that is closed: %v", err)
	}
	if !strings.Contains(log.String(), "component=nats") {
		t.Error("nothing was logged")
	}
}
