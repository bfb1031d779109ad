package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/jedib0t/go-pretty/v6/text"
	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
)

// acting answers as a server on which people act.
type acting struct {
	initiativev1connect.UnimplementedInitiativeServiceHandler
	changev1connect.UnimplementedChangeServiceHandler

	programs map[string]*changev1.ProgramEntry
	answers  func(*changev1.RecordAnswersRequest) (*changev1.RecordAnswersResponse, error)
}

func (f *acting) serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(initiativev1connect.NewInitiativeServiceHandler(f))
	mux.Handle(changev1connect.NewChangeServiceHandler(f))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func (f *acting) GetInitiative(context.Context, *initiativev1.GetInitiativeRequest) (*initiativev1.GetInitiativeResponse, error) {
	return &initiativev1.GetInitiativeResponse{
		Initiative: sampleInitiative(), Revision: 99, AsOf: "2026-11-26", Acts: []*commonv1.Act{
			{Revision: 92, Recorded: "2026-11-26T09:00:00Z", Principal: "ann", Summary: "approved → active on 2026-01-10"},
			{Revision: 94, Recorded: "2026-11-26T09:05:00Z", Principal: "ann", Summary: "milestone rollout expected 2026-09-30 → 2026-12-20", Note: "a supplier failed"},
		},
	}, nil
}

func (f *acting) ListInitiatives(context.Context, *initiativev1.ListInitiativesRequest) (*initiativev1.ListInitiativesResponse, error) {
	return &initiativev1.ListInitiativesResponse{
		Initiatives: []*initiativev1.InitiativeEntry{sampleInitiative(), {
			Name: "archive", Spec: &initiativev1.InitiativeSpec{Title: "Clean up"}, State: &initiativev1.InitiativeState{Stage: "proposed"},
			ExpectedStart: "2026-12-20", ExpectedEnd: "2027-06-19", SlipDays: 80, Critical: true,
		}},
		Money:          []*initiativev1.ObjectiveMoney{{Objective: "answers", Initiatives: 1, Budget: "100000", Spent: "10000.50", Currency: "USD"}},
		ServingNothing: []string{"archive"}, UnservedTargets: []string{"hours"}, Revision: 99, AsOf: "2026-11-26",
	}, nil
}

func (f *acting) GetProgram(_ context.Context, r *changev1.GetProgramRequest) (*changev1.GetProgramResponse, error) {
	p := f.programs[r.GetProgram()]
	if p == nil {
		return nil, connect.NewError(connect.CodeNotFound, errors.New("there is no such program"))
	}
	return &changev1.GetProgramResponse{Program: p, Revision: 99, AsOf: "2026-11-26", Acts: []*commonv1.Act{{
		Revision: 97, Recorded: "2026-11-26T09:00:00Z", Principal: "ann", Summary: "change: in progress → regressed on 2026-11-20",
		Note: "they went back to paper", Links: []string{"https://example.org/notes"}}}}, nil
}

func (f *acting) ListPrograms(context.Context, *changev1.ListProgramsRequest) (*changev1.ListProgramsResponse, error) {
	return &changev1.ListProgramsResponse{Programs: []*changev1.ProgramEntry{f.programs["people"], f.programs["field"]}, Revision: 99, AsOf: "2026-11-26"}, nil
}

func (f *acting) GetResults(context.Context, *changev1.GetResultsRequest) (*changev1.GetResultsResponse, error) {
	return &changev1.GetResultsResponse{Program: "people", Wave: sampleWave(), Revision: 99}, nil
}

func (f *acting) GetLoad(context.Context, *changev1.GetLoadRequest) (*changev1.GetLoadResponse, error) {
	return &changev1.GetLoadResponse{Audiences: []*changev1.AudienceLoad{{Audience: "support", Months: []*changev1.MonthLoad{
		{Month: "2026-01", Hours: 19.5, Capacity: 16, Load: 1.21875, Level: "overload", Programs: []*changev1.ProgramHours{{Program: "people", Hours: 15}, {Program: "field", Hours: 4.5}}},
		{Month: "2026-02", Hours: 13.3, Capacity: 16, Load: 0.83, Level: "warning", Programs: []*changev1.ProgramHours{{Program: "people", Hours: 13.3}}},
		{Month: "2026-03", Capacity: 16, Level: "fine"},
	}}}}, nil
}

func (f *acting) RecordAnswers(_ context.Context, r *changev1.RecordAnswersRequest) (*changev1.RecordAnswersResponse, error) {
	return f.answers(r)
}

func sampleInitiative() *initiativev1.InitiativeEntry {
	return &initiativev1.InitiativeEntry{
		Name: "knowledge-base", Objective: "answers", ExpectedStart: "2026-01-10", ExpectedEnd: "2026-12-20", SlipDays: 81, Critical: true,
		Spec: &initiativev1.InitiativeSpec{
			Title: "Write answers down", Owner: "unit/support", Start: "2026-01-01", End: "2026-09-30",
			DependsOn: []*initiativev1.Dependency{{Initiative: "tooling", LagDays: 14}},
			Contributions: []*initiativev1.Contribution{{
				Target: "hours-to-resolve", Low: proto.Float64(1.5), Likely: proto.Float64(3), High: proto.Float64(4), RampStart: "2026-04-01", RampEnd: "2027-06-30", Basis: "the pilot",
			}},
		},
		State: &initiativev1.InitiativeState{
			Stage: "active", Since: "2026-01-10", Reopened: 1,
			Benefits: []*initiativev1.Benefit{{Target: "hours-to-resolve", At: "2026-08-01", Amount: 1.25}},
		},
		Milestones: []*initiativev1.MilestoneEntry{
			{Name: "pilot", Planned: "2026-03-31", Reached: "2026-04-10", Expected: "2026-04-10"},
			{Name: "rollout", Planned: "2026-09-30", Forecast: "2026-12-20", Expected: "2026-12-20", Pushed: 1},
		},
		Money: &initiativev1.MoneyEntry{
			Currency: "USD", Budget: "100000", Spent: "10000.50", Completion: "120000", Overrun: "20000",
			Periods: []*initiativev1.PeriodMoney{{Period: "2026-Q1", Spent: "10000.50"}, {Period: "FY2026", Budget: "100000"}},
		},
	}
}

func sampleWave() *changev1.WaveState {
	cell := func(name string, asked int32, barriers *changev1.Barriers) *changev1.Cell {
		return &changev1.Cell{
			Audience: name, Invited: asked, Respondents: proto.Int32(27), Complete: proto.Int32(27), Readiness: proto.Float64(0.361), Barriers: barriers,
			Elements: []*changev1.ElementResult{
				{Element: "awareness", Mean: proto.Float64(3.778), Respondents: proto.Int32(27), Change: proto.Float64(0.25), Pairs: proto.Int32(24)},
				{Element: "desire", Mean: proto.Float64(1), Respondents: proto.Int32(27)},
			},
		}
	}
	return &changev1.WaveState{
		Wave: "spring", Opened: "2026-03-01", Closed: "2026-03-20", Elements: []string{"awareness", "desire", "knowledge"}, BarrierAt: 3,
		Results: &changev1.WaveResults{Least: 5, LeastDistribution: 10, Previous: "winter", Cells: []*changev1.Cell{
			cell("", 41, &changev1.Barriers{Elements: []*changev1.ElementCount{{Element: "awareness", Count: 3}, {Element: "desire", Count: 24}, {Element: "knowledge"}}, Unknown: 1}),
			cell("office", 20, nil), {Audience: "drivers", Invited: 6},
		}},
	}
}

// samplePrograms are one of surveys, one of a force field and stages, and one of
// Kotter's eight steps.
func samplePrograms() map[string]*changev1.ProgramEntry {
	ready, adoption := 0.361, 0.43158
	audiences := []*changev1.ProgramAudience{{Audience: "office"}, {Audience: "drivers"}}
	stage := func(name, title string) *changev1.Stage { return &changev1.Stage{Name: name, Title: title} }
	return map[string]*changev1.ProgramEntry{
		"people": {
			Name:      "people",
			Spec:      &changev1.ChangeProgramSpec{Title: "Write it down", Framework: "adkar", Initiative: "knowledge-base", Start: "2026-01-01", End: "2026-12-31", GoLive: "2026-09-01", Audiences: audiences},
			Framework: &changev1.ChangeFrameworkSpec{Title: "ADKAR", Elements: []*changev1.Element{{Name: "awareness", Title: "Awareness"}, {Name: "desire", Title: "Desire"}, {Name: "knowledge", Title: "Knowledge"}}},
			State:     &changev1.ChangeProgramState{Wave: "spring"},
			Readiness: &changev1.Readiness{Value: &ready, Adoption: &adoption, Basis: "survey", Formula: "mean over the people of the lowest of their (score - 1)/4 (heuristic)", Inputs: map[string]float64{"office": 0.361}},
			Waves:     []*changev1.WaveEntry{{Wave: "spring", Closed: "2026-03-20"}, {Wave: "summer", Opened: "2026-06-01", Audiences: []string{"office", "drivers"}, Elements: []string{"awareness", "desire"}}},
		},
		"field": {
			Name:      "field",
			Spec:      &changev1.ChangeProgramSpec{Framework: "lewin", Start: "2026-01-01", End: "2026-12-31", Audiences: audiences},
			Framework: &changev1.ChangeFrameworkSpec{Title: "Lewin's three phases", Stages: []*changev1.Stage{stage("unfreeze", "Unfreeze"), stage("change", "Change"), stage("refreeze", "Refreeze")}},
			State: &changev1.ChangeProgramState{
				Stages: []*changev1.StageState{{Stage: "unfreeze", Status: "in_place", Since: "2026-02-01"}, {Stage: "change", Status: "regressed", Since: "2026-11-20", Regressions: 1}},
				Forces: []*changev1.Force{
					{Name: "contracts", Kind: "restraining", Strength: 2, Influenceability: 1},
					{Name: "cost", Kind: "driving", Strength: 3, Influenceability: 4},
					{Name: "customers", Title: "Customers ask for it every day", Kind: "driving", Strength: 5, Influenceability: 2},
				},
				Resistance: []*changev1.ResistanceState{{Resistance: "res-z6ocuhq72klyovg4", Title: "No time for training", Audience: "office", Severity: "high", Raised: "2026-02-01", Closed: "2026-03-01", Responses: 2}},
			},
			Readiness: &changev1.Readiness{Basis: "forces", Formula: "D / (D + R) (heuristic)", Value: proto.Float64(0.8), Adoption: proto.Float64(0.774)},
		},
		"steps": {
			Name:      "steps",
			Spec:      &changev1.ChangeProgramSpec{Framework: "kotter", Start: "2026-01-01", End: "2026-12-31", Audiences: audiences},
			Framework: &changev1.ChangeFrameworkSpec{Stages: []*changev1.Stage{stage("urgency", "Create a Sense of Urgency"), stage("vision", "Form a Strategic Vision and Initiatives")}},
			State:     &changev1.ChangeProgramState{Stages: []*changev1.StageState{{Stage: "vision", Status: "in_progress", Since: "2026-02-01", Regressions: 2}}},
			Readiness: &changev1.Readiness{Basis: "stages", Formula: "mean over the stages (heuristic)"},
		},
	}
}

// What people do is told in tables and pictures; those of describe have a form
// for narrow terminals, of which no line is wider than the terminal.
func TestActs(t *testing.T) {
	server := (&acting{programs: samplePrograms()}).serve(t)
	describes := [][]string{{"initiative", "describe", "knowledge-base"}, {"change", "describe", "people"}, {"change", "describe", "field"}, {"change", "describe", "steps"}}
	show := func(s session, commands ...[]string) string {
		var b strings.Builder
		for _, c := range commands {
			b.WriteString("$ setpoint " + strings.Join(c, " ") + "\n" + s.run(t, c...).want(t, exitOK).stdout + "\n")
		}
		return b.String()
	}
	golden(t, "acts", show(session{server: server}, append(describes,
		[]string{"initiative", "list"}, []string{"change", "list"}, []string{"change", "results", "people"}, []string{"change", "load"},
		[]string{"change", "load", "-o", "csv"}, []string{"change", "describe", "field", "--ascii"})...))
	for _, width := range []int{40, 60, 80, 100, 120} {
		plain := session{server: server, terminal: true, width: width, env: map[string]string{"NO_COLOR": "1"}}
		drawn := show(plain, describes...)
		for _, l := range strings.Split(drawn, "\n") {
			if n := text.StringWidthWithoutEscSequences(l); n > width && !strings.HasPrefix(l, "$ ") {
				t.Errorf("%d columns in a terminal of %d: %q", n, width, l)
			}
		}
		if width == 40 {
			golden(t, "acts-narrow", drawn)
		}
	}
}

// Every fault of a table is named by its line, whoever finds it, and what a
// server would refuse is not sent.
func TestSurveyFaults(t *testing.T) {
	var sent []*changev1.RecordAnswersRequest
	f := &acting{programs: samplePrograms(), answers: func(r *changev1.RecordAnswersRequest) (*changev1.RecordAnswersResponse, error) {
		sent = append(sent, proto.CloneOf(r))
		if len(r.GetAnswers()) == 1 {
			return &changev1.RecordAnswersResponse{Recorded: 1, Revision: 100}, nil
		}
		refused := connect.NewError(connect.CodeInvalidArgument, errors.New("nothing was recorded"))
		detail, err := connect.NewErrorDetail(&commonv1.ErrorDetail{Reason: "change.answers", Faults: []*commonv1.Fault{
			{Field: "answers[1].respondent", Message: "the same respondent as answers[0]; each answers once in a wave"}}})
		if err != nil {
			return nil, err
		}
		refused.AddDetail(detail)
		return nil, refused
	}}
	s := session{server: f.serve(t)}
	table := func(rows ...string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "answers.csv")
		if err := os.WriteFile(file, []byte("respondent,audience,awareness,desire\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	bad := s.run(t, "change", "survey", "import", "people", "summer", table("1,office,6,3", "2,office,3,x", "2,office,3,3", "3,cellar,3,3", ",office,3,3")).want(t, exitError)
	for _, want := range []string{`answers.csv:2: awareness: "6" is no score`, `answers.csv:3: desire: "x" is no score`,
		`answers.csv:4: respondent: the same respondent as in line 3`, `answers.csv:5: audience: "cellar" is no audience of the wave`,
		`answers.csv:6: respondent: is empty`, "5 faults in "} {
		bad.wantStderr(t, want)
	}
	if len(sent) != 0 {
		t.Errorf("sent %v", sent)
	}
	s.run(t, "change", "survey", "import", "people", "summer", table("", "1,office,5,3", "1x,office,5,3")).want(t, exitError).
		wantStderr(t, "answers.csv:4: respondent: the same respondent as line 3")
	if got := s.run(t, "change", "survey", "import", "people", "summer", table("1,office,5,3")).want(t, exitOK); got.stdout != "1 answer recorded. Revision 100.\n" {
		t.Errorf("%q", got.stdout)
	}

	// A heading that is misspelt would lose what everybody answered, for good.
	misspelt := write(t, t.TempDir(), "misspelt.csv", "respondent,audience,awareness,desir\n1,office,5,3\n")
	s.run(t, "change", "survey", "import", "people", "summer", misspelt).want(t, exitError).
		wantStderr(t, `there is no column "desire", which the wave asks for`, "awareness, desir;", "--element desire= leaves")
	s.run(t, "change", "survey", "import", "people", "summer", misspelt, "--element", "desire=desir").want(t, exitOK)
	s.run(t, "change", "survey", "import", "people", "summer", misspelt, "--element", "desire=").want(t, exitOK)
	if n := len(sent); n < 2 || len(sent[n-2].GetAnswers()[0].GetScores()) != 2 || len(sent[n-1].GetAnswers()[0].GetScores()) != 1 {
		t.Errorf("sent %v", sent)
	}
}
