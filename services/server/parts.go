package server

import (
	"context"
	"slices"
	"strings"

	"setpoint.dev/services/internal/fault"
)

// All is the target that is every other one.
const All = "all"

// part is something that a process starts.
type part struct {
	name string
	// target says that a process may be asked for it.
	target bool
	// needs are the parts without which it cannot work.
	needs []string
	// always says that every process has it.
	always bool
	start  func(context.Context, *Server) error
}

// parts are all there are, in the order in which they start.
var parts = []part{
	{name: "telemetry", always: true, start: startTelemetry},
	{name: "keys", start: startKeys},
	{name: "listener", needs: []string{"keys"}, start: startListener},
	{name: "nats", start: startNATS},
	{name: "log", needs: []string{"nats"}, start: startLog},
	{name: "leases", needs: []string{"log"}, start: startLeases},
	{name: "record", needs: []string{"log", "leases"}, start: startRecord},
	{name: "personal", needs: []string{"record"}, start: startPersonal},
	{name: "projector", target: true, needs: []string{"record"}, start: startProjector},
	{name: "caught up", needs: []string{"record", "personal"}, start: catchUp},
	{name: "settled", always: true, needs: []string{"record"}, start: startSettled},
	{name: "commands", needs: []string{"record", "personal"}, start: startCommands},
	{name: "eraser", needs: []string{"commands"}, start: startEraser},
	{name: "declaration", target: true, needs: []string{"commands"}, start: startDeclaration},
	{name: "strategy", target: true, needs: []string{"commands"}, start: startStrategy},
	{name: "initiative", target: true, needs: []string{"commands"}, start: startInitiative},
	{name: "change", target: true, needs: []string{"commands"}, start: startChange},
	{name: "gap", target: true, needs: []string{"record", "personal"}, start: startGap},
	{name: "reconciler", needs: []string{"commands", "caught up"}, start: startReconciler},
	{name: "event", target: true, needs: []string{"commands"}, start: startEvents},
	{name: "publisher", needs: []string{"event"}, start: startPublisher},
	{name: "webhooks", needs: []string{"event", "caught up"}, start: startWebhooks},
	{name: "reactor", target: true, needs: []string{"reconciler", "publisher", "webhooks"}, start: func(context.Context, *Server) error { return nil }},
	{name: "admin", always: true, needs: []string{"eraser"}, start: startAdmin},
	{name: "door", always: true, needs: []string{"keys", "listener", "caught up"}, start: startDoor},
	{name: "ready", always: true, needs: []string{"door"}, start: startReady},
}

// TargetNames are the legal targets.
func TargetNames() []string {
	names := []string{All}
	for _, p := range parts {
		if p.target {
			names = append(names, p.name)
		}
	}
	return names
}

// chosen are the parts that a process runs, in the order of starting: its
// targets, what they need, and the projector of a record of its own.
func chosen(o Options) ([]part, error) {
	targets := o.Targets
	if !o.shared() && o.external() {
		targets = append(slices.Clone(targets), "projector")
	}
	wanted := map[string]bool{}
	var want func(names []string)
	want = func(names []string) {
		for _, name := range names {
			if !wanted[name] {
				wanted[name] = true
				want(parts[slices.IndexFunc(parts, func(p part) bool { return p.name == name })].needs)
			}
		}
	}
	legal := TargetNames()
	for _, t := range targets {
		switch {
		case !slices.Contains(legal, t):
			return nil, fault.New(fault.Invalid, "server.target", "--target: %q is not a part of setpoint", t).
				WithHint("legal are %s", strings.Join(legal, ", "))
		case t == All:
			want(legal[1:])
		default:
			want([]string{t})
		}
	}
	for _, p := range parts {
		if p.always {
			want([]string{p.name})
		}
	}
	var out []part
	for _, p := range parts {
		if wanted[p.name] {
			out = append(out, p)
		}
	}
	return out, nil
}
