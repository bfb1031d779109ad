package cli

import (
	"encoding/csv"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// csvRows reads CSV into rows by column name.
func csvRows(t *testing.T, text string) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if !strings.Contains(text, "\r\n") {
		t.Errorf("lines do not end in CRLF: %q", text)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, cell := range r {
			m[rows[0][i]] = cell
		}
		out = append(out, m)
	}
	return out
}

func TestResourcesAsCSV(t *testing.T) {
	hostile := resource(t, "Metric", "b", `{"title": "=cmd|' /C calc'!A0", "decimals": 2, "bounds": {"lower": -0.5}, "cadence": "yearly"}`, 13)
	hostile.Metadata.Labels = map[string]string{"b": "2", "a": "1"}
	f := catalogue(resource(t, "Metric", "a", metricSpec, 12), hostile, resource(t, "Target", "vacant-space", targetSpec, 14))
	s := session{server: f.serve(t)}
	rows := csvRows(t, s.run(t, "get", "metrics", "-o", "csv").want(t, exitOK).stdout)
	for column, want := range map[string]string{
		"name": "b", "title": "'=cmd|' /C calc'!A0", "decimals": "2", "bounds.lower": "-0.5", "bounds.upper": "",
		"labels": "a=1; b=2", "protected": "false", "set": "gsa", "revision": "13", "created_revision": "3", "manager": "cli",
	} {
		if got := rows[1][column]; got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	rows = csvRows(t, s.run(t, "get", "target", "vacant-space", "-o", "csv").want(t, exitOK).stdout)
	if got := rows[0]["periods"]; got != `[{"period":"FY2018","value":0.03},{"period":"FY2019","value":0.03}]` || rows[0]["tolerance"] != "0" || rows[0]["value"] != "" {
		t.Errorf("%v", rows[0])
	}
	// What is not there has the same columns.
	empty := s.run(t, "get", "strategies", "-o", "csv").want(t, exitOK)
	if empty.stdout != "name,title,description,vision,horizon.start,horizon.end,pillars,owner,labels,protected,set,revision,created_revision,recorded,principal,manager,effective\r\n" || empty.stderr != "" {
		t.Errorf("%q, %q", empty.stdout, empty.stderr)
	}
}

func TestGapsAsCSV(t *testing.T) {
	rows := csvRows(t, gapServer(t).run(t, "gaps", "-o", "csv").want(t, exitOK).stdout)
	if len(rows) != len(sampleGaps().GetTargets()) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []map[string]string{
		0: {"target": "costs", "gap": "-0.004", "share": "-1.75", "progress": "2", "as_of": "2018-12-31", "revision": "4711", "policy": "default"},
		2: {"target": "vacant-space", "actual": "0.033", "target_value": "0.03", "confidence": "6", "revisions": "12 14", "original_targets": "false"},
		5: {"target": "leased-revenue", "lower": "0", "upper": "0.02", "override_status": "at_risk", "override_expires": "2019-03-31"},
		7: {"target": "new-office", "actual": "", "gap": "", "confidence": "", "stale": "false"},
	} {
		for column, w := range want {
			if got := rows[i][column]; got != w {
				t.Errorf("%d: %s is %q, want %q", i, column, got, w)
			}
		}
	}
}

// What is printed as CSV is recorded again as it was.
func TestObservationsAsCSVCanBeRecordedAgain(t *testing.T) {
	v := []float64{-0.004, 1e21, 0.1}
	f := &fake{observed: func(*strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error) {
		return &strategyv1.ListObservationsResponse{Revision: 9, Observations: []*strategyv1.Observation{
			{Metric: "m", ObservedAt: "2018-09-30", Value: &v[0], Source: "=SUM(A1)", Note: "two\nlines, \"quoted\"", Revision: 4, Corrections: 1},
			{Metric: "m", ObservedAt: "2019-09-30", Value: &v[1], Source: "'@x", Note: "+1", Revision: 5},
			{Metric: "m", ObservedAt: "2020-09-30", Value: &v[2], Revision: 6, Recorded: "2026-05-17T12:00:00Z"},
		}}, nil
	}}
	var sent []*strategyv1.Observation
	f.record = func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
		sent = r.GetObservations()
		return &strategyv1.RecordObservationsResponse{Revision: 10, Unchanged: 3}, nil
	}
	s := session{server: f.serve(t)}
	text := s.run(t, "get", "observations", "m", "-o", "csv").want(t, exitOK).stdout
	for _, row := range csvRows(t, text) {
		for _, column := range []string{"source", "note"} {
			if cell := row[column]; cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%s %q would run", column, cell)
			}
		}
	}
	s.stdin = text
	s.run(t, "observe", "-f", "-").want(t, exitOK)
	if len(sent) != 3 {
		t.Fatalf("sent %v", sent)
	}
	want, _ := f.observed(nil)
	for i, o := range want.GetObservations() {
		got := sent[i]
		if got.GetObservedAt() != o.GetObservedAt() || got.GetValue() != o.GetValue() || got.GetSource() != o.GetSource() || got.GetNote() != o.GetNote() {
			t.Errorf("%v came back as %v", o, got)
		}
	}
}

func TestPlanAsCSV(t *testing.T) {
	f := &fake{plan: func(*declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
		return &declarationv1.PlanResponse{
			Revision: 7,
			Changes: []*declarationv1.Change{
				{Kind: "Target", Name: "t", Action: "update", Fields: []*declarationv1.FieldChange{
					{Path: "spec.value", From: structpb.NewNumberValue(165), To: structpb.NewNumberValue(170.5)},
					{Path: "spec.note", To: structpb.NewStringValue("-1+1")},
				}},
				{Kind: "Metric", Name: "m", Action: "delete"},
			},
			Warnings: []*commonv1.Fault{{Resource: "Target/t", Message: "has no owner"}},
		}, nil
	}}
	manifest := write(t, t.TempDir(), "a.yaml", "kind: Target\n")
	got := session{server: f.serve(t)}.run(t, "plan", "-f", manifest, "-o", "csv").want(t, exitChanges).wantStderr(t, "Target/t: has no owner")
	want := "action,kind,name,renamed_from,field,from,to\r\n" +
		"update,Target,t,,spec.value,165,170.5\r\n" +
		"update,Target,t,,spec.note,,'-1+1\r\n" +
		"delete,Metric,m,,,,\r\n"
	if got.stdout != want {
		t.Errorf("%q", got.stdout)
	}
}
