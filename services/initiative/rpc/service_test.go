package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	"setpoint.dev/services/devserver"
)

// plan has two initiatives, of which the second waits for the first.
const plan = `
apiVersion: setpoint.dev/v1
kind: Organization
metadata: {name: o}
spec: {currency: JPY}
---
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: s}
spec: {horizon: {start: 2026-01-01, end: 2028-12-31}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: o}
spec: {strategy: s}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: m}
spec: {unit: number, cadence: yearly}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: t}
spec: {objective: o, metric: m, baseline: {date: 2025-12-31, value: 0}, value: 100, due: 2028-12-31}
---
apiVersion: setpoint.dev/v1
kind: Initiative
metadata: {name: first}
spec:
  start: 2026-01-01
  end: 2026-09-30
  budget: [{period: "2026", amount: "1000"}]
  milestones: [{name: pilot, planned: 2026-06-30}]
  contributions: [{target: t, low: 10, likely: 20, high: 30, rampStart: 2026-07-01, rampEnd: 2027-12-31, basis: pilot}]
---
apiVersion: setpoint.dev/v1
kind: Initiative
metadata: {name: second}
spec: {start: 2026-10-01, end: 2026-12-31, dependsOn: [{initiative: first}]}
`

// world is a running service as one organization sees it.
type world struct {
	*testing.T
	ctx     context.Context
	declare declarationv1connect.DeclarationServiceClient
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
		act: initiativev1connect.NewInitiativeServiceClient(http.DefaultClient, s.URL()),
	}
	_, err = w.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{
		Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(plan)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) stage(initiative, to, at, reason string) int64 {
	w.Helper()
	res, err := w.act.ChangeStage(w.ctx, &initiativev1.ChangeStageRequest{Initiative: initiative, To: to, At: at, Reason: reason})
	if err != nil {
		w.Fatal(err)
	}
	return res.GetRevision()
}

func (w *world) get(req *initiativev1.GetInitiativeRequest) *initiativev1.GetInitiativeResponse {
	w.Helper()
	res, err := w.act.GetInitiative(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	return res
}

// refusal is the stable reason of an error.
func refusal(err error) string {
	var c *connect.Error
	if !errors.As(err, &c) {
		return ""
	}
	for _, d := range c.Details() {
		if v, err := d.Value(); err == nil {
			if f, ok := v.(*commonv1.ErrorDetail); ok {
				return f.GetReason()
			}
		}
	}
	return c.Message()
}

// What was done is read back as of any day and any revision, and told with who
// did it and why.
func TestAnInitiativeIsReadAsOfADayAndARevision(t *testing.T) {
	w := start(t)
	approved := w.stage("first", "approved", "2026-01-10", "")
	w.stage("first", "active", "2026-02-01", "")
	if _, err := w.act.ReachMilestone(w.ctx, &initiativev1.ReachMilestoneRequest{Initiative: "first", Milestone: "pilot", At: "2026-08-01", Evidence: "three live"}); err != nil {
		t.Fatal(err)
	}
	spent, err := w.act.RecordSpend(w.ctx, &initiativev1.RecordSpendRequest{Initiative: "first", Period: "2026-Q3", Amount: "400"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name                   string
		req                    *initiativev1.GetInitiativeRequest
		stage, reached, amount string
		acts                   int
	}{
		{"now", &initiativev1.GetInitiativeRequest{MinRevision: spent.GetRevision()}, "active", "2026-08-01", "400", 4},
		{"in July", &initiativev1.GetInitiativeRequest{AsOf: "2026-07-15"}, "active", "", "400", 4},
		{"in January", &initiativev1.GetInitiativeRequest{AsOf: "2026-01-15"}, "approved", "", "", 4},
		{"as approved", &initiativev1.GetInitiativeRequest{Revision: approved}, "approved", "", "", 1},
	} {
		c.req.Initiative = "first"
		res := w.get(c.req)
		x := res.GetInitiative()
		reached := ""
		if m := x.GetMilestones(); len(m) == 1 {
			reached = m[0].GetReached()
		}
		if x.GetState().GetStage() != c.stage || reached != c.reached || x.GetMoney().GetSpent() != c.amount || len(res.GetActs()) != c.acts {
			t.Errorf("%s: %v", c.name, res)
		}
	}
	history, err := w.declare.History(w.ctx, &declarationv1.HistoryRequest{Kind: "Initiative", Name: "first", MinRevision: spent.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range history.GetEntries() {
		told = append(told, e.GetAction()+" "+e.GetSummary()+" "+e.GetReason())
	}
	want := []string{"act spent 400 JPY in 2026-Q3 ", "act milestone pilot reached on 2026-08-01 three live",
		"act approved → active on 2026-02-01 ", "act proposed → approved on 2026-01-10 ", "create  "}
	if !slices.Equal(told, want) {
		t.Errorf("history %q, want %q", told, want)
	}
	// A page of histories ends between acts, too, and the next one goes on there.
	var paged []string
	req := &declarationv1.HistoryRequest{Kind: "Initiative", Name: "first", PageSize: 2, MinRevision: spent.GetRevision()}
	for {
		res, err := w.declare.History(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.GetEntries() {
			paged = append(paged, e.GetAction()+" "+e.GetSummary()+" "+e.GetReason())
		}
		if req.PageToken = res.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	if !slices.Equal(paged, want) {
		t.Errorf("by pages %q", paged)
	}
}

// Nothing that may not be leaves a trace: the error names field and rule.
func TestWhatMayNotBeWritesNothing(t *testing.T) {
	w := start(t)
	at := w.stage("first", "approved", "2026-01-10", "")
	stage := func(to string) func() error {
		return func() error {
			_, err := w.act.ChangeStage(w.ctx, &initiativev1.ChangeStageRequest{Initiative: "first", To: to})
			return err
		}
	}
	spend := func(amount, currency string) func() error {
		return func() error {
			_, err := w.act.RecordSpend(w.ctx, &initiativev1.RecordSpendRequest{Initiative: "first", Period: "2026-Q1", Amount: amount, Currency: currency})
			return err
		}
	}
	for _, c := range []struct {
		name, reason, field string
		do                  func() error
	}{
		{"an illegal jump", "initiative.stage", "to:", stage("completed")},
		{"another currency", "initiative.currency", "currency:", spend("1", "EUR")},
		{"less than a yen", "initiative.amount_decimals", "amount:", spend("1.5", "")},
		{"a benefit for another target", "initiative.no_contribution", "target:", func() error {
			v := 1.0
			_, err := w.act.RecordBenefit(w.ctx, &initiativev1.RecordBenefitRequest{Initiative: "first", Target: "u", Amount: &v, Basis: "x"})
			return err
		}},
		{"an initiative that is none", "record.unknown_resource", "Initiative", func() error {
			_, err := w.act.ChangeStage(w.ctx, &initiativev1.ChangeStageRequest{Initiative: "frist", To: "approved"})
			return err
		}},
		{"an action against no target", "record.unknown_resource", "Target", func() error {
			_, err := w.act.OpenAction(w.ctx, &initiativev1.OpenActionRequest{Title: "x", Target: "u", Owner: "person/ann", Due: "2026-12-31"})
			return err
		}},
		{"a writer who has not seen the newest", "command.changed", "expectedRevision", func() error {
			_, err := w.act.ChangeStage(w.ctx, &initiativev1.ChangeStageRequest{Initiative: "first", To: "active", ExpectedRevision: at - 1})
			return err
		}},
	} {
		err := c.do()
		if err == nil || refusal(err) != c.reason || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: %v (%s)", c.name, err, refusal(err))
		}
	}
	if got := w.get(&initiativev1.GetInitiativeRequest{Initiative: "first"}); len(got.GetActs()) != 1 || got.GetInitiative().GetRevision() != at {
		t.Errorf("something was written: %v", got.GetActs())
	}
}

// A predecessor that slips moves what depends on it; a commitment that was
// pushed out is told against the day the period began.
func TestASlipShowsWhereItLeads(t *testing.T) {
	w := start(t)
	w.stage("first", "approved", "2026-01-10", "")
	w.stage("first", "active", "2026-02-01", "")
	at, err := w.act.ForecastMilestone(w.ctx, &initiativev1.ForecastMilestoneRequest{Initiative: "first", Milestone: "pilot", Date: "2027-03-31", Reason: "a supplier failed"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.act.ListInitiatives(w.ctx, &initiativev1.ListInitiativesRequest{MinRevision: at.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
	slip := map[string]int32{}
	for _, x := range list.GetInitiatives() {
		slip[x.GetName()] = x.GetSlipDays()
	}
	if slip["first"] <= 0 || slip["second"] <= 0 {
		t.Errorf("slips %v", slip)
	}
	if !slices.Equal(list.GetServingNothing(), []string{"second"}) || len(list.GetUnservedTargets()) != 0 {
		t.Errorf("serving nothing %v, unserved %v", list.GetServingNothing(), list.GetUnservedTargets())
	}
	kept, err := w.act.GetCommitments(w.ctx, &initiativev1.GetCommitmentsRequest{Since: "2026-11-21", MinRevision: at.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
	if kept.GetTotal() != 0 || len(kept.GetCommitments()) != 1 || kept.GetCommitments()[0].GetMilestone() != "pilot" {
		t.Errorf("commitments %v", kept) // nothing stood before today
	}
}

// A request that is given again finds what it opened; done needs evidence.
func TestACorrectiveAction(t *testing.T) {
	w := start(t)
	open := &initiativev1.OpenActionRequest{RequestId: "once", Title: "Sublet", Target: "t", Owner: "person/ann", Due: "2026-10-01", At: "2026-09-01"}
	first, err := w.act.OpenAction(w.ctx, open)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.act.OpenAction(w.ctx, open)
	if err != nil || again.GetAction() != first.GetAction() {
		t.Errorf("%v, %v", again, err)
	}
	_, err = w.act.CloseAction(w.ctx, &initiativev1.CloseActionRequest{Action: first.GetAction(), Outcome: "done"})
	if refusal(err) != "initiative.evidence" {
		t.Errorf("done without evidence: %v (%s)", err, refusal(err))
	}
	overdue := func(asOf string) (n int, late bool) {
		t.Helper()
		res, err := w.act.ListActions(w.ctx, &initiativev1.ListActionsRequest{AsOf: asOf, MinRevision: first.GetRevision()})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range res.GetActions() {
			late = late || a.GetOverdue()
		}
		return len(res.GetActions()), late
	}
	for _, c := range []struct {
		day  string
		n    int
		late bool
	}{{"2026-08-31", 0, false}, {"2026-10-01", 1, false}, {"2026-10-02", 1, true}, {"", 1, true}} {
		if n, late := overdue(c.day); n != c.n || late != c.late {
			t.Errorf("on %q: %d actions, overdue %v", c.day, n, late)
		}
	}
}
