package schedule

import (
	"strings"
	"testing"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
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

func TestProgramOn(t *testing.T) {
	half, all := 0.5, 1.0
	s := &changev1.ChangeProgramState{
		Stages: []*changev1.StageState{
			{Stage: "unfreeze", Status: "in_place", Since: "2026-03-10", Regressions: 1, Moves: []*changev1.StageMove{
				{Status: "in_progress", Since: "2026-02-01"}, {Status: "regressed", Since: "2026-02-20"}, {Status: "in_place", Since: "2026-03-10"},
			}},
			{Stage: "change", Status: "in_progress", Since: "2026-03-11", Moves: []*changev1.StageMove{{Status: "in_progress", Since: "2026-03-11"}}},
		},
		Forces: []*changev1.Force{{Name: "budget", Strength: 4}, {Name: "older", Strength: 1}},
		Field: []*changev1.ForceSpan{
			{Force: &changev1.Force{Name: "budget", Strength: 2}, From: "2026-02-01", Until: "2026-03-01"},
			{Force: &changev1.Force{Name: "budget", Strength: 4}, From: "2026-03-01"},
			{Force: &changev1.Force{Name: "habit", Strength: 3}, From: "2026-02-10", Until: "2026-03-05"},
		},
		Resistance: []*changev1.ResistanceState{{Resistance: "r", Raised: "2026-02-15", Closed: "2026-03-15"}},
		Wave:       "second", WaveAt: "2026-03-20",
		Found:     []*changev1.WaveFound{{Wave: "first", At: "2026-02-25"}, {Wave: "second", At: "2026-03-20"}},
		Readiness: &all,
		Course:    []*changev1.ReadinessSince{{From: "2026-02-01", Readiness: &half}, {From: "2026-03-10", Readiness: &all}},
	}
	for _, c := range []struct {
		day, unfreeze string
		regressions   int32
		stages        int
		forces        string
		resistance    string
		wave          string
		readiness     *float64
	}{
		{"2026-01-31", "", 0, 0, "older", "", "", nil},
		{"2026-02-01", "in_progress", 0, 1, "budget older", "", "", &half},
		{"2026-02-20", "regressed", 1, 1, "budget habit older", "open", "", &half},
		{"2026-03-04", "regressed", 1, 1, "budget habit older", "open", "first", &half},
		{"2026-03-10", "in_place", 1, 1, "budget older", "open", "first", &all},
		{"2026-03-20", "in_place", 1, 2, "budget older", "closed", "second", &all},
	} {
		got := ProgramOn(s, calendar.MustParse(c.day))
		unfreeze := &changev1.StageState{}
		if len(got.GetStages()) > 0 {
			unfreeze = got.GetStages()[0]
		}
		var forces []string
		for _, f := range got.GetForces() {
			forces = append(forces, f.GetName())
		}
		resistance := ""
		for _, r := range got.GetResistance() {
			resistance = "open"
			if r.GetClosed() != "" {
				resistance = "closed"
			}
		}
		if unfreeze.GetStatus() != c.unfreeze || unfreeze.GetRegressions() != c.regressions || len(got.GetStages()) != c.stages ||
			strings.Join(forces, " ") != c.forces || resistance != c.resistance || got.GetWave() != c.wave ||
			(got.Readiness == nil) != (c.readiness == nil) || c.readiness != nil && got.GetReadiness() != *c.readiness {
			t.Errorf("on %s: %v", c.day, got)
		}
	}
	if len(s.GetStages()) != 2 || s.GetResistance()[0].GetClosed() == "" {
		t.Errorf("the state was changed: %v", s)
	}
	// The strength that a force had, not the one that it has.
	if got := ProgramOn(s, calendar.MustParse("2026-02-28")).GetForces()[0].GetStrength(); got != 2 {
		t.Errorf("strength %d", got)
	}
}
