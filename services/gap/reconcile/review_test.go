package reconcile

import (
	"slices"
	"testing"
	"time"

	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

const ritual = `
---
{apiVersion: setpoint.dev/v1, kind: Policy, metadata: {name: ritual}, spec: {reactions: [
  {name: remind, when: "review.daysOverdue > 1", do: [{escalate: {after: 3d}}, {notify: {channel: office}}]}]}}
`

// A review becomes overdue as days pass, with no event at all; two reconcilers tell
// it once, one that begins later tells nothing again, and policies see it.
func TestReviewsThatAreNotHeld(t *testing.T) {
	w := newWorld(t, 2)
	due, held := calendar.MustParse("2026-06-17"), calendar.MustParse("2026-06-23")
	w.reviews = func(_ record.View, _ string, _ uint64, day calendar.Date) ([]condition.Review, error) {
		r := condition.Review{ID: "weekly", Name: "weekly", Owner: "unit/ops", Unit: "ops", Cadence: "weekly", Period: "2026-W24"}
		if day.After(due) && day.Before(held) {
			r.Missed, r.Since = 1, due
		}
		return []condition.Review{r}, nil
	}
	w.apply(plan + ritual)
	first, stop := w.reconciling(0, false)
	w.reconciling(1, false)
	events := func(want ...string) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			got := w.events("gap", condition.ReviewAggregate)
			if slices.Equal(got, want) {
				return
			}
			select {
			case <-first:
			case <-deadline:
				t.Fatalf("the log has %q, want %q", got, want)
			}
		}
	}
	told := []string{"gap.condition_changed"}
	events(told...)
	w.clock.set("2026-06-18")
	told = append(told, "gap.condition_changed")
	events(told...)
	w.clock.set("2026-06-19")
	told = append(told, "gap.reaction_fired", "gap.notification_requested")
	events(told...)
	w.clock.set("2026-06-22")
	told = append(told, "gap.escalated")
	events(told...)
	stop()
	first, _ = w.reconciling(0, false)
	<-first
	events(told...)
	w.clock.set("2026-06-23")
	events(append(told, "gap.condition_changed", "gap.reaction_ended")...)
}
