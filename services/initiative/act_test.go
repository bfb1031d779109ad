package initiative

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

var day0 = calendar.MustParse("2026-06-15")

func plan() *Spec {
	return &Spec{
		Start: "2026-01-01", End: "2026-12-31", Currency: "EUR",
		Milestones:    []*initiativev1.Milestone{{Name: "pilot", Planned: "2026-04-30"}, {Name: "roll-out", Planned: "2026-11-30"}},
		Contributions: []*initiativev1.Contribution{{Target: "t"}},
	}
}

// lived folds commands that must be accepted.
func lived(t testing.TB, commands ...Command) *State {
	t.Helper()
	s := &State{}
	for _, c := range commands {
		e, err := Decide(plan(), s, c)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if e != nil {
			s = Evolve(s, e)
		}
	}
	return s
}

func to(stage, at, reason string) ChangeStage {
	return ChangeStage{To: stage, At: at, Reason: reason, Today: day0}
}

// begun is an initiative that is active.
func begun(t testing.TB, more ...Command) *State {
	return lived(t, append([]Command{to(Approved, "2026-01-01", ""), to(Active, "2026-02-01", "")}, more...)...)
}

func TestTheLifecycle(t *testing.T) {
	stages := []string{Proposed, Approved, Active, Paused, Completed, Cancelled}
	legal := map[string]string{
		"proposed approved": "", "proposed cancelled": "reason",
		"approved active": "", "approved proposed": "reason", "approved cancelled": "reason",
		"active paused": "reason", "active completed": "reason", "active cancelled": "reason",
		"paused active": "", "paused cancelled": "reason",
		"completed active": "reason", "cancelled proposed": "reason",
	}
	for _, from := range stages {
		for _, next := range append(stages, "done") {
			key := from + " " + next
			s := &State{Stage: from, Since: "2026-03-01"}
			before := proto.Clone(s)
			needs, ok := legal[key]
			e, err := Decide(plan(), s, to(next, "", "because"))
			switch {
			case from == next:
				if e != nil || err != nil {
					t.Errorf("%s: %v, %v", key, e, err)
				}
				continue
			case !ok:
				if fault.ReasonOf(err) != "initiative.stage" || e != nil {
					t.Errorf("%s: %v, %v", key, e, err)
				}
				continue
			case err != nil:
				t.Errorf("%s: %v", key, err)
				continue
			}
			after := Evolve(s, e)
			if !proto.Equal(s, before) {
				t.Errorf("%s: the state before was changed", key)
			}
			reopened := int32(0)
			if from == Completed || from == Cancelled {
				reopened = 1
			}
			if after.GetStage() != next || after.GetSince() != "2026-06-15" || after.GetReopened() != reopened {
				t.Errorf("%s: %v", key, after)
			}
			for _, blank := range []string{"", "  \n"} {
				if _, err := Decide(plan(), s, to(next, "", blank)); (fault.ReasonOf(err) == "initiative.reason") != (needs != "") {
					t.Errorf("%s with reason %q: %v", key, blank, err)
				}
			}
		}
	}
}

func TestActs(t *testing.T) {
	done := "pilot"
	for _, c := range []struct {
		name  string
		state *State
		do    Command
		want  string // reason of the refusal, "" for an event, "nothing" for none
	}{
		{"a day to come", begun(t), to(Completed, "2026-06-16", "x"), "initiative.date_ahead"},
		{"no day", begun(t), to(Completed, "2026-02-30", "x"), "initiative.date"},
		{"before the stage", begun(t), to(Completed, "2026-01-31", "x"), "initiative.stage_before"},
		{"on the day of the stage", begun(t), to(Paused, "2026-02-01", "x"), ""},
		{"completed without open milestones", begun(t,
			ReachMilestone{Milestone: "pilot", Today: day0}, ReachMilestone{Milestone: "roll-out", Today: day0}), to(Completed, "", ""), ""},

		{"an unknown milestone", begun(t), ForecastMilestone{"pilots", "2026-12-01", "x", day0}, "initiative.milestone_unknown"},
		{"a forecast in the past", begun(t), ForecastMilestone{done, "2026-06-14", "x", day0}, "initiative.forecast_past"},
		{"a forecast of today", begun(t), ForecastMilestone{done, "2026-06-15", "x", day0}, ""},
		{"no date", begun(t), ForecastMilestone{done, "soon", "x", day0}, "initiative.date"},
		{"pushed without a reason", begun(t), ForecastMilestone{"roll-out", "2026-12-01", " ", day0}, "initiative.reason"},
		{"pulled without a reason", begun(t), ForecastMilestone{"roll-out", "2026-11-01", "", day0}, ""},
		{"the planned date as a forecast", begun(t), ForecastMilestone{"roll-out", "2026-11-30", "", day0}, ""},
		{"the same forecast", begun(t, ForecastMilestone{"roll-out", "2026-11-01", "", day0}), ForecastMilestone{"roll-out", "2026-11-01", "", day0}, "nothing"},
		{"no forecast to withdraw", begun(t), ForecastMilestone{"roll-out", "", "", day0}, "nothing"},
		{"a forecast withdrawn", begun(t, ForecastMilestone{"roll-out", "2026-11-01", "", day0}), ForecastMilestone{"roll-out", "", "", day0}, ""},
		{"a forecast of what is done", begun(t, ReachMilestone{Milestone: done, Today: day0}), ForecastMilestone{done, "2026-07-01", "x", day0}, "initiative.milestone_reached"},
		{"reached while proposed", &State{}, ReachMilestone{Milestone: done, Today: day0}, "initiative.not_approved"},
		{"reached ahead of time", begun(t), ReachMilestone{Milestone: done, At: "2026-06-16", Today: day0}, "initiative.date_ahead"},
		{"reached again, the same day", begun(t, ReachMilestone{Milestone: done, At: "2026-05-01", Today: day0}), ReachMilestone{Milestone: done, At: "2026-05-01", Today: day0}, "nothing"},
		{"reached again, another day", begun(t, ReachMilestone{Milestone: done, At: "2026-05-01", Today: day0}), ReachMilestone{Milestone: done, Today: day0}, "initiative.milestone_reached"},
		{"reopened without a reason", begun(t, ReachMilestone{Milestone: done, Today: day0}), ReopenMilestone{done, ""}, "initiative.reason"},
		{"reopened", begun(t, ReachMilestone{Milestone: done, Today: day0}), ReopenMilestone{done, "x"}, ""},
		{"nothing to reopen", begun(t), ReopenMilestone{done, ""}, "nothing"},

		{"spend while proposed", &State{}, RecordSpend{Period: "2026-Q1", Amount: "1", Today: day0}, "initiative.not_approved"},
		{"another currency", begun(t), RecordSpend{Period: "2026-Q1", Amount: "1", Currency: "USD", Today: day0}, "initiative.currency"},
		{"its currency, spelled out", begun(t), RecordSpend{Period: "2026-Q1", Amount: "1", Currency: "EUR", Today: day0}, ""},
		{"negative", begun(t), RecordSpend{Period: "2026-Q1", Amount: "-1", Today: day0}, "initiative.amount"},
		{"a cent", begun(t), RecordSpend{Period: "2026-Q1", Amount: "0.01", Today: day0}, ""},
		{"less than a cent", begun(t), RecordSpend{Period: "2026-Q1", Amount: "0.015", Today: day0}, "initiative.amount_decimals"},
		{"zeros after a cent", begun(t), RecordSpend{Period: "2026-Q1", Amount: "0.010000", Today: day0}, ""},
		{"completion of less than a cent", begun(t), ForecastCompletion{Amount: "10.001"}, "initiative.amount_decimals"},
		{"completion of a period of less than a cent", begun(t), ForecastCompletion{Periods: []*initiativev1.Spend{{Period: "FY2026", Amount: "10.001"}}}, "initiative.amount_decimals"},
		{"an exponent", begun(t), RecordSpend{Period: "2026-Q1", Amount: "1e6", Today: day0}, "initiative.amount"},
		{"no number", begun(t), RecordSpend{Period: "2026-Q1", Amount: "1,000", Today: day0}, "initiative.amount"},
		{"empty", begun(t), RecordSpend{Period: "2026-Q1", Today: day0}, "initiative.amount"},
		{"no period", begun(t), RecordSpend{Period: "spring", Amount: "1", Today: day0}, "initiative.period"},
		{"a part of a period", begun(t, RecordSpend{Period: "2026-Q1", Amount: "1", Today: day0}), RecordSpend{Period: "2026-02", Amount: "1", Today: day0}, "initiative.period_overlap"},
		{"what holds a period", begun(t, RecordSpend{Period: "2026-02", Amount: "1", Today: day0}), RecordSpend{Period: "FY2026", Amount: "1", FiscalYearStart: 10, Today: day0}, "initiative.period_overlap"},
		{"beside a period", begun(t, RecordSpend{Period: "2026-Q1", Amount: "1", Today: day0}), RecordSpend{Period: "2026-04", Amount: "1", Today: day0}, ""},
		{"the same, written otherwise", begun(t, RecordSpend{Period: "2026-Q1", Amount: "1.50", Today: day0}), RecordSpend{Period: "2026-Q1", Amount: "1.5", Today: day0}, "nothing"},
		{"corrected", begun(t, RecordSpend{Period: "2026-Q1", Amount: "1.50", Today: day0}), RecordSpend{Period: "2026-Q1", Amount: "0", Today: day0}, ""},
		{"a period to come", begun(t), RecordSpend{Period: "2026-07", Amount: "1", Today: day0}, "initiative.period_ahead"},
		{"a period that has begun", begun(t), RecordSpend{Period: "2026-06", Amount: "1", Today: day0}, ""},
		{"completion by period", begun(t), ForecastCompletion{Periods: []*initiativev1.Spend{{Period: "FY2026", Amount: "10"}, {Period: "FY2027", Amount: "5.5"}}}, ""},
		{"completion in all and by period", begun(t), ForecastCompletion{Amount: "1", Periods: []*initiativev1.Spend{{Period: "FY2026", Amount: "1"}}}, "initiative.completion_twice"},
		{"completion of periods that overlap", begun(t), ForecastCompletion{Periods: []*initiativev1.Spend{{Period: "FY2026", Amount: "1"}, {Period: "2026-Q1", Amount: "1"}}}, "initiative.period_overlap"},
		{"completion of no period", begun(t), ForecastCompletion{Periods: []*initiativev1.Spend{{Period: "spring", Amount: "1"}}}, "initiative.period"},
		{"completion of no amount", begun(t), ForecastCompletion{Periods: []*initiativev1.Spend{{Period: "FY2026"}}}, "initiative.amount"},
		{"completion of a period below its spend", begun(t, RecordSpend{Period: "2026-Q1", Amount: "2", Today: day0}),
			ForecastCompletion{Periods: []*initiativev1.Spend{{Period: "2026-Q1", Amount: "1"}, {Period: "2026-Q2", Amount: "9"}}}, "initiative.completion_below_spend"},
		{"a benefit before it began", begun(t), RecordBenefit{Target: "t", At: "2026-01-31", Amount: 1, Today: day0}, "initiative.benefit_before_start"},
		{"a benefit of what has not begun", lived(t, to(Approved, "2026-01-01", "")), RecordBenefit{Target: "t", Amount: 1, Today: day0}, "initiative.benefit_before_start"},
		{"completion below spend", begun(t, RecordSpend{Period: "2026-Q1", Amount: "100.01", Today: day0}), ForecastCompletion{Amount: "100"}, "initiative.completion_below_spend"},
		{"completion in another currency", begun(t), ForecastCompletion{Amount: "100", Currency: "CHF"}, "initiative.currency"},
		{"completion again", begun(t, ForecastCompletion{Amount: "100"}), ForecastCompletion{Amount: "100.0", Currency: "EUR"}, "nothing"},

		{"a benefit while proposed", &State{}, RecordBenefit{Target: "t", Amount: 1, Today: day0}, "initiative.not_approved"},
		{"a benefit nobody promised", begun(t), RecordBenefit{Target: "u", Amount: 1, Today: day0}, "initiative.no_contribution"},
		{"a benefit to come", begun(t), RecordBenefit{Target: "t", At: "2026-07-01", Amount: 1, Today: day0}, "initiative.date_ahead"},
		{"a benefit", begun(t), RecordBenefit{Target: "t", Amount: -1, Today: day0}, ""},
		{"a benefit again", begun(t, RecordBenefit{Target: "t", Amount: 2, Today: day0}), RecordBenefit{Target: "t", Amount: 2, Today: day0}, "nothing"},
		{"a benefit corrected", begun(t, RecordBenefit{Target: "t", Amount: 2, Today: day0}), RecordBenefit{Target: "t", Amount: 3, Today: day0}, ""},
	} {
		before := proto.Clone(c.state)
		e, err := Decide(plan(), c.state, c.do)
		got := fault.ReasonOf(err)
		if err == nil && e == nil {
			got = "nothing"
		}
		if got != c.want {
			t.Errorf("%s: %v, %v; want %q", c.name, e, err, c.want)
		}
		if e != nil {
			Evolve(c.state, e)
		}
		if !proto.Equal(before, c.state) {
			t.Errorf("%s: the state was changed", c.name)
		}
	}
}

func TestMoneyIsExact(t *testing.T) {
	s := begun(t)
	for i := range 10 {
		e, err := Decide(plan(), s, RecordSpend{Period: fmt.Sprintf("2025-%02d", i+1), Amount: "0.1", Today: day0})
		if err != nil {
			t.Fatal(err)
		}
		s = Evolve(s, e)
	}
	if got := Spent(s).String(); got != "1" {
		t.Errorf("ten times 0.1 is %s", got)
	}
	spec := plan()
	spec.Budget = []*initiativev1.BudgetLine{{Period: "2025-01", Amount: "0.30"}, {Period: "2025-02", Amount: "0.60"}}
	s.Completion = &initiativev1.Money{Amount: "1.2", Currency: "EUR"}
	m := Money(Plan{"x", spec, s}, "USD", 1)
	if m.GetCurrency() != "EUR" || m.GetBudget() != "0.9" || m.GetSpent() != "1" || m.GetOverrun() != "0.3" || len(m.GetPeriods()) != 10 ||
		m.GetPeriods()[0].GetBudget() != "0.30" || m.GetPeriods()[0].GetSpent() != "0.1" {
		t.Errorf("%v", m)
	}
	if Realized(begun(t, RecordBenefit{Target: "t", At: "2026-03-01", Amount: 2, Today: day0}, RecordBenefit{Target: "t", At: "2026-05-01", Amount: 5, Today: day0}), "t", "2026-04-30") != 2 {
		t.Error("a benefit counts before its day")
	}
}

func TestActions(t *testing.T) {
	opening := OpenAction{Title: "a", Target: "t", Owner: "unit/u", Due: "2026-07-01", Today: day0}
	with := func(f func(*OpenAction)) OpenAction { c := opening; f(&c); return c }
	open := &ActionState{Title: "a", Target: "t", Owner: "unit/u", Due: "2026-07-01", Opened: "2026-06-01", Status: Open}
	closed := proto.Clone(open).(*ActionState)
	closed.Status, closed.Closed = Done, "2026-06-10"
	for _, c := range []struct {
		name  string
		state *ActionState
		do    ActionCommand
		want  string
	}{
		{"opened", nil, opening, ""},
		{"opened again", open, opening, "initiative.action_exists"},
		{"no title", nil, with(func(c *OpenAction) { c.Title = " " }), "initiative.title"},
		{"answers nothing", nil, with(func(c *OpenAction) { c.Target = "" }), "initiative.action_without_cause"},
		{"no owner", nil, with(func(c *OpenAction) { c.Owner = "me" }), "initiative.owner"},
		{"due yesterday", nil, with(func(c *OpenAction) { c.Due = "2026-06-14" }), "initiative.due_past"},
		{"opened and due in the past", nil, with(func(c *OpenAction) { c.At, c.Due = "2026-05-01", "2026-05-31" }), ""},
		{"opened tomorrow", nil, with(func(c *OpenAction) { c.At = "2026-06-16" }), "initiative.date_ahead"},
		{"due before it was opened", nil, with(func(c *OpenAction) { c.At, c.Due = "2026-05-01", "2026-04-30" }), "initiative.due_past"},
		{"due no day", nil, with(func(c *OpenAction) { c.Due = "soon" }), "initiative.date"},
		{"moved out without a reason", open, MoveAction{Due: "2026-08-01", Today: day0}, "initiative.reason"},
		{"moved out", open, MoveAction{Due: "2026-08-01", Reason: "x", Today: day0}, ""},
		{"moved in", open, MoveAction{Due: "2026-06-20", Today: day0}, ""},
		{"handed over", open, MoveAction{Owner: "person/p", Today: day0}, ""},
		{"moved nowhere", open, MoveAction{Owner: "unit/u", Due: "2026-07-01", Today: day0}, "nothing"},
		{"moved while closed", closed, MoveAction{Owner: "person/p", Today: day0}, "initiative.action_closed"},
		{"done without evidence", open, CloseAction{Outcome: Done, Today: day0}, "initiative.evidence"},
		{"dropped without words", open, CloseAction{Outcome: Dropped, Today: day0}, "initiative.evidence"},
		{"done before it was opened", open, CloseAction{Outcome: Done, At: "2026-05-31", Evidence: "x", Today: day0}, "initiative.closed_before_opened"},
		{"done tomorrow", open, CloseAction{Outcome: Done, At: "2026-06-16", Evidence: "x", Today: day0}, "initiative.date_ahead"},
		{"done", open, CloseAction{Outcome: Done, Evidence: "x", Today: day0}, ""},
		{"done again", closed, CloseAction{Outcome: Done, Today: day0}, "nothing"},
		{"dropped after it was done", closed, CloseAction{Outcome: Dropped, Evidence: "x", Today: day0}, "initiative.action_closed"},
		{"reopened without a reason", closed, ReopenAction{}, "initiative.reason"},
		{"reopened", closed, ReopenAction{"x"}, ""},
		{"reopened while open", open, ReopenAction{}, "nothing"},
	} {
		e, err := DecideAction(c.state, c.do)
		got := fault.ReasonOf(err)
		if err == nil && e == nil {
			got = "nothing"
		}
		if got != c.want {
			t.Errorf("%s: %v, %v; want %q", c.name, e, err, c.want)
		}
	}
	again := EvolveAction(closed, &initiativev1.ActionReopened{Reason: "x"}, day0)
	if again.GetStatus() != Open || again.GetClosed() != "" || again.GetReopened() != 1 {
		t.Errorf("%v", again)
	}
	for day, want := range map[string]bool{"2026-07-01": false, "2026-07-02": true} {
		if Overdue(open, calendar.MustParse(day)) != want || Overdue(closed, calendar.MustParse(day)) {
			t.Errorf("overdue on %s", day)
		}
	}
}

// Whatever people try, what is kept beside the events is what the events come to.
func TestFoldingTheEventsGivesTheState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		date := rapid.SampledFrom([]string{"", "2026-03-01", "2026-05-01", "2026-06-15", "2026-08-01"})
		word := rapid.SampledFrom([]string{"", "x"})
		name := rapid.SampledFrom([]string{"pilot", "roll-out", "other"})
		var events []proto.Message
		state := &State{}
		for range rapid.IntRange(0, 25).Draw(rt, "acts") {
			var c Command
			switch rapid.IntRange(0, 6).Draw(rt, "act") {
			case 0, 1:
				c = to(rapid.SampledFrom([]string{Proposed, Approved, Active, Paused, Completed, Cancelled}).Draw(rt, "stage"), date.Draw(rt, "at"), word.Draw(rt, "reason"))
			case 2:
				c = ForecastMilestone{name.Draw(rt, "m"), date.Draw(rt, "date"), word.Draw(rt, "reason"), day0}
			case 3:
				c = ReachMilestone{name.Draw(rt, "m"), date.Draw(rt, "at"), "", day0}
			case 4:
				c = ReopenMilestone{name.Draw(rt, "m"), word.Draw(rt, "reason")}
			case 5:
				c = RecordSpend{Period: rapid.SampledFrom([]string{"2026-01", "2026-Q1", "2026-Q2", "FY2026"}).Draw(rt, "p"), Amount: rapid.SampledFrom([]string{"1", "2.50", "-1"}).Draw(rt, "amount"), Today: day0}
			case 6:
				c = RecordBenefit{Target: "t", At: date.Draw(rt, "at"), Amount: float64(rapid.IntRange(0, 2).Draw(rt, "amount")), Today: day0}
			}
			e, err := Decide(plan(), state, c)
			if err != nil || e == nil {
				continue
			}
			typ, payload, err := Acts().Encode(e)
			if err != nil || !strings.HasPrefix(typ, "initiative.") {
				rt.Fatalf("%s: %v", typ, err)
			}
			again := e.ProtoReflect().New().Interface()
			if err := proto.Unmarshal(payload, again); err != nil {
				rt.Fatal(err)
			}
			events = append(events, again)
			state = Evolve(state, e)
			if next, err := Decide(plan(), state, c); err == nil && next != nil {
				rt.Fatalf("%+v twice is another event: %v", c, next)
			}
		}
		folded := &State{}
		for _, e := range events {
			folded = Evolve(folded, e)
		}
		if !proto.Equal(folded, state) {
			rt.Fatalf("folded %v, kept %v", folded, state)
		}
		if !slices.IsSortedFunc(state.GetSpend(), func(a, b *initiativev1.Spend) int { return strings.Compare(a.GetPeriod(), b.GetPeriod()) }) {
			rt.Fatalf("%v", state.GetSpend())
		}
	})
}
