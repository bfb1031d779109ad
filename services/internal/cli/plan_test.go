package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

func value(t *testing.T, raw string) *structpb.Value {
	t.Helper()
	v := &structpb.Value{}
	if err := v.UnmarshalJSON([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	return v
}

func fieldChange(t *testing.T, path, from, to string) *declarationv1.FieldChange {
	t.Helper()
	f := &declarationv1.FieldChange{Path: path}
	if from != "" {
		f.From = value(t, from)
	}
	if to != "" {
		f.To = value(t, to)
	}
	return f
}

func samplePlan(t *testing.T) *declarationv1.PlanResponse {
	return &declarationv1.PlanResponse{
		Revision: 57,
		Changes: []*declarationv1.Change{
			{Kind: "Metric", Name: "vacant-space", Action: "create", Fields: []*declarationv1.FieldChange{
				fieldChange(t, "spec.title", "", `"Vacant space"`),
				fieldChange(t, "spec.cadence", "", `"yearly"`),
			}},
			{Kind: "Target", Name: "budget", Action: "create", Fields: []*declarationv1.FieldChange{
				fieldChange(t, "spec.metric", "", `"cost"`),
				fieldChange(t, "spec.value", "", `5900000000`),
				fieldChange(t, "spec.trajectory.points[2018-09-30].date", "", `"2018-09-30"`),
				fieldChange(t, "spec.trajectory.points[2018-09-30].value", "", `0`),
				fieldChange(t, "spec.periods[FY2018].period", "", `"FY2018"`),
				fieldChange(t, "spec.periods[FY2018].value", "", `0.03`),
				fieldChange(t, "spec.periods[FY2019].lower", "", `0`),
				fieldChange(t, "spec.periods[FY2019].period", "", `"FY2019"`),
				fieldChange(t, "spec.periods[FY2019].upper", "", `0.02`),
				fieldChange(t, "spec.periods[FY2020].excluded", "", `"no target, yet"`),
				fieldChange(t, "spec.note", "", `"`+strings.Repeat("long ", 60)+`"`),
			}},
			{Kind: "Target", Name: "vacant-space", Action: "update", Fields: []*declarationv1.FieldChange{
				fieldChange(t, "metadata.labels.source", "", `"gsa"`),
				fieldChange(t, "spec.owner", `"unit/real-estate"`, ""),
				fieldChange(t, "spec.periods[FY2019].value", `0.03`, `0.025`),
				fieldChange(t, "spec.periods[FY2020].period", "", `"FY2020"`),
				fieldChange(t, "spec.periods[FY2020].value", "", `0.025`),
				fieldChange(t, "spec.pillars", `["a", {"b": true}]`, `null`),
				fieldChange(t, "spec.tolerance", `0.1`, `0.30000000000000004`),
				fieldChange(t, "spec.description", `"one"`, `"two\nlines\u001b[31m"`),
				fieldChange(t, "spec.note", `"`+strings.Repeat("word ", 40)+`old end"`, `"`+strings.Repeat("word ", 40)+`new end"`),
			}},
			{Kind: "Unit", Name: "real-estate", Action: "rename", RenamedFrom: "buildings", Fields: []*declarationv1.FieldChange{
				fieldChange(t, "set", `"estate"`, ""),
			}},
			{Kind: "Unit", Name: "sales", Action: "update", Fields: []*declarationv1.FieldChange{
				fieldChange(t, "set", `"people"`, `"finance"`),
			}},
			{Kind: "Objective", Name: "obsolete", Action: "delete"},
		},
		Summary: &declarationv1.Summary{Create: 2, Update: 3, Delete: 1, Unchanged: 40},
		Warnings: []*commonv1.Fault{{
			File: "plan/targets.yaml", Line: 12, Column: 3, Resource: "Target/budget", Field: "spec.owner",
			Message: "no owner: nobody is responsible", Hint: "name a unit or a person",
		}},
	}
}

func TestPlan(t *testing.T) {
	f := &fake{plan: func(*declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) { return samplePlan(t), nil }}
	s := session{server: f.serve(t)}
	file := write(t, t.TempDir(), "m.yaml", "kind: Metric\n")

	got := s.run(t, "plan", "-f", file).want(t, exitChanges)
	golden(t, "plan", got.stdout)
	if got.stderr != "" {
		t.Errorf("stderr: %s", got.stderr)
	}

	s.terminal = true
	golden(t, "plan-color", s.run(t, "plan", "-f", file).want(t, exitChanges).stdout)
	for _, how := range []struct {
		env map[string]string
		arg string
	}{{map[string]string{"NO_COLOR": "1"}, "--prune"}, {map[string]string{"TERM": "dumb"}, "--prune"}, {nil, "--no-color"}} {
		s.env = how.env
		if got := s.run(t, "plan", "-f", file, how.arg).want(t, exitChanges).stdout; strings.Contains(got, "\x1b") {
			t.Errorf("colours in spite of %v", how)
		}
	}

	s.terminal = false
	golden(t, "plan-json", s.run(t, "plan", "-f", file, "-o", "json").want(t, exitChanges).stdout)
}

func TestPlanWithoutChanges(t *testing.T) {
	f := &fake{plan: func(*declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
		return &declarationv1.PlanResponse{Revision: 9, Summary: &declarationv1.Summary{Unchanged: 40}}, nil
	}}
	got := session{server: f.serve(t), stdin: "{}"}.run(t, "plan", "-f", "-").want(t, exitOK)
	if want := "No changes: 40 resources are as declared.\n"; got.stdout != want {
		t.Errorf("stdout %q, want %q", got.stdout, want)
	}
}

func TestManifestsAreSentAsTheyAre(t *testing.T) {
	var got *declarationv1.Manifests
	f := &fake{plan: func(r *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
		got = r.GetManifests()
		return &declarationv1.PlanResponse{}, nil
	}}
	dir := t.TempDir()
	write(t, dir, "plan/b.yml", "b")
	write(t, dir, "plan/a.yaml", "a: [\x00")
	write(t, dir, "plan/sub/c.json", "c")
	write(t, dir, "plan/.git/config.yaml", "hidden")
	write(t, dir, "plan/README.md", "no manifest")
	write(t, dir, "plan/Z.YAML", "z")
	write(t, dir, "other.txt", "named, so read")
	t.Chdir(dir)
	s := session{server: f.serve(t), stdin: "from stdin"}
	s.run(t, "plan", "-f", "./plan", "-f", "other.txt", "-f", "-", "-f", "plan/a.yaml", "--set", "finance", "--prune").want(t, exitOK)
	var files []string
	for _, m := range got.GetFiles() {
		files = append(files, m.GetPath()+"="+string(m.GetContent()))
	}
	if want := "plan/Z.YAML=z plan/a.yaml=a: [\x00 plan/b.yml=b plan/sub/c.json=c other.txt=named, so read stdin=from stdin"; strings.Join(files, " ") != want {
		t.Errorf("sent %q\nwant %q", strings.Join(files, " "), want)
	}
	if got.GetSet() != "finance" || !got.GetPrune() {
		t.Errorf("set %q, prune %v", got.GetSet(), got.GetPrune())
	}
	write(t, dir, "empty/README.md", "")
	s.run(t, "plan", "-f", "empty").want(t, exitError).wantStderr(t, "error: empty holds no manifests", ".yaml")
	s.run(t, "plan", "-f", "missing.yaml").want(t, exitError).wantStderr(t, "error: missing.yaml: no such file or directory")
}

func TestFaultsAreShownOnePerLine(t *testing.T) {
	f := &fake{plan: func(*declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
		return nil, refuse(connect.CodeInvalidArgument, "the manifests are not valid", &commonv1.ErrorDetail{
			Reason: "declaration.invalid",
			Hint:   "nothing was changed",
			Faults: []*commonv1.Fault{
				{File: "a.yaml", Line: 3, Column: 5, Resource: "Metric/x", Field: "spec.cadence", Message: `"montly" is not legal`, Hint: "did you mean monthly?"},
				{File: "a.yaml", Line: 9, Message: "not YAML"},
				{File: "b.yaml", Resource: "Target/y", Message: "no such metric"},
				{Field: "manifests.set", Message: "too long"},
			},
		})
	}}
	got := session{server: f.serve(t), stdin: "x"}.run(t, "plan", "-f", "-").want(t, exitError)
	golden(t, "faults", got.stderr)
	if got.stdout != "" {
		t.Errorf("stdout: %s", got.stdout)
	}
}

// declared is a server on which the sample plan applies.
func declared(t *testing.T, revision int64, applied *[]*declarationv1.ApplyRequest) *fake {
	return &fake{
		plan: func(*declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
			p := samplePlan(t)
			p.Revision = revision
			return p, nil
		},
		apply: func(r *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
			*applied = append(*applied, r)
			if e := r.GetExpectedRevision(); e != 0 && e != revision || r.GetExpectEmpty() && revision != 0 {
				return nil, refuse(connect.CodeAborted, fmt.Sprintf("the declarations have changed since revision %d", e), &commonv1.ErrorDetail{Revision: revision})
			}
			p := samplePlan(t)
			return &declarationv1.ApplyResponse{Revision: revision + 1, Changes: p.GetChanges(), Summary: p.GetSummary(), Warnings: p.GetWarnings()}, nil
		},
	}
}

func TestApplyWithoutATerminalDoesNotAsk(t *testing.T) {
	var applied []*declarationv1.ApplyRequest
	s := session{server: declared(t, 57, &applied).serve(t), stdin: "manifest"}
	got := s.run(t, "apply", "-f", "-", "--reason", "budget of May", "--manager", "git").want(t, exitOK)
	golden(t, "apply", got.stdout)
	got.wantStderr(t, "1 warning; setpoint plan shows them")
	r := applied[0]
	if r.GetRequestId() == "" || r.GetManager() != "git" || r.GetReason() != "budget of May" || r.GetExpectedRevision() != 0 {
		t.Errorf("request %v", r)
	}
	var res struct{ Revision string }
	got = s.run(t, "apply", "-f", "-", "-o", "json").want(t, exitOK)
	if err := json.Unmarshal([]byte(got.stdout), &res); err != nil || res.Revision != "58" {
		t.Errorf("%v in %s", err, got.stdout)
	}
	if applied[1].GetRequestId() == r.GetRequestId() {
		t.Error("two commands with one request id")
	}
}

func TestApplyOnATerminalAsks(t *testing.T) {
	var applied []*declarationv1.ApplyRequest
	file := write(t, t.TempDir(), "m.yaml", "kind: Metric\n")
	s := session{server: declared(t, 57, &applied).serve(t), terminal: true}
	for _, no := range []string{"", "\n", "no\n", "yess\n"} {
		s.stdin = no
		s.run(t, "apply", "-f", file).want(t, exitError).wantStderr(t, "+ Metric/vacant-space", "Apply these changes? [y/N]", "Nothing was changed.")
	}
	if len(applied) != 0 {
		t.Fatalf("applied without consent: %v", applied)
	}
	s.stdin = "Y\n"
	s.run(t, "apply", "-f", file).want(t, exitOK)
	if len(applied) != 1 || applied[0].GetExpectedRevision() != 57 {
		t.Errorf("not what was shown: %v", applied)
	}
	s.stdin = ""
	s.run(t, "apply", "-f", file, "--yes").want(t, exitOK)
	s.run(t, "apply", "-f", "-").want(t, exitUsage).wantStderr(t, "give --yes")
}

func TestSavedPlan(t *testing.T) {
	var applied []*declarationv1.ApplyRequest
	dir := t.TempDir()
	manifest := write(t, dir, "m.yaml", "kind: Metric\n")
	saved := filepath.Join(dir, "plan.json")
	s := session{server: declared(t, 57, &applied).serve(t)}
	s.run(t, "plan", "-f", manifest, "--set", "finance", "--prune", "--out", saved, "--org", "acme").want(t, exitChanges).
		wantStdout(t, "setpoint apply --plan "+saved)
	write(t, dir, "m.yaml", "kind: Changed\n") // what counts is what was planned

	f := declared(t, 57, &applied)
	s.server = f.serve(t)
	s.run(t, "apply", "--plan", saved).want(t, exitOK)
	m := applied[0].GetManifests()
	if applied[0].GetExpectedRevision() != 57 || m.GetSet() != "finance" || !m.GetPrune() || string(m.GetFiles()[0].GetContent()) != "kind: Metric\n" {
		t.Errorf("request %v", applied[0])
	}
	if got := f.headers[0].Get("Setpoint-Org"); got != "acme" {
		t.Errorf("applied to %q", got)
	}
	s.run(t, "apply", "--plan", saved, "--org", "other").want(t, exitError).wantStderr(t, `made for the organization "acme", not "other"`)

	s.server = declared(t, 60, &applied).serve(t)
	s.run(t, "apply", "--plan", saved).want(t, exitError).
		wantStderr(t, "error: the declarations have changed since revision 57", "hint: somebody changed")
	s.terminal = true
	s.run(t, "apply", "--plan", saved).want(t, exitError).wantStderr(t, "have changed since")
	s.terminal = false
	s.run(t, "apply", "--plan", saved, "--force").want(t, exitOK)

	broken := write(t, dir, "broken.json", "{}")
	s.run(t, "apply", "--plan", broken).want(t, exitError).wantStderr(t, "is not a saved plan")
	raw, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	newer := write(t, dir, "newer.json", strings.Replace(string(raw), `"formatVersion": 1`, `"formatVersion": 2`, 1))
	s.run(t, "apply", "--plan", newer).want(t, exitError).wantStderr(t, "has format 2")
	s.run(t, "plan", "-f", manifest, "--out", filepath.Join(dir, "no", "such", "folder")).want(t, exitError).wantStderr(t, "no such file or directory")
}

// A plan made before anything was declared rests on revision 0, which
// expected_revision cannot say.
func TestSavedPlanOfAnEmptyOrganization(t *testing.T) {
	var applied []*declarationv1.ApplyRequest
	dir := t.TempDir()
	manifest := write(t, dir, "m.yaml", "kind: Metric\n")
	saved := filepath.Join(dir, "plan.json")
	s := session{server: declared(t, 0, &applied).serve(t)}
	s.run(t, "plan", "-f", manifest, "--out", saved).want(t, exitChanges)
	s.run(t, "apply", "--plan", saved).want(t, exitOK)
	s.server = declared(t, 3, &applied).serve(t)
	s.run(t, "apply", "--plan", saved).want(t, exitError).wantStderr(t, "have changed since revision 0")
	if len(applied) != 2 || !applied[1].GetExpectEmpty() {
		t.Errorf("applied %v", applied)
	}
	s.run(t, "apply", "--plan", saved, "--force").want(t, exitOK)
}
