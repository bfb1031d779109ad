package rpc

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// Moment is what every read request says of the state it wants.
type Moment interface {
	GetRevision() int64
	GetKnownAt() string
	GetMinRevision() int64
}

// Snapshot turns the message form into the record's. A known_at without a time
// of day means the end of that day, UTC.
func Snapshot(m Moment) (record.Snapshot, error) {
	s := record.Snapshot{Revision: uint64(m.GetRevision()), MinRevision: uint64(m.GetMinRevision())}
	if k := m.GetKnownAt(); k != "" {
		t, err := time.Parse(time.RFC3339Nano, k)
		if err != nil {
			d, derr := calendar.ParseDate(k)
			if derr != nil {
				return s, fault.New(fault.Invalid, "snapshot.known_at", "knownAt: %.64q is not an instant", k).
					WithHint("RFC 3339, for example 2018-09-30T17:00:00Z, or a date")
			}
			t = d.AddDays(1).Time().Add(-time.Nanosecond)
		}
		s.KnownAt = t
	}
	return s, nil
}

// Instant is the wire form of a point in time.
func Instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// EncodePage makes a page token of where the next page begins.
func EncodePage(parts ...string) string {
	b, _ := json.Marshal(parts) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodePage reads a page token of n parts; nil for the first page.
func DecodePage(token string, n int) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, BadPage()
	}
	var parts []string
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) != n {
		return nil, BadPage()
	}
	return parts, nil
}

// BadPage is the fault of a page token that no list gave out.
func BadPage() error {
	return fault.New(fault.Invalid, "list.page_token", "pageToken: this is not a token that a list returned").
		WithHint("leave it out to start from the beginning")
}
