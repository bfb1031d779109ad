// Package services_test holds what must be true of the whole module.
package services_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "setpoint.dev/services/"

// pure are the platform packages without context, clock, SQL, NATS or RPC: a
// slice's root may use them beside the standard library and its messages; so may
// the comparison the forecasts, which are arithmetic alone.
var pure = []string{"gap/forecast", "internal/fault", "internal/calendar", "internal/resource", "internal/display", "internal/schedule"}

var slicesOfSetpoint = []string{"declaration", "strategy", "initiative", "change", "gap"}

// impure are packages that a slice's root must not even reach by way of
// others.
var impure = []string{
	"database/sql", "net/http", "connectrpc.com/connect", "github.com/nats-io/nats.go", "github.com/nats-io/nats-server/v2/server",
}

// knowsNATS are the only packages that import NATS. The keys of personal data
// are no events: their store is beside the log, not part of it. natsfault starts
// the servers of tests and connects to them.
var knowsNATS = []string{"internal/eventlog", "internal/eventlog/eventlogtest", "internal/embeddednats", "internal/keystore", "internal/ensure", "internal/lease", "internal/externalnats", "natsfault", "server", "event/stream"}

// knowsTelemetry is the only package that imports what operators look through.
const knowsTelemetry = "internal/telemetry"

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if name, ours := strings.CutPrefix(p.ImportPath, module); ours {
			all[name] = p
		}
	}
}

func TestWhoMayKnowWhom(t *testing.T) {
	all := list(t)
	for _, slice := range slicesOfSetpoint {
		root, ok := all[slice]
		if !ok {
			t.Errorf("slice %s is gone: mend this test", slice)
		}
		for _, dep := range root.Imports {
			if name, ours := strings.CutPrefix(dep, module); ours && !slices.Contains(pure, name) {
				t.Errorf("the root of %s imports %s; it may know only %v", slice, name, pure)
			}
			if strings.HasPrefix(dep, "context") || dep == "time" && slice == "gap" {
				t.Errorf("the root of %s imports %s: a pure core has no context and no clock", slice, dep)
			}
		}
		for _, dep := range impure {
			if slices.Contains(root.Deps, dep) {
				t.Errorf("the root of %s reaches %s", slice, dep)
			}
		}
	}
	for name, p := range all {
		own, _, _ := strings.Cut(name, "/")
		for _, dep := range p.Imports {
			if strings.HasPrefix(dep, "github.com/nats-io/") && !slices.Contains(knowsNATS, name) {
				t.Errorf("%s imports %s; only %v know NATS", name, dep, knowsNATS)
			}
			for _, prefix := range []string{"github.com/prometheus/", "go.opentelemetry.io/", "connectrpc.com/otelconnect"} {
				if strings.HasPrefix(dep, prefix) && name != knowsTelemetry {
					t.Errorf("%s imports %s; only %s knows it, others declare an Observer", name, dep, knowsTelemetry)
				}
			}
			target, ours := strings.CutPrefix(dep, module)
			if !ours {
				continue
			}
			other, _, _ := strings.Cut(target, "/")
			if slices.Contains(slicesOfSetpoint, own) && slices.Contains(slicesOfSetpoint, other) && own != other {
				t.Errorf("slice %s knows slice %s (%s imports %s): they meet through the log and the record", own, other, name, target)
			}
			if own == "internal" && slices.Contains(slicesOfSetpoint, other) {
				t.Errorf("the platform (%s) imports a slice (%s)", name, target)
			}
		}
	}
}
