package rpc

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event"
	"setpoint.dev/services/event/delivery"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/runner"
)

// testType is the type of the event that a test sends. It is on no stream.
const testType = event.TypePrefix + "event.webhook-test.v1"

const (
	defaultOverlap = 24 * time.Hour
	// redelivering bounds one call, well within what a call may take.
	redelivering = 40 * time.Second
	secretBytes  = 32 // Standard Webhooks: between 24 and 64
)

// Hooks is what acting on webhooks needs, and asking for events by name.
type Hooks struct {
	Record *record.Record
	Kinds  *resource.Registry
	Acts   *delivery.Acts
	Events *stream.Stream
	Vault  *stream.Vault
	Asked  *delivery.Asked
	Now    func() time.Time
}

// declared reads a webhook.
func (s *Service) declared(ctx context.Context, name string) (p principal.Principal, r *record.Resource, state *webhook.State, err error) {
	if p, err = principal.From(ctx); err != nil {
		return p, nil, nil, err
	}
	if _, err := s.hooks.Acts.Identify(ctx, p.Org, name); err != nil {
		return p, nil, nil, err
	}
	state = &webhook.State{}
	err = s.hooks.Record.View(ctx, func(v record.View) error {
		if r, err = v.Resource(p.Org, webhook.Kind, name, v.Revision()); err != nil {
			return err
		}
		if r == nil {
			return record.Unknown(v, p.Org, webhook.Kind, name)
		}
		_, err = record.StateOf(v, r, webhook.Service, webhook.Aggregate, v.Revision(), state)
		return err
	})
	return p, r, state, err
}

// ListWebhooks implements EventService.
func (s *Service) ListWebhooks(ctx context.Context, req *eventv1.ListWebhooksRequest) (*eventv1.ListWebhooksResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	type one struct {
		r     *record.Resource
		state *webhook.State
	}
	var all []one
	res := &eventv1.ListWebhooksResponse{}
	err = s.hooks.Record.At(ctx, record.Snapshot{Org: p.Org, MinRevision: uint64(req.GetMinRevision())}, func(v record.View, at uint64) error {
		all, res.Revision = nil, int64(at)
		list, err := v.Resources(p.Org, webhook.Kind, at, "", 0)
		if err != nil {
			return err
		}
		for _, r := range list {
			if req.GetWebhook() != "" && r.Name != req.GetWebhook() {
				continue
			}
			state := &webhook.State{}
			if _, err := record.StateOf(v, r, webhook.Service, webhook.Aggregate, at, state); err != nil {
				return err
			}
			all = append(all, one{r, state})
		}
		if req.GetWebhook() != "" && len(all) == 0 {
			return record.Unknown(v, p.Org, webhook.Kind, req.GetWebhook())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		e, err := s.entry(ctx, p.Org, x.r, x.state)
		if err != nil {
			return nil, err
		}
		res.Webhooks = append(res.Webhooks, e)
	}
	return res, nil
}

// entry is a webhook and how it fares.
func (s *Service) entry(ctx context.Context, org string, r *record.Resource, state *webhook.State) (*eventv1.WebhookEntry, error) {
	spec := r.Spec.(*webhook.Spec)
	secrets, err := s.hooks.Vault.Secrets(ctx, org, r.ID, s.hooks.Now())
	if err != nil {
		return nil, err
	}
	stands, err := s.hooks.Vault.Standing(ctx, org, r.ID)
	if err != nil {
		return nil, err
	}
	place, err := s.hooks.Events.Place(ctx, org, r.ID)
	if err != nil {
		return nil, err
	}
	dead, err := s.hooks.Events.Letters(ctx, org, r.ID)
	if err != nil {
		return nil, err
	}
	e := &eventv1.WebhookEntry{
		Name: r.Name, Spec: spec, Status: delivery.StatusOf(spec, state, secrets, stands), DisabledBecause: state.GetDisabledBecause(), DisabledAt: state.GetDisabledAt(),
		FailingSince: instant(stands.FailingSince), LastAttempt: instant(stands.LastAttempt), LastSuccess: instant(stands.LastSuccess),
		Failure: stands.Failure, Attempts: int32(stands.Attempts), NextAttempt: instant(stands.Next),
		Pending: int64(place.Pending), DeadLetters: int32(dead), OverlapUntil: instant(secrets.Until),
	}
	if secrets.Current != "" {
		e.SecretMadeAt = state.GetSecretMadeAt()
	}
	if e.Status != delivery.Failing {
		e.NextAttempt = ""
	}
	return e, nil
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// secretsOf reads the secrets of a webhook; one that has none cannot be sent to.
func (s *Service) secretsOf(ctx context.Context, org string, r *record.Resource) (stream.Secrets, error) {
	secrets, err := s.hooks.Vault.Secrets(ctx, org, r.ID, s.hooks.Now())
	if err == nil && secrets.Current == "" {
		err = fault.New(fault.Rule, "event.webhook_without_secret", "webhook: %q has no secret to sign with", r.Name).
			WithHint("make one: setpoint webhook rotate %s", r.Name)
	}
	return secrets, err
}

// TestWebhook implements EventService.
func (s *Service) TestWebhook(ctx context.Context, req *eventv1.TestWebhookRequest) (*eventv1.TestWebhookResponse, error) {
	p, r, _, err := s.declared(ctx, req.GetWebhook())
	if err != nil {
		return nil, err
	}
	secrets, err := s.secretsOf(ctx, p.Org, r)
	if err != nil {
		return nil, err
	}
	now := s.hooks.Now()
	e := event.CloudEvent{
		SpecVersion: "1.0", ID: "test-" + rand.Text(), Source: "/setpoint/test/" + p.Org, Type: testType,
		Subject: "webhook/" + r.ID, Time: now.UTC().Format(time.RFC3339Nano), DataContentType: "application/json",
		Revision: strconv.FormatUint(r.From, 10), Principal: p.ID, Data: json.RawMessage(`{"webhook":` + strconv.Quote(r.Name) + `}`),
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	id := webhook.MessageID(&e)
	out, err := s.hooks.Asked.Attempt(ctx, p.Org, r, id, body, secrets)
	if err != nil {
		return nil, err
	}
	return &eventv1.TestWebhookResponse{
		Delivered: out.Delivered, Status: int32(out.Status), Failure: out.Failure, Milliseconds: out.Took.Milliseconds(),
		Event: string(body), WebhookId: id,
	}, nil
}

// RotateWebhookSecret implements EventService.
func (s *Service) RotateWebhookSecret(ctx context.Context, req *eventv1.RotateWebhookSecretRequest) (*eventv1.RotateWebhookSecretResponse, error) {
	p, r, _, err := s.declared(ctx, req.GetWebhook())
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	now := s.hooks.Now()
	was, err := s.hooks.Vault.Secrets(ctx, p.Org, r.ID, now)
	if err != nil {
		return nil, err
	}
	overlap := defaultOverlap
	if h := req.GetOverlapHours(); h != 0 {
		overlap = time.Duration(max(h, 0)) * time.Hour
	}
	made := stream.Secrets{Current: newSecret()}
	if was.Current != "" && overlap > 0 {
		made.Previous, made.Until = was.Current, now.Add(overlap).Truncate(time.Second)
	}
	out, err := s.hooks.Acts.Do(ctx, delivery.Act{
		Org: p.Org, Principal: p.ID, Manager: cmp.Or(req.GetManager(), "api"), RequestID: req.GetRequestId(), Digest: digest,
		Expected: uint64(req.GetExpectedRevision()), Webhook: r.Name,
		Command: func(time.Time) webhook.Command { return webhook.Rotate{Until: made.Until} },
	})
	if err != nil {
		return nil, err
	}
	if out.Replayed != nil {
		return nil, fault.New(fault.Rule, "event.secret_shown", "request_id: this request has made a secret at revision %d, and it was shown then", out.Revision).
			WithHint("make another one, with another request_id")
	}
	// After the event: a secret that nobody was shown must not be one that counts
	// without anybody knowing.
	if err := s.hooks.Vault.Keep(ctx, p.Org, r.ID, was, made); err != nil {
		return nil, err
	}
	return &eventv1.RotateWebhookSecretResponse{Revision: int64(out.Revision), Secret: made.Current, OverlapUntil: instant(made.Until)}, nil
}

func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

// EnableWebhook implements EventService.
func (s *Service) EnableWebhook(ctx context.Context, req *eventv1.EnableWebhookRequest) (*eventv1.EnableWebhookResponse, error) {
	p, r, _, err := s.declared(ctx, req.GetWebhook())
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	// Before it is enabled: or the next failure would disable it again, as it has
	// been failing for so long.
	stands, err := s.hooks.Vault.Standing(ctx, p.Org, r.ID)
	if err == nil && !stands.FailingSince.IsZero() {
		err = s.hooks.Vault.Stands(ctx, p.Org, r.ID, stream.Standing{LastAttempt: stands.LastAttempt, LastSuccess: stands.LastSuccess})
	}
	if err != nil {
		return nil, err
	}
	out, err := s.hooks.Acts.Do(ctx, delivery.Act{
		Org: p.Org, Principal: p.ID, Manager: cmp.Or(req.GetManager(), "api"), RequestID: req.GetRequestId(), Digest: digest,
		Expected: uint64(req.GetExpectedRevision()), Webhook: r.Name,
		Command: func(time.Time) webhook.Command { return webhook.Enable{} },
	})
	return &eventv1.EnableWebhookResponse{Revision: int64(out.Revision), Changed: out.Wrote}, err
}

// ListDeadLetters implements EventService.
func (s *Service) ListDeadLetters(ctx context.Context, req *eventv1.ListDeadLettersRequest) (*eventv1.ListDeadLettersResponse, error) {
	p, r, _, err := s.declared(ctx, req.GetWebhook())
	if err != nil {
		return nil, err
	}
	size := int(cmp.Or(req.GetPageSize(), 100))
	from, _ := strconv.ParseUint(req.GetPageToken(), 10, 64) // its pattern was checked
	res := &eventv1.ListDeadLettersResponse{}
	for {
		l, err := s.hooks.Events.Letter(ctx, p.Org, r.ID, from)
		if err != nil || l == nil {
			return res, err
		}
		if len(res.GetDeadLetters()) == size {
			res.NextPageToken = strconv.FormatUint(l.Sequence, 10)
			return res, nil
		}
		res.DeadLetters = append(res.DeadLetters, &eventv1.DeadLetter{
			Letter: strconv.FormatUint(l.Sequence, 10), Event: string(l.Body), Failure: l.Failure, Attempts: int32(l.Attempts),
			At: instant(l.At), WebhookId: l.MessageID,
		})
		from = l.Sequence + 1
	}
}

// Redeliver implements EventService.
func (s *Service) Redeliver(ctx context.Context, req *eventv1.RedeliverRequest) (*eventv1.RedeliverResponse, error) {
	p, r, _, err := s.declared(ctx, req.GetWebhook())
	if err != nil {
		return nil, err
	}
	secrets, err := s.secretsOf(ctx, p.Org, r)
	if err != nil {
		return nil, err
	}
	next, named := s.all(p.Org, r.ID), 0
	if len(req.GetLetters()) > 0 {
		letters, err := s.named(ctx, p.Org, r.ID, req.GetLetters())
		if err != nil {
			return nil, err
		}
		next, named = oneByOne(letters), len(letters)
	}
	res := &eventv1.RedeliverResponse{}
	until := time.Now().Add(redelivering)
	for time.Now().Before(until) {
		l, err := next(ctx)
		if err != nil {
			return nil, err
		}
		if l == nil {
			break
		}
		out, err := s.hooks.Asked.Attempt(ctx, p.Org, r, l.MessageID, l.Body, secrets)
		if err != nil {
			return nil, err
		}
		if !out.Delivered {
			res.Failure = out.Failure
			break
		}
		if err := s.hooks.Events.Taken(ctx, l.Sequence); err != nil {
			return nil, err
		}
		res.Delivered++
	}
	if res.GetDelivered() > 0 {
		s.hooks.Asked.Redelivered(ctx, p.Org, r.ID)
	}
	remaining, err := s.hooks.Events.Letters(ctx, p.Org, r.ID)
	if named > 0 {
		res.Remaining = int32(named) - res.GetDelivered()
	} else {
		res.Remaining = int32(remaining)
	}
	return res, err
}

// all gives the letters of a webhook one by one, nil at the end.
func (s *Service) all(org, id string) func(context.Context) (*stream.Letter, error) {
	from := uint64(0)
	return func(ctx context.Context) (*stream.Letter, error) {
		l, err := s.hooks.Events.Letter(ctx, org, id, from)
		if l != nil {
			from = l.Sequence + 1
		}
		return l, err
	}
}

// named looks that all letters are there before any is sent: each once, oldest first.
func (s *Service) named(ctx context.Context, org, id string, names []string) ([]*stream.Letter, error) {
	var found []*stream.Letter
	for i, name := range names {
		sequence, _ := strconv.ParseUint(name, 10, 64) // its pattern was checked
		l, err := s.hooks.Events.Letter(ctx, org, id, sequence)
		if err != nil {
			return nil, err
		}
		if l == nil || l.Sequence != sequence {
			return nil, fault.New(fault.NotFound, "event.letter_unknown", "letters[%d]: there is no dead letter %s of this webhook", i, name).
				WithHint("setpoint webhook dead-letters lists them")
		}
		found = append(found, l)
	}
	slices.SortFunc(found, func(a, b *stream.Letter) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return slices.CompactFunc(found, func(a, b *stream.Letter) bool { return a.Sequence == b.Sequence }), nil
}

// oneByOne gives letters one by one, nil at the end.
func oneByOne(letters []*stream.Letter) func(context.Context) (*stream.Letter, error) {
	return func(context.Context) (*stream.Letter, error) {
		if len(letters) == 0 {
			return nil, nil
		}
		l := letters[0]
		letters = letters[1:]
		return l, nil
	}
}
