package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// moment is what another process may take to make an attempt, beyond the attempt.
const moment = 5 * time.Second

// Asked makes the attempts that somebody asks for: tests, and dead letters once more.
// What comes of them is what came of a delivery: where this process must not post to
// an address, one does that delivers and may.
type Asked struct {
	Sender *Sender
	Events *stream.Stream
	Vault  *stream.Vault
	Record *record.Record
	Now    func() time.Time
}

// Attempt makes one attempt.
func (a *Asked) Attempt(ctx context.Context, org string, r *record.Resource, messageID string, body []byte, secrets stream.Secrets) (Outcome, error) {
	spec := r.Spec.(*webhook.Spec)
	out := a.Sender.Send(ctx, spec, messageID, body, secrets, a.Now())
	if !out.Refused {
		return out, nil
	}
	began := time.Now()
	asking, cancel := context.WithTimeout(ctx, webhook.Timeout(spec)+moment)
	defer cancel()
	answer, err := a.Events.Ask(asking, stream.Attempt{Org: org, Webhook: r.Name, Revision: r.From, MessageID: messageID, Body: body})
	switch {
	case errors.Is(err, stream.ErrNobody):
		return out, nil
	case asking.Err() != nil && ctx.Err() == nil:
		return Outcome{Failure: "the server that may post to the address does not answer", Took: time.Since(began)}, nil
	case err != nil:
		return Outcome{}, err
	}
	var theirs Outcome
	if err := json.Unmarshal(answer, &theirs); err != nil {
		return Outcome{}, fault.Wrap(err, fault.Internal, "event.attempt", "what another process answered cannot be read")
	}
	return theirs, nil
}

// Answer makes attempts for processes that must not, until ctx ends.
func (a *Asked) Answer(ctx context.Context, logger *slog.Logger) {
	for ctx.Err() == nil {
		err := a.Events.Answer(ctx, func(ctx context.Context, asked stream.Attempt) []byte {
			b, _ := json.Marshal(a.answer(ctx, asked, logger)) // it has nothing that could fail
			return b
		})
		if err != nil && ctx.Err() == nil {
			logger.Warn("attempts of webhooks are not made for other processes at the moment", "error", err)
			wait(ctx, time.Second)
		}
	}
}

// answer makes an attempt as it is declared here: who asks names the webhook only.
func (a *Asked) answer(ctx context.Context, asked stream.Attempt, logger *slog.Logger) Outcome {
	failed := func(err error) Outcome {
		logger.Warn("an attempt could not be made for another process", "organization", asked.Org, "webhook", asked.Webhook, "error", err)
		return Outcome{Failure: "the server that may post to the address could not: its log says why"}
	}
	var r *record.Resource
	err := a.Record.At(ctx, record.Snapshot{Org: asked.Org, MinRevision: asked.Revision}, func(v record.View, at uint64) (err error) {
		if r, err = v.Resource(asked.Org, webhook.Kind, asked.Webhook, at); err == nil && r == nil {
			err = record.Unknown(v, asked.Org, webhook.Kind, asked.Webhook)
		}
		return err
	})
	if err != nil {
		return failed(err)
	}
	secrets, err := a.Vault.Secrets(ctx, asked.Org, r.ID, a.Now())
	if err != nil {
		return failed(err)
	}
	return a.Sender.Send(ctx, r.Spec.(*webhook.Spec), asked.MessageID, asked.Body, secrets, a.Now())
}

// Redelivered notes that a dead letter was taken: from then on it counts whether
// attempts fail, and the event that is under way, if one is, waits as before.
func (a *Asked) Redelivered(ctx context.Context, org, id string) {
	stands, err := a.Vault.Standing(ctx, org, id)
	if err != nil {
		return // as after any success, the next one notes it
	}
	now := a.Now()
	was := stands
	stands = stream.Standing{LastAttempt: now, LastSuccess: now}
	if was.Attempts > 0 {
		stands.FailingSince, stands.Failure, stands.Attempts, stands.Next = now, was.Failure, was.Attempts, was.Next
	}
	_ = a.Vault.Stands(ctx, org, id, stands)
}
