package cli

import (
	"encoding/json"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
)

func running() *adminv1.Projection {
	return &adminv1.Projection{
		Name: "record", Stream: "SETPOINT_0", State: "rebuilding", Revision: 120_345, LastRevision: 120_350, Rate: 1234.4,
		Generations: []*adminv1.Generation{
			{Number: 3, Version: 1, State: "live", Revision: 120_345}, {Number: 12, Version: 1, State: "building", Revision: 60_000},
		},
		Skips: []*adminv1.Skip{{Sequence: 4711, Revision: 4720, Recorded: timestamppb.New(time.Date(2026, 5, 3, 8, 0, 0, 0, time.UTC)),
			Principal: "ops", Reason: "lost with the disk", Problem: "the log has a hole: message 4711 is missing"}},
	}
}

func halted() *adminv1.Projection {
	return &adminv1.Projection{Name: "record", Stream: "SETPOINT_0", State: "halted", Revision: 4710, LastRevision: 120_350,
		Halt:        &adminv1.Halt{Sequence: 4711, Reason: "log.hole", Message: "the log has a hole: message 4711 is missing", Hint: "restore a backup, or leave it out"},
		Generations: []*adminv1.Generation{{Number: 3, Version: 1, State: "live", Revision: 4710}}}
}

func TestProjectionsListAndStatus(t *testing.T) {
	s := session{server: (&fake{projections: []*adminv1.Projection{running()}}).serve(t), width: 100}
	golden(t, "projections-list", s.run(t, "projections", "list").want(t, exitOK).stdout)
	golden(t, "projections-status", s.run(t, "projections", "status").want(t, exitOK).stdout)
	var list struct {
		Projections []struct{ Name, State, Revision string }
	}
	if err := json.Unmarshal([]byte(s.run(t, "projections", "list", "-o", "json").want(t, exitOK).stdout), &list); err != nil ||
		len(list.Projections) != 1 || list.Projections[0].Revision != "120345" {
		t.Errorf("%+v, %v", list, err)
	}
	var one struct {
		Name  string
		Skips []struct{ Sequence, Reason string }
	}
	if err := yaml.Unmarshal([]byte(s.run(t, "projections", "status", "record", "-o", "yaml").want(t, exitOK).stdout), &one); err != nil ||
		one.Name != "record" || len(one.Skips) != 1 || one.Skips[0].Sequence != "4711" {
		t.Errorf("%+v, %v", one, err)
	}
	s.run(t, "projections", "status", "other").want(t, exitError).wantStderr(t, `no projection "other"`, "hint: setpoint projections list")
}

// Where the projection has halted status and resume fail, and tell why.
func TestAHaltedProjection(t *testing.T) {
	s := session{server: (&fake{projections: []*adminv1.Projection{halted()}}).serve(t), width: 100}
	golden(t, "projections-halted", s.run(t, "projections", "list").want(t, exitOK).stdout)
	for _, verb := range []string{"status", "resume"} {
		s.run(t, "projections", verb).want(t, exitError).
			wantStdout(t, "halted", "4710").
			wantStderr(t, "halted at revision 4710", "message 4711 is missing", "hint: restore a backup, or leave it out")
	}
}

func TestProjectionsRebuild(t *testing.T) {
	last := &adminv1.RebuildProjectionResponse{Stage: "done", Generation: 4, Done: 1000, Total: 1000, Rate: 5000}
	f := &fake{rebuild: []*adminv1.RebuildProjectionResponse{{Stage: "folding", Generation: 4, Total: 1000}, {Stage: "swapped", Generation: 4, Done: 1000, Total: 1000}, last}}
	s := session{server: f.serve(t)}
	got := s.run(t, "projections", "rebuild").want(t, exitOK)
	if got.stdout != "Generation 4 is live at revision 1000, 5000/s.\n" || got.stderr != "" {
		t.Errorf("%q, %q", got.stdout, got.stderr)
	}
	var done struct {
		Stage      string
		Generation int
	}
	if err := json.Unmarshal([]byte(s.run(t, "projections", "rebuild", "-o", "json").want(t, exitOK).stdout), &done); err != nil || done.Stage != "done" || done.Generation != 4 {
		t.Errorf("%+v, %v", done, err)
	}
	cut := session{server: (&fake{rebuild: f.rebuild[:2]}).serve(t)}
	cut.run(t, "projections", "rebuild").want(t, exitError).wantStderr(t, "the server ended the rebuild before its end", "hint: setpoint projections list")
}

// At a terminal a bar shows how far it is and how fast: the server goes on only
// when it has been drawn.
func TestARebuildIsWatchedAtATerminal(t *testing.T) {
	seen := waitFor("/1000, ")
	s := session{terminal: true, patience: time.Nanosecond, err: seen, server: (&fake{
		told: func() { <-seen.found },
		rebuild: []*adminv1.RebuildProjectionResponse{
			{Stage: "folding", Generation: 4, Total: 1000}, {Stage: "folding", Generation: 4, Done: 600, Total: 1000}, {Stage: "done", Generation: 4, Done: 1000, Total: 1000}},
	}).serve(t)}
	// How many for each second (or hour, where it has just begun) comes after the
	// comma; which of them depends on the clock.
	s.run(t, "projections", "rebuild").want(t, exitOK).wantStderr(t, "rebuilding", "/1000, ", " /")
}

func TestProjectionsVerify(t *testing.T) {
	well := &adminv1.VerifyProjectionResponse{Stage: "done", Revision: 1000, Rows: 3456}
	f := &fake{verified: []*adminv1.VerifyProjectionResponse{{Stage: "folding", Done: 5, Total: 1000}, {Stage: "comparing", Done: 7}, well}}
	s := session{server: f.serve(t), width: 100}
	s.run(t, "projections", "verify").want(t, exitOK).wantStdout(t, "All 3456 rows are what the log makes of them, at revision 1000.")
	bad := proto.CloneOf(well)
	bad.Differing = 3
	bad.Differences = []*adminv1.Difference{
		{Table: "resource", Key: "org=acme name=x", Live: proto.String("spec=00"), Log: proto.String("spec=01")},
		{Table: "request", Key: "request_id=r", Log: proto.String("revision=3")},
	}
	s = session{server: (&fake{verified: []*adminv1.VerifyProjectionResponse{bad}}).serve(t), width: 100}
	golden(t, "projections-verify", s.run(t, "projections", "verify").want(t, exitError).stdout)
	s.run(t, "projections", "verify", "-o", "json").want(t, exitError).wantStdout(t, `"differing": "3"`)

	seen := waitFor("comparing")
	s = session{terminal: true, patience: time.Nanosecond, err: seen,
		server: (&fake{verified: f.verified, told: func() { <-seen.found }}).serve(t)}
	s.run(t, "projections", "verify").want(t, exitOK)
}

func TestProjectionsSkip(t *testing.T) {
	var asked *adminv1.SkipEventRequest
	s := session{server: (&fake{skip: func(r *adminv1.SkipEventRequest) (*adminv1.SkipEventResponse, error) {
		asked = r
		if r.GetSequence() != 4711 {
			return nil, refuse(connect.CodeFailedPrecondition, "message 4712 can be folded", nil)
		}
		return &adminv1.SkipEventResponse{Revision: 4720}, nil
	}}).serve(t)}
	s.run(t, "projections", "skip", "4711", "--reason", "no backup has it").want(t, exitOK).
		wantStdout(t, "Message 4711 is left out, by the event at revision 4720.")
	if asked.GetReason() != "no backup has it" || asked.GetRequestId() == "" || asked.GetUnknown() {
		t.Errorf("%v", asked)
	}
	s.run(t, "projections", "skip", "4712", "--reason", "x").want(t, exitError).wantStderr(t, "can be folded")
	asked = nil
	s.terminal, s.stdin = true, "n\n"
	s.run(t, "projections", "skip", "4711", "--reason", "x").wantStderr(t, "Leave message 4711 out of the record for ever?")
	if asked != nil {
		t.Errorf("asked after no: %v", asked)
	}
}

func TestProjectionsWrongUsage(t *testing.T) {
	s := session{server: (&fake{projections: []*adminv1.Projection{running()}}).serve(t)}
	for _, args := range [][]string{
		{}, {"other"}, {"list", "x"}, {"status", "a", "b"}, {"rebuild", "a", "b"}, {"verify", "--limit", "0"}, {"verify", "--limit", "1001"},
		{"verify", "-o", "csv"}, {"resume", "a", "b"}, {"skip"}, {"skip", "x", "--reason", "y"}, {"skip", "0", "--reason", "y"}, {"skip", "3"},
	} {
		s.run(t, append([]string{"projections"}, args...)...).want(t, exitUsage).wantStderr(t, "usage: setpoint projections")
	}
	for _, verb := range []string{"list", "status", "rebuild", "verify", "resume", "skip"} {
		s.run(t, "projections", verb, "--help").want(t, exitOK).wantStdout(t, "Examples:\n  setpoint projections "+map[bool]string{true: "status", false: verb}[verb == "skip"])
	}
}
