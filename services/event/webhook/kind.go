package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event"
	"setpoint.dev/services/internal/resource"
)

// Service is the slice's name in subjects, wire names and reasons.
const Service = "event"

// Kind is the name of the kind.
const Kind = "Webhook"

// Spec is what is declared of a webhook.
type Spec = eventv1.WebhookSpec

const (
	defaultDays    = 5
	defaultTimeout = 15 * time.Second
)

// Kinds returns this slice's entries of the registry.
func Kinds() []resource.Kind {
	return []resource.Kind{{
		Name: Kind, Plural: "webhooks", Service: Service, Token: "webhook",
		DeclaredType: "event.webhook_declared.v1",
		RetiredType:  "event.webhook_retired.v1",
		NewSpec:      func() proto.Message { return &eventv1.WebhookSpec{} },
		NewDeclared:  func() proto.Message { return &eventv1.WebhookDeclared{} },
		Check:        resource.CheckOf(Service, check),
		Life:         &resource.Life{Token: Aggregate, Acts: Acts(), Words: inWords},
	}}
}

func check(s *Spec, _ resource.Set, f *resource.Findings) {
	checkURL(s.GetUrl(), f)
	for i, asked := range s.GetTypes() {
		if !slices.ContainsFunc(event.Catalogue(), func(e event.Entry) bool { return e.Public() && event.Matches(e.Type(), []string{asked}) }) {
			f.Warn(fmt.Sprintf("spec.types[%d]", i), "webhook_type", fmt.Sprintf("no event of this version is called %q", asked),
				"docs/events.md lists all types; gap is every event of gaps")
		}
	}
	for i, asked := range s.GetSubjects() {
		if kind, _, _ := strings.Cut(asked, "/"); !slices.Contains(event.Subjects(), kind) {
			f.Warn(fmt.Sprintf("spec.subjects[%d]", i), "webhook_subject", fmt.Sprintf("no event of this version is about any %q", kind),
				"legal are "+strings.Join(event.Subjects(), ", "))
		}
	}
	if s.GetPaused() {
		f.Warn("spec.paused", "webhook_paused", "nothing is delivered", "what is published meanwhile is delivered later, as far as it is kept")
	}
}

func checkURL(s string, f *resource.Findings) {
	const field, reason, legal = "spec.url", "webhook_url", "an address such as https://example.com/hooks"
	u, err := url.Parse(s)
	switch {
	case err != nil:
		// The error of the parser holds the address, which may hold a secret.
		f.Add(field, reason, "it is no address", legal)
	case u.Scheme != "https" && u.Scheme != "http":
		f.Add(field, reason, fmt.Sprintf("the scheme is %q", u.Scheme), legal)
	case u.Hostname() == "":
		f.Add(field, reason, "it names no host", legal)
	case u.User != nil:
		f.Add(field, reason, "it holds a user or a password, which everybody could read", "deliveries are signed: verify the signature instead")
	case u.Fragment != "":
		f.Add(field, reason, "it has a fragment (#…), which is never sent", legal)
	case u.Scheme == "http":
		f.Warn(field, "webhook_clear", "events are sent in the clear", "use https; servers refuse http unless they run with --webhook-allow-private")
	case private(u.Hostname()):
		f.Warn(field, "webhook_private", "the address is not public", "servers send nothing there unless they run with --webhook-allow-private; what a name resolves to is looked at when it is dialled")
	}
}

// private tells of a host, without asking anybody, that it is surely not public.
func private(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	a = a.Unmap()
	return err == nil && (a.IsPrivate() || !a.IsGlobalUnicast())
}

// DisableAfter is how long every attempt may fail before the webhook is disabled.
func DisableAfter(s *Spec) time.Duration {
	days := int(s.GetDisableAfterDays())
	if days == 0 {
		days = defaultDays
	}
	return time.Duration(days) * 24 * time.Hour
}

// Timeout is how long an attempt may take.
func Timeout(s *Spec) time.Duration {
	if s.GetTimeoutSeconds() == 0 {
		return defaultTimeout
	}
	return time.Duration(s.GetTimeoutSeconds()) * time.Second
}

// Clear tells whether deliveries would not be encrypted.
func Clear(s *Spec) bool { return strings.HasPrefix(strings.ToLower(s.GetUrl()), "http:") }
