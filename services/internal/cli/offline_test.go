package cli

import (
	"encoding/json"
	"testing"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/fault"
)

func TestPlanOffline(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "kind: Metric\n")
	write(t, dir, "deep/b.json", "{}")
	var read []string
	s := session{
		server: "http://127.0.0.1:1", // nobody is asked
		offline: func(files []*declarationv1.ManifestFile) (*OfflinePlan, error) {
			for _, f := range files {
				read = append(read, f.GetPath())
			}
			return &OfflinePlan{
				Counts:   []KindCount{{"Strategy", 1}, {"Metric", 28}},
				Warnings: []fault.Place{{File: "a.yaml", Line: 3, Column: 1, Resource: "Metric/m", Field: "spec.unit", Message: "no unit", Hint: "say what is counted"}},
			}, nil
		},
	}
	got := s.run(t, "plan", "--offline", "-f", dir).want(t, exitOK)
	got.wantStdout(t, "1 warning:\n  a.yaml:3:1: Metric/m spec.unit: no unit\n      hint: say what is counted\n",
		"Valid: 29 resources in 2 files (1 strategy, 28 metrics).\n")
	if len(read) != 2 || got.stderr != "" {
		t.Errorf("read %v; stderr %q", read, got.stderr)
	}
	var j offlineResult
	if err := json.Unmarshal([]byte(s.run(t, "plan", "--offline", "-f", dir, "-o", "json").want(t, exitOK).stdout), &j); err != nil {
		t.Fatal(err)
	}
	if !j.Valid || j.Counts["Metric"] != 28 || len(j.Warnings) != 1 || j.Warnings[0].Line != 3 || j.Faults == nil {
		t.Errorf("%+v", j)
	}
	s.run(t, "plan", "--offline", "-f", dir, "-o", "csv").want(t, exitUsage).wantStderr(t, "no changes to list")
	s.run(t, "plan", "--offline", "-f", dir+"/nope").want(t, exitError).wantStderr(t, "nope")
}

func TestPlanOfflineTellsEveryFault(t *testing.T) {
	file := write(t, t.TempDir(), "a.yaml", "kind: Metric\n")
	s := session{offline: func([]*declarationv1.ManifestFile) (*OfflinePlan, error) {
		e := fault.New(fault.Invalid, "declaration.invalid", "the manifests have 2 faults")
		e.Places = []fault.Place{
			{File: "a.yaml", Line: 2, Column: 5, Resource: "Target/t", Field: "spec.metric", Reason: "declaration.reference_unknown", Message: "there is no Metric/m"},
			{File: "a.yaml", Line: 9, Column: 1, Message: "unknown kind"},
		}
		return nil, e
	}}
	got := s.run(t, "plan", "--offline", "-f", file).want(t, exitError)
	got.wantStderr(t, "a.yaml:2:5: Target/t spec.metric: there is no Metric/m\n", "a.yaml:9:1: unknown kind\n", "error: the manifests have 2 faults\n")
	if got.stdout != "" {
		t.Errorf("stdout: %s", got.stdout)
	}
	var j offlineResult
	data := s.run(t, "plan", "--offline", "-f", file, "-o", "json").want(t, exitError)
	if err := json.Unmarshal([]byte(data.stdout), &j); err != nil {
		t.Fatal(err)
	}
	if j.Valid || len(j.Faults) != 2 || j.Faults[0].Reason != "declaration.reference_unknown" || j.Faults[1].Line != 9 || data.stderr != "" {
		t.Errorf("%+v; stderr %q", j, data.stderr)
	}
	// A client without the rules says so.
	session{}.run(t, "plan", "--offline", "-f", file).want(t, exitError).wantStderr(t, "cannot check manifests without a server")
}
