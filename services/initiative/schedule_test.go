package initiative

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
)

// work is an initiative of a chain: name, planned days, what it comes after.
func work(name, start, end string, after ...*initiativev1.Dependency) Plan {
	return Plan{name, &Spec{Start: start, End: end, DependsOn: after}, &State{}}
}

func after(name string, lag int32) *initiativev1.Dependency {
	return &initiativev1.Dependency{Initiative: name, LagDays: lag}
}

func TestASlipPassesOn(t *testing.T) {
	d := calendar.MustParse
	a := work("a", "2026-01-01", "2026-03-31")
	a.Spec.Milestones = []*initiativev1.Milestone{{Name: "m", Planned: "2026-03-31"}}
	a.State = &State{Stage: Active, Started: "2026-01-01", Milestones: []*initiativev1.MilestoneState{{Name: "m", Forecast: "2026-04-20"}}}
	b := work("b", "2026-04-01", "2026-06-30", after("a", 5))
	b.Spec.Milestones = []*initiativev1.Milestone{{Name: "half", Planned: "2026-05-15"}}
	c := work("c", "2026-07-01", "2026-09-30", after("b", 0))
	side := work("side", "2026-04-01", "2026-04-30", after("a", -10))
	got := Schedule([]Plan{c, side, b, a}, d("2026-03-01"))
	for _, x := range []struct {
		name, start, end string
		slip             int
		critical         bool
	}{
		{"a", "2026-01-01", "2026-04-20", 20, true},
		{"b", "2026-04-25", "2026-07-24", 24, true}, // 20 April + 5 days, 90 days long
		{"c", "2026-07-24", "2026-10-23", 23, true}, // 91 days long
		{"side", "2026-04-10", "2026-05-09", 9, false},
	} {
		s := got[x.name]
		if s.Start != d(x.start) || s.End != d(x.end) || s.SlipDays != x.slip || s.Critical != x.critical {
			t.Errorf("%s: %v to %v, slips %d, critical %v; want %+v", x.name, s.Start, s.End, s.SlipDays, s.Critical, x)
		}
	}
	if m := got["b"].Milestones[0]; m.Expected != d("2026-06-08") || m.Overdue { // 24 days later, as its start
		t.Errorf("%+v", m)
	}
	// A cancelled predecessor holds nobody up.
	a.State.Stage, a.State.Since = Cancelled, "2026-02-01"
	if s := Schedule([]Plan{a, b}, d("2026-03-01"))["b"]; s.Start != d("2026-04-01") || s.SlipDays != 0 {
		t.Errorf("after a cancelled one: %+v", s)
	}
}

func TestWhatIsLateIsExpectedTodayAtTheEarliest(t *testing.T) {
	d := calendar.MustParse
	a := work("a", "2026-01-01", "2026-03-31")
	a.Spec.Milestones = []*initiativev1.Milestone{{Name: "m", Planned: "2026-02-01"}, {Name: "n", Planned: "2026-02-02"}}
	a.State = &State{Stage: Active, Started: "2026-01-01", Milestones: []*initiativev1.MilestoneState{{Name: "n", Reached: "2026-02-03"}}}
	s := Schedule([]Plan{a}, d("2026-05-01"))["a"]
	if s.End != d("2026-05-01") || s.SlipDays != 31 || s.Critical {
		t.Errorf("%+v", s)
	}
	if n, m := s.Milestones[0], s.Milestones[1]; n.Overdue || n.Expected != d("2026-02-03") || !m.Overdue || m.Expected != d("2026-05-01") {
		t.Errorf("%+v", s.Milestones)
	}
	// One that has ended is where it ended.
	a.State.Stage, a.State.Since = Completed, "2026-03-15"
	if s := Schedule([]Plan{a}, d("2026-05-01"))["a"]; s.End != d("2026-03-15") || s.SlipDays != 0 {
		t.Errorf("completed: %+v", s)
	}
}

func TestACycleEnds(t *testing.T) {
	got := Schedule([]Plan{
		work("a", "2026-01-01", "2026-02-01", after("b", 0)), work("b", "2026-01-01", "2026-02-01", after("a", 0)),
		work("self", "2026-01-01", "2026-02-01", after("self", 3)), work("lost", "2026-01-01", "2026-02-01", after("nobody", 3)),
	}, calendar.MustParse("2025-12-01"))
	if len(got) != 4 || got["lost"].SlipDays != 0 || got["self"].SlipDays != 0 {
		t.Errorf("%v", got)
	}
}

// network draws initiatives that depend on those before them.
func network(rt *rapid.T) []Plan {
	origin := calendar.MustParse("2026-01-01")
	var out []Plan
	for i := range rapid.IntRange(2, 9).Draw(rt, "n") {
		start := origin.AddDays(rapid.IntRange(0, 200).Draw(rt, "start"))
		p := work(fmt.Sprint(i), start.String(), start.AddDays(rapid.IntRange(0, 90).Draw(rt, "days")).String())
		for j := range i {
			if rapid.IntRange(0, 2).Draw(rt, "after") == 0 {
				p.Spec.DependsOn = append(p.Spec.DependsOn, after(fmt.Sprint(j), int32(rapid.IntRange(-20, 20).Draw(rt, "lag"))))
			}
		}
		if rapid.IntRange(0, 3).Draw(rt, "started") == 0 {
			p.State = &State{Stage: Active, Started: start.String()}
		}
		out = append(out, p)
	}
	return out
}

// A predecessor that moves later makes nothing earlier, and the order in which
// initiatives are given does not matter.
func TestLaterIsNeverEarlier(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plans := network(rt)
		asOf := calendar.MustParse("2026-01-01").AddDays(rapid.IntRange(0, 250).Draw(rt, "asOf"))
		before := Schedule(plans, asOf)
		slices.Reverse(plans)
		if again := Schedule(plans, asOf); fmt.Sprint(again) != fmt.Sprint(before) {
			rt.Fatalf("%v\n%v", again, before)
		}
		moved := rapid.SampledFrom(plans).Draw(rt, "moved")
		by := rapid.IntRange(1, 60).Draw(rt, "by")
		moved.Spec.End = parse(moved.Spec.GetEnd()).AddDays(by).String()
		after := Schedule(plans, asOf)
		for name, s := range after {
			if s.Start.Before(before[name].Start) || s.End.Before(before[name].End) {
				rt.Fatalf("%s: %v-%v became %v-%v", name, before[name].Start, before[name].End, s.Start, s.End)
			}
			for _, p := range plans {
				if p.Name != name || p.State.GetStarted() != "" {
					continue
				}
				for _, d := range p.Spec.GetDependsOn() {
					if s.Start.Before(after[d.GetInitiative()].End.AddDays(int(d.GetLagDays()))) {
						rt.Fatalf("%s starts on %v, before %s ends", name, s.Start, d.GetInitiative())
					}
				}
			}
		}
	})
}

func TestCommitments(t *testing.T) {
	with := func(milestones []*initiativev1.Milestone, states ...*initiativev1.MilestoneState) Plan {
		return Plan{"x", &Spec{Milestones: milestones}, &State{Stage: Active, Milestones: states}}
	}
	of := func(names ...string) (out []*initiativev1.Milestone) {
		for _, n := range names {
			out = append(out, &initiativev1.Milestone{Name: n, Planned: "2026-06-30"})
		}
		return out
	}
	before := with(of("done", "dropped", "early", "kept", "late", "pulled", "pushed"), &initiativev1.MilestoneState{Name: "done", Reached: "2026-01-01"})
	now := with(of("added", "done", "early", "kept", "late", "pulled", "pushed"),
		&initiativev1.MilestoneState{Name: "done", Reached: "2026-01-01"},
		&initiativev1.MilestoneState{Name: "early", Reached: "2026-06-01"}, &initiativev1.MilestoneState{Name: "late", Reached: "2026-07-02"},
		&initiativev1.MilestoneState{Name: "pulled", Forecast: "2026-06-20"}, &initiativev1.MilestoneState{Name: "pushed", Forecast: "2026-07-30"})
	list, kept, total := Commitments([]Plan{before}, []Plan{now})
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s %s %+d", c.GetMilestone(), c.GetChange(), c.GetDays()))
	}
	want := []string{"added added +0", "dropped dropped +0", "early reached -29", "kept kept +0", "late reached +2", "pulled pulled -10", "pushed pushed +30"}
	if !slices.Equal(got, want) || kept != 3 || total != 6 {
		t.Errorf("%q, %d of %d", got, kept, total)
	}
}

func TestWhatIsServed(t *testing.T) {
	plan := func(name, stage, objective, budget string, targets ...string) Plan {
		p := Plan{name, &Spec{Objective: objective, Budget: []*initiativev1.BudgetLine{{Period: "2026", Amount: budget}}},
			&State{Stage: stage, Spend: []*initiativev1.Spend{{Period: "2026", Amount: "0.10"}}}}
		for _, t := range targets {
			p.Spec.Contributions = append(p.Spec.Contributions, &initiativev1.Contribution{Target: t})
		}
		return p
	}
	plans := []Plan{
		plan("a", Active, "", "10.25", "t1"), plan("b", Cancelled, "o1", "99", "t2"), plan("c", "", "", "1", "t3"),
		plan("d", Completed, "", "1", "t4"), plan("e", Approved, "", "1"), plan("f", Cancelled, "", "1"),
	}
	if got := fmt.Sprint(Unserved(plans, []string{"t4", "t3", "t2", "t1"})); got != "[t2 t3]" {
		t.Errorf("unserved: %s", got)
	}
	if got := fmt.Sprint(ServingNothing(plans)); got != "[e]" {
		t.Errorf("serving nothing: %s", got)
	}
	sums := ByObjective(plans, map[string]string{"t1": "o1", "t3": "o2", "t4": "o2"}, "EUR")
	var got []string
	for _, m := range sums {
		got = append(got, fmt.Sprintf("%s %s %s %s %d", m.GetObjective(), m.GetCurrency(), m.GetBudget(), m.GetSpent(), m.GetInitiatives()))
	}
	if want := []string{" EUR 1 0.2 2", "o1 EUR 10.25 0.2 2", "o2 EUR 2 0.2 2"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
