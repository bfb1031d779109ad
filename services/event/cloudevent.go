package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/internal/fault"
)

// CloudEvent is the JSON form of a CloudEvents 1.0 event: the required attributes,
// those optional ones that setpoint uses, and three extensions.
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md)
type CloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`     // shard-sequence-index-type
	Source          string          `json:"source"` // /setpoint/<log>/<organization>: with id, unique over restores
	Type            string          `json:"type"`
	Subject         string          `json:"subject"` // kind/identity, the same over renames: target/vacant-space
	Time            string          `json:"time"`    // when it was recorded, RFC 3339 in UTC
	DataContentType string          `json:"datacontenttype"`
	Revision        string          `json:"revision"`            // of the log, as in the API's min_revision
	Principal       string          `json:"principal,omitempty"` // opaque id of who acted
	Manager         string          `json:"manager,omitempty"`   // what acted: cli, policy
	Data            json.RawMessage `json:"data"`
}

// ID is where in the log an event comes from. Its order is that of publication
// within an organization.
type ID struct {
	Shard    int
	Sequence uint64
	Index    int // within the message
	Type     string
}

// String is shard-sequence-index-type.
func (i ID) String() string { return fmt.Sprintf("%d-%d-%d-%s", i.Shard, i.Sequence, i.Index, i.Type) }

// ParseID takes an id apart (Invalid, event.id).
func ParseID(s string) (ID, error) {
	p := strings.SplitN(s, "-", 4)
	if len(p) == 4 && p[3] != "" {
		shard, err1 := strconv.Atoi(p[0])
		sequence, err2 := strconv.ParseUint(p[1], 10, 64)
		index, err3 := strconv.Atoi(p[2])
		id := ID{shard, sequence, index, p[3]}
		if err1 == nil && err2 == nil && err3 == nil && shard >= 0 && index >= 0 && id.String() == s {
			return id, nil
		}
	}
	return ID{}, fault.New(fault.Invalid, "event.id", "%.80q is no id of a public event", s).WithHint("one is shard-sequence-index-type")
}

// After tells whether an event comes later than another of the same log.
func (i ID) After(o ID) bool {
	return i.Sequence > o.Sequence || i.Sequence == o.Sequence && i.Index > o.Index
}

// Source is the source of the events of an organization in a log.
func Source(log, org string) string { return "/setpoint/" + log + "/" + org }

// Matches tells whether an event type is one of those asked for: the type itself,
// or a beginning of it that ends at a dot; dev.setpoint. may be left out. None asks for all.
func Matches(typ string, asked []string) bool {
	return len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool {
		a = TypePrefix + strings.TrimPrefix(a, TypePrefix)
		return typ == a || strings.HasPrefix(typ, strings.TrimSuffix(a, ".")+".")
	})
}
