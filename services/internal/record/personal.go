package record

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/resource"
)

// Personal seals the personal text of events before they go to the log, and
// opens it for who reads the record or the log: nowhere else is either done.
// Rows and envelopes hold what was sealed, so that they are the same before and
// after an erasure.
//
// A nil Personal refuses to seal and opens nothing.
type Personal struct {
	kinds *resource.Registry
	keys  *personal.Keys
	specs map[string]*personal.Shape // of the specs that hold personal text, by kind
}

// NewPersonal makes one over keys.
func NewPersonal(kinds *resource.Registry, keys *personal.Keys) *Personal {
	p := &Personal{kinds: kinds, keys: keys, specs: map[string]*personal.Shape{}}
	for _, k := range kinds.Kinds() {
		if s := personal.ShapeOf(k.NewSpec().ProtoReflect().Descriptor()); s != nil {
			p.specs[k.Name] = s
		}
	}
	return p
}

// Keys are those that texts are sealed with.
func (p *Personal) Keys() *personal.Keys { return p.keys }

// Full names of the fields whose text the rows of the record hold; they are
// part of what a sealed text is bound to.
var (
	noteOfObservation = fieldName(&strategyv1.ObservedValue{}, "note")
	noteOfCheckIn     = fieldName(&strategyv1.CheckedIn{}, "note")
	reasonOfOverride  = fieldName(&strategyv1.StatusOverride{}, "reason")
	reasonOfEnvelope  = fieldName(&eventv1.Envelope{}, "reason")
)

func fieldName(m proto.Message, name string) string {
	return string(m.ProtoReflect().Descriptor().FullName()) + "." + name
}

func aggregateOf(service, kind, id string) string { return service + "." + kind + "." + id }

// A reason is written once for all envelopes of a commit.
func requestOf(id string) string { return "request." + id }

// Seal encrypts the personal text of events of one aggregate, in place, and
// tells whether there was any. What a person's declaration says belongs to the
// person, all else to the principal who acts.
func (p *Personal) Seal(ctx context.Context, s eventlog.Subject, principal string, events []eventlog.Event) (found bool, err error) {
	for i, e := range events {
		m := Message(p.registry(), e.Type)
		if m == nil {
			continue
		}
		shape := personal.ShapeOf(m.ProtoReflect().Descriptor())
		if !shape.Present(e.Payload) {
			continue
		}
		if p == nil {
			return found, errNoKeys()
		}
		if err := proto.Unmarshal(e.Payload, m); err != nil {
			return found, err
		}
		holder := p.holder(e.Type, s, principal)
		key, err := p.keys.For(ctx, s.Org, holder)
		if err != nil {
			return found, err
		}
		found = true
		at := personal.Place{Org: s.Org, Of: aggregateOf(s.Service, s.Kind, s.ID)}
		if err := shape.Each(m.ProtoReflect(), func(field, text string) (string, error) {
			at.Field = field
			return key.Seal(holder, at, text), nil
		}); err != nil {
			return found, err
		}
		if events[i].Payload, err = (proto.MarshalOptions{Deterministic: true}).Marshal(m); err != nil {
			return found, err
		}
	}
	return found, nil
}

// registry knows of a kind's events; without keys those of the record are
// known.
func (p *Personal) registry() *resource.Registry {
	if p == nil {
		return &resource.Registry{}
	}
	return p.kinds
}

func (p *Personal) holder(typ string, s eventlog.Subject, principal string) personal.Holder {
	for _, k := range p.kinds.Kinds() {
		if k.DeclaredType == typ && k.ErasedType != "" {
			return personal.Person(s.ID)
		}
	}
	return personal.Principal(principal)
}

// SealFor encrypts one text of an event with the key of whom it is about. m is
// the message that holds the field.
func (p *Personal) SealFor(ctx context.Context, s eventlog.Subject, h personal.Holder, m proto.Message, field, text string) (string, error) {
	if p == nil {
		return "", errNoKeys()
	}
	key, err := p.keys.For(ctx, s.Org, h)
	if err != nil {
		return "", err
	}
	return key.Seal(h, personal.Place{Org: s.Org, Of: aggregateOf(s.Service, s.Kind, s.ID), Field: fieldName(m, field)}, text), nil
}

// respondents is the holder of the key that makes codes of respondents.
const respondents personal.Holder = "survey/respondents"

// Respondent is the code of somebody who answers surveys: the same in all of an
// organization, and worth nothing without its key.
func (p *Personal) Respondent(ctx context.Context, org, who string) (string, error) {
	if p == nil {
		return "", errNoKeys()
	}
	key, err := p.keys.For(ctx, org, respondents)
	if err != nil {
		return "", err
	}
	return respondentCode(key.Digest(org, []byte(who))), nil
}

// Respondents are the codes that somebody may have answered under; none if the
// organization has had no survey.
func (p *Personal) Respondents(ctx context.Context, org, who string) (out []string, err error) {
	if p == nil {
		return nil, nil
	}
	all, err := p.keys.Digests(ctx, org, respondents, []byte(who))
	for _, d := range all {
		out = append(out, respondentCode(d))
	}
	return out, err
}

func respondentCode(digest []byte) string { return hex.EncodeToString(digest[:16]) }

// SealReason encrypts why a command was given.
func (p *Personal) SealReason(ctx context.Context, org, requestID, principal, reason string) (string, error) {
	if reason == "" {
		return "", nil
	}
	if p == nil {
		return "", errNoKeys()
	}
	holder := personal.Principal(principal)
	key, err := p.keys.For(ctx, org, holder)
	if err != nil {
		return "", err
	}
	return key.Seal(holder, personal.Place{Org: org, Of: requestOf(requestID), Field: reasonOfEnvelope}, reason), nil
}

func errNoKeys() error {
	return fault.New(fault.Internal, "personal.no_keys", "there are no keys to encrypt personal data with")
}

// Digest is the keyed form of the digest of a request that holds personal
// text, which could else be guessed from it.
func (p *Personal) Digest(ctx context.Context, org, principal string, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return plain, nil
	}
	key, err := p.keys.For(ctx, org, personal.Principal(principal))
	if err != nil {
		return nil, err
	}
	return key.Digest(org, plain), nil
}

// SameDigest tells whether a request has the digest that is on record, plain or
// keyed. Where the key is gone nobody can tell any more, and it is another
// request.
func (p *Personal) SameDigest(ctx context.Context, org, principal string, plain, recorded []byte) (bool, error) {
	if bytes.Equal(plain, recorded) {
		return true, nil
	}
	if p == nil || len(plain) == 0 || len(recorded) == 0 {
		return false, nil
	}
	keyed, err := p.keys.Digests(ctx, org, personal.Principal(principal), plain)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(keyed, func(d []byte) bool { return bytes.Equal(d, recorded) }), nil
}

// opened is a picture whose personal text can be read, as far as the keys are
// there and the picture knows of no erasure.
type opened struct {
	View
	ctx    context.Context
	p      *Personal
	erased map[string]map[personal.Holder]bool // by organization
	err    error
}

// tells reports whether the specs of a kind may hold personal text.
func (p *Personal) tells(kind string) bool { return p != nil && p.specs[kind] != nil }

func (p *Personal) view(ctx context.Context, v View) View {
	if p == nil {
		return v
	}
	return p.open(ctx, v)
}

func (p *Personal) open(ctx context.Context, v View) *opened {
	return &opened{View: v, ctx: ctx, p: p, erased: map[string]map[personal.Holder]bool{}}
}

// load reads who is erased. It comes before rows are read one by one: a
// database may answer one question at a time.
func (v *opened) load(org string) map[personal.Holder]bool {
	if of, known := v.erased[org]; known {
		return of
	}
	of := map[personal.Holder]bool{}
	list, err := v.View.Erasures(org)
	if err != nil && v.err == nil {
		v.err = err
	}
	for _, e := range list {
		for _, h := range e.Holders {
			of[personal.Holder(h)] = true
		}
	}
	v.erased[org] = of
	return of
}

func (v *opened) open(org, of, field, stored string) string {
	if !personal.IsSealed(stored) {
		return stored
	}
	// The picture is asked, not only the keys: an erasure counts from its event
	// on, even where the key has not been destroyed yet.
	if v.load(org)[personal.HolderOf(stored)] {
		return personal.Erased
	}
	return v.p.keys.Open(v.ctx, personal.Place{Org: org, Of: of, Field: field}, stored)
}

func (v *opened) resource(r *Resource) *Resource {
	if r == nil {
		return nil
	}
	shape := v.p.specs[r.Kind]
	if shape == nil {
		return r
	}
	k, _ := v.p.kinds.Kind(r.Kind)
	r.Spec = proto.Clone(r.Spec)
	of := aggregateOf(k.Service, k.Token, r.ID)
	_ = shape.Each(r.Spec.ProtoReflect(), func(field, text string) (string, error) {
		return v.open(r.Org, of, field, text), nil
	})
	return r
}

func (v *opened) resources(list []*Resource, err error) ([]*Resource, error) {
	for _, r := range list {
		v.resource(r)
	}
	return list, v.failed(err)
}

// failed is what went wrong, if anything did while erasures were read.
func (v *opened) failed(err error) error {
	if err == nil {
		err = v.err
	}
	return err
}

func (v *opened) Resource(org, kind, name string, at uint64) (*Resource, error) {
	r, err := v.View.Resource(org, kind, name, at)
	return v.resource(r), v.failed(err)
}

func (v *opened) LastNamed(org, kind, name string, at uint64) (*Resource, error) {
	r, err := v.View.LastNamed(org, kind, name, at)
	return v.resource(r), v.failed(err)
}

func (v *opened) Resources(org, kind string, at uint64, after string, limit int) ([]*Resource, error) {
	return v.resources(v.View.Resources(org, kind, at, after, limit))
}

func (v *opened) Versions(org, kind string, at uint64) ([]*Resource, error) {
	return v.resources(v.View.Versions(org, kind, at))
}

func (v *opened) observation(o *Observation) {
	if personal.IsSealed(o.Note) {
		o.Note = v.open(o.Org, aggregateOf("strategy", "observation", o.MetricID), noteOfObservation, o.Note)
	}
}

func (v *opened) Observations(org, metricID string, at uint64, after ObservationKey, limit int) ([]Observation, error) {
	list, err := v.View.Observations(org, metricID, at, after, limit)
	for i := range list {
		v.observation(&list[i])
	}
	return list, v.failed(err)
}

func (v *opened) AllObservations(org string, at uint64, f func(Observation) error) error {
	v.load(org)
	err := v.View.AllObservations(org, at, func(o Observation) error {
		v.observation(&o)
		return f(o)
	})
	return v.failed(err)
}

func (v *opened) Observation(org, metricID string, key ObservationKey) (*Observation, []string, error) {
	have, beside, err := v.View.Observation(org, metricID, key)
	if have != nil {
		v.observation(have)
	}
	return have, beside, v.failed(err)
}

func (v *opened) checkIn(c *CheckIn) {
	of := aggregateOf("strategy", "checkin", c.TargetID)
	c.Note = v.open(c.Org, of, noteOfCheckIn, c.Note)
	if c.Override != nil {
		o := *c.Override
		o.Reason = v.open(c.Org, of, reasonOfOverride, o.Reason)
		c.Override = &o
	}
}

func (v *opened) CheckIns(org, targetID string, since, at uint64, before CheckInKey, limit int) ([]CheckIn, error) {
	list, err := v.View.CheckIns(org, targetID, since, at, before, limit)
	for i := range list {
		v.checkIn(&list[i])
	}
	return list, v.failed(err)
}

func (v *opened) AllCheckIns(org string, at uint64, f func(CheckIn) error) error {
	v.load(org)
	err := v.View.AllCheckIns(org, at, func(c CheckIn) error {
		v.checkIn(&c)
		return f(c)
	})
	return v.failed(err)
}

// OpenCommits returns messages of the log with their personal text opened; the
// messages themselves stay as they are.
func (r *Record) OpenCommits(ctx context.Context, messages []*eventlog.Record) ([]*eventlog.Record, error) {
	if r.personal == nil {
		return messages, nil
	}
	out := make([]*eventlog.Record, len(messages))
	err := r.store.View(ctx, func(v View) error {
		o := r.personal.open(ctx, v)
		for i, m := range messages {
			c := *m
			c.Envelope = o.envelope(m)
			out[i] = &c
		}
		return o.err
	})
	return out, err
}

func (v *opened) envelope(m *eventlog.Record) *eventv1.Envelope {
	e := proto.CloneOf(m.Envelope)
	s := m.Subject
	e.Reason = v.open(s.Org, requestOf(e.GetRequestId()), reasonOfEnvelope, e.GetReason())
	of := aggregateOf(s.Service, s.Kind, s.ID)
	for _, event := range e.GetEvents() {
		m := Message(v.p.kinds, event.GetType())
		if m == nil {
			continue
		}
		shape := personal.ShapeOf(m.ProtoReflect().Descriptor())
		if !shape.Present(event.GetPayload()) || proto.Unmarshal(event.GetPayload(), m) != nil {
			continue
		}
		_ = shape.Each(m.ProtoReflect(), func(field, text string) (string, error) {
			return v.open(s.Org, of, field, text), nil
		})
		if b, err := (proto.MarshalOptions{Deterministic: true}).Marshal(m); err == nil {
			event.Payload = b
		}
	}
	return e
}
