package record

import (
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
