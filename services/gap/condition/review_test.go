package condition_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/internal/calendar"
)

func TestAReviewIsOverdue(t *testing.T) {
	policies := ready(t,
		&gapv1.Reaction{Name: "remind", When: "condition.ReviewOverdue == 'True' && 'ops' in units", For: "2d", Do: []*gapv1.Action{
			{Escalate: &gapv1.Escalate{After: "5d"}}, {Notify: &gapv1.Notify{Channel: "c"}}}},
		&gapv1.Reaction{Name: "gaps", When: "'ops' in units", Do: []*gapv1.Action{{Notify: &gapv1.Notify{}}}})
	around := condition.Surroundings{Units: []string{"ops", "company"}, Identity: "default/r"}
	begin := calendar.MustParse("2026-10-10")
	var s *condition.Set
	var log []string
	for _, x := range []struct {
		day, missed int
		period      string
	}{{0, 0, ""}, {1, 0, "2026-Q3"}, {2, 1, "2026-Q3"}, {3, 1, "2026-Q3"}, {4, 1, "2026-Q3"}, {9, 2, "2026-Q4"}, {30, 2, "2026-Q4"}, {31, 0, ""}} {
		r := condition.Review{ID: "r", Name: "quarterly", Title: "QBR", Owner: "unit/ops", Unit: "ops", Cadence: "quarterly", Period: x.period, Missed: x.missed,
			Day: begin.AddDays(x.day), Revision: uint64(100 + x.day)}
		if x.missed > 0 {
			r.Since = begin.AddDays(1)
		}
		events := condition.DecideReview(s, r)
		s = fold(s, events)
		if again := condition.DecideReview(s, r); len(again) > 0 {
			t.Errorf("on day %d it is told again: %v", x.day, again)
		}
		reactions := condition.ReactToReview(s, r, around, policies)
		s = fold(s, reactions)
		for _, e := range append(events, reactions...) {
			line := fmt.Sprintf("%d %s", x.day, e.ProtoReflect().Descriptor().Name())
			switch e := e.(type) {
			case *gapv1.ConditionChanged:
				line += fmt.Sprintf(" %s %s→%s: %s", e.GetFinding().GetReview(), e.GetFrom(), e.GetTo(), e.GetMessage())
			case *gapv1.NotificationRequested:
				line += ": " + e.GetMessage()
			case *gapv1.Escalated:
				line += " " + e.GetTo() + " about " + e.GetCause().GetReview()
			}
			log = append(log, line)
		}
	}
	want := []string{
		"0 ConditionChanged quarterly →False: no review is owed",
		"2 ConditionChanged quarterly False→True: the review of 2026-Q3 was due on 2026-10-11",
		"2 ReactionHeld",
		"4 ReactionFired",
		"4 NotificationRequested: QBR: the review of 2026-Q3 was due on 2026-10-11 (policy p, reaction remind)",
		"9 Escalated unit/company about quarterly",
		"31 ConditionChanged quarterly True→False: no review is owed",
		"31 ReactionEnded",
	}
	if !slices.Equal(log, want) {
		t.Errorf("happened:\n%s\nwant:\n%s", strings.Join(log, "\n"), strings.Join(want, "\n"))
	}
	if s.GetReview() != "quarterly" || s.GetTarget() != "" || len(s.GetReactions()) != 0 {
		t.Errorf("the set %v", s)
	}
}
