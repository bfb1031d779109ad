package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// diskEnv makes this test run in a mount namespace of its own, on a small
// file system that it fills.
const diskEnv = "SETPOINT_E2E_SMALL_DISK"

// A full disk fails writes fast, as unavailable, says so in health, and loses
// nothing that was acknowledged; with room again and a restart all goes on.
func TestAFullDisk(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	dir := os.Getenv(diskEnv)
	if dir == "" {
		if _, err := binary(); err != nil { // the process gets it, too
			t.Fatal(err)
		}
		dir := t.TempDir()
		args := []string{"--mount", "--propagation", "private", "sh", "-c",
			`mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@"`, dir,
			os.Args[0], "-test.run", "^TestAFullDisk$", "-test.v"}
		if os.Geteuid() != 0 {
			args = append([]string{"--user", "--map-root-user"}, args...)
		}
		cmd := exec.Command("unshare", args...)
		cmd.Env = append(os.Environ(), diskEnv+"="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestAFullDisk") {
			t.Fatalf("on a small disk (this test needs root or user namespaces, for a mount of its own): %v\n%s", err, out)
		}
		t.Logf("%s", out)
		return
	}
	data, ballast := filepath.Join(dir, "data"), filepath.Join(dir, "ballast")
	s := spawn(t, data)
	c := connectTo(t, s.url, "default")
	c.apply(small)
	ctx := context.Background()
	o := &observer{source: "x"}
	for range 20 {
		if err := o.step(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	before := o.acknowledged
	fill(t, ballast)
	deadline := time.Now().Add(5 * time.Minute)
	var err error
	for err == nil && time.Now().Before(deadline) {
		begin := time.Now()
		err = o.step(ctx, c)
		// The server says so, and not the end of the minute that a call may take.
		if took := time.Since(begin); took > 50*time.Second {
			t.Errorf("a write took %s to fail", took)
		}
	}
	if connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("on a full disk a write fails with %v", err)
	}
	ready(t, s.url, http.StatusServiceUnavailable)
	// What is on record can still be read; the record, on the same disk, may
	// lack what was acknowledged last.
	list, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000, MinRevision: 1})
	if err != nil || len(list.GetObservations()) < before {
		t.Errorf("on a full disk %d of %d values are there, %v", len(list.GetObservations()), before, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.kill()
	s = spawn(t, data)
	defer s.kill()
	c = connectTo(t, s.url, "default")
	ready(t, s.url, http.StatusOK)
	// The write that failed, given again under its request id.
	if err := o.step(ctx, c); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	list, err = c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000})
	if err != nil || len(list.GetObservations()) != o.acknowledged {
		t.Errorf("%d acknowledged, %d there, %v", o.acknowledged, len(list.GetObservations()), err)
	}
}

// ready waits until the service says of itself that it is ready, or is not.
func ready(t *testing.T, url string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("readiness %d", want), 2*time.Minute, func() error {
		res, err := http.Get(url + "/readyz")
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			return fmt.Errorf("it says %s", res.Status)
		}
		return nil
	})
}

// fill takes all room that the file system has.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; size /= 2 {
		block := make([]byte, size)
		for {
			if _, err = f.Write(block); err != nil {
				break
			}
		}
	}
	var full *os.PathError
	if !errors.As(err, &full) {
		t.Fatalf("the disk does not fill: %v", err)
	}
}
