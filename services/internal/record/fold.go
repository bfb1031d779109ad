package record

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Wire names of the events that are not a kind's.
const (
	DeclarationChanged    = "declaration.changed.v1"
	ObservationsRecorded  = "strategy.observations_recorded.v1"
	ObservationsCorrected = "strategy.observations_corrected.v1"
	CheckedIn             = "strategy.checked_in.v1"
)

// Message returns an empty message of an event's present wire name, nil if
// nobody declared the type.
func Message(kinds *resource.Registry, typ string) proto.Message {
	switch typ {
	case DeclarationChanged:
		return &declarationv1.Changed{}
	case ObservationsRecorded:
		return &strategyv1.ObservationsRecorded{}
	case ObservationsCorrected:
		return &strategyv1.ObservationsCorrected{}
	case CheckedIn:
		return &strategyv1.CheckedIn{}
	}
	return kinds.Message(typ)
}

var errUnknown = errors.New("this binary does not know the event type; it is older than the log")

// FoldError says which message could not be folded.
type FoldError struct {
	Sequence uint64
	Err      error
}

func (e *FoldError) Error() string { return e.Err.Error() }

func (e *FoldError) Unwrap() error { return e.Err }

func unknownEvent(err error) error {
	return fault.Wrap(err, fault.Unavailable, "record.unknown_event", "the record cannot be kept").
		WithHint("start a newer binary: nothing was changed")
}

// Fold returns the changes that one message of the log makes. An event that
// nobody declared, or that does not decode, is a *FoldError: it halts the
// projection. Of a message that is left out only its place is kept.
func Fold(kinds *resource.Registry, m *eventlog.Record) ([]Change, error) {
	out, err := fold(kinds, nil, m, nil)
	if err != nil {
		return nil, &FoldError{m.Sequence, err}
	}
	return out, nil
}

// fold appends the changes of a message. absent, unless nil, tells what the
// store is known not to hold.
func fold(kinds *resource.Registry, out []Change, m *eventlog.Record, absent func(Identity) bool) ([]Change, error) {
	if m.Envelope == nil {
		return append(out, lost(m)...), nil
	}
	env := m.Envelope
	s := m.Subject
	recorded := env.GetRecorded().AsTime()
	request := Request{
		Org: s.Org, ID: plain(env.GetRequestId()), Digest: env.GetRequestDigest(), Revision: m.Revision,
	}
	events := env.GetEvents()
	if m.Skipped {
		events = nil
	}
	for _, e := range events {
		fail := func(err error) error {
			return fmt.Errorf("event %s at sequence %d of %s: %w", e.GetType(), m.Sequence, s.Org, err)
		}
		switch e.GetType() {
		case DeclarationChanged:
			var changed declarationv1.Changed
			if err := proto.Unmarshal(e.GetPayload(), &changed); err != nil {
				return nil, fail(err)
			}
			request.Detail = e.GetPayload()
		case ObservationsRecorded, ObservationsCorrected:
			// Both messages have one shape: values = 1.
			var values strategyv1.ObservationsRecorded
			if err := proto.Unmarshal(e.GetPayload(), &values); err != nil {
				return nil, fail(err)
			}
			if e.GetType() == ObservationsRecorded {
				request.Recorded += len(values.GetValues())
			} else {
				request.Corrected += len(values.GetValues())
			}
			for _, v := range values.GetValues() {
				o := Observation{
					Org: s.Org, MetricID: s.ID,
					ObservationKey: ObservationKey{At: plain(v.GetObservedAt()), Source: plain(v.GetSource())},
					Value:          plainNumber(v.GetValue()), Note: plain(v.GetNote()),
					From: m.Revision, To: Never, Recorded: recorded,
				}
				out = append(out, PutObservation{o, absent != nil && absent(DateIdentity(o.Org, o.MetricID, o.At))})
			}
		case CheckedIn:
			var said strategyv1.CheckedIn
			if err := proto.Unmarshal(e.GetPayload(), &said); err != nil {
				return nil, fail(err)
			}
			c := CheckIn{
				Org: s.Org, TargetID: s.ID, CheckInKey: CheckInKey{At: plain(said.GetAt()), Revision: m.Revision},
				Note: plain(said.GetNote()), Clear: said.GetClearOverride(),
				Recorded: recorded, Principal: plain(env.GetPrincipal()),
			}
			if said.Confidence != nil {
				n := int(said.GetConfidence())
				c.Confidence = &n
			}
			if o := said.GetOverride(); o != nil {
				c.Override = &Override{Status: plain(o.GetStatus()), Reason: plain(o.GetReason()), Expires: plain(o.GetExpires())}
			}
			out = append(out, PutCheckIn{c})
		case EventSkipped:
			// Known to every fold before it begins: see Skips.
		default:
			if act, ok := kinds.Act(e.GetType()); ok {
				if err := proto.Unmarshal(e.GetPayload(), act.New()); err != nil {
					return nil, fail(err)
				}
				continue
			}
			k, event, known, err := kinds.Decode(e.GetType(), e.GetPayload())
			if err != nil {
				return nil, fail(err)
			}
			if !known {
				return nil, unknownEvent(fail(errUnknown))
			}
			switch event := event.(type) {
			case resource.Declared:
				out = append(out, PutResource{Resource{
					Org: s.Org, Kind: k.Name, Name: plain(event.Metadata.GetName()), ID: s.ID,
					Metadata: event.Metadata, Spec: event.Spec, Set: plain(event.Set),
					From: m.Revision, To: Never,
					Effective: plain(env.GetEffective()), Recorded: recorded,
					Principal: plain(env.GetPrincipal()), Manager: plain(env.GetManager()),
				}})
			case resource.Erased:
				out = append(out, PutErasure{Erasure{
					Org: s.Org, Kind: k.Name, ID: s.ID, Name: plain(event.Name), Holders: plains(event.Holders), Reason: plain(event.Reason),
					Revision: m.Revision, Recorded: recorded, Principal: plain(env.GetPrincipal()),
				}})
			case resource.Retired:
				out = append(out, EndResource{Org: s.Org, Kind: k.Name, ID: s.ID, Revision: m.Revision})
			}
		}
	}
	if len(env.GetState()) > 0 && !m.Skipped {
		out = append(out, PutState{State{
			Org: s.Org, Service: s.Service, Kind: s.Kind, ID: s.ID, From: m.Revision, Payload: env.GetState(), Recorded: recorded,
		}})
	}
	out = append(out, placeOf(m))
	c := env.GetCommit()
	// Once for each commit, unless a message adds to it: the row of a large
	// apply is large, too.
	if c.GetIndex() == 0 || request.Recorded+request.Corrected+len(request.Detail) > 0 {
		out = append(out, PutRequest{request})
	}
	if m.CommitEnd() {
		out = append(out, PutCommit{Org: s.Org, Revision: m.Revision, Recorded: recorded})
	}
	return out, nil
}

// lost is what remains of a message that is missing or does not decode.
func lost(m *eventlog.Record) []Change {
	var out []Change
	if len(m.Hash) > 0 {
		out = append(out, placeOf(m))
	}
	if m.CommitEnd() && m.Beside != nil {
		out = append(out, PutCommit{Org: m.Beside.Subject.Org, Revision: m.Revision, Recorded: m.Beside.Recorded()})
	}
	return out
}

func placeOf(m *eventlog.Record) Change {
	s := m.Subject
	return PutAggregate{Org: s.Org, Service: s.Service, Kind: s.Kind, ID: s.ID,
		Aggregate: Aggregate{Sequence: m.Sequence, Hash: m.Hash, Revision: m.Revision}}
}
