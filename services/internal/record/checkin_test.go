package record_test

import (
	"fmt"
	"testing"

	"setpoint.dev/services/internal/record"
)

func TestWhatCountsOnADay(t *testing.T) {
	n := func(v int) *int { return &v }
	until := func(day string) *record.Override {
		return &record.Override{Status: "at_risk", Reason: "r", Expires: day}
	}
	for _, c := range []struct {
		name string
		said []record.CheckIn
		day  string
		want string
	}{
		{"nothing", nil, "2026-01-01", "- -"},
		{"the latest confidence", []record.CheckIn{{Confidence: n(7)}, {Confidence: n(0)}}, "2026-01-01", "0 -"},
		{"a check-in without one leaves it", []record.CheckIn{{Confidence: n(7)}, {Note: "fine"}}, "2026-01-01", "7 -"},
		{"on the day it expires", []record.CheckIn{{Override: until("2026-06-30")}}, "2026-06-30", "- 2026-06-30"},
		{"the day after", []record.CheckIn{{Override: until("2026-06-30")}}, "2026-07-01", "- -"},
		{"cleared", []record.CheckIn{{Override: until("2026-06-30")}, {Clear: true}}, "2026-01-01", "- -"},
		{"said again", []record.CheckIn{{Override: until("2026-06-30")}, {Clear: true}, {Override: until("2026-05-31")}}, "2026-01-01", "- 2026-05-31"},
		{"a newer one that expired does not revive the older", []record.CheckIn{{Override: until("2026-12-31")}, {Override: until("2026-03-31")}}, "2026-04-01", "- -"},
		{"a note leaves the override", []record.CheckIn{{Override: until("2026-06-30")}, {Note: "fine"}}, "2026-01-01", "- 2026-06-30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w record.Word
			for _, s := range c.said {
				w = w.Hear(s)
			}
			confidence, expires := "-", "-"
			w = w.On(c.day)
			if w.Confidence != nil {
				confidence = fmt.Sprint(*w.Confidence)
			}
			if w.Override != nil {
				expires = w.Override.Override.Expires
			}
			if got := confidence + " " + expires; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
