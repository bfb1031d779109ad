package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	"setpoint.dev/services/devserver"
)

// plan asks an office of 20, 12 of whom are its desk, under ADKAR, Lewin and
// Kotter.
const plan = `
apiVersion: setpoint.dev/v1
kind: Initiative
metadata: {name: office}
spec: {start: 2026-01-01, end: 2026-12-31}
---
apiVersion: setpoint.dev/v1
kind: Audience
metadata: {name: office}
spec: {size: 20}
---
apiVersion: setpoint.dev/v1
kind: Audience
metadata: {name: desk}
spec: {size: 12, parent: office}
---
apiVersion: setpoint.dev/v1
kind: ChangeProgram
metadata: {name: survey}
spec: {framework: adkar, start: 2026-01-01, end: 2026-12-31, goLive: 2026-12-01, audiences: [{audience: office}, {audience: desk, hoursPerPerson: 30}]}
---
apiVersion: setpoint.dev/v1
kind: ChangeProgram
metadata: {name: field}
spec: {initiative: office, framework: lewin, start: 2026-01-01, end: 2026-12-31, audiences: [{audience: office, hoursPerPerson: 182.5}]}
---
apiVersion: setpoint.dev/v1
kind: ChangeProgram
metadata: {name: steps}
spec: {framework: kotter, start: 2026-01-01, end: 2026-12-31, audiences: [{audience: office}]}
`

// world is a running service as one organization sees it.
type world struct {
	*testing.T
	ctx     context.Context
	declare declarationv1connect.DeclarationServiceClient
	change  changev1connect.ChangeServiceClient
	act     initiativev1connect.InitiativeServiceClient
}

func start(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	s, err := devserver.Start(ctx, devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{
		T: t, ctx: ctx, declare: declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL()),
		change: changev1connect.NewChangeServiceClient(http.DefaultClient, s.URL()),
		act:    initiativev1connect.NewInitiativeServiceClient(http.DefaultClient, s.URL()),
	}
	w.apply(plan)
	return w
}

func (w *world) apply(yaml string) int64 {
	w.Helper()
	res, err := w.declare.Apply(w.ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
		Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(yaml)}}}})
	if err != nil {
		w.Fatal(err)
	}
	return res.GetRevision()
}

func (w *world) program(req *changev1.GetProgramRequest) *changev1.GetProgramResponse {
	w.Helper()
	res, err := w.change.GetProgram(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	return res
}

// refusal is the stable reason of an error, with the fields that it names.
func refusal(err error) (reason string, fields []string) {
	var c *connect.Error
	if !errors.As(err, &c) {
		return "", nil
	}
	for _, d := range c.Details() {
		v, err := d.Value()
		if f, ok := v.(*commonv1.ErrorDetail); ok && err == nil {
			for _, p := range f.GetFaults() {
				fields = append(fields, p.GetField())
			}
			reason = f.GetReason()
		}
	}
	return reason, fields
}

// answers are of 20 people, 12 of them at the desk: all the same but for desire.
func answers(desire float64) []*changev1.RespondentAnswer {
	var out []*changev1.RespondentAnswer
	for i := range 20 {
		a := &changev1.RespondentAnswer{Respondent: fmt.Sprintf("r%02d", i), Audience: "office", Scores: map[string]float64{
			"awareness": 5, "desire": desire, "knowledge": 4, "ability": 4}}
		if i < 12 {
			a.Audience = "desk"
		}
		out = append(out, a)
	}
	return out
}

func (w *world) open(wave, at string) {
	w.Helper()
	if _, err := w.change.OpenWave(w.ctx, &changev1.OpenWaveRequest{Program: "survey", Wave: wave, At: at}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) record(wave string, list []*changev1.RespondentAnswer) error {
	_, err := w.change.RecordAnswers(w.ctx, &changev1.RecordAnswersRequest{Program: "survey", Wave: wave, Answers: list})
	return err
}

func (w *world) close(wave, at string) int64 {
	w.Helper()
	res, err := w.change.CloseWave(w.ctx, &changev1.CloseWaveRequest{Program: "survey", Wave: wave, At: at})
	if err != nil {
		w.Fatal(err)
	}
	return res.GetRevision()
}

// A table with faults is refused as a whole, and each of them is named by its
// place; what a wave found stands from the day it was closed.
func TestAWave(t *testing.T) {
	w := start(t)
	w.open("first", "2026-03-01")
	bad := answers(3)
	bad[1].Scores["desire"] = 6
	bad[2].Audience = "cellar"
	bad[4].Respondent = bad[3].Respondent
	bad[5].Scores["reinforcement"] = 3 // not asked for before the go-live
	reason, fields := refusal(w.record("first", bad))
	want := []string{"answers[1].scores[desire]", "answers[2].audience", "answers[4].respondent", "answers[5].scores[reinforcement]"}
	if reason != "change.answers" || !slices.Equal(fields, want) {
		t.Errorf("%s at %q, want %q", reason, fields, want)
	}
	asked := w.program(&changev1.GetProgramRequest{Program: "survey"}).GetProgram().GetWaves()
	if len(asked) != 1 || !slices.Equal(asked[0].GetAudiences(), []string{"office", "desk"}) || !slices.Equal(asked[0].GetElements(), []string{"awareness", "desire", "knowledge", "ability"}) || asked[0].Respondents != nil {
		t.Errorf("the open wave: %v", asked)
	}
	// Nothing was written: everybody may still answer.
	if err := w.record("first", answers(3)); err != nil {
		t.Fatal(err)
	}
	if reason, fields := refusal(w.record("first", answers(3)[:1])); reason != "change.answers" || !slices.Equal(fields, []string{"answers[0].respondent"}) {
		t.Errorf("answered twice: %s at %q", reason, fields)
	}
	_, err := w.change.GetResults(w.ctx, &changev1.GetResultsRequest{Program: "survey", Wave: "first"})
	if reason, _ := refusal(err); reason != "change.wave_open" {
		t.Errorf("results of an open wave: %v", err)
	}
	first := w.close("first", "2026-03-31")
	if reason, _ := refusal(w.record("first", answers(3)[:1])); reason != "change.wave_closed" {
		t.Errorf("a late answer: %s", reason)
	}
	w.open("second", "2026-05-01")
	if err := w.record("second", answers(4)); err != nil {
		t.Fatal(err)
	}
	second := w.close("second", "2026-05-31")
	res, err := w.change.GetResults(w.ctx, &changev1.GetResultsRequest{Program: "survey", MinRevision: second})
	if err != nil {
		t.Fatal(err)
	}
	all := res.GetWave().GetResults().GetCells()[0]
	if d := all.GetElements()[1]; d.GetElement() != "desire" || d.GetMean() != 4 || d.GetChange() != 1 || d.GetPairs() != 20 {
		t.Errorf("desire %v", d)
	}
	if all.GetBarriers().GetNone() != 20 {
		t.Errorf("barriers %v", all.GetBarriers())
	}
	for _, c := range []struct {
		name  string
		req   *changev1.GetProgramRequest
		ready float64 // below 0 unknown
		waves int
	}{
		{"now", &changev1.GetProgramRequest{}, 0.75, 2},
		{"between the waves", &changev1.GetProgramRequest{AsOf: "2026-04-15"}, 0.5, 1},
		{"before the first", &changev1.GetProgramRequest{AsOf: "2026-02-28"}, -1, 0},
		{"as the first was known", &changev1.GetProgramRequest{Revision: first}, 0.5, 1},
	} {
		c.req.Program = "survey"
		p := w.program(c.req).GetProgram()
		if r := p.GetReadiness(); (r.Value == nil) != (c.ready < 0) || r.Value != nil && math.Abs(r.GetValue()-c.ready) > 1e-12 || len(p.GetWaves()) != c.waves {
			t.Errorf("%s: readiness %v, waves %v", c.name, r, p.GetWaves())
		}
	}
}

// Moving on against the forces needs a reason; a program is read as of the days
// of its acts, and its history tells them with evidence and links.
func TestStagesAndForces(t *testing.T) {
	w := start(t)
	move := func(program, stage, to, at, evidence, reason string, links ...string) (*changev1.MoveStageResponse, error) {
		return w.change.MoveStage(w.ctx, &changev1.MoveStageRequest{
			Program: program, Stage: stage, To: to, At: at, Evidence: evidence, Reason: reason, Links: links})
	}
	for _, f := range []*changev1.DeclareForceRequest{
		{Name: "habit", Kind: "restraining", Strength: 4, Influenceability: 2}, {Name: "customers", Kind: "driving", Strength: 3, Influenceability: 1},
	} {
		f.Program = "field"
		if _, err := w.change.DeclareForce(w.ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	_, err := move("field", "change", "in_progress", "2026-03-01", "", "")
	if reason, _ := refusal(err); reason != "change.against_the_field" || !strings.Contains(err.Error(), "reason:") {
		t.Errorf("against the field: %v", err)
	}
	if _, err := move("field", "change", "in_progress", "2026-03-01", "", "the law asks for it"); err != nil {
		t.Fatal(err)
	}
	if p := w.program(&changev1.GetProgramRequest{Program: "field"}).GetProgram(); math.Abs(p.GetReadiness().GetValue()-3.0/7) > 1e-12 {
		t.Errorf("readiness %v", p.GetReadiness())
	}

	res, err := move("steps", "2", "in_place", "2026-04-01", "twelve signed", "", "https://example.org/charter")
	if err != nil || len(res.GetWarnings()) != 1 || !strings.Contains(res.GetWarnings()[0], "urgency") {
		t.Fatalf("%v, %v", res, err)
	}
	last, err := move("steps", "coalition", "regressed", "2026-06-01", "", "three have left")
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]string{"2026-03-31": "", "2026-04-01": "in_place", "2026-05-31": "in_place", "2026-06-01": "regressed"} {
		got := ""
		for _, s := range w.program(&changev1.GetProgramRequest{Program: "steps", AsOf: day, MinRevision: last.GetRevision()}).GetProgram().GetState().GetStages() {
			got = s.GetStatus()
		}
		if got != want {
			t.Errorf("on %s: coalition %q, want %q", day, got, want)
		}
	}
	history, err := w.declare.History(w.ctx, &declarationv1.HistoryRequest{Kind: "ChangeProgram", Name: "steps", MinRevision: last.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range history.GetEntries() {
		told = append(told, strings.TrimSpace(strings.Join(append([]string{e.GetAction(), e.GetSummary(), e.GetReason()}, e.GetLinks()...), "|")))
	}
	want := []string{"act|coalition: in place → regressed on 2026-06-01|three have left",
		"act|coalition: not started → in place on 2026-04-01|twelve signed|https://example.org/charter", "create||"}
	if !slices.Equal(told, want) {
		t.Errorf("history %q, want %q", told, want)
	}
}

// Load is of all programs: what is asked of the whole is asked of its parts.
func TestLoad(t *testing.T) {
	w := start(t)
	res, err := w.change.GetLoad(w.ctx, &changev1.GetLoadRequest{From: "2026-01", To: "2026-01", Audience: "desk"})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetAudiences()) != 1 || len(res.GetAudiences()[0].GetMonths()) != 1 {
		t.Fatalf("%v", res)
	}
	m := res.GetAudiences()[0].GetMonths()[0]
	if want := (30 + 182.5) * 31 / 365; math.Abs(m.GetHours()-want) > 1e-9 || m.GetLevel() != "overload" || len(m.GetPrograms()) != 2 {
		t.Errorf("%v, want %v hours", m, want)
	}
	before := res.GetRevision()
	at := w.apply(strings.Replace(plan, "hoursPerPerson: 182.5", "hoursPerPerson: 36.5", 1))
	level := func(req *changev1.GetLoadRequest) string {
		t.Helper()
		req.From, req.To, req.Audience = "2026-01", "2026-01", "desk"
		res, err := w.change.GetLoad(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return res.GetAudiences()[0].GetMonths()[0].GetLevel()
	}
	if now, then := level(&changev1.GetLoadRequest{MinRevision: at}), level(&changev1.GetLoadRequest{Revision: before}); now != "fine" || then != "overload" {
		t.Errorf("now %s, as it was known %s", now, then)
	}
}

// A program asks for nothing once what it serves was given up: as of the day on
// which it was, and not before.
func TestLoadOfWhatWasGivenUp(t *testing.T) {
	w := start(t)
	res, err := w.act.ChangeStage(w.ctx, &initiativev1.ChangeStageRequest{Initiative: "office", To: "cancelled", At: "2026-07-01", Reason: "the law has changed"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		asOf, month string
		programs    int
	}{{"2026-06-30", "2026-08", 1}, {"2026-07-01", "2026-08", 0}, {"", "2026-08", 0}, {"", "2026-06", 1}} {
		got, err := w.change.GetLoad(w.ctx, &changev1.GetLoadRequest{AsOf: c.asOf, From: c.month, To: c.month, Audience: "office", MinRevision: res.GetRevision()})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.GetAudiences()[0].GetMonths()[0].GetPrograms()); n != c.programs {
			t.Errorf("as of %q, %d programs ask for hours in %s, want %d", c.asOf, n, c.month, c.programs)
		}
	}
}

// Resistance is raised with an audience of the program, answered and closed, and
// was open on the days between.
func TestResistance(t *testing.T) {
	w := start(t)
	_, err := w.change.RaiseResistance(w.ctx, &changev1.RaiseResistanceRequest{Program: "steps", Title: "No time", Audience: "desk", Severity: "high", At: "2026-02-01"})
	if reason, _ := refusal(err); reason != "change.audience_elsewhere" {
		t.Errorf("an audience that is not the program's: %v", err)
	}
	raised, err := w.change.RaiseResistance(w.ctx, &changev1.RaiseResistanceRequest{Program: "steps", Title: "No time", Audience: "office", Severity: "high", At: "2026-02-01"})
	if err != nil {
		t.Fatal(err)
	}
	closed, err := w.change.AnswerResistance(w.ctx, &changev1.AnswerResistanceRequest{
		Program: "steps", Resistance: raised.GetResistance(), Response: "two hours a week", Close: true, At: "2026-03-01"})
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]string{"2026-01-31": "none", "2026-02-28": "open", "2026-03-01": "closed"} {
		got := "none"
		for _, r := range w.program(&changev1.GetProgramRequest{Program: "steps", AsOf: day, MinRevision: closed.GetRevision()}).GetProgram().GetState().GetResistance() {
			if got = "open"; r.GetClosed() != "" {
				got = "closed"
			}
		}
		if got != want {
			t.Errorf("on %s: %s, want %s", day, got, want)
		}
	}
}
