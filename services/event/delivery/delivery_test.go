package delivery_test

import (
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
)

// The names of the consumers know what has been delivered.
func TestNamesArePinned(t *testing.T) {
	if got := stream.Durable("acme", "tickets"); got != "webhook_acme_tickets" {
		t.Errorf("the consumer is called %s: everything would be delivered again", got)
	}
}

// Only what is wanted and later than the declaration is delivered, in order,
// signed, to the byte as it is on the stream, and not before there is a secret.
func TestDelivery(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.run()
	w.declare(unit("before"))
	w.declare(hook("h", e.URL, ""), unit("a"))
	w.declare(unit("b"))
	w.until("the webhook waits for a secret", func() bool { return w.entry("h").GetStatus() == "waiting" })
	secret := w.rotate("h", 0)
	a := e.next(t)
	if a.subject() != "unit/a" {
		t.Errorf("first came %s", a.body)
	}
	v, err := standardwebhooks.NewWebhook(secret)
	w.ok(err)
	if err := v.Verify(a.body, a.header); err != nil {
		t.Error(err)
	}
	if got := a.header.Get("Content-Type"); got != "application/cloudevents+json" {
		t.Error(got)
	}
	if got := e.subjects(t, 1); got != "b" {
		t.Error(got)
	}
	public, err := w.js.Stream(t.Context(), stream.Name)
	w.ok(err)
	found := false
	for i := uint64(1); !found; i++ {
		m, err := public.GetMsg(t.Context(), i)
		w.ok(err)
		found = string(m.Data) == string(a.body)
	}
	w.until("it is known to be delivering", func() bool {
		x := w.entry("h")
		return x.GetStatus() == "delivering" && x.GetLastSuccess() != "" && x.GetPending() == 0
	})
	// Another declaration counts from the next event on.
	w.declare(hook("h", e.URL, ", subjects: [unit/d]"), unit("x"))
	w.declare(unit("d"))
	if got := e.subjects(t, 1); got != "x" && got != "d" {
		t.Error(got)
	}
}

func TestRotation(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.run()
	w.declare(hook("h", e.URL, ""))
	first := w.rotate("h", 0)
	second := w.rotate("h", 48)
	w.declare(unit("a"))
	a := e.next(t)
	if err1, err2 := verify(t, a, first), verify(t, a, second); err1 != nil || err2 != nil {
		t.Errorf("during the overlap: %v, %v", err1, err2)
	}
	if n := strings.Count(a.header.Get(standardwebhooks.HeaderWebhookSignature), "v1,"); n != 2 {
		t.Errorf("%d signatures", n)
	}
	w.later(49 * time.Hour)
	w.declare(unit("b"))
	a = e.next(t)
	if err1, err2 := verify(t, a, first), verify(t, a, second); err1 == nil || err2 != nil {
		t.Errorf("after it: %v, %v", err1, err2)
	}
	third := w.rotate("h", -1)
	w.declare(unit("c"))
	a = e.next(t)
	if err2, err3 := verify(t, a, second), verify(t, a, third); err2 == nil || err3 != nil {
		t.Errorf("at once: %v, %v", err2, err3)
	}
	// A request that comes again shows no secret, and makes none.
	req := &eventv1.RotateWebhookSecretRequest{RequestId: "r-1", Webhook: "h"}
	res, err := w.event.RotateWebhookSecret(t.Context(), req)
	w.ok(err)
	if again, err := w.event.RotateWebhookSecret(t.Context(), req); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("%v, %v", again, err)
	}
	w.declare(unit("d"))
	if err := verify(t, e.next(t), res.GetSecret()); err != nil {
		t.Error(err)
	}
	// No secret is in the log, the record or the public events.
	for _, name := range []string{"SETPOINT_0", stream.Name, stream.Dead} {
		s, err := w.js.Stream(t.Context(), name)
		w.ok(err)
		for i := uint64(1); i <= s.CachedInfo().State.LastSeq; i++ {
			m, err := s.GetMsg(t.Context(), i)
			w.ok(err)
			for _, secret := range []string{first, second, third, res.GetSecret()} {
				if strings.Contains(string(m.Data), secret) || strings.Contains(string(m.Data), strings.TrimPrefix(secret, "whsec_")) {
					t.Errorf("message %d of %s holds a secret", i, name)
				}
			}
		}
	}
}

// An event that is refused comes again with the same id, is set aside in the end,
// the next ones follow, and it can be delivered after all.
func TestDeadLetters(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	var taken, failed, dead atomic.Int64
	w.opts.Sender.Observe(delivery.Observer{GaveUp: func() { dead.Add(1) }, Attempt: func(o delivery.Outcome) {
		if o.Delivered {
			taken.Add(1)
		} else {
			failed.Add(1)
		}
	}})
	w.run()
	w.declare(hook("h", e.URL, ""))
	w.rotate("h", 0)
	refused := func(subject string) int {
		if subject == "unit/bad" {
			return http.StatusBadRequest
		}
		return http.StatusOK
	}
	e.answers(refused)
	w.declare(unit("bad"))
	w.declare(unit("good"))
	id := ""
	for i := range webhook.MaxAttempts {
		a := e.next(t)
		if a.subject() != "unit/bad" || id != "" && a.id() != id {
			t.Fatalf("attempt %d: %s %s", i+1, a.id(), a.body)
		}
		id = a.id()
		if n := <-w.failed; n != i+1 {
			t.Errorf("attempt %d was taken for %d", i+1, n)
		}
	}
	if got := e.subjects(t, 1); got != "good" {
		t.Error(got)
	}
	list, err := w.event.ListDeadLetters(t.Context(), &eventv1.ListDeadLettersRequest{Webhook: "h"})
	w.ok(err)
	if l := list.GetDeadLetters(); len(l) != 1 || l[0].GetFailure() != "status 400" || l[0].GetAttempts() != webhook.MaxAttempts ||
		l[0].GetWebhookId() != id || !strings.Contains(l[0].GetEvent(), "unit/bad") {
		t.Fatalf("%v", list)
	}
	res, err := w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h"})
	w.ok(err)
	if res.GetDelivered() != 0 || res.GetRemaining() != 1 || res.GetFailure() != "status 400" {
		t.Errorf("refused again: %v", res)
	}
	e.next(t)
	_, err = w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h", Letters: []string{"999"}})
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("one that is none: %v", err)
	}
	e.answers(func(string) int { return http.StatusOK })
	res, err = w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h", Letters: []string{list.GetDeadLetters()[0].GetLetter()}})
	w.ok(err)
	if a := e.next(t); res.GetDelivered() != 1 || res.GetRemaining() != 0 || a.id() != id {
		t.Errorf("%v %s", res, a.id())
	}
	if n := w.entry("h").GetDeadLetters(); n != 0 {
		t.Errorf("%d are dead still", n)
	}
	// 16 attempts and a redelivery failed; the other event and a redelivery did not.
	if taken.Load() != 2 || failed.Load() != webhook.MaxAttempts+1 || dead.Load() != 1 {
		t.Errorf("observed were %d taken, %d failed, %d given up", taken.Load(), failed.Load(), dead.Load())
	}
}

// A dead letter that is taken ends the time for which every attempt has failed. What
// is said of the event under way stays, as long as one is.
func TestARedeliveryIsASuccess(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	never := w.opts
	never.Delay = func(int, time.Duration) time.Duration { return time.Hour }
	e.answers(func(subject string) int {
		if subject == "unit/bad" {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	stop := w.run()
	w.declare(hook("h", e.URL, ""))
	w.rotate("h", 0)
	w.declare(unit("bad"))
	w.until("it is given up", func() bool { return w.entry("h").GetDeadLetters() == 1 })
	if x := w.entry("h"); x.GetStatus() != "failing" || x.GetAttempts() != 0 || x.GetFailure() != "status 400" {
		t.Errorf("after it was given up, when no event is under way: %v", x)
	}
	stop()
	redeliver := func() *eventv1.WebhookEntry {
		t.Helper()
		w.later(24 * time.Hour)
		w.ok(w.public.Bury(t.Context(), "default", "h", stream.Letter{Body: []byte(`{"subject":"unit/good"}`), MessageID: "evt_" + rand.Text()}))
		list, err := w.event.ListDeadLetters(t.Context(), &eventv1.ListDeadLettersRequest{Webhook: "h"})
		w.ok(err)
		letters := list.GetDeadLetters()
		res, err := w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h", Letters: []string{letters[len(letters)-1].GetLetter()}})
		if w.ok(err); res.GetDelivered() != 1 {
			t.Errorf("%v", res)
		}
		return w.entry("h")
	}
	if x := redeliver(); x.GetStatus() != "delivering" || x.GetFailure() != "" || x.GetFailingSince() != "" || x.GetLastSuccess() == "" {
		t.Errorf("once a letter is taken: %v", x)
	}
	w.opts = never
	w.run()
	w.declare(unit("bad"), unit("other"))
	e.answers(func(subject string) int {
		if subject == "unit/other" {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	w.until("one fails", func() bool { return w.entry("h").GetAttempts() == 1 })
	since := w.entry("h").GetFailingSince()
	if x := redeliver(); x.GetStatus() != "failing" || x.GetAttempts() != 1 || x.GetNextAttempt() == "" || x.GetFailure() != "status 400" || x.GetFailingSince() <= since {
		t.Errorf("while another event is under way, failing since %s: %v", since, x)
	}
}

// Letters are listed in pages, and delivered in their order.
func TestManyDeadLetters(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.declare(hook("h", e.URL, ""), hook("other", e.URL, ""))
	w.rotate("h", 0)
	for i := range 5 {
		for _, to := range []string{"h", "other"} {
			w.ok(w.public.Bury(t.Context(), "default", to, stream.Letter{Body: []byte(`{"subject":"unit/` + strconv.Itoa(i) + `"}`), MessageID: "evt_" + strconv.Itoa(i)}))
		}
	}
	var got []string
	req := &eventv1.ListDeadLettersRequest{Webhook: "h", PageSize: 2}
	for more := true; more; more = req.PageToken != "" {
		res, err := w.event.ListDeadLetters(t.Context(), req)
		w.ok(err)
		for _, l := range res.GetDeadLetters() {
			got = append(got, l.GetWebhookId())
		}
		req.PageToken = res.GetNextPageToken()
	}
	if want := []string{"evt_0", "evt_1", "evt_2", "evt_3", "evt_4"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	list, err := w.event.ListDeadLetters(t.Context(), &eventv1.ListDeadLettersRequest{Webhook: "h"})
	w.ok(err)
	third, first := list.GetDeadLetters()[2].GetLetter(), list.GetDeadLetters()[0].GetLetter()
	res, err := w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h", Letters: []string{third, first, third}})
	w.ok(err)
	if res.GetDelivered() != 2 || res.GetRemaining() != 0 || e.subjects(t, 2) != "0 2" {
		t.Errorf("each of those named, once: %v", res)
	}
	res, err = w.event.Redeliver(t.Context(), &eventv1.RedeliverRequest{Webhook: "h"})
	w.ok(err)
	if res.GetDelivered() != 3 || e.subjects(t, 3) != "1 3 4" {
		t.Errorf("%v", res)
	}
	if n := w.entry("other").GetDeadLetters(); n != 5 {
		t.Errorf("the other has %d", n)
	}
}

// A webhook that fails for days is disabled, which is told; once enabled, it goes
// on where it was.
func TestDisabled(t *testing.T) {
	for _, c := range []struct {
		name, because string
		status        int
		days          time.Duration
	}{{"failing", "failing: status 500", 500, 3}, {"gone", "gone: status 410", 410, 0}} {
		t.Run(c.name, func(t *testing.T) {
			w, e := newWorld(t), newEndpoint(t)
			w.run()
			w.declare(hook("h", e.URL, ", disableAfterDays: 2"))
			w.rotate("h", 0)
			n := 0
			e.answers(func(string) int {
				if n++; n == 2 {
					w.later(c.days * 24 * time.Hour)
				}
				return c.status
			})
			w.declare(unit("a"), unit("b"))
			w.until("it is disabled", func() bool { return w.entry("h").GetStatus() == "disabled" })
			if got := w.entry("h"); got.GetDisabledBecause() != c.because || got.GetFailingSince() == "" {
				t.Errorf("%v", got)
			}
			w.until("it is told", func() bool {
				last, _, err := w.public.Last(t.Context(), "default")
				w.ok(err)
				return last.Type == "dev.setpoint.event.webhook-disabled.v1" && last.Subject == "webhook/h" && last.Principal == delivery.Principal
			})
			w.declare(unit("c"))
			e.answers(func(string) int { return 200 })
			for len(e.arrived) > 0 {
				<-e.arrived
			}
			res, err := w.event.EnableWebhook(t.Context(), &eventv1.EnableWebhookRequest{Webhook: "h"})
			w.ok(err)
			if !res.GetChanged() {
				t.Error("nothing was enabled")
			}
			if got := e.subjects(t, 3); got != "a b c" {
				t.Errorf("afterwards came %s", got)
			}
			w.until("it delivers", func() bool { x := w.entry("h"); return x.GetStatus() == "delivering" && x.GetFailingSince() == "" })
			if res, err := w.event.EnableWebhook(t.Context(), &eventv1.EnableWebhookRequest{Webhook: "h"}); err != nil || res.GetChanged() {
				t.Errorf("again: %v, %v", res, err)
			}
		})
	}
}

// A new secret signs the next attempt, and what is on its way is not sent again
// for it.
func TestARotationInterruptsNothing(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	began, hold := make(chan struct{}, 10), make(chan struct{})
	e.answers(func(string) int { began <- struct{}{}; <-hold; return 200 })
	w.run()
	w.declare(hook("h", e.URL, ""))
	old := w.rotate("h", 0)
	w.declare(unit("a"))
	<-began
	current := w.rotate("h", 0)
	w.declare(hook("other", e.URL, "")) // the manager starts it once it has seen all before
	w.rotate("other", 0)
	w.declare(unit("b"))
	<-began
	close(hold)
	got := map[string]int{}
	for range 3 {
		a := e.next(t)
		got[a.subject()]++
		if a.subject() == "unit/a" {
			if err := verify(t, a, old); err != nil {
				t.Error(err)
			}
		} else if verify(t, a, current) == nil {
			got["signed anew"]++
		}
	}
	if want := map[string]int{"unit/a": 1, "unit/b": 2, "signed anew": 1}; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// One that does not answer holds up no other.
func TestSlowOnesHoldUpNobody(t *testing.T) {
	w, slow, quick := newWorld(t), newEndpoint(t), newEndpoint(t)
	release := make(chan struct{})
	slow.answers(func(string) int { <-release; return 200 })
	defer close(release)
	w.run()
	w.declare(hook("a-slow", slow.URL, ", timeoutSeconds: 30"), hook("quick", quick.URL, ""))
	w.rotate("a-slow", 0)
	w.rotate("quick", 0)
	var names, manifests []string
	for i := range 50 {
		names = append(names, "u"+strconv.Itoa(i))
		manifests = append(manifests, unit(names[i]))
	}
	w.declare(manifests...)
	slices.Sort(names)
	got := strings.Fields(quick.subjects(t, 50))
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("%v", got)
	}
}

// Two processes share a webhook: each event comes once while both live, and again
// where one ends in the middle of an attempt.
func TestProcesses(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	first, _ := w.run(), w.run()
	w.declare(hook("h", e.URL, ""))
	w.rotate("h", 0)
	w.declare(unit("a"), unit("b"), unit("c"))
	if got := e.subjects(t, 3); got != "a b c" {
		t.Errorf("%s", got)
	}
	began, hold := make(chan struct{}, 100), make(chan struct{})
	e.answers(func(string) int { began <- struct{}{}; <-hold; return 200 })
	w.declare(unit("d"), unit("e"))
	<-began
	first() // whichever has it
	close(hold)
	seen := map[string]bool{}
	for len(seen) < 2 {
		seen[e.next(t).id()] = true
	}
	w.until("all is done with", func() bool { return w.entry("h").GetPending() == 0 })
}

// What is kept of a webhook goes when it is deleted, and only then.
func TestForgotten(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.run()
	w.declare(hook("h", e.URL, ""), hook("stays", e.URL, ""))
	w.rotate("h", 0)
	w.rotate("stays", 0)
	w.declare(unit("a"))
	e.subjects(t, 2)
	_, err := w.apply.Delete(t.Context(), &declarationv1.DeleteRequest{Kind: "Webhook", Name: "h"})
	w.ok(err)
	w.until("its place is gone", func() bool {
		list, err := w.public.Webhooks(t.Context())
		w.ok(err)
		return len(list) == 1 && list[0] == [2]string{"default", "stays"}
	})
	s, err := w.opts.Vault.Secrets(t.Context(), "default", "h", w.now())
	if err != nil || s.Current != "" {
		t.Errorf("%v, %v", s, err)
	}
	w.declare(unit("b"))
	if got := e.subjects(t, 1); got != "b" {
		t.Error(got)
	}
	if s, err := w.opts.Vault.Secrets(t.Context(), "default", "stays", w.now()); err != nil || s.Current == "" {
		t.Errorf("%v, %v", s, err)
	}
}

func TestTest(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.declare(hook("h", e.URL, ""))
	if _, err := w.event.TestWebhook(t.Context(), &eventv1.TestWebhookRequest{Webhook: "h"}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("without a secret: %v", err)
	}
	if _, err := w.event.TestWebhook(t.Context(), &eventv1.TestWebhookRequest{Webhook: "x"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("one that is none: %v", err)
	}
	secret := w.rotate("h", 0)
	res, err := w.event.TestWebhook(t.Context(), &eventv1.TestWebhookRequest{Webhook: "h"})
	w.ok(err)
	a := e.next(t)
	if err := verify(t, a, secret); err != nil || !res.GetDelivered() || res.GetStatus() != 204 || string(a.body) != res.GetEvent() || a.id() != res.GetWebhookId() {
		t.Errorf("%v %v %s", err, res, a.body)
	}
	e.answers(func(string) int { return 500 })
	if res, err := w.event.TestWebhook(t.Context(), &eventv1.TestWebhookRequest{Webhook: "h"}); err != nil || res.GetDelivered() || res.GetFailure() != "status 500" {
		t.Errorf("%v, %v", res, err)
	}
}

// What happened to a webhook is in its history, in sentences without address or
// secret.
func TestTheHistoryOfAWebhook(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	e.answers(func(string) int { return http.StatusGone })
	w.run()
	w.declare(hook("h", e.URL, ""))
	w.rotate("h", 0)
	secret := w.rotate("h", 2)
	w.declare(unit("a"))
	w.until("it is disabled", func() bool { return w.entry("h").GetStatus() == "disabled" })
	_, err := w.event.EnableWebhook(t.Context(), &eventv1.EnableWebhookRequest{Webhook: "h"})
	w.ok(err)
	res, err := w.apply.History(t.Context(), &declarationv1.HistoryRequest{Kind: "Webhook", Name: "h"})
	w.ok(err)
	var got []string
	for _, x := range res.GetEntries() {
		if x.GetAction() == "act" {
			got = append(got, strings.TrimRight(x.GetSummary(), "0123456789-:TZ"))
		}
	}
	want := []string{
		"enabled: goes on where it was", "disabled: the endpoint wants nothing any more, the last one with: status ",
		"a new secret was made, the former one signs beside it until ", "a new secret was made",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the history tells\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all := res.String(); strings.Contains(all, secret) {
		t.Errorf("the history holds a secret: %s", all)
	}
}
