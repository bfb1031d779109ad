package delivery

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
)

var secrets = stream.Secrets{Current: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}

func attempt(t *testing.T, s *Sender, spec *webhook.Spec) Outcome {
	t.Helper()
	return s.Send(t.Context(), spec, "evt_1", []byte(`{"a":1}`), secrets, time.Now())
}

// Whatever leads to an address that is not public is refused when it is dialled,
// and nothing arrives.
func TestPrivateAddressesAreRefused(t *testing.T) {
	var arrived atomic.Int32
	here := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	defer here.Close()
	port := here.URL[strings.LastIndex(here.URL, ":"):]
	for _, host := range []string{
		"127.0.0.1" + port, "localhost" + port, "[::1]" + port, "[::ffff:127.0.0.1]" + port, "0.0.0.0" + port, "2130706433" + port,
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "[fec0::1]", "224.0.0.1", "[64:ff9b::7f00:1]",
	} {
		out := attempt(t, NewSender(false), &webhook.Spec{Url: "https://" + host + "/", TimeoutSeconds: 60})
		// A resolver need not take a number for an address: then it is not found.
		if out.Delivered || !(out.Refused && strings.HasPrefix(out.Failure, "the address is not public: ")) && !strings.HasPrefix(host, "2130706433") {
			t.Errorf("%s: %+v", host, out)
		}
	}
	if n := arrived.Load(); n > 0 {
		t.Errorf("%d arrived", n)
	}
	if out := attempt(t, NewSender(false), &webhook.Spec{Url: "http://example.com/"}); !out.Refused || !strings.Contains(out.Failure, "http is refused") {
		t.Errorf("in the clear: %+v", out)
	}
}

func TestAnswers(t *testing.T) {
	var followed atomic.Int32
	release := make(chan struct{})
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			w.WriteHeader(http.StatusAccepted)
		case "/redirect":
			http.Redirect(w, r, "/followed", http.StatusTemporaryRedirect)
		case "/followed":
			followed.Add(1)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/busy":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/endless":
			w.WriteHeader(http.StatusInternalServerError)
			for range 10_000 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
			followed.Add(100) // all 640 MB were taken
		case "/dripping":
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // it never says that this is all
		case "/headers":
			for i := range 2000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 100))
			}
		case "/silent":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	defer here.Close()
	defer close(release)
	s := NewSender(true)
	for path, want := range map[string]Outcome{
		"/ok":       {Delivered: true, Status: 202},
		"/redirect": {Status: 307, Failure: "status 307: redirects are not followed"},
		"/gone":     {Status: 410, Gone: true, Failure: "status 410"},
		"/busy":     {Status: 429, After: 2 * time.Minute, Failure: "status 429"},
		"/endless":  {Status: 500, Failure: "status 500"},
		"/headers":  {Failure: "no answer: the connection was lost or could not be made"},
		"/dripping": {Delivered: true, Status: 200},
		"/silent":   {Failure: "no answer within 1s"},
		"/cut":      {Failure: "no answer: the connection was lost or could not be made"},
	} {
		spec := &webhook.Spec{Url: here.URL + path + "?token=hunter2", TimeoutSeconds: 60}
		if path == "/silent" {
			spec.TimeoutSeconds = 1
		}
		got := attempt(t, s, spec)
		if path == "/dripping" && got.Took > 30*time.Second {
			t.Errorf("%s: taken after %s", path, got.Took)
		}
		got.Took = 0
		if got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("%d", n)
	}
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	for url, want := range map[string]string{
		tls.URL: "the certificate is not trusted",
		"https://" + here.Listener.Addr().String(): "no TLS is spoken there",
		"http://127.0.0.1:1":                       "connection refused",
		"http://no..name":                          "the host is not found", // and nobody is asked for it
	} {
		if out := attempt(t, s, &webhook.Spec{Url: url, TimeoutSeconds: 60}); out.Failure != want {
			t.Errorf("%s: %+v, want %s", url, out, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out := s.Send(ctx, &webhook.Spec{Url: here.URL}, "evt_1", nil, secrets, time.Now()); out.Failure != "interrupted" {
		t.Errorf("%+v", out)
	}
	if out := s.Send(t.Context(), &webhook.Spec{Url: here.URL}, "evt_1", nil, stream.Secrets{Current: "whsec_!"}, time.Now()); !strings.Contains(out.Failure, "rotate") {
		t.Errorf("a damaged secret: %+v", out)
	}
}

// The signature of the specification's library is that of the specification's
// example, and a receiver that has either secret is content during the overlap.
func TestSignature(t *testing.T) {
	other := stream.Secrets{Current: newerSecret, Previous: secrets.Current}
	at := time.Unix(1614265330, 0)
	body := []byte(`{"test": 2432232314}`)
	got, err := sign(other, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	if err != nil {
		t.Fatal(err)
	}
	// https://github.com/standard-webhooks/standard-webhooks, libraries' test vectors.
	if want := " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; !strings.HasSuffix(got, want) || strings.Count(got, "v1,") != 2 {
		t.Errorf("%s, want it to end in %s", got, want)
	}
	h := http.Header{}
	h.Set(standardwebhooks.HeaderWebhookID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set(standardwebhooks.HeaderWebhookTimestamp, "1614265330")
	h.Set(standardwebhooks.HeaderWebhookSignature, got)
	for _, secret := range []string{newerSecret, secrets.Current} {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.VerifyIgnoringTimestamp(body, h); err != nil {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

const newerSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999999999999999999": 0,
		"Sun, 01 Mar 2026 12:01:00 GMT": time.Minute, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		if got := asked(s, now); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
