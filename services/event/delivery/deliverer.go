package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/event"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
)

const (
	// metaPause carries how long a message stays away from the handler to the
	// subscriber.
	metaPause = "pause"
	// notePause is how often a success is noted where there was one before.
	notePause = 5 * time.Second
	// secretPause is how often a secret is looked for where there is none.
	secretPause = time.Second
)

// errRefused says that an event has to come again.
var errRefused = errors.New("the event was not delivered")

// hook is a declared webhook.
type hook struct {
	org, id, name string
	spec          *webhook.Spec
	created       uint64 // the revision that declared it: earlier events are not its
	acted         uint64 // the revision of the last act
	since         time.Time
}

// deliverer delivers to one webhook.
type deliverer struct {
	*Manager
	hook
	cancel context.CancelFunc
	ended  sync.WaitGroup

	// disabled is set once it has disabled the webhook and waits to be stopped.
	disabled atomic.Bool
	// refused is set when an attempt was refused here, before it was one.
	refused atomic.Bool

	// Only the handler, which runs once at a time, touches these.
	noted   time.Time
	failing bool // the last attempt that this process knows of failed
	known   bool
}

// start begins to deliver.
func (m *Manager) start(ctx context.Context, h hook) *deliverer {
	d := &deliverer{Manager: m, hook: h}
	ctx, d.cancel = context.WithCancel(ctx)
	d.ended.Go(func() {
		var left left
		for ctx.Err() == nil {
			if why := m.sender.Refuses(ctx, h.spec); why != "" {
				d.leave(ctx, &left, why)
			} else if err := d.deliver(ctx); err != nil && ctx.Err() == nil {
				m.logger.Error("a webhook is not delivered to at the moment", "organization", h.org, "webhook", h.name, "error", err)
			}
			wait(ctx, m.aside)
		}
	})
	return d
}

// deliver delivers until ctx ends, or the address is one that this process must not
// post to any more.
func (d *deliverer) deliver(ctx context.Context) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 10 * time.Second}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	router.AddMiddleware(middleware.Recoverer)
	durable := stream.Durable(d.org, d.id)
	// The clocks of the processes and of NATS may differ a little: the revision says
	// exactly where to begin.
	from := d.events.Subscriber(d.org, d.since.Add(-5*time.Minute), pauseOf)
	defer func() { _ = from.Close() }()
	router.AddConsumerHandler(durable, durable, from, d.handle)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() {
		for wait(ctx, d.aside); ctx.Err() == nil; wait(ctx, d.aside) {
			if d.refused.Swap(false) && d.sender.Refuses(ctx, d.spec) != "" {
				cancel()
			}
		}
	})
	defer watching.Wait()
	defer cancel()
	return router.Run(ctx)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// serves reports whether it delivers as h wants it. Acts alone do not make it
// start anew, which would have an event that is on its way sent twice: new
// secrets are looked up for each attempt. But one that has disabled the webhook
// and missed that it was enabled again at once must.
func (d *deliverer) serves(h hook) bool {
	return h.name == d.name && h.created == d.created && proto.Equal(h.spec, d.spec) && (h.acted == d.acted || !d.disabled.Load())
}

func (d *deliverer) stop() {
	d.cancel()
	d.ended.Wait()
}

func pauseOf(m *message.Message) time.Duration {
	pause, err := time.ParseDuration(m.Metadata.Get(metaPause))
	if err != nil {
		return time.Second
	}
	return pause
}

// again has a message come again after a while.
func again(m *message.Message, after time.Duration) error {
	m.Metadata.Set(metaPause, after.String())
	return errRefused
}

// handle decides what becomes of one event: nil is done with.
func (d *deliverer) handle(m *message.Message) error {
	var e event.CloudEvent
	if err := json.Unmarshal(m.Payload, &e); err != nil {
		d.logger.Error("a message among the public events is none: somebody else writes there", "sequence", m.UUID)
		return nil
	}
	if revision, _ := strconv.ParseUint(e.Revision, 10, 64); revision < d.created || !webhook.Wants(d.spec, &e) {
		return nil
	}
	ctx := m.Context()
	secrets, err := d.vault.Secrets(ctx, d.org, d.id, d.now())
	if err != nil || secrets.Current == "" {
		return again(m, secretPause)
	}
	attempt, _ := strconv.Atoi(m.Metadata.Get(stream.MetaDelivered))
	out := d.sender.Send(ctx, d.spec, webhook.MessageID(&e), m.Payload, secrets, d.now())
	if ctx.Err() != nil {
		// The process stops: another attempt follows at once, elsewhere or later.
		return errRefused
	}
	if out.Delivered {
		d.succeeded(ctx)
		return nil
	}
	if out.Refused {
		d.refused.Store(true)
	}
	return d.failed(m, &e, attempt, out)
}

// succeeded notes a success, where that says something new.
func (d *deliverer) succeeded(ctx context.Context) {
	now := d.now()
	if d.known && !d.failing && now.Sub(d.noted) < notePause {
		return
	}
	if d.failing {
		d.logger.Info("a webhook is taken again", "organization", d.org, "webhook", d.name)
	}
	if err := d.vault.Stands(ctx, d.org, d.id, stream.Standing{LastAttempt: now, LastSuccess: now}); err == nil {
		d.noted, d.known, d.failing = now, true, false
	}
}

// failed notes a failure and says what follows from it.
func (d *deliverer) failed(m *message.Message, e *event.CloudEvent, attempt int, out Outcome) error {
	ctx, now := m.Context(), d.now()
	delay := d.delay(attempt, out.After)
	was, err := d.vault.Standing(ctx, d.org, d.id)
	if err != nil {
		return again(m, delay)
	}
	if was.FailingSince.IsZero() {
		was.FailingSince = now
		d.logger.Warn("a webhook is not taken", "organization", d.org, "webhook", d.name, "failure", out.Failure)
	}
	d.known, d.failing = true, true
	stands := stream.Standing{
		FailingSince: was.FailingSince, LastAttempt: now, LastSuccess: was.LastSuccess,
		Failure: out.Failure, Attempts: attempt, Next: now.Add(delay),
	}
	disabled := out.Gone || webhook.Disables(d.spec, attempt, was.FailingSince, now)
	givenUp := !disabled && webhook.GivesUp(attempt)
	if disabled || givenUp {
		stands.Next = time.Time{}
	}
	if givenUp {
		stands.Attempts = 0 // of the event under way: it is so no more
	}
	if err := d.vault.Stands(ctx, d.org, d.id, stands); err != nil {
		d.logger.Warn("how a webhook fares could not be noted", "organization", d.org, "webhook", d.name, "error", err)
	}
	switch {
	case disabled:
		return d.disable(m, was.FailingSince, out)
	case givenUp:
		err := d.events.Bury(ctx, d.org, d.id, stream.Letter{
			Body: m.Payload, Failure: out.Failure, Attempts: attempt, MessageID: webhook.MessageID(e),
		})
		if err != nil {
			return again(m, delay)
		}
		if gaveUp := d.sender.observed.GaveUp; gaveUp != nil {
			gaveUp()
		}
		return nil
	}
	return again(m, delay)
}

// disable tells that nothing is delivered any more, and keeps the event until the
// manager has heard of it.
func (d *deliverer) disable(m *message.Message, since time.Time, out Outcome) error {
	if err := d.tellDisabled(m.Context(), since, out); err != nil {
		return again(m, time.Minute)
	}
	<-m.Context().Done()
	return errRefused
}

// tellDisabled tells that nothing is delivered any more.
func (d *deliverer) tellDisabled(ctx context.Context, since time.Time, out Outcome) error {
	because := webhook.Failing
	if out.Gone {
		because = webhook.Gone
	}
	// Made of what it rests on: two processes tell it once.
	request := "webhook-" + d.id + "-" + strconv.FormatInt(since.UnixNano(), 36) + "-" + because
	digest := sha256.Sum256([]byte(request))
	_, err := d.acts.Do(ctx, Act{
		Org: d.org, Principal: Principal, Manager: ManagerName, RequestID: request, Digest: digest[:], Webhook: d.name,
		Command: func(time.Time) webhook.Command {
			return webhook.Disable{Because: because, Since: since, Failure: out.Failure}
		},
	})
	if err != nil {
		d.logger.Warn("a webhook could not be disabled", "organization", d.org, "webhook", d.name, "error", err)
		return err
	}
	d.logger.Warn("a webhook is disabled", "organization", d.org, "webhook", d.name, "failure", out.Failure)
	d.disabled.Store(true)
	return nil
}
