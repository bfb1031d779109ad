package containers

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

// askEnv makes this process only say whether it finds an engine: testcontainers
// looks for one once in the life of a process.
const askEnv = "SETPOINT_TEST_ASK_ENGINE"

func TestMain(m *testing.M) {
	if os.Getenv(askEnv) != "" {
		fmt.Println("engine:", engine(context.Background()))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// engine is nil if a Docker engine answers, and otherwise says why not.
func engine(ctx context.Context) (err error) {
	// The library panics where it finds no host.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	provider, err := testcontainers.ProviderDocker.GetProvider()
	if err != nil {
		return err
	}
	return provider.Health(ctx)
}

// needEngine skips a test that has no Docker engine.
func needEngine(t *testing.T) {
	t.Helper()
	if err := engine(t.Context()); err != nil {
		t.Skipf("NOT RUN: no Docker engine answers for the containers: %v", err)
	}
}

// ask runs engine in a process whose Docker host is given.
func ask(t *testing.T, host string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), askEnv+"=1", "DOCKER_HOST="+host, "HOME="+t.TempDir(), "TESTCONTAINERS_RYUK_DISABLED=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, answer, ok := strings.Cut(string(out), "engine: ")
	if !ok {
		t.Fatalf("no answer: %s", out)
	}
	return strings.TrimSpace(answer)
}

// The tests are skipped where no engine answers, and only there.
func TestAnEngineIsFoundWhereThereIsOne(t *testing.T) {
	// Not in t.TempDir, whose paths are too long for a socket.
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "docker.sock")
	if got := ask(t, "unix://"+socket); got == "<nil>" {
		t.Errorf("an engine is found where nothing listens")
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.51")
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			_, _ = w.Write([]byte("OK"))
		case strings.HasSuffix(r.URL.Path, "/info"), strings.HasSuffix(r.URL.Path, "/version"):
			_ = json.NewEncoder(w).Encode(map[string]any{"ServerVersion": "28.0.0", "ApiVersion": "1.51", "MinAPIVersion": "1.24"})
		default:
			http.NotFound(w, r)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	if got := ask(t, "unix://"+socket); got != "<nil>" {
		t.Errorf("an engine that answers is not found: %s", got)
	}
}
