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
	"setpoint.dev/services/internal/calendar"
)

var start = calendar.MustParse("2026-01-01")

// seen is what an evaluation found: a share, by the default thresholds.
func seen(day int, share float64) condition.Observed {
	rules, _ := policy.Preset("")
	status := gap.OffTrack
	switch {
	case share <= rules.OnTrack:
		status = gap.OnTrack
	case share <= rules.AtRisk:
		status = gap.AtRisk
	}
	actual := 100 - share
	return condition.Observed{
		Result: gap.TargetResult{Name: "t", Owner: "unit/ops", Unit: "ops", Status: status, Share: &share, Gap: &share, Actual: &actual, ActualAt: start},
		Rules:  rules, Day: start.AddDays(day), Instant: "2026-01-01T00:00:00Z", Revision: uint64(day + 1),
	}
}

func with(o condition.Observed, change func(*condition.Observed)) condition.Observed {
	change(&o)
	return o
}

func noData(o *condition.Observed) {
	o.Result.Status, o.Result.Share, o.Result.Gap, o.Result.Actual = gap.NoData, nil, nil, nil
}

func stale(o *condition.Observed) {
	o.Result.LastKnownStatus, o.Result.Status, o.Result.Stale = o.Result.Status, gap.NoData, true
}

// step is what is told, and the set after it.
func step(s *condition.Set, o condition.Observed) (told []string, next *condition.Set) {
	for _, e := range condition.Decide(s, o) {
		s = condition.Evolve(s, e)
		name := string(e.ProtoReflect().Descriptor().Name())
		if c, ok := e.(*gapv1.ConditionChanged); ok {
			name = c.GetType() + " " + c.GetTo()
		}
		told = append(told, name)
	}
	return told, s
}

func TestWhatIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		seen []condition.Observed
		told string // of each, with bars between
	}{
		{"on track from the beginning", []condition.Observed{seen(0, 0), seen(1, 0.01)}, "TargetAssessed|"},
		{"off track from the beginning", []condition.Observed{seen(0, 0.3)}, "TargetAssessed GapOpened"},
		{"opens at once", []condition.Observed{seen(0, 0), seen(1, 0.0501)}, "TargetAssessed|GapOpened"},
		{"closes by the margin only", []condition.Observed{seen(0, 0.055), seen(1, 0.049), seen(2, 0.044)}, "TargetAssessed GapOpened||GapClosed"},
		{"closes when achieved", []condition.Observed{seen(0, 0.055), with(seen(1, 0.05), func(o *condition.Observed) { o.Result.Status = gap.Achieved })}, "TargetAssessed GapOpened|GapClosed"},
		{"widens by a step", []condition.Observed{seen(0, 0.2), seen(1, 0.24), seen(2, 0.26)}, "TargetAssessed GapOpened||GapWidened"},
		{"narrows by a step", []condition.Observed{seen(0, 0.3), seen(1, 0.2)}, "TargetAssessed GapOpened|GapNarrowed"},
		{"another status by more than the margin", []condition.Observed{seen(0, 0.145), seen(1, 0.16)}, "TargetAssessed GapOpened|GapWidened"},
		{"another status by less than the margin", []condition.Observed{seen(0, 0.149), seen(1, 0.151)}, "TargetAssessed GapOpened|"},
		{"no data opens and closes nothing", []condition.Observed{seen(0, 0.3), with(seen(1, 0), noData), seen(2, 0)}, "TargetAssessed GapOpened|OnTrack Unknown DataFresh Unknown|GapClosed DataFresh True"},
		{"goes stale and becomes fresh", []condition.Observed{seen(0, 0), with(seen(1, 0), stale), seen(2, 0)}, "TargetAssessed|OnTrack Unknown DataWentStale|OnTrack True DataBecameFresh"},
		{"widens while other things are told", []condition.Observed{seen(0, 0.20), with(seen(1, 0.24), func(o *condition.Observed) { o.Asked = true; r := 0.9; o.Readiness = &r }), seen(2, 0.26)}, "TargetAssessed GapOpened|ChangeReady True|GapWidened ChangeReady Unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s *condition.Set
			var all []string
			for _, o := range c.seen {
				var told []string
				told, s = step(s, o)
				all = append(all, strings.Join(told, " "))
			}
			if got := strings.Join(all, "|"); got != c.told {
				t.Errorf("told %q, want %q", got, c.told)
			}
		})
	}
}

func anything(t *rapid.T, day int) condition.Observed {
	o := seen(day, rapid.Float64Range(-0.2, 0.6).Draw(t, "share"))
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		noData(&o)
	case 1:
		stale(&o)
	}
	return o
}

// What was told of a gap alternates, and telling again tells nothing.
func TestTransitionsAlternate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s *condition.Set
		open, isStale := false, false
		for day := range rapid.IntRange(1, 40).Draw(t, "days") {
			o := anything(t, day)
			events := condition.Decide(s, o)
			for _, e := range events {
				s = condition.Evolve(s, e)
				switch e := e.(type) {
				case *gapv1.GapOpened:
					if open {
						t.Fatal("opened twice")
					}
					open = true
				case *gapv1.GapClosed:
					if !open {
						t.Fatal("closed what was not open")
					}
					open = false
				case *gapv1.GapWidened, *gapv1.GapNarrowed:
					if !open {
						t.Fatalf("%T of a gap that is not open", e)
					}
				case *gapv1.DataWentStale:
					if isStale {
						t.Fatal("went stale twice")
					}
					isStale = true
				case *gapv1.DataBecameFresh:
					if !isStale {
						t.Fatal("became fresh twice")
					}
					isStale = false
				case *gapv1.ConditionChanged:
					if e.GetFrom() == e.GetTo() {
						t.Fatal("a change of nothing")
					}
					if e.GetType() == condition.DataFresh {
						isStale = false
					}
				}
			}
			if again := condition.Decide(s, o); len(again) > 0 {
				t.Fatalf("told again: %v", again)
			}
			if o.Result.Status == gap.OffTrack && !s.GetGapOpen() {
				t.Fatal("an open gap is not told")
			}
		}
	})
}

// Within a swing that is smaller than the margin at most one gap opens. One more
// thing may be told before, of the way to there from what was told last.
func TestNothingFlapsWithinTheMargin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s *condition.Set
		_, s = step(s, seen(0, rapid.Float64Range(-0.2, 0.6).Draw(t, "before")))
		low := rapid.Float64Range(-0.1, 0.3).Draw(t, "low")
		var told []string
		for day := range rapid.IntRange(2, 30).Draw(t, "days") {
			var now []string
			now, s = step(s, seen(day+1, low+rapid.Float64Range(0, 0.0099).Draw(t, "swing")))
			if day > 0 { // the first is a move to there, not a swing
				told = append(told, now...)
			}
		}
		rest := told
		if len(rest) > 0 && rest[0] != "GapOpened" {
			rest = rest[1:]
		}
		if n := len(rest); n > 1 || n == 1 && rest[0] != "GapOpened" {
			t.Fatalf("a swing of less than the margin about %v tells %v", low, told)
		}
	})
}

// Folding what was told gives the state that travels with it, whatever is
// decoded from the wire.
func TestReplaysGiveTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s, replayed *condition.Set
		for day := range rapid.IntRange(1, 20).Draw(t, "days") {
			o := anything(t, day)
			events := condition.Decide(s, o)
			events = append(events, condition.React(fold(s, events), o, condition.Surroundings{Units: []string{"ops"}, Identity: "x"}, act(t))...)
			s = fold(s, events)
			for _, e := range events {
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
			if s != nil && !proto.Equal(s, replayed) {
				t.Fatalf("replayed %v, was %v", replayed, s)
			}
			if n := proto.Size(s); n > 16<<10 {
				t.Fatalf("the state has %d bytes", n)
			}
		}
	})
}

func fold(s *condition.Set, events []proto.Message) *condition.Set {
	for _, e := range events {
		s = condition.Evolve(s, e)
	}
	return s
}

type fataler interface{ Fatal(...any) }

func ready(t fataler, reactions ...*gapv1.Reaction) []policy.Ready {
	r, err := policy.Prepare("p", 7, &gapv1.PolicySpec{Reactions: reactions})
	if err != nil {
		t.Fatal(err)
	}
	return []policy.Ready{r}
}

func act(t fataler) []policy.Ready {
	return ready(t, &gapv1.Reaction{Name: "r", When: "condition.OnTrack == 'False'", For: "3d", Do: []*gapv1.Action{
		{OpenCorrectiveAction: &gapv1.OpenCorrectiveAction{}}, {Escalate: &gapv1.Escalate{After: "5d"}}, {Notify: &gapv1.Notify{Channel: "c"}},
	}})
}

func TestReactions(t *testing.T) {
	policies := act(t)
	around := condition.Surroundings{Units: []string{"ops", "company", "group"}, Identity: "default/t"}
	var s *condition.Set
	var log []string
	for _, x := range []struct {
		day   int
		share float64
	}{{0, 0.3}, {2, 0.3}, {3, 0.3}, {4, 0.3}, {8, 0.3}, {30, 0.3}, {31, 0}, {40, 0.3}, {43, 0.3}} {
		o := seen(x.day, x.share)
		s = fold(s, condition.Decide(s, o))
		for _, e := range condition.React(s, o, around, policies) {
			s = condition.Evolve(s, e)
			name := string(e.ProtoReflect().Descriptor().Name())
			if up, ok := e.(*gapv1.Escalated); ok {
				name += " " + up.GetTo()
			}
			log = append(log, fmt.Sprintf("%d %s", x.day, name))
		}
	}
	want := []string{
		"0 ReactionHeld", "3 ReactionFired", "3 NotificationRequested", "8 Escalated unit/company", "30 Escalated unit/group",
		"31 ReactionEnded", "40 ReactionHeld", "43 ReactionFired", "43 NotificationRequested",
	}
	if !slices.Equal(log, want) {
		t.Errorf("happened:\n%s\nwant:\n%s", strings.Join(log, "\n"), strings.Join(want, "\n"))
	}
	f := s.GetFirings()
	if len(f) != 2 || f[0].GetEffects()[0].GetRequestId() == f[1].GetEffects()[0].GetRequestId() {
		t.Fatalf("firings %v", f)
	}
	if f[0].GetInputs()["condition.OnTrack"] != "False" || f[0].GetPolicyRevision() != 7 || f[0].GetEffects()[0].GetOwner() != "unit/ops" {
		t.Errorf("a firing does not explain itself: %v", f[0])
	}
}

// A policy that is gone, or looks elsewhere, ends what it held.
func TestAPolicyThatIsGoneEndsWhatItHeld(t *testing.T) {
	o := seen(0, 0.3)
	s := fold(nil, condition.Decide(nil, o))
	s = fold(s, condition.React(s, o, condition.Surroundings{}, act(t)))
	events := condition.React(s, o, condition.Surroundings{}, nil)
	if len(events) != 1 || len(fold(s, events).GetReactions()) != 0 {
		t.Errorf("%v", events)
	}
}

// Where nobody could be asked, the firing says so, and nothing is to be carried
// out.
func TestAnActionNeedsAnOwner(t *testing.T) {
	o := with(seen(0, 0.3), func(o *condition.Observed) { o.Result.Owner, o.Result.Unit = "", "" })
	s := fold(nil, condition.Decide(nil, o))
	for _, e := range condition.React(s, o, condition.Surroundings{}, ready(t, &gapv1.Reaction{Name: "r", When: "gap.open", Do: []*gapv1.Action{{OpenCorrectiveAction: &gapv1.OpenCorrectiveAction{}}}})) {
		if f, ok := e.(*gapv1.ReactionFired); ok {
			if x := f.GetEffects()[0]; x.GetRequestId() != "" || !strings.Contains(x.GetMessage(), "nobody owns") {
				t.Errorf("%v", x)
			}
			return
		}
	}
	t.Error("it did not fire")
}
