package server

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"setpoint.dev/services/event/delivery"
)

// The metrics follow a webhook from its declaration over failures to its end, and
// name none.
func TestHowWebhooksFareIsShown(t *testing.T) {
	s := startServer(t, Options{WebhookAllowPrivate: true, Telemetry: TelemetryOptions{Listen: "127.0.0.1:0"}})
	var answer atomic.Int64
	answer.Store(http.StatusServiceUnavailable)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(answer.Load())) }))
	t.Cleanup(endpoint.Close)
	call(t, s, "declaration.v1.DeclarationService/Apply", `{"manifests":{"resources":[
		{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":"canary"},"spec":{}},
		{"apiVersion":"setpoint.dev/v1","kind":"Webhook","metadata":{"name":"canary-hook"},"spec":{"url":"`+endpoint.URL+`"}}]}}`)
	shown := func(parts ...string) string {
		t.Helper()
		for i := range parts {
			parts[i] = "\n" + parts[i]
		}
		until(t, s.TelemetryURL()+"/metrics", 200, parts...)
		// What is counted may have been read before what is looked up: what led to
		// the words is in the next reading.
		_, body := get(t, s.TelemetryURL()+"/metrics")
		return body
	}
	shown(`setpoint_webhooks{status="waiting"} 1`, "setpoint_webhook_pending_events 0", "setpoint_webhook_lag_seconds 0", "setpoint_webhook_dead_letters 0",
		`setpoint_webhook_attempts_total{result="refused"} 0`)
	call(t, s, "event.v1.EventService/RotateWebhookSecret", `{"webhook":"canary-hook"}`)
	call(t, s, "declaration.v1.DeclarationService/Apply", `{"manifests":{"resources":[{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":"later"},"spec":{}}]}}`)
	body := shown(`setpoint_webhooks{status="failing"} 1`, `setpoint_webhooks{status="waiting"} 0`)
	if figure(t, body, `setpoint_webhook_attempts_total{result="refused"}`) < 1 || figure(t, body, "setpoint_webhook_pending_events") < 1 ||
		figure(t, body, "setpoint_webhook_lag_seconds") <= 0 || figure(t, body, "setpoint_webhook_attempt_duration_seconds_count") < 1 {
		t.Errorf("while it fails:\n%s", ofWebhooks(body))
	}
	answer.Store(http.StatusNoContent)
	body = shown(`setpoint_webhooks{status="delivering"} 1`, "setpoint_webhook_pending_events 0", "setpoint_webhook_lag_seconds 0")
	if figure(t, body, `setpoint_webhook_attempts_total{result="taken"}`) < 1 {
		t.Errorf("when it is taken:\n%s", ofWebhooks(body))
	}
	answer.Store(http.StatusGone)
	call(t, s, "declaration.v1.DeclarationService/Apply", `{"manifests":{"resources":[{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":"last"},"spec":{}}]}}`)
	body = shown(`setpoint_webhooks{status="disabled"} 1`, `setpoint_webhooks{status="delivering"} 0`, "setpoint_webhook_lag_seconds 0")
	for _, status := range delivery.Statuses() {
		figure(t, body, `setpoint_webhooks{status="`+status+`"}`)
	}
	if strings.Contains(body, "canary") || strings.Contains(body, endpoint.URL) {
		t.Errorf("a webhook is named:\n%s", ofWebhooks(body))
	}
}

func ofWebhooks(body string) string {
	return strings.Join(regexp.MustCompile(`(?m)^setpoint_webhook.*$`).FindAllString(body, -1), "\n")
}

// figure is a series of a page of metrics.
func figure(t *testing.T, body, series string) float64 {
	t.Helper()
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Errorf("there is no %s", series)
	return -1
}
