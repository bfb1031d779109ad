package eventlog

import (
	"strconv"
	"strings"

	"setpoint.dev/services/internal/fault"
)

const (
	maxLabel = 63
	maxID    = 253
	prefix   = "sp"
)

// Subject names one aggregate: the organization it belongs to, the service and
// kind it is of, and its id. Org, Service and Kind are RFC 1123 labels (1-63
// of a-z, 0-9 and -, beginning and ending with a letter or digit); ID is the
// same with ~ allowed inside and up to 253 bytes.
type Subject struct{ Org, Service, Kind, ID string }

// DeclarationGuard is the aggregate that every declarative write of an
// organization appends to, so that declarations are serialized.
func DeclarationGuard(org string) Subject {
	return Subject{Org: org, Service: "declaration", Kind: "changes", ID: "all"}
}

// String is the subject on a shard: sp.<shard>.<org>.<service>.<kind>.<id>.
func (s Subject) String(shard int) string {
	var b strings.Builder
	b.Grow(len(s.Org) + len(s.Service) + len(s.Kind) + len(s.ID) + 12)
	b.WriteString(prefix)
	b.WriteByte('.')
	b.WriteString(strconv.Itoa(shard))
	for _, token := range [...]string{s.Org, s.Service, s.Kind, s.ID} {
		b.WriteByte('.')
		b.WriteString(token)
	}
	return b.String()
}

// Validate refuses a token that is not legal (Invalid, log.subject_invalid),
// naming it.
func (s Subject) Validate() error {
	for _, t := range [...]struct{ field, value string }{
		{"org", s.Org}, {"service", s.Service}, {"kind", s.Kind},
	} {
		if !validToken(t.value, maxLabel, false) {
			return fault.New(fault.Invalid, "log.subject_invalid", "the subject of an aggregate has an illegal part").
				At(t.field, "%q is not a label: 1 to %d of a-z, 0-9 and -, beginning and ending with a letter or digit", t.value, maxLabel)
		}
	}
	if !validToken(s.ID, maxID, true) {
		return fault.New(fault.Invalid, "log.subject_invalid", "the subject of an aggregate has an illegal part").
			At("id", "%q is not an id: 1 to %d of a-z, 0-9, - and ~, beginning and ending with a letter or digit", s.ID, maxID)
	}
	return nil
}

// ParseSubject takes a stream subject apart (Invalid, log.subject_invalid).
func ParseSubject(subject string) (shard int, s Subject, err error) {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 6 || tokens[0] != prefix {
		return 0, Subject{}, fault.New(fault.Invalid, "log.subject_invalid",
			"subject %q is not sp.<shard>.<org>.<service>.<kind>.<id>", subject)
	}
	shard, err = strconv.Atoi(tokens[1])
	if err != nil || shard < 0 || strconv.Itoa(shard) != tokens[1] {
		return 0, Subject{}, fault.New(fault.Invalid, "log.subject_invalid",
			"subject %q: shard %q is not a number from 0 without leading zeros", subject, tokens[1])
	}
	s = Subject{Org: tokens[2], Service: tokens[3], Kind: tokens[4], ID: tokens[5]}
	if err := s.Validate(); err != nil {
		return 0, Subject{}, err
	}
	return shard, s, nil
}

func validToken(s string, limit int, tilde bool) bool {
	if len(s) == 0 || len(s) > limit {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case (c == '-' || c == '~' && tilde) && i > 0 && i < len(s)-1:
		default:
			return false
		}
	}
	return true
}
