package webhook

import (
	"setpoint.dev/services/event"
)

// Wants tells whether a webhook is to be sent an event.
func Wants(s *Spec, e *event.CloudEvent) bool {
	return event.Matches(e.Type, s.GetTypes()) && event.About(e.Subject, s.GetSubjects())
}
