package eventlog

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/fault"
)

// Format is the envelope format that this package writes and reads.
const Format = 1

const (
	// HeaderTypes holds the distinct event types of a message, comma-joined in
	// order of appearance; always a single value.
	HeaderTypes = "Sp-Types"
	// HeaderRequest holds the request id.
	HeaderRequest = "Sp-Request-Id"

	headerExpected = nats.ExpectedLastSubjSeqHdr
)

// encodeEnvelope makes the stored bytes of a draft at its place in a commit.
func encodeEnvelope(c Command, d Draft, recorded time.Time, index, count int) ([]byte, error) {
	e := &eventv1.Envelope{
		Format:        Format,
		RequestId:     c.RequestID,
		RequestDigest: c.RequestDigest,
		Principal:     c.Principal,
		Manager:       c.Manager,
		Mask:          d.Mask,
		Effective:     d.Effective,
		Recorded:      timestamppb.New(recorded),
		PreviousHash:  d.PreviousHash,
		Commit:        &eventv1.Commit{Index: uint32(index), Count: uint32(count)},
		Events:        make([]*eventv1.Event, len(d.Events)),
		Reason:        c.Reason,
		State:         d.State,
	}
	for i, event := range d.Events {
		e.Events[i] = &eventv1.Event{Type: event.Type, Payload: event.Payload}
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "log.draft_invalid", "the envelope of %s cannot be encoded", d.Subject.ID)
	}
	return data, nil
}

// newMessage is the message of an encoded envelope, guarded if it is the first
// of its subject in the commit.
func newMessage(shard int, c Command, d Draft, body []byte, guarded bool) *nats.Msg {
	h := nats.Header{
		HeaderTypes:   {joinTypes(d.Events)},
		HeaderRequest: {c.RequestID},
	}
	if guarded {
		h[headerExpected] = []string{strconv.FormatUint(d.Expected, 10)}
	}
	return &nats.Msg{Subject: d.Subject.String(shard), Header: h, Data: body}
}

func joinTypes(events []Event) string {
	if len(events) == 1 {
		return events[0].Type
	}
	seen := make(map[string]bool, 4)
	var types []string
	for _, e := range events {
		if !seen[e.Type] {
			seen[e.Type] = true
			types = append(types, e.Type)
		}
	}
	return strings.Join(types, ",")
}

// Decode reads the stored bytes of an envelope. A format that this binary does
// not know is refused as Rule, log.format_newer; anything else that no version
// of this package wrote as Internal, log.envelope_corrupt.
func Decode(data []byte) (*eventv1.Envelope, error) {
	e := new(eventv1.Envelope)
	if err := proto.Unmarshal(data, e); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "log.envelope_corrupt", "a stored envelope cannot be decoded")
	}
	if e.Format > Format {
		return nil, fault.New(fault.Rule, "log.format_newer",
			"the log is newer than this binary: it holds envelopes of format %d, and this binary reads up to %d", e.Format, Format).
			WithHint("run a release of setpoint at least as new as the one that wrote the log")
	}
	if e.Format != Format {
		return nil, corrupt("format is %d", e.Format)
	}
	if e.RequestId == "" {
		return nil, corrupt("request_id is empty")
	}
	if n := len(e.RequestDigest); n != 0 && n != sha256.Size {
		return nil, corrupt("request_digest has %d bytes", n)
	}
	if n := len(e.PreviousHash); n != 0 && n != sha256.Size {
		return nil, corrupt("previous_hash has %d bytes", n)
	}
	if err := e.Recorded.CheckValid(); err != nil {
		return nil, corrupt("recorded is not a time")
	}
	if c := e.Commit; c == nil || c.Index >= c.Count {
		return nil, corrupt("message %d of %d is no place in a commit", e.Commit.GetIndex(), e.Commit.GetCount())
	}
	if len(e.Events) == 0 {
		return nil, corrupt("it has no events")
	}
	for _, event := range e.Events {
		if !validType(event.Type) {
			return nil, corrupt("event type %q is not a wire name", event.Type)
		}
	}
	return e, nil
}

func hashOf(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}
