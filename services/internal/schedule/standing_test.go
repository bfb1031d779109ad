package schedule

import (
	"testing"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
)

// What is said on a day counts from that day on, not before.
func TestOn(t *testing.T) {
	starts := func(period string) calendar.Date { return calendar.MustParse(period + "-01") }
	s := &initiativev1.InitiativeState{
		Stage: "paused", Since: "2026-05-10", Started: "2026-02-01",
		Stages: []*initiativev1.StageSince{
			{Stage: "approved", Since: "2026-01-15"}, {Stage: "active", Since: "2026-02-01"}, {Stage: "paused", Since: "2026-05-10"},
		},
		Milestones: []*initiativev1.MilestoneState{{Name: "pilot", Reached: "2026-04-01"}},
		Spend:      []*initiativev1.Spend{{Period: "2026-02", Amount: "1"}, {Period: "2026-05", Amount: "2"}},
		Benefits:   []*initiativev1.Benefit{{Target: "t", At: "2026-04-30", Amount: 3}},
	}
	for _, c := range []struct {
		day, stage, since, started, reached string
		spend, benefits                     int
	}{
		{"2026-01-14", "", "", "", "", 0, 0},
		{"2026-01-15", "approved", "2026-01-15", "", "", 0, 0},
		{"2026-02-01", "active", "2026-02-01", "2026-02-01", "", 1, 0},
		{"2026-04-01", "active", "2026-02-01", "2026-02-01", "2026-04-01", 1, 0},
		{"2026-05-09", "active", "2026-02-01", "2026-02-01", "2026-04-01", 2, 1},
		{"2026-05-10", "paused", "2026-05-10", "2026-02-01", "2026-04-01", 2, 1},
	} {
		got := On(s, calendar.MustParse(c.day), starts)
		if got.GetStage() != c.stage || got.GetSince() != c.since || got.GetStarted() != c.started ||
			got.GetMilestones()[0].GetReached() != c.reached || len(got.GetSpend()) != c.spend || len(got.GetBenefits()) != c.benefits {
			t.Errorf("on %s: %v", c.day, got)
		}
	}
	// Of a state that is older than its stages only the begin is known.
	s.Stages = nil
	if got := On(s, calendar.MustParse("2026-03-01"), starts); got.GetStage() != "active" || got.GetSince() != "2026-02-01" {
		t.Errorf("%v", got)
	}
	if s.GetStage() != "paused" || len(s.GetSpend()) != 2 {
		t.Errorf("the state was changed: %v", s)
	}
}

func TestActionOn(t *testing.T) {
	s := &initiativev1.ActionState{Opened: "2026-03-01", Status: "done", Closed: "2026-04-01"}
	for day, want := range map[string]string{"2026-02-28": "", "2026-03-01": "open", "2026-03-31": "open", "2026-04-01": "done"} {
		if got := ActionOn(s, calendar.MustParse(day)); got.GetStatus() != want || (got == nil) != (want == "") {
			t.Errorf("on %s: %v", day, got)
		}
	}
}
