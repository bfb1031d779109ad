package webhook

import (
	"crypto/sha256"
	"encoding/base32"
	"time"

	"setpoint.dev/services/event"
)

const (
	// MaxAttempts is how often an event is tried before it is set aside, which
	// takes about an hour.
	MaxAttempts = 16

	first, longest = time.Second, 5 * time.Minute
	// mostAsked bounds what an endpoint may ask for.
	mostAsked = time.Hour
	// fewest attempts of one event before its webhook is disabled: one that is
	// seldom used is not disabled by a single failure.
	fewest = 3
)

// Delay is how long to wait after an attempt, the first being 1, that failed:
// three times as long after each, with half of it by chance (0 ≤ chance < 1), so
// that those who failed together do not come back together ("equal jitter",
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
// asked is what the endpoint asked for (Retry-After), 0 if it did not.
func Delay(attempt int, chance float64, asked time.Duration) time.Duration {
	d := first
	for i := 1; i < attempt && d < longest; i++ {
		d *= 3
	}
	d = min(d, longest)
	return max(d/2+time.Duration(chance*float64(d/2)), min(asked, mostAsked))
}

// GivesUp tells whether an event is set aside after an attempt.
func GivesUp(attempt int) bool { return attempt >= MaxAttempts }

// Disables tells whether a webhook is disabled after an attempt that failed, where
// all have failed since an instant.
func Disables(s *Spec, attempt int, since, now time.Time) bool {
	return attempt >= fewest && !since.IsZero() && now.Sub(since) >= DisableAfter(s)
}

var letters = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// MessageID is the webhook-id of an event: letters and digits, as the dot
// separates what is signed.
func MessageID(e *event.CloudEvent) string {
	sum := sha256.Sum256([]byte(e.Source + "\x00" + e.ID))
	return "evt_" + letters.EncodeToString(sum[:20])
}
