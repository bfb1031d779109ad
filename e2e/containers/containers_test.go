package containers

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/nats"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
)

// image is that of an environment variable, or else a default.
func image(variable, otherwise string) string {
	if name := os.Getenv(variable); name != "" {
		return name
	}
	return otherwise
}

// TestTheLogOnNATS runs the log's conformance suite on a NATS container with
// the settings that are shipped for servers.
func TestTheLogOnNATS(t *testing.T) {
	needEngine(t)
	settings, err := os.ReadFile("../../deploy/nats/setpoint.conf")
	if err != nil {
		t.Fatal(err)
	}
	name := image("SETPOINT_TEST_NATS_IMAGE", "nats:2.14")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	server, err := nats.Run(ctx, name, nats.WithConfigFile(bytes.NewReader(settings)),
		testcontainers.WithEnv(map[string]string{"NATS_STORE_DIR": "/data"}))
	testcontainers.CleanupContainer(t, server)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	url, err := server.ConnectionString(ctx)
	if err != nil {
		t.Fatal(err)
	}
	suite(t, "SETPOINT_TEST_NATS_URL="+url, "^TestConformanceExternal$", "./internal/eventlog")
}

// TestTheRecordOnPostgres runs the record's suites on a Postgres container.
func TestTheRecordOnPostgres(t *testing.T) {
	needEngine(t)
	name := image("SETPOINT_TEST_POSTGRES_IMAGE", "postgres:17")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	server, err := postgres.Run(ctx, name, postgres.WithUsername("postgres"), postgres.WithPassword("test"), postgres.BasicWaitStrategies())
	testcontainers.CleanupContainer(t, server)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	url, err := server.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	suite(t, "SETPOINT_TEST_POSTGRES_URL="+url, "", "./internal/record/postgres")
}

// suite runs tests of the services, which only they can see, on a server that
// the environment names.
func suite(t *testing.T, setting, run, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout=10m", "-v", "-run", run, pkg)
	cmd.Dir = "../../services"
	cmd.Env = append(os.Environ(), setting)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: Test") {
		t.Fatalf("%s with %s: %v\n%s", pkg, setting, err, out)
	}
}
