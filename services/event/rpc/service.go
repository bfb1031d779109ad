// Package rpc gives public events to clients that do not speak NATS. An
// organization's principals see the events of that organization only.
package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/services/event"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
)

// Events are the stored ones.
type Events interface {
	Read(ctx context.Context, org string, after uint64) (*stream.Reader, error)
	Last(ctx context.Context, org string) (*event.CloudEvent, uint64, error)
	Bounds(ctx context.Context) (first, last uint64, err error)
}

// Service implements EventService.
type Service struct {
	events Events
	// settled waits until what is in the log is published, or for a moment.
	settled func(ctx context.Context) error
	places  chan struct{} // one for each subscriber
	// slow is how long one event may take to be taken.
	slow  time.Duration
	hooks Hooks
}

var _ eventv1connect.EventServiceHandler = (*Service)(nil)

// New returns the service to mount.
func New(events Events, settled func(ctx context.Context) error, hooks Hooks) rpc.Service {
	s := &Service{events: events, settled: settled, hooks: hooks, places: make(chan struct{}, 128), slow: 10 * time.Second}
	return rpc.Service{
		Name: eventv1connect.EventServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return eventv1connect.NewEventServiceHandler(s, opts...)
		},
	}
}

// Subscribe implements EventService.
func (s *Service) Subscribe(ctx context.Context, req *eventv1.SubscribeRequest, to *connect.ServerStream[eventv1.SubscribeResponse]) error {
	who, err := principal.From(ctx)
	if err != nil {
		return err
	}
	if err := known(req.GetTypes()); err != nil {
		return err
	}
	about, err := s.about(ctx, who.Org, req.GetSubject())
	if err != nil {
		return err
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return fault.New(fault.Exhausted, "event.too_many_subscribers", "%d clients have subscribed already", cap(s.places)).
			WithHint("subscribe on NATS, or try again later")
	}
	after, err := s.begin(ctx, req.GetCursor())
	if err != nil {
		return err
	}
	end := uint64(0)
	if !req.GetFollow() {
		if err := s.settled(ctx); err != nil {
			return err
		}
		if _, end, err = s.events.Last(ctx, who.Org); err != nil || end <= after {
			return err
		}
	}
	reader, err := s.events.Read(ctx, who.Org, after)
	if err != nil {
		return err
	}
	defer reader.Close()
	o := outlet{to: to, slow: s.slow, cursor: after}
	beat := time.Duration(req.GetHeartbeatSeconds()) * time.Second
	if beat == 0 {
		beat = 15 * time.Second
	}
	if req.GetFollow() {
		// At once: the client learns that it is heard.
		if err := o.send(""); err != nil {
			return err
		}
	}
	for {
		waiting, cancel := context.WithDeadline(ctx, o.sent.Add(beat))
		if !req.GetFollow() {
			cancel()
			waiting, cancel = context.WithTimeout(ctx, beat)
		}
		body, place, err := reader.Next(waiting)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			if err := o.send(""); err != nil {
				return err
			}
			if end == 0 {
				continue
			}
			// The last one may have been dropped meanwhile, by the stream's limits.
			if _, end, err = s.events.Last(ctx, who.Org); err != nil || end <= o.cursor {
				return err
			}
			continue
		case err != nil:
			return err
		}
		o.cursor = place
		wanted, err := wants(req, about, body)
		if err == nil && wanted {
			err = o.send(string(body))
		}
		if err != nil || end != 0 && place >= end {
			return err
		}
	}
}

// known refuses types of which the catalogue has none: who waits for a mistyped one
// would wait for ever. One beside others may be of a version to come.
func known(asked []string) error {
	if len(asked) == 0 || slices.ContainsFunc(event.Catalogue(), func(e event.Entry) bool { return e.Public() && event.Matches(e.Type(), asked) }) {
		return nil
	}
	return fault.New(fault.Invalid, "event.type_unknown", "types: there are no events of type %q", asked[0]).
		WithHint("a type such as gap.opened.v1, or how it begins, such as gap or initiative; docs/events.md lists all")
}

// begin is the place after which to read.
func (s *Service) begin(ctx context.Context, cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	after, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return 0, fault.Wrap(err, fault.Invalid, "event.cursor", "cursor: %q is none", cursor).WithHint("give one that a response had")
	}
	first, last, err := s.events.Bounds(ctx)
	switch {
	case err != nil:
		return 0, err
	case after > last:
		return 0, fault.New(fault.Rule, "event.cursor_ahead", "cursor: %d is beyond the newest event, %d", after, last).
			WithHint("the events were published anew: begin at the beginning, without a cursor")
	case after+1 < first && after > 0:
		return 0, fault.New(fault.Rule, "event.cursor_gone", "cursor: events after %d are not kept any more; the oldest is %d", after, first).
			WithHint("what is declared now is told by the API; begin at the beginning, without a cursor")
	}
	return after, nil
}

// about are the subjects that a client asks for: what it said, and what has that name
// now, as events say the name that a resource was first declared with. A kind that no
// event is about is refused: who waits for a mistyped one would wait for ever.
func (s *Service) about(ctx context.Context, org, asked string) ([]string, error) {
	if asked == "" {
		return nil, nil
	}
	token, name, named := strings.Cut(asked, "/")
	if !slices.Contains(event.Subjects(), token) {
		return nil, fault.New(fault.Invalid, "event.subject_unknown", "subject: no event is about any %q", token).
			WithHint("one such as target/vacant-space, or target for all; legal are %s", strings.Join(event.Subjects(), ", "))
	}
	out := []string{asked}
	kinds := s.hooks.Kinds.Kinds()
	i := slices.IndexFunc(kinds, func(k resource.Kind) bool { return k.Token == token })
	if !named || i < 0 {
		return out, nil
	}
	err := s.hooks.Record.At(ctx, record.Snapshot{Org: org}, func(v record.View, at uint64) error {
		out = []string{asked}
		r, err := v.Resource(org, kinds[i].Name, name, at)
		if r != nil && r.ID != name {
			out = append(out, token+"/"+r.ID)
		}
		return err
	})
	return out, err
}

// wants tells whether the client asked for an event.
func wants(req *eventv1.SubscribeRequest, about []string, body []byte) (bool, error) {
	if len(req.GetTypes()) == 0 && len(about) == 0 && req.GetFromRevision() == 0 {
		return true, nil
	}
	var e event.CloudEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return false, fault.Wrap(err, fault.Internal, "event.foreign", "a message of %s is no public event: somebody else writes there", stream.Name)
	}
	revision, _ := strconv.ParseInt(e.Revision, 10, 64)
	return event.Matches(e.Type, req.GetTypes()) && revision >= req.GetFromRevision() && event.About(e.Subject, about), nil
}

// outlet sends, and gives up on who does not take.
type outlet struct {
	to interface {
		Send(*eventv1.SubscribeResponse) error
	}
	slow   time.Duration
	cursor uint64
	sent   time.Time
}

func (o *outlet) send(body string) error {
	began := time.Now()
	err := o.to.Send(&eventv1.SubscribeResponse{Event: body, Cursor: strconv.FormatUint(o.cursor, 10)})
	o.sent = time.Now()
	if took := o.sent.Sub(began); took > o.slow {
		return fault.New(fault.Exhausted, "event.slow_consumer", "an event took %s to be taken; at most %s is waited", took.Round(time.Second), o.slow).
			WithHint("go on with the cursor %d, or subscribe on NATS, which keeps place for you", o.cursor)
	}
	return err
}
