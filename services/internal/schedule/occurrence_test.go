package schedule

import (
	"testing"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

func TestHowAReviewStoodOnADay(t *testing.T) {
	held := &strategyv1.OccurrenceState{
		Period: "2026-Q3", Stage: "closed", Opened: "2026-10-05", Ended: "2026-10-09", Pack: &strategyv1.ReviewPack{AsOf: "2026-10-06"},
		Decisions: []*strategyv1.ReviewDecision{{Id: "d1", Status: "done", Decided: "2026-10-07", Settled: "2026-11-01"}},
	}
	for _, c := range []struct{ day, stage, decision string }{
		{"2026-10-04", "", ""}, {"2026-10-05", "open", ""}, {"2026-10-06", "locked", ""}, {"2026-10-07", "locked", "open"},
		{"2026-10-09", "closed", "open"}, {"2026-11-01", "closed", "done"},
	} {
		s := OccurrenceOn(held, calendar.MustParse(c.day))
		decision := ""
		if d := s.GetDecisions(); len(d) > 0 {
			decision = d[0].GetStatus()
		}
		if s.GetStage() != c.stage || decision != c.decision || (s == nil) != (c.stage == "") {
			t.Errorf("%s: %v", c.day, s)
		}
	}
	if held.GetDecisions()[0].GetStatus() != "done" || held.GetStage() != "closed" {
		t.Errorf("it was changed: %v", held)
	}
	skipped := &strategyv1.OccurrenceState{Period: "2026-Q3", Stage: "skipped", Ended: "2026-10-05"}
	if s := OccurrenceOn(skipped, calendar.MustParse("2026-10-04")); s != nil {
		t.Errorf("the day before it was skipped: %v", s)
	}
	if s := OccurrenceOn(skipped, calendar.MustParse("2026-10-05")); s.GetStage() != "skipped" {
		t.Errorf("on that day: %v", s)
	}
	if OccurrenceOn(nil, calendar.MustParse("2026-10-04")) != nil {
		t.Error("nothing became something")
	}
}
