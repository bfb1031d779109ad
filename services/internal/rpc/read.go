package rpc

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
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
// of day means the end of that day where the organization is.
func Snapshot(org string, m Moment) (record.Snapshot, error) {
	s := record.Snapshot{Org: org, Revision: uint64(m.GetRevision()), MinRevision: uint64(m.GetMinRevision())}
	if k := m.GetKnownAt(); k != "" {
		t, err := time.Parse(time.RFC3339Nano, k)
		if err != nil {
			d, derr := calendar.ParseDate(k)
			if derr != nil {
				return s, fault.New(fault.Invalid, "snapshot.known_at", "knownAt: %.64q is not an instant", k).
					WithHint("RFC 3339, for example 2018-09-30T17:00:00Z, or a date")
			}
			s.KnownOn = d
			return s, nil
		}
		s.KnownAt = t
	}
	return s, nil
}

// Instant is the wire form of a point in time.
func Instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Paged is what every listing request says of the page it wants.
type Paged interface {
	Moment
	GetPageSize() int32
	GetPageToken() string
}

// Page is one page of a listing.
type Page struct {
	record.Snapshot
	Size  int
	After []string // where the page before ended; nil for the first page
}

// PageOf reads a listing request; size is the default page size, keys how many
// parts tell where a page ends. A token holds the revision of the first page,
// however that was selected, so that all pages are of one picture.
func PageOf(org string, r Paged, size, keys int) (Page, error) {
	p := Page{Snapshot: record.Snapshot{Org: org}, Size: size}
	if n := int(r.GetPageSize()); n > 0 {
		p.Size = n
	}
	if r.GetPageToken() == "" {
		var err error
		p.Snapshot, err = Snapshot(org, r)
		return p, err
	}
	b, err := base64.RawURLEncoding.DecodeString(r.GetPageToken())
	if err != nil {
		return p, BadPage()
	}
	var parts []string
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) != keys+1 {
		return p, BadPage()
	}
	if p.Revision, err = strconv.ParseUint(parts[0], 10, 63); err != nil || p.Revision == 0 {
		return p, BadPage()
	}
	p.After = parts[1:]
	return p, nil
}

// NextPage is the token of the page that follows, of the picture at a revision.
func NextPage(at uint64, keys ...string) string {
	b, _ := json.Marshal(append([]string{strconv.FormatUint(at, 10)}, keys...)) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// BadPage is the fault of a page token that no list gave out.
func BadPage() error {
	return fault.New(fault.Invalid, "list.page_token", "pageToken: this is not a token that a list returned").
		WithHint("leave it out to start from the beginning")
}
