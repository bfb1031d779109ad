package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/event"
	"setpoint.dev/services/internal/pause"
)

// Metadata of the messages that a Subscriber gives.
const (
	MetaSubject   = "subject"
	MetaSequence  = "sequence"
	MetaDelivered = "delivered" // how often, 1 at first
)

const (
	// ackWait is after how long a message that a process took with it into its
	// end is given to another.
	ackWait = 10 * time.Second
	// again is after how long a message that failed comes again.
	again = time.Second
)

// Subscriber gives reactions the messages of a stream: a topic is the name of a
// durable consumer, which is shared by all processes and remembers how far they
// are. One message is under way at a time, over all of them, so that order is
// kept; it comes again until somebody acknowledges it.
type Subscriber struct {
	js     jetstream.JetStream
	stream string
	config jetstream.ConsumerConfig // of a consumer that is not there yet
	// pause is how long a message that was refused stays away.
	pause  func(*message.Message) time.Duration
	ctx    context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber reads the log of a shard from its beginning.
func NewSubscriber(nc *nats.Conn, shard int) (*Subscriber, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, unavailable(err)
	}
	return newSubscriber(js, fmt.Sprintf("SETPOINT_%d", shard),
		jetstream.ConsumerConfig{
			Description:   "a reaction of setpoint: deleting it makes it begin anew",
			DeliverPolicy: jetstream.DeliverAllPolicy,
		}, func(*message.Message) time.Duration { return again }), nil
}

// Subscriber reads the public events of an organization since an instant; pause
// is how long one that was refused stays away.
func (s *Stream) Subscriber(org string, since time.Time, pause func(*message.Message) time.Duration) *Subscriber {
	return newSubscriber(s.js, Name, jetstream.ConsumerConfig{
		Description:    "a webhook of setpoint: deleting it makes it begin anew",
		FilterSubjects: []string{event.SubjectPrefix + org + ".>"},
		DeliverPolicy:  jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
	}, pause)
}

func newSubscriber(js jetstream.JetStream, from string, c jetstream.ConsumerConfig, pause func(*message.Message) time.Duration) *Subscriber {
	c.AckPolicy, c.AckWait, c.MaxDeliver, c.MaxAckPending = jetstream.AckExplicitPolicy, ackWait, -1, 1
	ctx, cancel := context.WithCancel(context.Background())
	return &Subscriber{js: js, stream: from, config: c, pause: pause, ctx: ctx, cancel: cancel}
}

// consumer finds the durable consumer, or makes it: where it begins cannot be
// changed afterwards.
func (s *Subscriber) consumer(ctx context.Context, durable string) (jetstream.Consumer, error) {
	c, err := s.js.Consumer(ctx, s.stream, durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		config := s.config
		config.Durable = durable
		// The same for all processes: who comes second finds what the first made.
		return s.js.CreateOrUpdateConsumer(ctx, s.stream, config)
	}
	return c, err
}

// Subscribe implements message.Subscriber.
func (s *Subscriber) Subscribe(ctx context.Context, durable string) (<-chan *message.Message, error) {
	if _, err := s.consumer(ctx, durable); err != nil {
		return nil, unavailable(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	out := make(chan *message.Message)
	s.ended.Go(func() {
		defer close(out)
		defer stop()
		defer cancel()
		for ctx.Err() == nil {
			// The consumer was deleted, or the connection is gone: begin again.
			if err := s.deliver(ctx, durable, out); err != nil {
				pause.For(ctx, again)
			}
		}
	})
	return out, nil
}

func (s *Subscriber) deliver(ctx context.Context, durable string, out chan<- *message.Message) error {
	c, err := s.consumer(ctx, durable)
	if err != nil {
		return err
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(5*time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		in, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := s.hand(ctx, in, out); err != nil {
			return err
		}
	}
}

// hand gives one message to the router, and waits for what becomes of it.
func (s *Subscriber) hand(ctx context.Context, in jetstream.Msg, out chan<- *message.Message) error {
	meta, err := in.Metadata()
	if err != nil {
		return err
	}
	handling, done := context.WithCancel(ctx)
	defer done()
	m := message.NewMessageWithContext(handling, strconv.FormatUint(meta.Sequence.Stream, 10), in.Data())
	m.Metadata.Set(MetaSubject, in.Subject())
	m.Metadata.Set(MetaSequence, m.UUID)
	m.Metadata.Set(MetaDelivered, strconv.FormatUint(meta.NumDelivered, 10))
	select {
	case out <- m:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), in.Nak())
	}
	working := time.NewTicker(ackWait / 3)
	defer working.Stop()
	for {
		select {
		case <-m.Acked():
			// Confirmed: else it comes again, and is known to have been.
			return in.DoubleAck(context.WithoutCancel(ctx))
		case <-m.Nacked():
			if ctx.Err() != nil {
				return in.Nak() // to another process at once
			}
			return in.NakWithDelay(s.pause(m))
		case <-working.C:
			_ = in.InProgress()
		}
	}
}

// Close implements message.Subscriber.
func (s *Subscriber) Close() error {
	s.cancel()
	s.ended.Wait()
	return nil
}

// Reached is up to which message of the log a reaction is through; ok is false
// where no process has ever run it.
func (s *Subscriber) Reached(ctx context.Context, durable string) (sequence uint64, ok bool, err error) {
	c, err := s.js.Consumer(ctx, s.stream, durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, unavailable(err)
	}
	return c.CachedInfo().AckFloor.Stream, true, nil
}
