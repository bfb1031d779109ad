package delivery_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/stream"
)

// What somebody asks for is what deliveries get, also from a process that must not post
// to the address, as long as one runs that may; else it is refused.
func TestWhoMayNotAsksWhoMay(t *testing.T) {
	w, e := newWorldBehind(t, delivery.NewSender(false)), newEndpoint(t)
	w.declare(hook("h", e.URL, ""))
	secret := w.rotate("h", 0)
	w.ok(w.public.Bury(t.Context(), "default", "h", stream.Letter{Body: []byte(`{"subject":"unit/dead"}`), MessageID: "evt_dead"}))
	try := func() *eventv1.TestWebhookResponse {
		t.Helper()
		res, err := w.event.TestWebhook(t.Context(), &eventv1.TestWebhookRequest{Webhook: "h"})
		w.ok(err)
		return res
	}
	if res := try(); res.GetDelivered() || !strings.Contains(res.GetFailure(), "http is refused") {
		t.Errorf("where nobody may: %v", res)
	}
	if res, err := w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h"}); err != nil || res.GetDelivered() != 0 || res.GetRemaining() != 1 {
		t.Errorf("where nobody may: %v, %v", res, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { w.asked.Answer(ctx, slog.New(slog.DiscardHandler)) })
	var res *eventv1.TestWebhookResponse
	w.until("somebody answers", func() bool { res = try(); return res.GetDelivered() })
	a := e.next(t)
	if err := verify(t, a, secret); err != nil || res.GetStatus() != 204 || string(a.body) != res.GetEvent() || a.id() != res.GetWebhookId() {
		t.Errorf("%v %v %s", err, res, a.body)
	}
	again, err := w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h"})
	w.ok(err)
	if a := e.next(t); again.GetDelivered() != 1 || again.GetRemaining() != 0 || a.id() != "evt_dead" || verify(t, a, secret) != nil {
		t.Errorf("%v %s", again, a.id())
	}
	e.answers(func(string) int { return 503 })
	if res := try(); res.GetDelivered() || res.GetFailure() != "status 503" || res.GetStatus() != 503 {
		t.Errorf("%v", res)
	}
	stop()
	running.Wait()
	e.next(t)
	if res := try(); !strings.Contains(res.GetFailure(), "http is refused") {
		t.Errorf("where nobody may any more: %v", res)
	}
	if n := len(e.arrived); n != 0 {
		t.Errorf("%d attempts too many", n)
	}
}
