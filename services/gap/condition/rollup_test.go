package condition_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
)

// rolled is an objective with a score, by the default thresholds; below 0 nothing
// is known.
func rolled(day int, score float64) condition.RolledUp {
	rules, _ := policy.Preset("")
	o := condition.RolledUp{
		Kind: "Objective", RollUp: gap.RollUp{Name: "o", Strategy: "s", Status: gap.OffTrack, Score: &score, Known: 1, Targets: 4, Counts: map[gap.Status]int{gap.OnTrack: 4}},
		Rules: rules, Day: start.AddDays(day), Instant: "2026-01-01T00:00:00Z", Revision: uint64(day + 1),
	}
	switch {
	case score < 0:
		o.RollUp.Status, o.RollUp.Score, o.RollUp.Known = gap.NoData, nil, 0.4
	case score >= rules.RollUp.OnTrack:
		o.RollUp.Status = gap.OnTrack
	case score >= rules.RollUp.AtRisk:
		o.RollUp.Status = gap.AtRisk
	}
	return o
}

// toldOf is what is told of a roll-up, and the set after it.
func toldOf(s *condition.Set, o condition.RolledUp) (out []string, next *condition.Set) {
	for _, e := range condition.DecideRollUp(s, o) {
		s = condition.Evolve(s, e)
		switch e := e.(type) {
		case *gapv1.RollUpChanged:
			out = append(out, e.GetFinding().GetFromStatus()+"→"+e.GetFinding().GetToStatus())
		case *gapv1.ConditionChanged:
			out = append(out, e.GetType()+" "+e.GetTo())
		}
	}
	return out, s
}

func TestWhatIsToldOfRollUps(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores []float64
		told   string
	}{
		{"on track", []float64{1, .9, .75}, "→on_track||"},
		{"comes off its track at once, and is back by the margin only", []float64{.8, .749, .751, .76}, "→on_track|on_track→at_risk||at_risk→on_track"},
		{"another status by less than the margin", []float64{.405, .399, .404, .39}, "→at_risk|||at_risk→off_track"},
		{"back at the best there is", []float64{.995, .745, 1}, "→on_track|on_track→at_risk|at_risk→on_track"},
		{"what is not known closes nothing", []float64{.5, -1, .5, -1, .9}, "→at_risk|at_risk→no_data|no_data→at_risk|at_risk→no_data|no_data→on_track"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s *condition.Set
			var all []string
			for day, score := range c.scores {
				var told []string
				told, s = toldOf(s, rolled(day, score))
				all = append(all, strings.Join(told, " "))
			}
			if got := strings.Join(all, "|"); got != c.told {
				t.Errorf("told %q, want %q", got, c.told)
			}
			if s.GetKind() != "Objective" || s.GetName() != "o" || s.GetTarget() != "" {
				t.Errorf("whose set is it? %v", s)
			}
		})
	}
}

// setWith is a target's set in which one condition has a status.
func setWith(typ, status, reason string) *condition.Set {
	return &condition.Set{Conditions: []*gapv1.Condition{{Type: typ, Status: status, Reason: reason}}}
}

// The other conditions are the worst of those of the targets below.
func TestTheWorstBelowCounts(t *testing.T) {
	type below struct{ typ, status, reason string }
	for _, c := range []struct {
		name string
		have []below
		want string
	}{
		{"none", nil, "Unknown: there is no target below of which that is asked"},
		{"all good", []below{{"DataFresh", "True", ""}, {"DataFresh", "True", ""}}, "True: 2 of 2 targets below: data is fresh"},
		{"unknown is not good", []below{{"DataFresh", "True", ""}, {"DataFresh", "Unknown", ""}}, "Unknown: not known of 1 of 2 targets below"},
		{"bad before unknown", []below{{"DataFresh", "False", ""}, {"DataFresh", "Unknown", ""}}, "False: 1 of 2 targets below: data is stale (t0)"},
		{"a few are named", []below{{"DataFresh", "False", ""}, {"DataFresh", "False", ""}, {"DataFresh", "False", ""}, {"DataFresh", "False", ""}, {"DataFresh", "False", ""}},
			"False: 5 of 5 targets below: data is stale (t0, t1, t2 and 2 more)"},
		{"bad is true of what is pending", []below{{"FinalPending", "True", ""}, {"FinalPending", "False", ""}}, "True: 1 of 2 targets below: the last value is not there yet (t0)"},
		{"who is not asked does not count", []below{{"ChangeReady", "True", ""}, {"ChangeReady", "Unknown", "NoProgram"}}, "True: 1 of 1 targets below: people are ready (heuristic)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := rolled(0, 1)
			typ := condition.DataFresh
			for i, b := range c.have {
				typ = b.typ
				o.Below.Add(fmt.Sprintf("t%d", i), setWith(b.typ, b.status, b.reason))
			}
			o.Below.Add("later", &condition.Set{Conditions: []*gapv1.Condition{{Type: "OnTrack", Status: "Unknown", Reason: "NotStarted"}, {Type: typ, Status: "Unknown"}}})
			_, s := toldOf(nil, o)
			if x := condition.Of(s, typ); x.GetStatus()+": "+x.GetMessage() != c.want {
				t.Errorf("%s: %s, want %s", x.GetStatus(), x.GetMessage(), c.want)
			}
		})
	}
	// Where no target has been below, there is nothing to tell; where there was one,
	// there is.
	bare := rolled(1, -1)
	bare.RollUp.Targets = 0
	if told, s := toldOf(nil, bare); len(told) != 0 || s != nil {
		t.Errorf("of nothing is told %v", told)
	}
	_, had := toldOf(nil, rolled(0, 1))
	if told, s := toldOf(had, bare); len(told) != 1 || condition.Of(s, "OnTrack").GetReason() != "NothingBelow" {
		t.Errorf("told %v, and has %v", told, s)
	}
	// A change below is a transition above, and carries the day of it.
	o := rolled(0, 1)
	o.Below.Add("t", setWith("DataFresh", "True", ""))
	_, s := toldOf(nil, o)
	o = rolled(3, 1)
	o.Below.Add("t", setWith("DataFresh", "False", ""))
	told, s := toldOf(s, o)
	if len(told) != 1 || told[0] != "DataFresh False" || condition.Of(s, "DataFresh").GetLastTransitionDay() != "2026-01-04" || condition.Of(s, "OnTrack").GetLastTransitionDay() != "2026-01-01" {
		t.Errorf("told %v, and has %v", told, s)
	}
}

// Telling again tells nothing, what was told folds to the same, and a swing by less
// than the margin is told once.
func TestRollUpsDoNotFlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s, replayed *condition.Set
		low := rapid.Float64Range(0, .98).Draw(t, "low")
		swings := 0
		for day := range rapid.IntRange(2, 30).Draw(t, "days") {
			score := low + rapid.Float64Range(0, .0099).Draw(t, "swing")
			if day == 0 {
				score = rapid.Float64Range(-.5, 1).Draw(t, "before")
			}
			o := rolled(day, score)
			events := condition.DecideRollUp(s, o)
			if day > 1 { // the second is a move to there, not a swing
				swings += len(events)
			}
			for _, e := range events {
				s = condition.Evolve(s, e)
				typ, payload, err := condition.Acts().Encode(e)
				if err != nil {
					t.Fatal(err)
				}
				back, err := condition.Acts().Decode(typ, payload)
				if err != nil {
					t.Fatal(err)
				}
				replayed = condition.Evolve(replayed, back)
			}
			if again := condition.DecideRollUp(s, o); len(again) > 0 {
				t.Fatalf("told again: %v", again)
			}
			if !proto.Equal(s, replayed) {
				t.Fatalf("replayed %v, was %v", replayed, s)
			}
			if o.RollUp.Status == gap.OffTrack && condition.Of(s, condition.OnTrack).GetStatus() != condition.False {
				t.Fatal("off track, and not told")
			}
		}
		if swings > 1 {
			t.Fatalf("a swing of less than the margin about %v is told %d times", low, swings)
		}
	})
}

// What is compared with a threshold is told to be below at once, and to be above it
// again only by the margin.
func TestConditionsOnNumbersDoNotFlap(t *testing.T) {
	set := map[string]func(*condition.Observed, float64){
		condition.ForecastAttains: func(o *condition.Observed, n float64) { o.Attainment = &n },
		condition.ChangeReady:     func(o *condition.Observed, n float64) { o.Asked, o.Readiness = true, &n },
		condition.Covered: func(o *condition.Observed, n float64) {
			left := 1.0
			o.Coverage, o.Rules.Covered = &gap.Coverage{Gap: &left, Share: &n}, .5
		},
	}
	for typ, put := range set {
		t.Run(typ, func(t *testing.T) {
			for _, c := range []struct {
				numbers []float64
				want    string
			}{
				{[]float64{.5, .499, .5, .509, .511, .505, .49}, "True False False False True True False"},
				{[]float64{.4, .505}, "False False"},
			} {
				var s *condition.Set
				var got []string
				for day, n := range c.numbers {
					o := with(seen(day, 0), func(o *condition.Observed) { put(o, n) })
					_, s = step(s, o)
					got = append(got, condition.Of(s, typ).GetStatus())
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("%v: %v, want %s", c.numbers, got, c.want)
				}
			}
		})
	}
	// A threshold near the top can be reached.
	var s *condition.Set
	for day, n := range []float64{.5, 1} {
		o := with(seen(day, 0), func(o *condition.Observed) { o.Attainment, o.Rules.Attains = &n, .995 })
		_, s = step(s, o)
	}
	if got := condition.Of(s, condition.ForecastAttains).GetStatus(); got != condition.True {
		t.Errorf("at certainty: %s", got)
	}
}

// A reaction about objectives fires once for as long as it holds, says why, and tells
// the units above; one about targets, or about another kind, is not asked.
func TestReactionsToRollUps(t *testing.T) {
	policies := ready(t,
		&gapv1.Reaction{Name: "tell", When: "objective.score < 0.5 && condition.OnTrack == 'False' && objective.offTrack >= 0", For: "2d", Do: []*gapv1.Action{
			{Escalate: &gapv1.Escalate{After: "5d"}}, {Notify: &gapv1.Notify{Channel: "c"}}}},
		&gapv1.Reaction{Name: "targets", When: "condition.OnTrack == 'False'", Do: []*gapv1.Action{{Notify: &gapv1.Notify{}}}},
		&gapv1.Reaction{Name: "strategies", When: "strategy.known >= 0.0", Do: []*gapv1.Action{{Notify: &gapv1.Notify{}}}})
	around := condition.Surroundings{Units: []string{"ops", "company"}, Identity: "default/o"}
	var s *condition.Set
	if e := condition.ReactToRollUp(nil, rolled(0, 0.3), around, policies); len(e) > 0 {
		t.Errorf("before the first word: %v", e)
	}
	var log []string
	for _, x := range []struct {
		day   int
		score float64
	}{{0, 0.3}, {1, 0.3}, {2, 0.3}, {3, 0.2}, {7, 0.3}, {40, 0.3}, {41, -1}, {42, 0.3}, {44, 0.3}, {45, 0.9}} {
		o := rolled(x.day, x.score)
		s = fold(s, condition.DecideRollUp(s, o))
		reactions := condition.ReactToRollUp(s, o, around, policies)
		s = fold(s, reactions)
		for _, e := range reactions {
			line := fmt.Sprintf("%d %s", x.day, e.ProtoReflect().Descriptor().Name())
			switch e := e.(type) {
			case *gapv1.ReactionFired:
				c := e.GetCause()
				line += fmt.Sprintf(" %s/%s %s score %s", c.GetKind(), c.GetName(), c.GetReaction(), c.GetInputs()["objective.score"])
				if c.GetTarget() != "" || c.GetReview() != "" || c.GetFinding().GetName() != "o" {
					t.Errorf("the cause %v", c)
				}
			case *gapv1.NotificationRequested:
				line += ": " + e.GetMessage()
			case *gapv1.Escalated:
				line += " " + e.GetTo()
			}
			log = append(log, line)
		}
		if again := condition.ReactToRollUp(s, o, around, policies); len(again) > 0 {
			t.Errorf("on day %d it reacts again: %v", x.day, again)
		}
	}
	want := []string{
		"0 ReactionHeld",
		"2 ReactionFired Objective/o tell score 0.3",
		"2 NotificationRequested: o: the objective is off track at a score of 0.30, with 100 % of the weight known (policy p, reaction tell)",
		"7 Escalated unit/company",
		"41 ReactionEnded", // what is not known does not hold
		"42 ReactionHeld",
		"44 ReactionFired Objective/o tell score 0.3",
		"44 NotificationRequested: o: the objective is off track at a score of 0.30, with 100 % of the weight known (policy p, reaction tell)",
		"45 ReactionEnded",
	}
	if !slices.Equal(log, want) {
		t.Errorf("happened:\n%s\nwant:\n%s", strings.Join(log, "\n"), strings.Join(want, "\n"))
	}
}

// A policy of some strategies looks at their objectives and at them, and at no unit.
func TestReactionsToRollUpsOfStrategies(t *testing.T) {
	var reactions []*gapv1.Reaction
	for _, kind := range []string{"objective", "strategy", "unit"} {
		reactions = append(reactions, &gapv1.Reaction{Name: kind, When: kind + ".known >= 0.0", Do: []*gapv1.Action{{Notify: &gapv1.Notify{}}}})
	}
	for _, c := range []struct {
		kind, name, strategy string
		fires                bool
	}{
		{"Objective", "o", "s", true}, {"Objective", "o", "another", false}, {"Strategy", "s", "", true}, {"Strategy", "another", "", false}, {"Unit", "s", "", false},
	} {
		p := ready(t, reactions...)
		p[0].Strategies = []string{"s"}
		o := rolled(0, 0.3)
		o.Kind, o.RollUp.Name, o.RollUp.Strategy = c.kind, c.name, c.strategy
		s := fold(nil, condition.DecideRollUp(nil, o))
		if got := len(condition.ReactToRollUp(s, o, condition.Surroundings{}, p)) > 0; got != c.fires {
			t.Errorf("%s %s of strategy %q: fires %v", c.kind, c.name, c.strategy, got)
		}
	}
}
