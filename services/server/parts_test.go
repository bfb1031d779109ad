package server

import (
	"os"
	"slices"
	"strings"
	"testing"

	"setpoint.dev/services/internal/fault"
)

// What a part needs starts before it, and is there.
func TestPartsStartAfterWhatTheyNeed(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range parts {
		for _, n := range p.needs {
			if !seen[n] {
				t.Errorf("%s needs %s, which does not start before it", p.name, n)
			}
		}
		if seen[p.name] || p.start == nil {
			t.Errorf("%s is there twice or does nothing", p.name)
		}
		seen[p.name] = true
	}
}

func names(parts []part) (out []string) {
	for _, p := range parts {
		out = append(out, p.name)
	}
	return out
}

func TestTargets(t *testing.T) {
	for targets, want := range map[string][]string{
		"gap":       {"gap", "admin", "door", "record", "log"},
		"strategy":  {"commands", "strategy"},
		"event":     {"commands", "event", "door"},
		"projector": {"projector", "record", "door"},
	} {
		got, err := chosen(Options{Targets: strings.Split(targets, ","), DatabaseURL: "postgres:"})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if !slices.Contains(names(got), name) {
				t.Errorf("%s: %s is not started: %v", targets, name, names(got))
			}
		}
	}
	got, err := chosen(Options{Targets: []string{"gap"}, DatabaseURL: "postgres:"})
	if err != nil || slices.ContainsFunc(got, func(p part) bool { return p.name == "strategy" || p.name == "projector" }) {
		t.Errorf("gap starts %v, %v", names(got), err)
	}
	got, err = chosen(Options{Targets: []string{"event"}, DatabaseURL: "postgres:"})
	if err != nil || slices.ContainsFunc(got, func(p part) bool { return p.name == "publisher" || p.name == "webhooks" || p.name == "reconciler" }) {
		t.Errorf("event starts %v, %v", names(got), err)
	}
	if all, err := chosen(Options{Targets: []string{All}}); err != nil || len(all) != len(parts) {
		t.Errorf("all starts %v, %v", names(all), err)
	}
	_, err = chosen(Options{Targets: []string{"gap", "console"}})
	if fault.ReasonOf(err) != "server.target" || !strings.Contains(err.Error(), `"console"`) {
		t.Errorf("an unknown target: %v", err)
	}
}

// The command line's reference names the targets there are.
func TestTheReferenceNamesTheTargets(t *testing.T) {
	text, err := os.ReadFile("../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "Serve runs the named parts of setpoint: " + strings.Join(TargetNames(), ", ") + "."; !strings.Contains(string(text), want) {
		t.Errorf("the reference does not say %q", want)
	}
}
