package gap_test

import (
	"slices"
	"testing"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

func TestTheDecisionsOfTheLastReviews(t *testing.T) {
	d := func(review, period, id, status, decided, due string) gap.Decision {
		return gap.Decision{Review: review, Period: period, ID: id, Status: status, Decided: calendar.MustParse(decided), Due: calendar.MustParse(due)}
	}
	list := []gap.Decision{
		d("monthly", "2026-08", "d1", "done", "2026-09-02", "2026-09-20"),
		d("monthly", "2026-08", "d2", "open", "2026-09-02", "2026-12-20"),
		d("monthly", "2026-10", "d10", "dropped", "2026-11-02", "2026-11-10"),
		d("monthly", "2026-10", "d2", "done", "2026-11-02", "2026-11-10"),
		d("monthly", "2026-09", "d1", "done", "2026-10-02", "2026-10-20"),
		d("annual", "2025", "d1", "open", "2026-01-20", "2026-06-30"),
	}
	var got []string
	for _, x := range gap.LastDecisions(list) {
		got = append(got, x.Review+" "+x.Period+" "+x.ID)
	}
	want := []string{"annual 2025 d1", "monthly 2026-08 d2", "monthly 2026-10 d2", "monthly 2026-10 d10"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !list[5].Overdue(calendar.MustParse("2026-07-01")) || list[5].Overdue(calendar.MustParse("2026-06-30")) || list[0].Overdue(calendar.MustParse("2026-12-01")) {
		t.Error("overdue is not as it is")
	}
}
