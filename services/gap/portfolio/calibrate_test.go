package portfolio

import (
	"testing"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// What was on record by the day counts first, then what was recorded about that time
// later; never what is about a later day, or about an earlier end.
func TestConfidence(t *testing.T) {
	said := func(at string, revision uint64, confidence int) record.CheckIn {
		c := record.CheckIn{CheckInKey: record.CheckInKey{At: at, Revision: revision}}
		if confidence >= 0 {
			c.Confidence = &confidence
		}
		return c
	}
	trial := gap.Trial{Day: calendar.MustParse("2020-06-30")}
	second := trial
	second.SaidFrom = calendar.MustParse("2020-06-01")
	for _, c := range []struct {
		name  string
		trial gap.Trial
		list  []record.CheckIn // newest first
		want  float64          // < 0: none
		later bool
	}{
		{"nothing", trial, nil, -1, false},
		{"in time", trial, []record.CheckIn{said("2020-07-01", 8, 1), said("2020-06-30", 7, 6), said("2020-01-01", 3, 2)}, .6, false},
		{"a note alone", trial, []record.CheckIn{said("2020-06-30", 7, -1), said("2020-01-01", 3, 2)}, .2, false},
		{"in time, and said over later", trial, []record.CheckIn{said("2020-06-30", 50, 10), said("2020-06-29", 49, 9), said("2020-01-01", 3, 2)}, .2, false},
		{"only later", trial, []record.CheckIn{said("2020-06-30", 50, 10), said("2020-06-29", 60, 9)}, 1, true},
		{"about an earlier end", second, []record.CheckIn{said("2020-05-31", 5, 4)}, -1, false},
	} {
		got, later := confidence(c.list, c.trial, 10)
		if (got == nil) != (c.want < 0) || got != nil && *got != c.want || later != c.later {
			t.Errorf("%s: %v, later %v", c.name, got, later)
		}
	}
}
