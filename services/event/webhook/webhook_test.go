package webhook_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event"
	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/internal/resource"
)

func findings(s *webhook.Spec) (broken, advice []string) {
	for _, f := range webhook.Kinds()[0].Check("hook", s, nil) {
		if f.Warning {
			advice = append(advice, f.Field+" "+f.Reason)
		} else {
			broken = append(broken, f.Field+" "+f.Reason)
		}
		if strings.Contains(f.Message, "hunter2") {
			panic("a finding tells the password")
		}
	}
	return broken, advice
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name, broken, advice string
		spec                 *webhook.Spec
	}{
		{"fine", "", "", &webhook.Spec{Url: "https://example.com/hooks?tenant=1", Types: []string{"gap", "dev.setpoint.gap.opened.v1"}}},
		{"no scheme", "spec.url event.webhook_url", "", &webhook.Spec{Url: "example.com/hooks"}},
		{"no host", "spec.url event.webhook_url", "", &webhook.Spec{Url: "https:///hooks"}},
		{"a file", "spec.url event.webhook_url", "", &webhook.Spec{Url: "file:///etc/passwd"}},
		{"a password", "spec.url event.webhook_url", "", &webhook.Spec{Url: "https://me:hunter2@example.com/"}},
		{"no address, with a password", "spec.url event.webhook_url", "", &webhook.Spec{Url: "https://me:hunter2@exa mple.com/"}},
		{"a fragment", "spec.url event.webhook_url", "", &webhook.Spec{Url: "https://example.com/#x"}},
		{"in the clear", "", "spec.url event.webhook_clear", &webhook.Spec{Url: "http://example.com/"}},
		{"this machine", "", "spec.url event.webhook_private", &webhook.Spec{Url: "https://LocalHost:8443/"}},
		{"a private address", "", "spec.url event.webhook_private", &webhook.Spec{Url: "https://10.1.2.3/"}},
		{"a private address in IPv6", "", "spec.url event.webhook_private", &webhook.Spec{Url: "https://[::ffff:192.168.1.1]/"}},
		{"a link-local address", "", "spec.url event.webhook_private", &webhook.Spec{Url: "https://169.254.169.254/"}},
		{"a public address", "", "", &webhook.Spec{Url: "https://[2600::1]/"}},
		{"an unknown type", "", "spec.types[1] event.webhook_type", &webhook.Spec{Url: "https://example.com/", Types: []string{"gap", "gaps"}}},
		{"a type that is kept", "", "spec.types[0] event.webhook_type", &webhook.Spec{Url: "https://example.com/", Types: []string{"strategy.person-declared"}}},
		{"an unknown subject", "", "spec.subjects[0] event.webhook_subject", &webhook.Spec{Url: "https://example.com/", Subjects: []string{"targets", "target", "review/monthly"}}},
		{"paused", "", "spec.paused event.webhook_paused", &webhook.Spec{Url: "https://example.com/", Paused: true}},
	} {
		broken, advice := findings(c.spec)
		if got := strings.Join(broken, ","); got != c.broken {
			t.Errorf("%s: broken %q, want %q", c.name, got, c.broken)
		}
		if got := strings.Join(advice, ","); got != c.advice {
			t.Errorf("%s: advice %q, want %q", c.name, got, c.advice)
		}
	}
	var _ resource.Kind = webhook.Kinds()[0]
}

func TestWants(t *testing.T) {
	e := &event.CloudEvent{Type: "dev.setpoint.gap.opened.v1", Subject: "target/vacant-space"}
	for _, c := range []struct {
		types, subjects string
		want            bool
	}{
		{"", "", true}, {"gap", "", true}, {"gap.opened.v1 change", "", true}, {"change", "", false},
		{"", "target", true}, {"", "target/vacant-space", true}, {"", "metric target", true}, {"gap", "target", true},
		{"", "tar", false}, {"", "target/vacant", false}, {"", "metric", false}, {"change", "target", false},
	} {
		s := &webhook.Spec{Types: strings.Fields(c.types), Subjects: strings.Fields(c.subjects)}
		if got := webhook.Wants(s, e); got != c.want {
			t.Errorf("types %q, subjects %q: %v", c.types, c.subjects, got)
		}
	}
}

// A later attempt never waits for a shorter time at the least, nothing waits for
// longer than the most, and what is asked for is granted within bounds.
func TestDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, chance := rapid.IntRange(1, 40).Draw(t, "attempt"), rapid.Float64Range(0, 0.999999).Draw(t, "chance")
		asked := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "asked"))
		d := webhook.Delay(n, chance, 0)
		if d < webhook.Delay(n, 0, 0) || d > 5*time.Minute || d < 500*time.Millisecond || webhook.Delay(n+1, 0, 0) < webhook.Delay(n, 0, 0) {
			t.Fatalf("attempt %d waits %s", n, d)
		}
		if got, want := webhook.Delay(n, chance, asked), max(d, min(asked, time.Hour)); got != want {
			t.Fatalf("asked for %s: %s, want %s", asked, got, want)
		}
	})
	if a, b := webhook.Delay(1, 0, 0), webhook.Delay(3, 0, 0); a != 500*time.Millisecond || b != 4500*time.Millisecond {
		t.Errorf("%s, %s", a, b)
	}
	all := time.Duration(0)
	for n := 1; !webhook.GivesUp(n); n++ {
		all += webhook.Delay(n, 0.5, 0)
	}
	if all < 30*time.Minute || all > 90*time.Minute {
		t.Errorf("an event is given up after %s: the documentation says about an hour", all)
	}
}

func TestDisables(t *testing.T) {
	now := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		days    int32
		attempt int
		since   time.Time
		want    bool
	}{
		{0, 3, now.AddDate(0, 0, -5), true}, {0, 3, now.AddDate(0, 0, -5).Add(time.Second), false},
		{0, 2, now.AddDate(0, 0, -50), false}, {0, 30, time.Time{}, false},
		{1, 3, now.AddDate(0, 0, -1), true}, {30, 3, now.AddDate(0, 0, -29), false},
	} {
		if got := webhook.Disables(&webhook.Spec{DisableAfterDays: c.days}, c.attempt, c.since, now); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestMessageID(t *testing.T) {
	a := webhook.MessageID(&event.CloudEvent{Source: "/setpoint/l/acme", ID: "0-7-1-dev.setpoint.gap.opened.v1"})
	b := webhook.MessageID(&event.CloudEvent{Source: "/setpoint/m/acme", ID: "0-7-1-dev.setpoint.gap.opened.v1"})
	if a == b || strings.Contains(a, ".") || a != "evt_"+strings.ToLower(strings.TrimPrefix(a, "evt_")) || len(a) != 36 {
		t.Errorf("%s, %s", a, b)
	}
}

func TestDecide(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	disabled := webhook.Evolve(nil, &eventv1.WebhookDisabled{Webhook: "h", Reason: webhook.Gone, Failure: "status 410"}, at)
	for _, c := range []struct {
		name    string
		given   *webhook.State
		command webhook.Command
		event   proto.Message
		state   *webhook.State
	}{
		{"disable", nil, webhook.Disable{Because: webhook.Failing, Since: at, Failure: "timeout"},
			&eventv1.WebhookDisabled{Webhook: "h", Reason: "failing", FailingSince: "2026-03-01T12:00:00Z", Failure: "timeout"},
			&webhook.State{Disabled: true, DisabledBecause: "failing: timeout", DisabledAt: "2026-03-01T12:00:00Z"}},
		{"disable again", disabled, webhook.Disable{Because: webhook.Failing}, nil, nil},
		{"enable", disabled, webhook.Enable{}, &eventv1.WebhookEnabled{Webhook: "h"}, &webhook.State{}},
		{"enable again", nil, webhook.Enable{}, nil, nil},
		{"a secret", nil, webhook.Rotate{}, &eventv1.WebhookSecretRotated{Webhook: "h"}, &webhook.State{SecretMadeAt: "2026-03-01T12:00:00Z"}},
		{"another secret", disabled, webhook.Rotate{Until: at.Add(time.Hour)},
			&eventv1.WebhookSecretRotated{Webhook: "h", OverlapUntil: "2026-03-01T13:00:00Z"},
			&webhook.State{Disabled: true, DisabledBecause: "gone: status 410", DisabledAt: "2026-03-01T12:00:00Z", SecretMadeAt: "2026-03-01T12:00:00Z", OverlapUntil: "2026-03-01T13:00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := webhook.Decide("h", c.given, c.command)
			if e == nil || c.event == nil {
				if e != nil || c.event != nil {
					t.Fatalf("%v, want %v", e, c.event)
				}
				return
			}
			if !proto.Equal(e, c.event) {
				t.Errorf("%v, want %v", e, c.event)
			}
			if got := webhook.Evolve(c.given, e, at); !proto.Equal(got, c.state) {
				t.Errorf("%v, want %v", got, c.state)
			}
		})
	}
}
