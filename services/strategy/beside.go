package strategy

import (
	"fmt"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

// Beside is a new value at a date where other sources have values already.
type Beside struct {
	Identity
	Others []string // their names, some of them
}

// Surprise says in words that new values of a metric stand beside others, ""
// if none do. Sources are told apart on purpose; but who forgets to name the
// source of the value to correct gets a second value, and should know.
func Surprise(metric string, beside []Beside, correct bool) string {
	if len(beside) == 0 {
		return ""
	}
	b := beside[0]
	other := source(b.Others[0])
	s := fmt.Sprintf("metric %q already has a value at %s %s; the one %s now stands beside it, and the one recorded last counts",
		metric, b.At, other, source(b.Source))
	if n := len(beside) - 1; n == 1 {
		s += "; so it is at 1 more date"
	} else if n > 1 {
		s += fmt.Sprintf("; so it is at %d more dates", n)
	}
	if !correct {
		return s
	}
	if b.Others[0] == "" {
		return s + "; to correct that value, leave the source out"
	}
	return s + fmt.Sprintf("; to correct that value, name its source %q", b.Others[0])
}

func source(name string) string {
	if name == "" {
		return "without a source"
	}
	return fmt.Sprintf("from %q", name)
}

// StillToCome says in words that new values of a metric are of periods that begin
// after today, "" if none are. They are recorded, as calendars of other places and
// planned values have them, and count when their day has come; but a mistyped year
// is seen in no comparison.
func StillToCome(metric string, spec *strategyv1.MetricSpec, k calendar.Calendar, values []Observation, today calendar.Date) string {
	const day = len("2006-01-02")
	var first Observation
	ahead := 0
	for _, o := range values {
		at, err := calendar.ParseDate(o.At[:min(len(o.At), day)])
		if err != nil || !at.After(today) || !k.PeriodOf(at, calendar.Cadence(spec.GetCadence())).Start.After(today) {
			continue
		}
		if ahead++; ahead == 1 || o.At < first.At {
			first = o
		}
	}
	switch ahead {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("metric %q now has a value at %s, a period still to come: it counts from then on; is the year right?", metric, first.At)
	}
	return fmt.Sprintf("metric %q now has %d values of periods still to come, the first at %s: they count from then on; is the year right?", metric, ahead, first.At)
}
