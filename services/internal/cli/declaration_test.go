package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

func sampleHistory(t *testing.T) []*declarationv1.HistoryEntry {
	return []*declarationv1.HistoryEntry{
		{Revision: 90, Recorded: "2026-05-17T12:00:00Z", Principal: "ann", Manager: "cli", Action: "delete",
			Effective: "2026-05-17", Set: "finance", Reason: "replaced\x1b[2J by another", Name: "costs"},
		{Revision: 70, Recorded: "2026-04-02T08:30:00Z", Principal: "ann", Manager: "cli", Action: "act", Effective: "2026-04-02",
			Type: "change.stage_moved.v1", Summary: "urgency: not started → in place on 2026-04-01", Reason: "forty came", Links: []string{"https://example.org/list"}},
		{Revision: 61, Recorded: "2026-04-01T08:30:00.25Z", Principal: "bob", Manager: "git", Action: "rename",
			Effective: "2026-01-01", Set: "finance", Name: "costs", RenamedFrom: "cost", Fields: []*declarationv1.FieldChange{
				fieldChange(t, "set", "", `"finance"`)}},
		{Revision: 57, Recorded: "2026-02-01T08:30:00Z", Principal: "bob", Manager: "git", Action: "update",
			Effective: "2026-01-01", Name: "cost", Mask: []string{"spec.value"}, Fields: []*declarationv1.FieldChange{
				fieldChange(t, "spec.value", `165`, `150`)}},
		{Revision: 9, Recorded: "2026-01-01T08:30:00Z", Principal: "bob", Action: "create", Name: "cost",
			Fields: []*declarationv1.FieldChange{
				fieldChange(t, "spec.value", "", `165`),
				fieldChange(t, "spec.periods[FY2018].value", "", `0.03`)}},
	}
}

func TestHistory(t *testing.T) {
	var asked []*declarationv1.HistoryRequest
	f := &fake{history: func(r *declarationv1.HistoryRequest) (*declarationv1.HistoryResponse, error) {
		asked = append(asked, proto.CloneOf(r))
		entries := sampleHistory(t)
		if r.GetPageToken() == "" {
			return &declarationv1.HistoryResponse{Entries: entries[:3], NextPageToken: "more", Revision: 91}, nil
		}
		return &declarationv1.HistoryResponse{Entries: entries[3:], Revision: 91}, nil
	}}
	s := session{server: f.serve(t)}
	golden(t, "history", s.run(t, "history", "targets", "cost", "--revision", "91").want(t, exitOK).stdout)
	if len(asked) != 2 || asked[0].GetKind() != "Target" || asked[0].GetRevision() != 91 || asked[1].GetPageToken() != "more" {
		t.Errorf("asked %v", asked)
	}
	golden(t, "history-json", s.run(t, "history", "target/cost", "-o", "json").want(t, exitOK).stdout)
	s.run(t, "history", "target").want(t, exitUsage).wantStderr(t, "missing NAME")
}

func TestExport(t *testing.T) {
	var asked *declarationv1.ExportRequest
	f := &fake{export: func(r *declarationv1.ExportRequest) (*declarationv1.ExportResponse, error) {
		asked = proto.CloneOf(r)
		return &declarationv1.ExportResponse{Content: []byte("apiVersion: setpoint.dev/v1\n"), Count: 1200, Revision: 7}, nil
	}}
	s := session{server: f.serve(t)}
	got := s.run(t, "export", "--kind", "metrics,target", "--set", "finance", "--known-at", "2026-01-01", "--dated").want(t, exitOK)
	if got.stdout != "apiVersion: setpoint.dev/v1\n" || got.stderr != "" {
		t.Errorf("stdout %q, stderr %q", got.stdout, got.stderr)
	}
	if strings.Join(asked.GetKinds(), " ") != "Metric Target" || asked.GetSet() != "finance" || !asked.GetDated() || asked.GetKnownAt() != "2026-01-01" {
		t.Errorf("asked %v", asked)
	}
	file := filepath.Join(t.TempDir(), "plan.yaml")
	s.run(t, "export", "-o", file).want(t, exitOK).wantStderr(t, "1,200 resources of revision 7 written to "+file)
	if content, err := os.ReadFile(file); err != nil || string(content) != "apiVersion: setpoint.dev/v1\n" {
		t.Errorf("%q, %v", content, err)
	}
	s.run(t, "export", "--kind", "metrisc").want(t, exitUsage).wantStderr(t, "did you mean metric")
}

func TestDiff(t *testing.T) {
	changes := samplePlan(t).GetChanges()
	f := &fake{diff: func(r *declarationv1.DiffRequest) (*declarationv1.DiffResponse, error) {
		res := &declarationv1.DiffResponse{From: r.GetFrom(), To: 70, Changes: changes, Summary: &declarationv1.Summary{Unchanged: 4}}
		if r.GetTo() != 0 {
			res.Changes, res.To = nil, r.GetTo()
		}
		return res, nil
	}}
	s := session{server: f.serve(t)}
	golden(t, "diff", s.run(t, "diff", "--from", "57").want(t, exitChanges).stdout)
	got := s.run(t, "diff", "--from", "0", "--to", "58").want(t, exitOK)
	if got.stdout != "From revision 0 to 58: no changes, 4 resources are as before.\n" {
		t.Errorf("stdout %q", got.stdout)
	}
	s.run(t, "diff", "--from", "57", "-o", "json").want(t, exitChanges).wantStdout(t, `"to": "70"`)
	s.run(t, "diff", "--to", "57").want(t, exitUsage).wantStderr(t, "missing --from")
	s.run(t, "diff", "--from", "-1").want(t, exitUsage)
	f.diff = nil
	s.run(t, "diff", "--from", "57").want(t, exitError)
}

func TestAStalePlanShowsWhatCameBetween(t *testing.T) {
	f := &fake{apply: func(r *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
		return nil, refuse(connect.CodeAborted, "nothing was changed: the plan rests on revision 57, the declarations stand at 61", &commonv1.ErrorDetail{
			Reason: "declaration.plan_stale", Hint: "plan again", Revision: 61,
			Intervening: []*commonv1.Intervening{
				{Revision: 60, Recorded: "2026-05-17T12:00:00.5Z", Principal: "ann", Manager: "git",
					Changes: []string{"update Target/x", "create Metric/y"}, Count: 1202},
				{Revision: 61, Recorded: "2026-05-17T13:00:00Z", Principal: "bob", Manager: "console",
					Changes: []string{"delete Unit/z"}, Count: 1},
			},
		})
	}}
	dir := t.TempDir()
	saved := write(t, dir, "plan.json", `{"formatVersion":1,"organization":"default","revision":"57","files":[{"path":"m.yaml","content":"eA=="}]}`)
	got := session{server: f.serve(t)}.run(t, "apply", "--plan", saved).want(t, exitError)
	golden(t, "stale", got.stderr)
}
