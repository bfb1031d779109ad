package webhook

import (
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/resource"
)

// Aggregate is the token in subjects of what happens to a webhook; its id is the
// webhook's.
const Aggregate = "delivery"

// State is what the acts made of a webhook; the zero one delivers.
type State = eventv1.WebhookState

// Why a webhook is disabled.
const (
	Failing = "failing"
	Gone    = "gone"
)

// Acts are the events of this package that declare nothing, by wire name.
func Acts() resource.Acts {
	return resource.Acts{
		{Type: "event.webhook_disabled.v1", New: func() proto.Message { return &eventv1.WebhookDisabled{} }},
		{Type: "event.webhook_enabled.v1", New: func() proto.Message { return &eventv1.WebhookEnabled{} }},
		{Type: "event.webhook_secret_rotated.v1", New: func() proto.Message { return &eventv1.WebhookSecretRotated{} }},
	}
}

// Command is something that is to happen to a webhook.
type Command interface {
	decide(name string, s *State) proto.Message
}

// Disable ends deliveries.
type Disable struct {
	Because string // Failing or Gone
	Since   time.Time
	Failure string
}

// Enable takes that back.
type Enable struct{}

// Rotate says that there is a new secret; an Until that is zero has no overlap.
type Rotate struct{ Until time.Time }

// Decide returns the event that a command leads to, nil if it is already so.
func Decide(name string, s *State, c Command) proto.Message { return c.decide(name, s) }

func (c Disable) decide(name string, s *State) proto.Message {
	if s.GetDisabled() {
		return nil
	}
	return &eventv1.WebhookDisabled{Webhook: name, Reason: c.Because, FailingSince: instant(c.Since), Failure: c.Failure}
}

func (Enable) decide(name string, s *State) proto.Message {
	if !s.GetDisabled() {
		return nil
	}
	return &eventv1.WebhookEnabled{Webhook: name}
}

func (c Rotate) decide(name string, _ *State) proto.Message {
	return &eventv1.WebhookSecretRotated{Webhook: name, OverlapUntil: instant(c.Until)}
}

// Evolve returns the state after an event that was recorded at an instant; it does
// not change s.
func Evolve(s *State, e proto.Message, recorded time.Time) *State {
	out := &State{}
	if s != nil {
		out = proto.CloneOf(s)
	}
	switch e := e.(type) {
	case *eventv1.WebhookDisabled:
		out.Disabled, out.DisabledBecause, out.DisabledAt = true, e.GetReason(), instant(recorded)
		if e.GetFailure() != "" {
			out.DisabledBecause += ": " + e.GetFailure()
		}
	case *eventv1.WebhookEnabled:
		out.Disabled, out.DisabledBecause, out.DisabledAt = false, "", ""
	case *eventv1.WebhookSecretRotated:
		out.SecretMadeAt, out.OverlapUntil = instant(recorded), e.GetOverlapUntil()
	}
	return out
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
