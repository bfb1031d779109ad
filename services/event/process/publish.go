// Package process publishes: a Watermill router carries every message of the log
// to the public events it gives.
//
// Invariants: what is made of a message is published before the message is
// acknowledged, so nothing is lost; ids are stable, so nothing is told twice to
// whoever looks at them, and what a message that comes again has published already
// is not published again. A message that this version does not know waits for one
// that does; one that is damaged is set aside, visibly, and the rest goes on.
package process

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/event"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// HandlerName is durable state: the name of the consumer that knows what has been
// published.
const HandlerName = "public-events"

// Public is where events go.
type Public interface {
	Publish(ctx context.Context, o event.Outgoing) error
	Last(ctx context.Context, org string) (*event.CloudEvent, uint64, error)
}

// Publisher makes public events of messages of one log.
type Publisher struct {
	log    string
	public Public
	of     func(typ string) proto.Message
	logger *slog.Logger

	mu   sync.Mutex
	last map[string]event.ID // by organization: at least this has been published
}

// New makes a publisher of the log with an identity; of makes empty messages of
// its event types.
func New(log string, public Public, of func(typ string) proto.Message, logger *slog.Logger) *Publisher {
	return &Publisher{log: log, public: public, of: of, logger: logger, last: map[string]event.ID{}}
}

// Run publishes until ctx ends.
func (p *Publisher) Run(ctx context.Context, from message.Subscriber, dead message.Publisher) error {
	logger := watermill.NewSlogLogger(quiet(p.logger))
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 10 * time.Second}, logger)
	if err != nil {
		return err
	}
	poison, err := middleware.PoisonQueueWithFilter(dead, HandlerName, hopeless)
	if err != nil {
		return err
	}
	router.AddMiddleware(
		poison,
		middleware.Retry{
			MaxRetries: 4, InitialInterval: 50 * time.Millisecond, MaxInterval: time.Second, Multiplier: 2,
			ShouldRetry: func(r middleware.RetryParams) bool { return ctx.Err() == nil && !hopeless(r.Err) },
		}.Middleware,
		middleware.Recoverer,
	)
	router.AddConsumerHandler(HandlerName, HandlerName, from, p.Handle)
	return router.Run(ctx)
}

// hopeless tells what no further attempt mends.
func hopeless(err error) bool {
	switch fault.ReasonOf(err) {
	case "event.corrupt", "log.envelope_corrupt", "log.subject_invalid":
		return true
	}
	return false
}

// Handle publishes what one message of the log gives.
func (p *Publisher) Handle(m *message.Message) error {
	ctx, cancel := context.WithTimeout(m.Context(), 5*time.Second)
	defer cancel()
	err := p.publish(ctx, m)
	if err != nil && ctx.Err() == nil {
		p.logger.Error("a message of the log could not be published", "sequence", m.UUID, "subject", m.Metadata.Get(stream.MetaSubject), "reason", fault.ReasonOf(err), "error", err)
	}
	return err
}

func (p *Publisher) publish(ctx context.Context, m *message.Message) error {
	shard, subject, err := eventlog.ParseSubject(m.Metadata.Get(stream.MetaSubject))
	if err != nil {
		return err
	}
	sequence, err := strconv.ParseUint(m.Metadata.Get(stream.MetaSequence), 10, 64)
	if err != nil {
		return err
	}
	e, err := eventlog.Decode(m.Payload)
	if err != nil {
		return err
	}
	out, err := event.Public(event.Message{
		Log: p.log, Shard: shard, Sequence: sequence,
		Revision: sequence - uint64(e.GetCommit().GetIndex()) + uint64(e.GetCommit().GetCount()) - 1,
		Org:      subject.Org, Kind: subject.Kind, ID: subject.ID, Envelope: e,
	}, p.of)
	if err != nil || len(out) == 0 {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.last[subject.Org]
	if !known || m.Metadata.Get(stream.MetaDelivered) != "1" {
		// Somebody, or we before a crash, may have published it.
		if last, err = p.published(ctx, subject.Org); err != nil {
			return err
		}
		p.last[subject.Org] = last
	}
	for _, o := range out {
		if !o.ID.After(last) {
			continue
		}
		if err := p.public.Publish(ctx, o); err != nil {
			// Perhaps it was: the next attempt looks.
			delete(p.last, subject.Org)
			return err
		}
		p.last[subject.Org] = o.ID
	}
	return nil
}

// published is the newest event of an organization from this log.
func (p *Publisher) published(ctx context.Context, org string) (event.ID, error) {
	e, _, err := p.public.Last(ctx, org)
	if err != nil || e == nil || e.Source != event.Source(p.log, org) {
		return event.ID{}, err
	}
	return event.ParseID(e.ID)
}

// quiet leaves out what Watermill says of each message.
func quiet(l *slog.Logger) *slog.Logger { return slog.New(atLeast{l.Handler()}) }

type atLeast struct{ slog.Handler }

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}
func (h atLeast) WithAttrs(a []slog.Attr) slog.Handler { return atLeast{h.Handler.WithAttrs(a)} }
func (h atLeast) WithGroup(name string) slog.Handler   { return atLeast{h.Handler.WithGroup(name)} }
