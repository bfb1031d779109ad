package webhook

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
)

// inWords tells an event in a line that holds neither address nor secret.
func inWords(event proto.Message) (summary, note string, links []string) {
	switch e := event.(type) {
	case *eventv1.WebhookDisabled:
		switch {
		case e.GetReason() == Gone:
			summary = "disabled: the endpoint wants nothing any more"
		case e.GetFailingSince() != "":
			summary = "disabled: every attempt has failed since " + e.GetFailingSince()
		default:
			summary = "disabled: " + e.GetReason()
		}
		if e.GetFailure() != "" {
			summary += fmt.Sprintf(", the last one with: %s", e.GetFailure())
		}
	case *eventv1.WebhookEnabled:
		summary = "enabled: goes on where it was"
	case *eventv1.WebhookSecretRotated:
		summary = "a new secret was made"
		if until := e.GetOverlapUntil(); until != "" {
			summary += ", the former one signs beside it until " + until
		}
	}
	return summary, "", nil
}
