package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
)

// office is an organization whose people act.
type office struct {
	client
	ctx        context.Context
	initiative initiativev1connect.InitiativeServiceClient
	change     changev1connect.ChangeServiceClient
	cover      gapv1connect.GapServiceClient
	admin      adminv1connect.AdminServiceClient
}

func officeOf(t testing.TB, url string) *office {
	h := &http.Client{Transport: header{"Setpoint-Org": "acme"}}
	opt := connect.WithInterceptors(readsOwnWrites(t, url))
	return &office{
		client: connectTo(t, url, "acme"), ctx: context.Background(),
		initiative: initiativev1connect.NewInitiativeServiceClient(h, url, opt),
		change:     changev1connect.NewChangeServiceClient(h, url, opt),
		cover:      gapv1connect.NewGapServiceClient(h, url, opt),
		admin:      adminv1connect.NewAdminServiceClient(h, url, opt),
	}
}

const officePlan = `
apiVersion: setpoint.dev/v1
kind: Organization
metadata: {name: acme}
spec: {title: Acme, currency: EUR}
---
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: s}
spec: {title: S, horizon: {start: 2024-01-01, end: 2030-12-31}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: o}
spec: {title: O, strategy: s}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: m}
spec: {title: M, unit: number, cadence: yearly}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: t}
spec: {objective: o, metric: m, baseline: {date: 2024-12-31, value: 0}, value: 100, due: 2029-12-31}
---
apiVersion: setpoint.dev/v1
kind: Initiative
metadata: {name: i}
spec:
  start: 2025-01-01
  end: 2029-06-30
  budget: [{period: "2025", amount: "1000.00"}]
  milestones: [{name: pilot, planned: 2025-06-30}]
  contributions: [{target: t, low: 10, likely: 20, high: 30, rampStart: 2026-01-01, rampEnd: 2029-12-31, basis: pilot}]
---
apiVersion: setpoint.dev/v1
kind: Audience
metadata: {name: all}
spec: {size: 20}
---
apiVersion: setpoint.dev/v1
kind: Audience
metadata: {name: part}
spec: {size: 8, parent: all}
---
apiVersion: setpoint.dev/v1
kind: ChangeProgram
metadata: {name: p}
spec: {initiative: i, framework: adkar, start: 2025-01-01, end: 2029-06-30, audiences: [{audience: all, hoursPerPerson: 100}, {audience: part}]}
`

func (o *office) stage(to, at, reason string) int64 {
	o.t.Helper()
	res, err := o.initiative.ChangeStage(o.ctx, &initiativev1.ChangeStageRequest{Initiative: "i", To: to, At: at, Reason: reason})
	if err != nil {
		o.t.Fatal(err)
	}
	return res.GetRevision()
}

// answered are answers of ADKAR's first four elements: 20 people, 12 of whom
// are of the whole and 8 of its part.
func answered(prefix string, score float64) (out []*changev1.RespondentAnswer) {
	for i := range 20 {
		a := &changev1.RespondentAnswer{Respondent: fmt.Sprintf("%s-%02d", prefix, i), Audience: "all", Scores: map[string]float64{
			"awareness": 5, "desire": score, "knowledge": 4, "ability": 4}}
		if i >= 12 {
			a.Audience = "part"
		}
		out = append(out, a)
	}
	return out
}

// wave asks and hears all on one day.
func (o *office) wave(name, day string, answers []*changev1.RespondentAnswer) {
	o.t.Helper()
	if _, err := o.change.OpenWave(o.ctx, &changev1.OpenWaveRequest{Program: "p", Wave: name, At: day}); err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.change.RecordAnswers(o.ctx, &changev1.RecordAnswersRequest{Program: "p", Wave: name, Answers: answers}); err != nil {
		o.t.Fatal(err, faults(err))
	}
	if _, err := o.change.CloseWave(o.ctx, &changev1.CloseWaveRequest{Program: "p", Wave: name, At: day}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) program(revision int64) *changev1.ProgramEntry {
	o.t.Helper()
	res, err := o.change.GetProgram(o.ctx, &changev1.GetProgramRequest{Program: "p", Revision: revision})
	if err != nil {
		o.t.Fatal(err)
	}
	return res.GetProgram()
}

func (o *office) life(revision int64) *initiativev1.InitiativeEntry {
	o.t.Helper()
	res, err := o.initiative.GetInitiative(o.ctx, &initiativev1.GetInitiativeRequest{Initiative: "i", Revision: revision})
	if err != nil {
		o.t.Fatal(err)
	}
	return res.GetInitiative()
}

func (o *office) covered(revision int64) *gapv1.Coverage {
	o.t.Helper()
	res, err := o.cover.Cover(o.ctx, &gapv1.CoverRequest{AsOf: "2025-12-31", Revision: revision})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range res.GetTargets() {
		if c.GetTarget() == "t" {
			return c
		}
	}
	o.t.Fatal("no coverage of t")
	return nil
}

// A target is behind; an initiative is to close its gap, and people are asked
// whether they come along. Every picture can be read again.
func TestFromAGapToWhereThePeopleAre(t *testing.T) {
	o := officeOf(t, service(t))
	o.apply(officePlan)
	if _, err := o.record(value("m", "2025", 5)); err != nil {
		t.Fatal(err)
	}
	proposed := o.stage("approved", "2025-01-01", "") - 1
	active := o.stage("active", "2025-01-02", "")
	if got := o.covered(proposed); len(got.GetCovered()) != 0 {
		t.Errorf("what is only proposed covers: %v", got)
	}
	unmeasured := o.covered(active)
	o.wave("first", "2025-06-01", answered("r", 3))
	first := o.program(0)
	// The least score of all is 3: (3 - 1)/4.
	if got := first.GetReadiness(); got.GetValue() != .5 || got.GetBasis() != "survey" {
		t.Errorf("readiness %v", got)
	}
	if got := o.program(active).GetReadiness(); got.Value != nil {
		t.Errorf("readiness before the survey: %v", got)
	}
	measured := o.covered(0)
	if len(measured.GetCovered()) != 1 || fmt.Sprint(measured) == fmt.Sprint(unmeasured) {
		t.Errorf("coverage %v, before the survey %v", measured, unmeasured)
	}
	if again := o.covered(active); fmt.Sprint(again) != fmt.Sprint(unmeasured) {
		t.Errorf("the picture of revision %d changed: %v, it was %v", active, again, unmeasured)
	}
	o.wave("second", "2025-10-01", answered("r", 4))
	res, err := o.change.GetResults(o.ctx, &changev1.GetResultsRequest{Program: "p"})
	if err != nil {
		t.Fatal(err)
	}
	whole := res.GetWave().GetResults().GetCells()[0]
	for _, e := range whole.GetElements() {
		if e.GetElement() == "desire" && (e.GetMean() != 4 || e.GetChange() != 1 || e.GetPairs() != 20) {
			t.Errorf("desire: %v", e)
		}
	}
	if whole.GetBarriers().GetNone() != 20 {
		t.Errorf("barriers: %v", whole.GetBarriers())
	}
	if got := o.life(active); got.GetState().GetStage() != "active" || o.life(active-1).GetState().GetStage() != "approved" || o.life(proposed).GetState().GetStage() == "approved" {
		t.Errorf("stages: %v", got)
	}
}

// A request that is sent again is carried out once; its id with another payload
// is refused; who has not seen the newest hears what came between.
func TestActsCountOnce(t *testing.T) {
	o := officeOf(t, service(t))
	o.apply(officePlan)
	o.stage("approved", "2025-01-01", "")
	open := &initiativev1.OpenActionRequest{RequestId: "open", Title: "a", Target: "t", Owner: "person/p", Due: "2099-01-01"}
	first, err := o.initiative.OpenAction(o.ctx, open)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := o.initiative.OpenAction(o.ctx, open); err != nil || again.GetAction() != first.GetAction() || again.GetRevision() != first.GetRevision() {
		t.Errorf("%v, %v; first %v", again, err, first)
	}
	open.Title = "b"
	if _, err := o.initiative.OpenAction(o.ctx, open); detail(err).GetReason() != "request.id_reused" {
		t.Errorf("%v", err)
	}
	list, err := o.initiative.ListActions(o.ctx, &initiativev1.ListActionsRequest{})
	if err != nil || len(list.GetActions()) != 1 {
		t.Errorf("%v, %v", list, err)
	}

	if _, err := o.change.OpenWave(o.ctx, &changev1.OpenWaveRequest{Program: "p", Wave: "w"}); err != nil {
		t.Fatal(err)
	}
	answers := &changev1.RecordAnswersRequest{RequestId: "answers", Program: "p", Wave: "w", Answers: answered("r", 3)}
	for range 2 {
		if _, err := o.change.RecordAnswers(o.ctx, answers); err != nil {
			t.Fatal(err)
		}
	}
	answers.Answers[0].Scores["desire"] = 5
	if _, err := o.change.RecordAnswers(o.ctx, answers); detail(err).GetReason() != "request.id_reused" {
		t.Errorf("other answers: %v", err)
	}
	if _, err := o.change.CloseWave(o.ctx, &changev1.CloseWaveRequest{Program: "p", Wave: "w"}); err != nil {
		t.Fatal(err)
	}
	if got := o.program(0).GetWaves()[0].GetRespondents(); got != 20 {
		t.Errorf("%d respondents", got)
	}

	seen := o.life(0).GetRevision()
	o.stage("active", "2025-02-01", "")
	_, err = o.initiative.RecordSpend(o.ctx, &initiativev1.RecordSpendRequest{Initiative: "i", Period: "2025", Amount: "1", ExpectedRevision: seen})
	d := detail(err)
	if connect.CodeOf(err) != connect.CodeAborted || len(d.GetIntervening()) != 1 || !strings.Contains(strings.Join(d.GetIntervening()[0].GetChanges(), " "), "stage_changed") {
		t.Errorf("%v: %v", err, d)
	}
}

// Bad input names its field, and leaves nothing behind.
func TestBadInputToActs(t *testing.T) {
	o := officeOf(t, service(t))
	o.apply(officePlan)
	o.stage("approved", "2025-01-01", "")
	if _, err := o.change.OpenWave(o.ctx, &changev1.OpenWaveRequest{Program: "p", Wave: "w"}); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(o.life(0), o.program(0))
	record := func(change func([]*changev1.RespondentAnswer)) error {
		a := answered("r", 3)
		change(a)
		_, err := o.change.RecordAnswers(o.ctx, &changev1.RecordAnswersRequest{Program: "p", Wave: "w", Answers: a})
		return err
	}
	manifest := func(yaml string) error {
		res, err := o.declare.Apply(o.ctx, applying(yaml))
		if err == nil {
			t.Errorf("accepted: %v", res)
		}
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want string // of the field
	}{
		{"a six", record(func(a []*changev1.RespondentAnswer) { a[2].Scores["desire"] = 6 }), "answers[2].scores[desire]"},
		{"a respondent twice", record(func(a []*changev1.RespondentAnswer) { a[3].Respondent = a[1].Respondent }), "answers[3].respondent"},
		{"an audience of none", record(func(a []*changev1.RespondentAnswer) { a[4].Audience = "l" }), "answers[4].audience"},
		{"an element of none", record(func(a []*changev1.RespondentAnswer) { a[5].Scores["reinforcement"] = 3 }), "answers[5].scores[reinforcement]"},
		{"a contribution to nothing", manifest("apiVersion: setpoint.dev/v1\nkind: Initiative\nmetadata: {name: j}\nspec: {start: 2025-01-01, end: 2025-12-31, contributions: [{target: nothing, likely: 1}]}\n"), "spec.contributions[0].target"},
		{"a cycle", manifest("apiVersion: setpoint.dev/v1\nkind: Initiative\nmetadata: {name: j}\nspec: {start: 2025-01-01, end: 2025-12-31, dependsOn: [{initiative: k}]}\n---\napiVersion: setpoint.dev/v1\nkind: Initiative\nmetadata: {name: k}\nspec: {start: 2025-01-01, end: 2025-12-31, dependsOn: [{initiative: j}]}\n"), "spec.dependsOn[0].initiative"},
		{"an audience of minus three", manifest("apiVersion: setpoint.dev/v1\nkind: Audience\nmetadata: {name: few}\nspec: {size: -3}\n"), "spec.size"},
		{"a jump", func() error {
			_, err := o.initiative.ChangeStage(o.ctx, &initiativev1.ChangeStageRequest{Initiative: "i", To: "completed"})
			return err
		}(), "to:"},
		{"another currency", func() error {
			_, err := o.initiative.RecordSpend(o.ctx, &initiativev1.RecordSpendRequest{Initiative: "i", Period: "2025", Amount: "1", Currency: "USD"})
			return err
		}(), "currency:"},
	} {
		text := ""
		if c.err != nil {
			text = c.err.Error()
		}
		for _, f := range faults(c.err) {
			text += " " + f.GetField()
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: %q does not name %s", c.name, text, c.want)
		}
	}
	if after := fmt.Sprint(o.life(0), o.program(0)); after != before {
		t.Errorf("something was written:\n%s\n%s", before, after)
	}
	// Not one of the refused answers counts as given.
	if err := record(func([]*changev1.RespondentAnswer) {}); err != nil {
		t.Error(err)
	}
	if _, err := o.change.CloseWave(o.ctx, &changev1.CloseWaveRequest{Program: "p", Wave: "w"}); err != nil {
		t.Fatal(err)
	}
	late := record(func(a []*changev1.RespondentAnswer) { a[0].Respondent = "late" })
	if detail(late).GetReason() != "change.wave_closed" {
		t.Errorf("late answers: %v", late)
	}
}

// Answers go with the key of their respondent: what was closed stays, and what
// would tell of the erased by difference is not given.
func TestErasingARespondent(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	o := officeOf(t, s.URL())
	o.apply(officePlan + "---\napiVersion: setpoint.dev/v1\nkind: Person\nmetadata: {name: zyxquilla-03}\nspec: {displayName: Zyx}\n")
	o.wave("first", "2025-06-01", answered("zyxquilla", 3.4242))
	results := func(wave string) *changev1.WaveResults {
		res, err := o.change.GetResults(o.ctx, &changev1.GetResultsRequest{Program: "p", Wave: wave})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetWave().GetResults()
	}
	before := fmt.Sprint(results("first"))
	if _, err := o.change.OpenWave(o.ctx, &changev1.OpenWaveRequest{Program: "p", Wave: "second"}); err != nil {
		t.Fatal(err)
	}
	given := answered("zyxquilla", 4)
	if _, err := o.change.RecordAnswers(o.ctx, &changev1.RecordAnswersRequest{Program: "p", Wave: "second", Answers: given}); err != nil {
		t.Fatal(err)
	}
	// Not the number alone: as the mean of all of them it is published.
	clear := []string{"zyxquilla-00", "zyxquilla-07", `"respondent"`, `"value":3.4242`}
	if w := found(t, dir, clear...); len(w) > 0 {
		t.Errorf("in the clear on the disk: %v", w)
	}
	done, err := o.admin.ErasePerson(o.ctx, &adminv1.ErasePersonRequest{Name: "zyxquilla-03", Reason: "r"})
	if err != nil || !done.GetErased() {
		t.Fatalf("%v, %v", done, err)
	}
	if _, err := o.change.CloseWave(o.ctx, &changev1.CloseWaveRequest{Program: "p", Wave: "second"}); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(results("first")); after != before {
		t.Errorf("a closed wave was computed again:\n%s\n%s", before, after)
	}
	whole := results("second").GetCells()[0]
	if whole.GetRespondents() != 19 {
		t.Errorf("the erased answer counts: %d (holders %v)", whole.GetRespondents(), done.GetHolders())
	}
	for _, e := range whole.GetElements() {
		if e.Change != nil || e.Mean == nil {
			t.Errorf("%v", e)
		}
	}
}

func applying(yaml string) *declarationv1.ApplyRequest {
	return &declarationv1.ApplyRequest{Manifests: manifests(yaml)}
}
