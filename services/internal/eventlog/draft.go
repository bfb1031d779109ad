package eventlog

import (
	"crypto/sha256"
	"time"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// Event is one fact: its literal wire name with the version, such as
// strategy.target_declared.v1, and its encoded payload.
type Event struct {
	Type    string
	Payload []byte
}

// MaxState bounds the state of an aggregate that travels with its events, in
// bytes: the last message of a subject is read often.
const MaxState = 256 << 10

// Draft is the envelope to be of one aggregate within a commit.
type Draft struct {
	Subject Subject
	// Expected is the last stream sequence of exactly this subject; 0 means
	// that the aggregate must not exist yet. There is no "any".
	Expected uint64
	// PreviousHash is Record.Hash of the message at Expected; nil if Expected
	// is 0.
	PreviousHash []byte
	// Events are the facts, at least one.
	Events []Event
	// Effective is the calendar date, YYYY-MM-DD, from which a declaration
	// counts; empty where that has no meaning.
	Effective string
	// State is what the aggregate is after the events, or empty where that is
	// not kept: at most MaxState bytes, nothing personal.
	State []byte
	// Mask lists the field paths that a declarative write set, sorted.
	Mask []string
}

// Command is what all drafts of a commit share.
type Command struct {
	// RequestID identifies the command for ever: 1 to 128 printable ASCII
	// characters without spaces.
	RequestID string
	// RequestDigest is the SHA-256 of the canonical request, or empty for a
	// command that no client can repeat with other content.
	RequestDigest []byte
	// Principal is the opaque id of who acted, never a name.
	Principal string
	// Manager is what acted: cli, git, console, policy, api.
	Manager string
	// Reason is why, in the words of who acted.
	Reason string
	// Recorded is when; required. The log moves it forward, never back, so
	// that it does not decrease within the shard.
	Recorded time.Time
}

// Committed says where a commit lies in the log.
type Committed struct {
	// Revision is the sequence of the commit's last message.
	Revision uint64
	// First is the sequence of its first message.
	First uint64
	// Sequences and Hashes are of the drafts, in their order.
	Sequences []uint64
	Hashes    [][]byte
	// Recorded is the time that the commit got.
	Recorded time.Time
	// Duplicate is set if the command had been committed before, by an attempt
	// whose acknowledgement was lost.
	Duplicate bool
}

func (c Command) validate() error {
	if n := len(c.RequestID); n == 0 || n > 128 {
		return invalid("request_id", "has %d characters: 1 to 128 are legal", n)
	}
	for i := 0; i < len(c.RequestID); i++ {
		if b := c.RequestID[i]; b < 0x21 || b > 0x7e {
			return invalid("request_id", "%q has a character that is not printable ASCII", c.RequestID)
		}
	}
	if n := len(c.RequestDigest); n != 0 && n != sha256.Size {
		return invalid("request_digest", "has %d bytes: a SHA-256 has %d", n, sha256.Size)
	}
	if c.Recorded.IsZero() {
		return invalid("recorded", "is not set")
	}
	return nil
}

func (d Draft) validate() error {
	if err := d.Subject.Validate(); err != nil {
		return err
	}
	if want := sha256.Size; d.Expected > 0 && len(d.PreviousHash) != want {
		return invalid("previous_hash", "has %d bytes where the aggregate exists: a SHA-256 has %d", len(d.PreviousHash), want)
	}
	if d.Expected == 0 && len(d.PreviousHash) > 0 {
		return invalid("previous_hash", "is set for an aggregate that must not exist yet")
	}
	if len(d.Events) == 0 {
		return invalid("events", "are none: a draft has at least one")
	}
	for _, e := range d.Events {
		if !validType(e.Type) {
			return invalid("events.type", "%q is not a wire name such as strategy.target_declared.v1", e.Type)
		}
	}
	if n := len(d.State); n > MaxState {
		return fault.New(fault.Exhausted, "log.state_too_large", "what %s %s is after the change takes %d bytes, and at most %d are kept",
			d.Subject.Kind, d.Subject.ID, n, MaxState)
	}
	if d.Effective != "" {
		if _, err := calendar.ParseDate(d.Effective); err != nil {
			return invalid("effective", "%q is not a calendar date YYYY-MM-DD", d.Effective)
		}
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	return fault.New(fault.Invalid, "log.draft_invalid", "the commit is not well-formed").At(field, format, args...)
}

// validType accepts dotted lower-case names of at least two parts before the
// version: [a-z][a-z0-9_-]* and last v1, v2 ….
func validType(s string) bool {
	if len(s) > 200 {
		return false
	}
	parts, start := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			c := s[i]
			letter := c >= 'a' && c <= 'z'
			if !letter && (i == start || (c < '0' || c > '9') && c != '_' && c != '-') {
				return false
			}
			continue
		}
		if i == start {
			return false
		}
		parts++
		if i == len(s) {
			return parts >= 3 && validVersion(s[start:])
		}
		start = i + 1
	}
	return false
}

func validVersion(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0] != 'v' || s[1] == '0' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
