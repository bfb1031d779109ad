package stream

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
)

const (
	// attempts is where a process asks those that may post to more addresses than it
	// to make an attempt. It is in no stream.
	attempts = "setpoint-webhooks.attempt"
	// mostAttempts is how many one process makes at a time for others.
	mostAttempts = 16

	headerOrg      = "Setpoint-Org"
	headerWebhook  = "Setpoint-Webhook"
	headerRevision = "Setpoint-Revision"
)

// Attempt is one that another process is to make. It says which webhook, and neither
// where it is nor what to sign with: whoever makes it looks that up.
type Attempt struct {
	Org, Webhook string // its name
	Revision     uint64 // as it was declared here
	MessageID    string
	Body         []byte
}

// ErrNobody says that no process answers.
var ErrNobody = errors.New("no process answers")

// Ask has another process make an attempt, and returns its answer. It fails as
// ErrNobody where there is none, or as Unavailable.
func (s *Stream) Ask(ctx context.Context, a Attempt) ([]byte, error) {
	m := nats.NewMsg(attempts)
	m.Header.Set(headerOrg, a.Org)
	m.Header.Set(headerWebhook, a.Webhook)
	m.Header.Set(headerRevision, strconv.FormatUint(a.Revision, 10))
	m.Header.Set(headerID, a.MessageID)
	m.Data = a.Body
	answer, err := s.nc.RequestMsgWithContext(ctx, m)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, ErrNobody
	case err != nil:
		return nil, unavailable(err)
	}
	return answer.Data, nil
}

// Answer makes the attempts that others ask for, each in one of the processes that
// answer, until ctx ends; those that are under way are ended then.
func (s *Stream) Answer(ctx context.Context, answer func(context.Context, Attempt) []byte) error {
	sub, err := s.nc.QueueSubscribeSync(attempts, attempts)
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	var underWay sync.WaitGroup
	defer underWay.Wait()
	room := make(chan struct{}, mostAttempts)
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return unavailable(err)
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		underWay.Go(func() {
			defer func() { <-room }()
			revision, _ := strconv.ParseUint(m.Header.Get(headerRevision), 10, 64)
			_ = m.Respond(answer(ctx, Attempt{
				Org: m.Header.Get(headerOrg), Webhook: m.Header.Get(headerWebhook), Revision: revision,
				MessageID: m.Header.Get(headerID), Body: m.Data,
			}))
		})
	}
}
