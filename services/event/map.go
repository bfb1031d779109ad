package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/fault"
)

// Message is a message of the log: all events of one commit on one aggregate.
type Message struct {
	Log      string // its identity
	Shard    int
	Sequence uint64
	Revision uint64 // the end of its commit
	Org      string
	Kind, ID string // of the aggregate
	Envelope *eventv1.Envelope
}

// Outgoing is a public event and where it goes.
type Outgoing struct {
	ID      ID
	Subject string // of NATS
	Event   CloudEvent
}

// Public maps a message to what is told of it outside, in order. of makes an
// empty message of an internal type, nil if there is none.
//
// An event type without a decision, or a payload that does not decode, is an
// Internal fault event.unknown or event.corrupt: trying again does not help.
func Public(m Message, of func(typ string) proto.Message) ([]Outgoing, error) {
	var out []Outgoing
	for i, e := range m.Envelope.GetEvents() {
		entry, ok := Decision(e.GetType())
		if !ok {
			return nil, fault.New(fault.Internal, "event.unknown", "message %d holds %s, which this version does not know", m.Sequence, e.GetType())
		}
		if !entry.Public() {
			continue
		}
		payload := of(e.GetType())
		if payload == nil {
			return nil, fault.New(fault.Internal, "event.unknown", "message %d holds %s, which is registered nowhere", m.Sequence, e.GetType())
		}
		if err := proto.Unmarshal(e.GetPayload(), payload); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "event.corrupt", "message %d: %s does not decode", m.Sequence, e.GetType())
		}
		data, err := dataOf(payload)
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "event.corrupt", "message %d: %s cannot be written as JSON", m.Sequence, e.GetType())
		}
		id := ID{Shard: m.Shard, Sequence: m.Sequence, Index: i, Type: entry.Type()}
		out = append(out, Outgoing{ID: id, Subject: entry.Subject(m.Org), Event: CloudEvent{
			SpecVersion: "1.0", ID: id.String(), Source: Source(m.Log, m.Org), Type: entry.Type(),
			Subject: about(m.Kind) + "/" + m.ID, Time: m.Envelope.GetRecorded().AsTime().Format(time.RFC3339Nano),
			DataContentType: "application/json", Revision: fmt.Sprint(m.Revision),
			Principal: m.Envelope.GetPrincipal(), Manager: m.Envelope.GetManager(), Data: data,
		}})
	}
	return out, nil
}

// dataOf is the JSON form of a payload without what is personal in it.
func dataOf(m proto.Message) (json.RawMessage, error) {
	forget(m.ProtoReflect())
	raw, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer // protojson's white space differs between builds
	err = json.Compact(&b, raw)
	return b.Bytes(), err
}

// forget clears the fields that may hold personal data, at every depth.
func forget(m protoreflect.Message) {
	m.SetUnknown(nil) // nobody knows what is in it
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case personal(f):
			m.Clear(f)
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					forget(v.Message())
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				forget(v.List().Get(i).Message())
			}
		default:
			forget(v.Message())
		}
		return true
	})
}

func personal(f protoreflect.FieldDescriptor) bool {
	is, _ := proto.GetExtension(f.Options(), commonv1.E_Personal).(bool)
	return is
}

// about is what an aggregate of a kind speaks about, where that is not itself.
func about(kind string) string {
	if of, ok := strings.CutSuffix(kind, "-condition"); ok {
		return of // objective, strategy, unit, review
	}
	switch kind {
	case "condition", "checkin", "check-in", "request", "acknowledgement":
		return "target"
	case "occurrence":
		return "review"
	case "observation":
		return "metric"
	case "life":
		return "initiative"
	case "course":
		return "program"
	case "delivery":
		return "webhook"
	}
	return kind
}
