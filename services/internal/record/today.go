package record

import (
	"math"
	"time"
	_ "time/tzdata" // a time zone means the same on every machine

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

// Location is the organization's time zone at a revision, UTC if none was
// declared.
func Location(v View, org string, at uint64) *time.Location {
	list, err := v.Resources(org, "Organization", at, "", 1)
	if err != nil || len(list) == 0 {
		return time.UTC
	}
	spec, ok := list[0].Spec.(*strategyv1.OrganizationSpec)
	if !ok || spec.GetTimeZone() == "" {
		return time.UTC
	}
	loc, err := time.LoadLocation(spec.GetTimeZone())
	if err != nil {
		return time.UTC
	}
	return loc
}

// Today is the calendar date of an instant in the organization's time zone.
func Today(v View, org string, at uint64, now time.Time) calendar.Date {
	return calendar.FromTime(now.In(Location(v, org, at)))
}

// endOf is the last instant of a day in the organization's time zone, as that
// was declared when the day ended in UTC: another one that is declared later
// does not move what was known.
func endOf(v View, org string, day calendar.Date) (time.Time, error) {
	next := day.AddDays(1)
	at, err := v.RevisionAt(within(next.Time().Add(-time.Nanosecond)))
	if err != nil {
		return time.Time{}, err
	}
	loc := Location(v, org, at)
	begin := time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, loc)
	if calendar.FromTime(begin).Before(next) { // the clocks change at midnight
		begin = begin.Add(time.Hour)
	}
	return begin.Add(-time.Nanosecond), nil
}

// within moves an instant into what databases keep, Unix nanoseconds.
func within(t time.Time) time.Time {
	if first := time.Unix(0, math.MinInt64); t.Before(first) {
		return first
	}
	if last := time.Unix(0, math.MaxInt64); t.After(last) {
		return last
	}
	return t
}

// OrganizationTitle is how the organization calls itself at a revision, its
// tenant name if it does not say.
func OrganizationTitle(v View, org string, at uint64) string {
	list, err := v.Resources(org, "Organization", at, "", 1)
	if err != nil || len(list) == 0 {
		return org
	}
	spec, ok := list[0].Spec.(*strategyv1.OrganizationSpec)
	if !ok || spec.GetTitle() == "" {
		return list[0].Name
	}
	return spec.GetTitle()
}
