package delivery

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
)

const (
	// mostAnswer is how much of an answer is read, in bytes, and longestAnswer for how
	// long once its status is known: nobody looks at it.
	mostAnswer    = 16 << 10
	longestAnswer = time.Second
	// agent is what endpoints see as User-Agent.
	agent = "setpoint-webhooks/1"
)

// Sender makes attempts. It may be used concurrently.
type Sender struct {
	client   *http.Client
	guard    *ssrf.Guardian // nil: every address is allowed, and http
	observed Observer
}

// What a sender that is not allowed everything says of an address.
const (
	notPublic = "the address is not public: that takes a server with --webhook-allow-private"
	inClear   = "http is refused: declare an https address, or run a server with --webhook-allow-private"
)

// Outcome is what became of an attempt.
type Outcome struct {
	Delivered bool
	Gone      bool          // 410: the endpoint wants nothing any more
	Refused   bool          // this process must not post to the address: nothing was sent
	Status    int           // of the answer; 0: there was none
	Failure   string        // in words, without address
	After     time.Duration // what the endpoint asked for
	Took      time.Duration
}

// NewSender makes a sender; private allows addresses that are not public, and
// http.
func NewSender(private bool) *Sender {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	var guard *ssrf.Guardian
	if !private {
		guard = ssrf.New(ssrf.WithAnyPort())
		dialer.Control = guard.Safe
	}
	return &Sender{guard: guard, client: &http.Client{
		Transport: &http.Transport{
			// No proxy: the address that is checked would be the proxy's.
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second,
			MaxResponseHeaderBytes: mostAnswer, DisableCompression: true, ForceAttemptHTTP2: true,
			MaxIdleConns: 100, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Refuses says why it would refuse to post anything to the address of a webhook, before
// any event is at stake; "" if it would not, or if nobody knows. What counts in the end
// is the address that is dialled.
func (s *Sender) Refuses(ctx context.Context, spec *webhook.Spec) string {
	if s.guard == nil {
		return ""
	}
	if webhook.Clear(spec) {
		return inClear
	}
	u, err := url.Parse(spec.GetUrl())
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(addresses) == 0 {
		return ""
	}
	for _, a := range addresses {
		if s.guard.SafeAddr(a.Unmap()) == nil {
			return ""
		}
	}
	return notPublic
}

// Send makes one attempt.
func (s *Sender) Send(ctx context.Context, spec *webhook.Spec, messageID string, body []byte, secrets stream.Secrets, now time.Time) Outcome {
	began := time.Now()
	out := s.send(ctx, spec, messageID, body, secrets, now)
	out.Took = time.Since(began)
	if s.observed.Attempt != nil {
		s.observed.Attempt(out)
	}
	return out
}

func (s *Sender) send(ctx context.Context, spec *webhook.Spec, messageID string, body []byte, secrets stream.Secrets, now time.Time) Outcome {
	if webhook.Clear(spec) && s.guard != nil {
		return Outcome{Refused: true, Failure: inClear}
	}
	signature, err := sign(secrets, messageID, now, body)
	if err != nil {
		return Outcome{Failure: "the secret cannot be used: make another with setpoint webhook rotate"}
	}
	ctx, cancel := context.WithTimeout(ctx, webhook.Timeout(spec))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, spec.GetUrl(), bytes.NewReader(body))
	if err != nil {
		return Outcome{Failure: "the address cannot be used"}
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("User-Agent", agent)
	req.Header.Set(standardwebhooks.HeaderWebhookID, messageID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	res, err := s.client.Do(req)
	if err != nil {
		return Outcome{Refused: errors.Is(err, ssrf.ErrProhibitedIP), Failure: inWords(err, webhook.Timeout(spec))}
	}
	// Read so that the connection can be used again; what it says does not count, and
	// one that does not end must not hold up the next event.
	enough := time.AfterFunc(longestAnswer, cancel)
	defer enough.Stop()
	_, _ = io.CopyN(io.Discard, res.Body, mostAnswer)
	_ = res.Body.Close()
	out := Outcome{Status: res.StatusCode, Delivered: res.StatusCode/100 == 2, Gone: res.StatusCode == http.StatusGone}
	switch {
	case out.Delivered:
	case res.StatusCode/100 == 3:
		out.Failure = fmt.Sprintf("status %d: redirects are not followed", res.StatusCode)
	default:
		out.Failure, out.After = fmt.Sprintf("status %d", res.StatusCode), asked(res.Header.Get("Retry-After"), now)
	}
	return out
}

// sign is the signature of the present secret, and of the former one beside it as
// long as that counts.
func sign(s stream.Secrets, messageID string, now time.Time, body []byte) (string, error) {
	var all []string
	for _, secret := range []string{s.Current, s.Previous} {
		if secret == "" {
			continue
		}
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return "", err
		}
		one, err := w.Sign(messageID, now, body)
		if err != nil {
			return "", err
		}
		all = append(all, one)
	}
	return strings.Join(all, " "), nil
}

// asked reads Retry-After: seconds or a date (RFC 9110, 10.2.3).
func asked(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 1<<30 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// inWords tells what went wrong without the address, which may hold a secret.
func inWords(err error, within time.Duration) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP):
		return notPublic
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer within " + within.String()
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &dns):
		return "the host is not found"
	case errors.As(err, &certificate):
		return "the certificate is not trusted"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "no TLS is spoken there"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	}
	return "no answer: the connection was lost or could not be made"
}
