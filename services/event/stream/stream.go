package stream

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/event"
	"setpoint.dev/services/internal/ensure"
	"setpoint.dev/services/internal/fault"
)

const (
	// Name of the stream of public events.
	Name = "SETPOINT_PUBLIC"
	// Dead is the stream of what reactions could not make sense of, and of what
	// webhooks did not take.
	Dead = "SETPOINT_DEAD"

	deadPrefix = "setpoint-dead."
	// window is how long the server drops what is published again.
	window = 10 * time.Minute

	minAge, minBytes = time.Hour, 1 << 20
)

// Options say how the stream is made where there is none.
type Options struct {
	Replicas int // 0 is 1
	// MaxAge and MaxBytes bound what is kept of the public events, also where the
	// stream is there already; 0 leaves it as it is, which is unbounded at first.
	MaxAge   time.Duration
	MaxBytes int64
}

// check refuses limits that would break promises.
func (o Options) check() error {
	switch {
	case o.MaxAge != 0 && o.MaxAge < minAge:
		return fault.New(fault.Invalid, "event.max_age", "--events-max-age: %s is too short", o.MaxAge).
			WithHint("at least %s: who was away for a moment must find what it missed", minAge)
	case o.MaxBytes != 0 && o.MaxBytes < minBytes:
		return fault.New(fault.Invalid, "event.max_bytes", "--events-max-bytes: %d is too little", o.MaxBytes).
			WithHint("at least %d", minBytes)
	}
	return nil
}

// Stream holds the public events. Its methods may be called concurrently.
type Stream struct {
	nc           *nats.Conn
	js           jetstream.JetStream
	public, dead jetstream.Stream
}

// Open finds the streams, or makes them. It fails as Rule event.stream_taken where
// another stream has the subjects, else as Unavailable.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Stream, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, unavailable(err)
	}
	s := &Stream{nc: nc, js: js}
	for _, c := range []struct {
		into *jetstream.Stream
		cfg  jetstream.StreamConfig
	}{
		{&s.public, jetstream.StreamConfig{Name: Name, Description: "Setpoint's public events: CloudEvents 1.0", Subjects: []string{event.SubjectPrefix + "*.*.*"}, Duplicates: window}},
		{&s.dead, jetstream.StreamConfig{Name: Dead, Description: "What setpoint's reactions could not make sense of, or not deliver", Subjects: []string{deadPrefix + ">"}}},
	} {
		c.cfg.Storage, c.cfg.Replicas = jetstream.FileStorage, max(1, o.Replicas)
		*c.into, err = ensure.Made(ctx,
			func(ctx context.Context) (jetstream.Stream, error) { return js.Stream(ctx, c.cfg.Name) },
			func(ctx context.Context) (jetstream.Stream, error) { return js.CreateStream(ctx, c.cfg) })
		var api *jetstream.APIError
		if errors.As(err, &api) && api.ErrorCode == 10065 {
			return nil, fault.Wrap(err, fault.Rule, "event.stream_taken", "another stream has the subjects of %s", c.cfg.Name).
				WithHint("delete it, or give setpoint an account of its own on NATS")
		}
		if err != nil {
			return nil, unavailable(err)
		}
	}
	return s, s.limit(ctx, o)
}

// limit sets the limits that were asked for.
func (s *Stream) limit(ctx context.Context, o Options) error {
	c := s.public.CachedInfo().Config
	was := [2]int64{int64(c.MaxAge), c.MaxBytes}
	if o.MaxAge != 0 {
		c.MaxAge = o.MaxAge
	}
	if o.MaxBytes != 0 {
		c.MaxBytes = o.MaxBytes
	}
	if was == [2]int64{int64(c.MaxAge), c.MaxBytes} {
		return nil
	}
	if _, err := s.js.UpdateStream(ctx, c); err != nil {
		return unavailable(err)
	}
	return nil
}

func unavailable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "event.stream", "the stream of public events does not answer")
}

// Publish stores an event; again within the window it is dropped.
func (s *Stream) Publish(ctx context.Context, o event.Outgoing) error {
	body, err := json.Marshal(o.Event)
	if err != nil {
		return err
	}
	m := nats.NewMsg(o.Subject)
	m.Data = body
	m.Header.Set("Content-Type", "application/cloudevents+json")
	// With the source: a log that was restored numbers anew.
	m.Header.Set(jetstream.MsgIDHeader, o.Event.Source+"/"+o.Event.ID)
	if _, err := s.js.PublishMsg(ctx, m, jetstream.WithExpectStream(Name)); err != nil {
		return unavailable(err)
	}
	return nil
}

// Last is the newest event of an organization and its place in the stream; nil
// where there is none.
func (s *Stream) Last(ctx context.Context, org string) (*event.CloudEvent, uint64, error) {
	m, err := s.public.GetLastMsgForSubject(ctx, event.SubjectPrefix+org+".>")
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, unavailable(err)
	}
	e := &event.CloudEvent{}
	if err := json.Unmarshal(m.Data, e); err != nil {
		return nil, 0, fault.Wrap(err, fault.Internal, "event.foreign", "message %d of %s is no public event: somebody else writes there", m.Sequence, Name)
	}
	return e, m.Sequence, nil
}

// Bounds are the first and last place in the stream.
func (s *Stream) Bounds(ctx context.Context) (first, last uint64, err error) {
	info, err := s.public.Info(ctx)
	if err != nil {
		return 0, 0, unavailable(err)
	}
	return info.State.FirstSeq, info.State.LastSeq, nil
}

// Close implements message.Publisher; the connection stays open.
func (s *Stream) Close() error { return nil }

// PublishDead implements message.Publisher over the stream of dead messages.
type PublishDead struct{ *Stream }

var _ message.Publisher = PublishDead{}

// Publish keeps messages with the reasons that are in their metadata.
func (d PublishDead) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		out := nats.NewMsg(deadPrefix + topic)
		out.Data = m.Payload
		out.Header.Set(jetstream.MsgIDHeader, topic+"/"+m.UUID)
		for k, v := range m.Metadata {
			out.Header.Set("Setpoint-"+k, v)
		}
		if _, err := d.js.PublishMsg(m.Context(), out); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// Reader reads the events of one organization in order.
type Reader struct {
	stream   *Stream
	consumer jetstream.Consumer
	messages jetstream.MessagesContext
}

// Read begins after a place in the stream; close the reader.
func (s *Stream) Read(ctx context.Context, org string, after uint64) (*Reader, error) {
	c, err := s.public.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{event.SubjectPrefix + org + ".>"},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, unavailable(err)
	}
	// Few in flight: who reads slowly must not fill our memory.
	m, err := c.Messages(jetstream.PullMaxMessages(256))
	if err != nil {
		return nil, unavailable(err)
	}
	return &Reader{stream: s, consumer: c, messages: m}, nil
}

// Next waits for the next event: its JSON, and its place in the stream. Its error
// is ctx's, or Unavailable.
func (r *Reader) Next(ctx context.Context) (body []byte, place uint64, err error) {
	m, err := r.messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		return nil, 0, unavailable(err)
	}
	meta, err := m.Metadata()
	if err != nil {
		return nil, 0, unavailable(err)
	}
	return m.Data(), meta.Sequence.Stream, nil
}

// Close ends the reading. Stopping alone leaves the consumer, and a stream has
// room for few.
func (r *Reader) Close() {
	r.messages.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if info := r.consumer.CachedInfo(); info != nil {
		_ = r.stream.public.DeleteConsumer(ctx, info.Name)
	}
}
