package server

import (
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// statusOf gives the strategy slice what the gap slice computes; the slices do
// not know each other.
func statusOf(v record.View, org, target string, day calendar.Date) (string, error) {
	status, err := portfolio.Status(v, org, target, v.Revision(), day)
	return string(status), err
}
