package delivery_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/webhook"
)

// strict delivers as a process without permission for addresses that are not public.
func (w *world) strict() (stop func()) {
	o := w.opts
	o.Sender, o.Aside = delivery.NewSender(false), 10*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { delivery.NewManager(o).Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(stop)
	return stop
}

// Who must not post to an address leaves it to who may, and takes no attempt away.
// Where nobody may, the list says so, the events wait, and in the end it is disabled.
func TestWhoMayNotLeavesItToOthers(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.strict()
	w.declare(hook("h", e.URL, ""))
	secret := w.rotate("h", 0)
	w.declare(unit("a"), unit("b"))
	w.until("it says that nobody may", func() bool {
		x := w.entry("h")
		return x.GetStatus() == "failing" && strings.Contains(x.GetFailure(), "http is refused")
	})
	if x := w.entry("h"); x.GetDeadLetters() != 0 {
		t.Errorf("%v", x)
	}
	stop := w.run()
	a := e.next(t)
	if err := verify(t, a, secret); err != nil || a.subject() != "unit/a" {
		t.Errorf("%s: %v", a.subject(), err)
	}
	names := strings.Split("c d e f", " ")
	for _, n := range names {
		w.declare(unit(n))
	}
	if got := e.subjects(t, 1+len(names)); got != "b c d e f" {
		t.Errorf("arrived: %s", got)
	}
	w.until("it is delivering", func() bool {
		x := w.entry("h")
		return x.GetStatus() == "delivering" && x.GetPending() == 0 && x.GetFailure() == ""
	})
	stop()
	if n := len(w.failed) + len(e.arrived); n != 0 {
		t.Errorf("%d attempts too many", n)
	}
	w.declare(unit("g"))
	w.until("it says again that nobody may", func() bool { return w.entry("h").GetStatus() == "failing" })
	w.later(6 * 24 * time.Hour)
	w.until("it is disabled", func() bool { return w.entry("h").GetStatus() == "disabled" })
	if got := w.entry("h").GetDisabledBecause(); !strings.Contains(got, "http is refused") {
		t.Errorf("because %q", got)
	}
	// What waited is still there for who may.
	w.run()
	_, err := w.event.EnableWebhook(t.Context(), &eventv1.EnableWebhookRequest{Webhook: "h"})
	w.ok(err)
	if got := e.subjects(t, 1); got != "g" {
		t.Errorf("after it was enabled came %s", got)
	}
}

// What is known before an event is at stake is what is known when it is dialled.
func TestRefuses(t *testing.T) {
	const notPublic = "the address is not public: that takes a server with --webhook-allow-private"
	for url, why := range map[string]string{
		"http://example.com/":                "http is refused: declare an https address, or run a server with --webhook-allow-private",
		"https://127.0.0.1:8443/":            notPublic,
		"https://localhost/":                 notPublic,
		"https://[::1]/":                     notPublic,
		"https://[::ffff:10.0.0.1]/":         notPublic,
		"https://169.254.169.254/latest":     notPublic,
		"https://8.8.8.8/":                   "",
		"https://this-is-no-host.invalid/":   "",
		"https://[2001:4860:4860::8888]/dns": "",
	} {
		if got := delivery.NewSender(false).Refuses(t.Context(), &webhook.Spec{Url: url}); got != why {
			t.Errorf("%s: %q, want %q", url, got, why)
		}
		if got := delivery.NewSender(true).Refuses(t.Context(), &webhook.Spec{Url: url}); got != "" {
			t.Errorf("%s with permission: %q", url, got)
		}
	}
}
