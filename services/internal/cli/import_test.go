package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/importer/convert"
	"setpoint.dev/services/internal/fault"
)

const importMapping = `apiVersion: setpoint.dev/import/v1
sheets: [{columns: [{header: KPI, role: name}, {header: Year, role: period}, {header: Target, role: target}, {header: Actual, role: actual}]}]
`

const importTable = "KPI,Year,Target,Actual,Owner\nWait,2018,5 days,6 days,x\nSick,2018,3%,n/a,\nSick,2019,soon,3.5%,\n"

func TestImport(t *testing.T) {
	dir := t.TempDir()
	table, m := write(t, dir, "kpis.csv", importTable), write(t, dir, "kpis.yaml", importMapping)

	// Without a server: files.
	out := filepath.Join(dir, "out")
	session{}.run(t, "import", table, "--map", m, "--offline", "--out", out).want(t, exitOK).
		wantStdout(t, "3 rows, 12 cells; 1 cell without a value", "2 metrics, 2 targets, 2 observations", "E     Owner", "C4", `"soon" has no number`, "nothing was declared")
	for file, want := range map[string]string{
		"manifests.yaml": "kind: Target", "observations.csv": "sick,2019-12-31,0.035,imported", "not-understood.csv": "4,C,Target,soon,",
	} {
		content, err := os.ReadFile(filepath.Join(out, file))
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s: %v\n%s", file, err, content)
		}
	}

	// With one: what another set holds stays, the rest is planned, declared, recorded.
	var applied []*declarationv1.ApplyRequest
	var recorded []*strategyv1.RecordObservationsRequest
	f := &fake{
		list: func(r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			res := &declarationv1.ListResponse{}
			if r.GetKind() == "Metric" {
				res.Resources = []*commonv1.Resource{{Kind: "Metric", Metadata: &commonv1.Metadata{Name: "wait"}, Provenance: &commonv1.Provenance{Set: "finance"}}}
			}
			return res, nil
		},
		plan: func(r *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
			res := &declarationv1.PlanResponse{Revision: 7, Summary: &declarationv1.Summary{}}
			for _, x := range r.GetManifests().GetResources() {
				res.Changes = append(res.Changes, &declarationv1.Change{Kind: x.GetKind(), Name: x.GetMetadata().GetName(), Action: "create"})
			}
			return res, nil
		},
		apply: func(r *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
			applied = append(applied, r)
			return &declarationv1.ApplyResponse{Revision: 8}, nil
		},
		record: func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
			recorded = append(recorded, r)
			return &strategyv1.RecordObservationsResponse{Recorded: int32(len(r.GetObservations())), Revision: 9}, nil
		},
	}
	s := session{server: f.serve(t)}
	s.run(t, "import", table, "--map", m, "--dry-run").want(t, exitOK).wantStdout(t, "Nothing was written. Would declare: 3 to create", "1 resource (Metric/wait)")
	if len(applied)+len(recorded) > 0 {
		t.Fatal("a dry run wrote")
	}
	s.run(t, "import", table, "--map", m, "--reason", "budget").want(t, exitOK).wantStdout(t, "Declared: 3 created", "2 recorded", "Revision 9")
	if len(applied) != 1 || applied[0].GetManifests().GetSet() != "imported" || applied[0].GetExpectedRevision() != 7 || applied[0].GetReason() != "budget" {
		t.Errorf("applied %v", applied)
	}
	if len(recorded) != 1 || !recorded[0].GetCorrect() || recorded[0].GetObservations()[1].GetValue() != 6 {
		t.Errorf("recorded %v", recorded)
	}
	s.run(t, "import", table, "--map", m, "-o", "json").want(t, exitOK).wantStdout(t, `"notUnderstood": [`, `"content": "soon"`)
}

// More than the server takes at once is declared in parts, each checked when the
// one before is there, and run again where one was refused.
func TestImportInParts(t *testing.T) {
	dir := t.TempDir()
	table, m := write(t, dir, "kpis.csv", importTable), write(t, dir, "kpis.yaml", importMapping)
	var calls []string
	declared := map[string]bool{}
	refuse := ""
	name := func(x *commonv1.Resource) string { return x.GetKind() + "/" + x.GetMetadata().GetName() }
	f := &fake{
		list: func(*declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			return &declarationv1.ListResponse{}, nil
		},
		plan: func(r *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
			if want := int64(len(declared)); r.GetMinRevision() > want {
				t.Errorf("a plan as of %d, after %d", r.GetMinRevision(), want)
			}
			res := &declarationv1.PlanResponse{Revision: int64(len(declared)), Summary: &declarationv1.Summary{}}
			known := maps.Clone(declared)
			for _, x := range r.GetManifests().GetResources() {
				known[name(x)] = true
			}
			for _, x := range r.GetManifests().GetResources() {
				calls = append(calls, "plan "+name(x))
				if metric := x.GetSpec().GetFields()["metric"].GetStringValue(); metric != "" && !known["Metric/"+metric] || name(x) == refuse {
					return nil, fault.New(fault.Invalid, "test.refused", "%s is refused", name(x))
				}
				if declared[name(x)] {
					res.Summary.Unchanged++
					continue
				}
				res.Changes = append(res.Changes, &declarationv1.Change{Kind: x.GetKind(), Name: x.GetMetadata().GetName(), Action: "create"})
			}
			return res, nil
		},
		apply: func(r *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
			if r.GetExpectedRevision() != int64(len(declared)) {
				t.Errorf("written as of %d, checked as of %d", r.GetExpectedRevision(), len(declared))
			}
			for _, x := range r.GetManifests().GetResources() {
				calls = append(calls, "apply "+name(x))
				declared[name(x)] = true
			}
			return &declarationv1.ApplyResponse{Revision: int64(len(declared))}, nil
		},
		record: func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
			return &strategyv1.RecordObservationsResponse{Recorded: int32(len(r.GetObservations())), Revision: 9}, nil
		},
	}
	s := session{server: f.serve(t), declared: 3}
	said := func(want ...string) {
		t.Helper()
		if d := cmp.Diff(want, calls); d != "" {
			t.Errorf("asked (-want +got):\n%s", d)
		}
		calls = nil
	}
	// Two metrics and a target, then the target that refers to a metric before it.
	s.run(t, "import", table, "--map", m, "--dry-run").want(t, exitOK).wantStdout(t, "Would declare: 4 to create, 0 to change, 0 unchanged")
	calls = nil
	for _, x := range []string{"Metric/sick", "Metric/wait"} {
		declared[x] = true
	}
	s.run(t, "import", table, "--map", m, "--dry-run").want(t, exitOK).wantStdout(t, "Would declare: 2 to create, 0 to change, 2 unchanged")
	said("plan Metric/sick", "plan Metric/wait", "plan Target/sick", "plan Target/wait")
	clear(declared)

	s.declared = 2
	refuse = "Target/wait"
	s.run(t, "import", table, "--map", m).want(t, exitError).wantStderr(t, "of 2 parts the first 1 are declared", "running the same command again goes on")
	said("plan Metric/sick", "plan Metric/wait", "apply Metric/sick", "apply Metric/wait", "plan Target/sick", "plan Target/wait")
	refuse = ""
	s.run(t, "import", table, "--map", m).want(t, exitOK).wantStdout(t, "Declared: 2 created, 0 changed, 2 unchanged", "2 recorded")
	said("plan Metric/sick", "plan Metric/wait", "plan Target/sick", "plan Target/wait", "apply Target/sick", "apply Target/wait")
}

// A part is bounded in bytes as well; nothing is left out, and the order stays.
func TestParts(t *testing.T) {
	all := make([]convert.Packed, 5)
	for i := range all {
		all[i] = convert.Packed{Name: strconv.Itoa(i)}
	}
	for _, tt := range []struct {
		most, bytes int
		want        []int
	}{{5, 0, []int{5}}, {2, 0, []int{2, 2, 1}}, {1, 0, []int{1, 1, 1, 1, 1}}, {10, -1, []int{1, 1, 1, 1, 1}}} {
		var got []int
		n := 0
		for _, part := range parts(all, tt.most, tt.bytes) {
			got = append(got, len(part))
			for _, x := range part {
				if x.Name != strconv.Itoa(n) {
					t.Errorf("%s is in place %d", x.Name, n)
				}
				n++
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("at most %d, %d bytes: %v, want %v", tt.most, tt.bytes, got, tt.want)
		}
	}
	if got := parts(nil, 1, 1); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestImportRefuses(t *testing.T) {
	dir := t.TempDir()
	table, m := write(t, dir, "kpis.csv", importTable), write(t, dir, "kpis.yaml", importMapping)
	bad := write(t, dir, "bad.yaml", strings.Replace(importMapping, "role: name", "role: nome", 1))
	session{}.run(t, "import", table).want(t, exitUsage).wantStderr(t, "missing --map", "--guess")
	session{}.run(t, "import", table, "--map", m, "--guess").want(t, exitUsage).wantStderr(t, "no meaning")
	session{}.run(t, "import", table, "--map", m, "--vintage", "soon").want(t, exitUsage).wantStderr(t, "--vintage")
	session{}.run(t, "import", table, "--map", bad, "--offline").want(t, exitError).wantStderr(t, "sheets[0].columns[0].role", `"nome"`)
	session{}.run(t, "import", filepath.Join(dir, "none.csv"), "--map", m, "--offline").want(t, exitError).wantStderr(t, "none.csv: no such file")
	other := write(t, dir, "other.csv", "A,B\n1,2\n")
	session{}.run(t, "import", other, "--map", m, "--offline").want(t, exitError).wantStderr(t, `no column "KPI"`)
	session{}.run(t, "adopt", "--set", "x", "--to", "x").want(t, exitUsage)
}

func TestAdopt(t *testing.T) {
	var applied *declarationv1.ApplyRequest
	f := &fake{
		list: func(r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			res := &declarationv1.ListResponse{}
			if r.GetKind() == "Unit" {
				for name, set := range map[string]string{"north": "imported", "south": "finance"} {
					res.Resources = append(res.Resources, &commonv1.Resource{
						ApiVersion: "setpoint.dev/v1", Kind: "Unit", Metadata: &commonv1.Metadata{Name: name}, Provenance: &commonv1.Provenance{Set: set},
					})
				}
			}
			return res, nil
		},
		apply: func(r *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
			applied = r
			return &declarationv1.ApplyResponse{Revision: 8}, nil
		},
	}
	s := session{server: f.serve(t)}
	file := filepath.Join(t.TempDir(), "plan.yaml")
	s.run(t, "adopt", "-o", file, "--to", "plan").want(t, exitOK).wantStdout(t, "1 resource adopted")
	content, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(content), "name: north") || strings.Contains(string(content), "south") {
		t.Errorf("%v\n%s", err, content)
	}
	if m := applied.GetManifests(); m.GetSet() != "plan" || len(m.GetResources()) != 1 {
		t.Errorf("applied %v", applied)
	}
	s.run(t, "adopt", "--set", "nothing").want(t, exitError).wantStderr(t, "holds nothing")
}
