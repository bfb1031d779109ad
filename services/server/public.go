package server

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/process"
	eventrpc "setpoint.dev/services/event/rpc"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/telemetry"
)

// startEvents opens the stream of public events, and lets clients read it.
func startEvents(ctx context.Context, s *Server) (err error) {
	if s.public, err = stream.Open(ctx, s.nats, stream.Options{
		Replicas: s.replicas, MaxAge: s.opts.EventsMaxAge, MaxBytes: s.opts.EventsMaxBytes,
	}); err != nil {
		return err
	}
	if s.published, err = stream.NewSubscriber(s.nats, s.log.Shard()); err != nil {
		return err
	}
	s.onStop(s.published.Close)
	if s.vault, err = s.public.Vault(ctx); err != nil {
		return err
	}
	s.hooks = delivery.NewActs(s.commands, s.record)
	s.sender = delivery.NewSender(s.opts.WebhookAllowPrivate)
	s.sender.Observe(s.observedWebhooks())
	s.asked = &delivery.Asked{Sender: s.sender, Events: s.public, Vault: s.vault, Record: s.record, Now: s.opts.Now}
	return s.serve(eventrpc.New(s.public, s.settlePublic, eventrpc.Hooks{
		Record: s.record, Kinds: s.kinds, Acts: s.hooks, Events: s.public, Vault: s.vault, Asked: s.asked, Now: s.opts.Now,
	}))
}

// startWebhooks delivers to webhooks. Any number of processes may: each webhook has
// one consumer, which gives one event at a time.
func startWebhooks(ctx context.Context, s *Server) error {
	if s.opts.NoReactor {
		return nil
	}
	m := delivery.NewManager(delivery.Options{
		Events: s.public, Vault: s.vault, Record: s.record, Acts: s.hooks, Sender: s.sender, Now: s.opts.Now, Logger: s.opts.Logger,
	})
	s.background(ctx, m.Run)
	if s.opts.WebhookAllowPrivate {
		s.background(ctx, func(ctx context.Context) { s.asked.Answer(ctx, s.opts.Logger) })
	}
	s.webhookFigures = func(ctx context.Context) (telemetry.Webhooks, error) {
		f, err := m.Figures(ctx)
		return telemetry.Webhooks{Statuses: f.Statuses, Pending: f.Pending, Oldest: f.Oldest, DeadLetters: f.DeadLetters}, err
	}
	return nil
}

// observedWebhooks has attempts counted.
func (s *Server) observedWebhooks() delivery.Observer {
	attempt, gaveUp := s.telemetry.Webhooks()
	if attempt == nil {
		return delivery.Observer{}
	}
	return delivery.Observer{GaveUp: gaveUp, Attempt: func(o delivery.Outcome) {
		switch {
		case o.Delivered:
			attempt(telemetry.Taken, o.Took)
		case o.Status != 0:
			attempt(telemetry.Refused, o.Took)
		default:
			attempt(telemetry.Unanswered, o.Took)
		}
	}}
}

// startPublisher publishes what the log tells. Any number of processes may: they
// share one consumer, which gives one message at a time.
func startPublisher(ctx context.Context, s *Server) error {
	p := process.New(s.log.ID(), s.public, func(typ string) proto.Message { return record.Message(s.kinds, typ) }, s.opts.Logger)
	publishing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := p.Run(publishing, s.published, stream.PublishDead{Stream: s.public}); err != nil && publishing.Err() == nil {
			s.opts.Logger.Error("public events are not published any more", "error", err)
		}
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// settlePublic waits, for a moment, until what is in the log now has been
// published, so that a script that writes and reads sees what it wrote.
func (s *Server) settlePublic(ctx context.Context) error {
	last, err := s.log.LastRevision(ctx)
	if err != nil {
		return nil // what is published can be read although the log is damaged
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for {
		reached, ok, err := s.published.Reached(ctx, process.HandlerName)
		if err != nil || !ok || reached >= last {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}
