package stream

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/event"
)

// hooks begins the names of the consumers of webhooks; organizations and ids have
// no underscore.
const hooks = "webhook_"

// Durable is the name of the consumer of a webhook: durable state.
func Durable(org, id string) string { return hooks + org + "_" + id }

// Place tells how far a webhook is.
type Place struct {
	// Pending is how many events of the organization it has not been through; one
	// that is under way is among them.
	Pending uint64
	// Through is the place in the stream up to which it is through.
	Through uint64
	// Begun says that somebody has begun to deliver.
	Begun bool
}

// Place reads how far a webhook is; a webhook that never ran is nowhere.
func (s *Stream) Place(ctx context.Context, org, id string) (Place, error) {
	c, err := s.public.Consumer(ctx, Durable(org, id))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return Place{}, nil
	}
	if err != nil {
		return Place{}, unavailable(err)
	}
	info := c.CachedInfo()
	return Place{Pending: info.NumPending + uint64(info.NumAckPending), Through: info.AckFloor.Stream, Begun: true}, nil
}

// Oldest is when the first event of an organization after a place was published;
// zero if there is none.
func (s *Stream) Oldest(ctx context.Context, org string, after Place) (time.Time, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	m, err := s.public.GetMsg(ctx, after.Through+1, jetstream.WithGetMsgSubject(event.SubjectPrefix+org+".>"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, unavailable(err)
	}
	return m.Time, nil
}

// Webhooks are those that have a consumer: organizations and ids.
func (s *Stream) Webhooks(ctx context.Context) (out [][2]string, err error) {
	list := s.public.ConsumerNames(ctx)
	for name := range list.Name() {
		if rest, ok := strings.CutPrefix(name, hooks); ok {
			org, id, _ := strings.Cut(rest, "_")
			out = append(out, [2]string{org, id})
		}
	}
	if err := list.Err(); err != nil {
		return nil, unavailable(err)
	}
	return out, nil
}

// Forget deletes the place of a webhook that is no more.
func (s *Stream) Forget(ctx context.Context, org, id string) error {
	if err := s.public.DeleteConsumer(ctx, Durable(org, id)); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return unavailable(err)
	}
	return nil
}

// within bounds a question of which nobody else does.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 5*time.Second)
}
