package resource

import "setpoint.dev/services/internal/calendar"

// Point is a measured value.
type Point struct {
	At    calendar.Date
	Value float64
}

// Observer is a Set that also knows what was measured, for advice on what is
// declared. Rules never depend on it.
type Observer interface {
	// Observed returns the values of a metric by date, one a date; none where
	// none are known.
	Observed(metric string) []Point
}
