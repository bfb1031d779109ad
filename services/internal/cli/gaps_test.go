package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"google.golang.org/protobuf/proto"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func sampleGaps() *gapv1.EvaluateResponse {
	f := proto.Float64
	s := proto.String
	return &gapv1.EvaluateResponse{
		AsOf: "2018-12-31", Revision: 4711, Policy: "default",
		Targets: []*gapv1.TargetGap{
			{Name: "costs", Form: "path", Direction: "decrease", Status: "achieved", Known: true, Actual: f(0.085), ActualAt: s("2018-09-30"), Period: s("FY2018"),
				Target: f(0.089), Expected: f(0.092), Gap: f(-0.004), Drift: f(-0.007), Share: f(-1.75), Progress: f(2), Score: f(1)},
			{Name: "fedramp-systems", Form: "path", Direction: "increase", Status: "on_track", Known: true, Actual: f(121), ActualAt: s("2018-09-30"), Period: s("FY2018"),
				Target: f(165), Expected: f(110), ExpectedNow: f(118.822), Gap: f(44), Drift: f(-11), Share: f(-0.142857), Progress: f(0.428571), Due: s("2020-09-30")},
			{Name: "vacant-space", Title: "Vacant space", Form: "periods", Direction: "decrease", Status: "at_risk", Known: true, Actual: f(0.033), ActualAt: s("2018-09-30"), Period: s("FY2018"),
				Target: f(0.03), Gap: f(0.003), Share: f(0.1), Format: &gapv1.NumberFormat{Style: "percent"}, Confidence: proto.Int32(6), Explanation: &gapv1.Explanation{Rule: "at risk: 10.0 % is within 15 %", Revisions: []int64{12, 14}}},
			{Name: "one-bid-rate", Form: "periods", Status: "off_track", Known: true, Actual: f(0.18), Period: s("FY2018"), Target: f(0.15), Gap: f(0.03), Share: f(0.2)},
			{Name: "oregon", Form: "path", Status: "off_track", Known: true, Actual: f(49946700.5), ActualAt: s("2020-12-31"), Target: f(24031300), Expected: f(30584500), Gap: f(25915400), Share: f(0.984755), Progress: f(-0.318048)},
			{Name: "leased-revenue", Form: "maintain", Status: "missed", Known: true, Actual: f(-0.004), Period: s("FY2018"), Lower: f(0), Upper: f(0.02), Gap: f(0.004),
				Format: &gapv1.NumberFormat{Style: "percent", Decimals: proto.Int32(2)}, Override: &gapv1.Override{Status: "at_risk", Reason: "one-off refund", Expires: "2019-03-31"}},
			{Name: "engagement", Form: "path", Status: "no_data", Stale: true, LastKnownStatus: s("on_track"), Target: f(0.79), Conditions: []string{"FinalPending"}},
			{Name: "new-office", Form: "milestone", Status: "not_started"},
		},
		Objectives: []*gapv1.RollUp{
			{Name: "cheaper-inventory", Title: "Reduce the cost of the federal inventory", Status: "at_risk", Score: f(0.5), Known: 1, Targets: 2},
			{Name: "people", Title: "Engaged people", Status: "no_data", Known: 0, Targets: 1},
		},
		Strategies: []*gapv1.RollUp{
			{Name: "gsa-2018-2022", Title: "GSA strategic plan 2018-2022", Status: "on_track", Score: f(0.8333), Progress: f(0.61), Known: 0.75, Targets: 8},
		},
		Hints: []string{"1 target is stale; try --as-of 2018-09-30"},
	}
}

func gapServer(t *testing.T) session {
	f := &fake{evaluate: func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) { return sampleGaps(), nil }}
	return session{server: f.serve(t)}
}

func TestGapsTable(t *testing.T) {
	s := gapServer(t)
	got := s.run(t, "gaps").want(t, exitOK)
	golden(t, "gaps", got.stdout)
	if got.stderr != "" {
		t.Errorf("stderr: %s", got.stderr)
	}
	s.run(t, "gaps", "--original-targets").want(t, exitOK).wantStdout(t, "against the targets as first declared")
	s.terminal, s.width = true, 90
	got = s.run(t, "gaps").want(t, exitOK)
	golden(t, "gaps-terminal", got.stdout)
	for _, l := range strings.Split(got.stdout, "\n")[2:] {
		if w := text.StringWidthWithoutEscSequences(l); w > 90 {
			t.Errorf("%d columns: %s", w, l)
		}
	}
}

// On a phone's terminal nothing runs over the edge, and no flag is lost.
func TestGapsFitANarrowTerminal(t *testing.T) {
	long := sampleGaps()
	for _, g := range long.Targets {
		g.Name += "-of-all-offices-and-regions"
		g.Conditions = append(g.Conditions, "FinalPending")
	}
	far := 25_915_422.35
	long.Targets[0].Gap = &far
	f := &fake{evaluate: func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) { return long, nil }}
	s := session{server: f.serve(t), terminal: true}
	for _, s.width = range []int{40, 45, 57, 58, 70} {
		got := s.run(t, "gaps").want(t, exitOK)
		flags := 0
		for _, l := range strings.Split(got.stdout, "\n") {
			if w := text.StringWidthWithoutEscSequences(l); w > s.width {
				t.Errorf("%d columns of %d: %s", w, s.width, l)
			}
			flags += strings.Count(l, "FinalPending")
		}
		if s.width < narrowGaps && flags < len(long.Targets) {
			t.Errorf("%d columns: %d flags of %d targets:\n%s", s.width, flags, len(long.Targets), got.stdout)
		}
	}
	s.width = 40
	golden(t, "gaps-narrow", s.run(t, "gaps").want(t, exitOK).stdout)
}

func TestGapsWithoutTargets(t *testing.T) {
	f := &fake{evaluate: func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		return &gapv1.EvaluateResponse{AsOf: "2018-12-31", Policy: "default"}, nil
	}}
	session{server: f.serve(t)}.run(t, "gaps").want(t, exitOK).wantStdout(t, "No targets.")
}

func TestGapsJSON(t *testing.T) {
	s := gapServer(t)
	got := s.run(t, "gaps", "-o", "json").want(t, exitOK)
	golden(t, "gaps-json", got.stdout)
	var e struct {
		Revision string
		Targets  []map[string]any
	}
	if err := json.Unmarshal([]byte(got.stdout), &e); err != nil {
		t.Fatal(err)
	}
	office := e.Targets[7]
	for _, absent := range []string{"actual", "gap", "share", "target", "period", "lastKnownStatus"} {
		if v, there := office[absent]; there {
			t.Errorf("%s is %v, though it is not known", absent, v)
		}
	}
	if office["stale"] != false || fmt.Sprint(office["conditions"]) != "[]" || e.Revision != "4711" {
		t.Errorf("defaults are left out: %v", office)
	}
	if band := e.Targets[5]; band["lower"] != 0.0 {
		t.Errorf("a bound of 0 is absent: %v", band)
	}
	golden(t, "gaps-yaml", s.run(t, "gaps", "-o", "yaml").want(t, exitOK).stdout)
}

func TestReport(t *testing.T) {
	var got *gapv1.ReportRequest
	f := &fake{report: func(r *gapv1.ReportRequest) (*gapv1.ReportResponse, error) {
		got = r
		res := &gapv1.ReportResponse{Content: []byte("# Gaps\n"), Sha256: "abc123", AsOf: "2018-12-31", Revision: 4711}
		if r.GetFormat() == "pdf" {
			res.Warnings = []string{"Characters that the font of this document does not have (Han) are shown as \uFFFD."}
		}
		return res, nil
	}}
	s := session{server: f.serve(t)}
	r := s.run(t, "report", "gap", "--strategy", "gsa", "--format", "md", "--as-of", "2018-12-31").want(t, exitOK)
	if r.stdout != "# Gaps\n" || r.stderr != "" || got.GetStrategy() != "gsa" || got.GetFormat() != "md" || got.GetAsOf() != "2018-12-31" {
		t.Errorf("%+v for %v", r, got)
	}
	r = s.run(t, "report", "gap", "--format", "pdf").want(t, exitOK).wantStderr(t, "warning: Characters that the font")
	if r.stdout != "# Gaps\n" {
		t.Errorf("a warning got into the document: %q", r.stdout)
	}
	out := filepath.Join(t.TempDir(), "report.html")
	r = s.run(t, "report", "gap", "--format", "html", "-o", out).want(t, exitOK).wantStderr(t, out, "sha256 abc123", "revision 4711")
	content, err := os.ReadFile(out)
	if err != nil || string(content) != "# Gaps\n" || r.stdout != "" {
		t.Errorf("%v: %q, stdout %q", err, content, r.stdout)
	}
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v: left over: %v", err, entries)
	}
}

func TestStatus(t *testing.T) {
	res := &adminv1.GetStatusResponse{
		Version:     "v1.2.3",
		Logs:        []*adminv1.LogStatus{{Stream: "SETPOINT_0", LogId: "01HX", LastRevision: 4711, Sync: "always"}},
		Projections: []*adminv1.ProjectionStatus{{Name: "record", Stream: "SETPOINT_0", Revision: 4700, State: "running"}},
	}
	f := &fake{status: func(context.Context) (*adminv1.GetStatusResponse, error) { return res, nil }}
	s := session{server: f.serve(t)}
	golden(t, "status", strings.Replace(s.run(t, "status").want(t, exitOK).stdout, s.server, "SERVER", 1))
	s.run(t, "status", "-o", "json").want(t, exitOK).wantStdout(t, `"lastRevision": "4711"`)
	res.Projections[0].State, res.Projections[0].Message = "halted", "unknown event type x.v1"
	s.run(t, "status").want(t, exitError).wantStderr(t, "the projection record has halted at revision 4700: unknown event type x.v1")
}

func TestVersion(t *testing.T) {
	session{}.run(t, "version").want(t, exitOK).wantStdout(t, "setpoint v1.2.3 ")
}
