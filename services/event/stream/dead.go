package stream

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of the letters that webhooks did not take.
const (
	headerFailure  = "Setpoint-Failure"
	headerAttempts = "Setpoint-Attempts"
	headerID       = "Webhook-Id"
)

// Letter is an event that a webhook did not take.
type Letter struct {
	Sequence  uint64 // among all dead messages
	Body      []byte // the event as it was sent
	Failure   string
	Attempts  int
	At        time.Time // when it was given up
	MessageID string
}

func letters(org, id string) string { return deadPrefix + "webhook." + org + "." + id }

// Bury keeps a letter; the same one again within the server's window is dropped.
func (s *Stream) Bury(ctx context.Context, org, id string, l Letter) error {
	ctx, cancel := within(ctx)
	defer cancel()
	m := nats.NewMsg(letters(org, id))
	m.Data = l.Body
	m.Header.Set(jetstream.MsgIDHeader, m.Subject+"/"+l.MessageID)
	m.Header.Set(headerFailure, l.Failure)
	m.Header.Set(headerAttempts, strconv.Itoa(l.Attempts))
	m.Header.Set(headerID, l.MessageID)
	if _, err := s.js.PublishMsg(ctx, m); err != nil {
		return unavailable(err)
	}
	return nil
}

// Letter reads the first letter of a webhook at or after a place, nil if there is
// none.
func (s *Stream) Letter(ctx context.Context, org, id string, from uint64) (*Letter, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	m, err := s.dead.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(letters(org, id)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	attempts, _ := strconv.Atoi(m.Header.Get(headerAttempts))
	return &Letter{
		Sequence: m.Sequence, Body: m.Data, Failure: m.Header.Get(headerFailure), Attempts: attempts,
		At: m.Time, MessageID: m.Header.Get(headerID),
	}, nil
}

// Letters counts the letters of a webhook.
func (s *Stream) Letters(ctx context.Context, org, id string) (uint64, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	info, err := s.dead.Info(ctx, jetstream.WithSubjectFilter(letters(org, id)))
	if err != nil {
		return 0, unavailable(err)
	}
	return info.State.Subjects[letters(org, id)], nil
}

// AllLetters counts the letters of all webhooks.
func (s *Stream) AllLetters(ctx context.Context) (n uint64, err error) {
	ctx, cancel := within(ctx)
	defer cancel()
	info, err := s.dead.Info(ctx, jetstream.WithSubjectFilter(deadPrefix+"webhook.>"))
	if err != nil {
		return 0, unavailable(err)
	}
	for _, some := range info.State.Subjects {
		n += some
	}
	return n, nil
}

// Taken removes a letter that was delivered after all.
func (s *Stream) Taken(ctx context.Context, sequence uint64) error {
	ctx, cancel := within(ctx)
	defer cancel()
	if err := s.dead.DeleteMsg(ctx, sequence); err != nil {
		if _, gone := s.dead.GetMsg(ctx, sequence); errors.Is(gone, jetstream.ErrMsgNotFound) {
			return nil // by somebody else
		}
		return unavailable(err)
	}
	return nil
}
