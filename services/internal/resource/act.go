package resource

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Act is a kind of event that tells what happened to something declared, rather
// than how it is declared. What the aggregate is after it travels with it.
type Act struct {
	Type string // wire name: initiative.stage_changed.v1
	New  func() proto.Message
}

// Acts knows the acts of a slice by wire name and by message.
type Acts []Act

// Encode gives an event its wire form; an event that is none of the acts is a
// defect.
func (a Acts) Encode(event proto.Message) (typ string, payload []byte, err error) {
	name := event.ProtoReflect().Descriptor().FullName()
	for _, act := range a {
		if act.New().ProtoReflect().Descriptor().FullName() == name {
			payload, err = proto.MarshalOptions{Deterministic: true}.Marshal(event)
			return act.Type, payload, err
		}
	}
	return "", nil, fmt.Errorf("%s is no act", name)
}

// Decode gives a wire form its event; nil if it is none of the acts.
func (a Acts) Decode(typ string, payload []byte) (proto.Message, error) {
	for _, act := range a {
		if act.Type == typ {
			m := act.New()
			return m, proto.Unmarshal(payload, m)
		}
	}
	return nil, nil
}

// WithActs adds acts to the events that the registry knows; it panics on a clash,
// which is a defect.
func (r *Registry) WithActs(acts ...Acts) *Registry {
	r.acts = map[string]Act{}
	for _, list := range acts {
		for _, a := range list {
			if _, taken := r.acts[a.Type]; taken {
				panic("resource: two acts are called " + a.Type)
			}
			if _, taken := r.byType[a.Type]; taken {
				panic("resource: a kind's event is called " + a.Type)
			}
			r.acts[a.Type] = a
		}
	}
	return r
}

// Act returns the act of a wire name.
func (r *Registry) Act(typ string) (Act, bool) {
	a, ok := r.acts[typ]
	return a, ok
}

// Acts returns every act, by wire name.
func (r *Registry) Acts() map[string]Act { return r.acts }
