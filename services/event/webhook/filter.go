package webhook

import (
	"slices"
	"strings"

	"setpoint.dev/services/event"
)

// Wants tells whether a webhook is to be sent an event.
func Wants(s *Spec, e *event.CloudEvent) bool {
	return event.Matches(e.Type, s.GetTypes()) && (len(s.GetSubjects()) == 0 ||
		slices.ContainsFunc(s.GetSubjects(), func(asked string) bool {
			return e.Subject == asked || !strings.Contains(asked, "/") && strings.HasPrefix(e.Subject, asked+"/")
		}))
}
