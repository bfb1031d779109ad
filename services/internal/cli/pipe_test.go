//go:build unix

package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Opening a pipe waits for somebody at its other end, who may never come:
// Ctrl-C ends that, too.
func TestWaitingForAPipeIsInterrupted(t *testing.T) {
	kpis := filepath.Join(t.TempDir(), "kpis.yaml")
	if err := os.WriteFile(kpis, []byte("apiVersion: setpoint.dev/import/v1\nsheets: [{columns: [{header: KPI, role: name}, {header: Actual, role: actual, period: 2024}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, sheet := filepath.Join(t.TempDir(), "pipe.csv"), filepath.Join(t.TempDir(), "pipe.xlsx")
	for _, name := range []string{pipe, sheet} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := (&fake{}).serve(t)
	for _, args := range [][]string{
		{"plan", "-f", pipe}, {"apply", "--yes", "-f", pipe}, {"apply", "--yes", "--plan", pipe}, {"whatif", "-f", pipe},
		{"observe", "-f", pipe}, {"observe", "-f", sheet},
		{"import", pipe, "--map", pipe}, {"import", pipe, "--map", kpis, "--offline"}, {"import", pipe, "--guess"}, {"policy", "test", "-f", pipe, "--since", "2026-01-01"}, {"person", "keys", "restore", pipe},
		{"doctor", "--nats-url", "@" + pipe},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		ended := make(chan int, 1)
		go func() {
			ended <- Run(ctx, Options{
				Args: append(args, "--server", server), Stdout: io.Discard, Stderr: io.Discard,
				Env: func(string) (string, bool) { return "", false }, IsTerminal: func(any) bool { return false },
			})
		}()
		interrupt()
		select {
		case code := <-ended:
			if code != exitInterrupted {
				t.Errorf("%v: exit code %d", args, code)
			}
		case <-time.After(time.Minute):
			t.Errorf("%v waits on", args)
		}
	}
}
