package delivery

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
)

// Acts tells in the log what happens to webhooks.
type Acts struct {
	runner *runner.Runner
	record *record.Record
}

// NewActs makes acts.
func NewActs(r *runner.Runner, rec *record.Record) *Acts { return &Acts{r, rec} }

// Act is one that somebody wishes.
type Act struct {
	Org, Principal, Manager string
	RequestID               string
	Digest                  []byte
	Expected                uint64 // 0: any
	Webhook                 string
	Command                 func(now time.Time) webhook.Command
}

// Identify returns the id of a declared webhook, also of one that was declared a
// moment ago.
func (a *Acts) Identify(ctx context.Context, org, name string) (id string, err error) {
	return a.runner.Identify(ctx, org, webhook.Kind, name)
}

// Do carries out an act on a declared webhook.
func (a *Acts) Do(ctx context.Context, act Act) (runner.Outcome, error) {
	id, err := a.Identify(ctx, act.Org, act.Webhook)
	if err != nil {
		return runner.Outcome{}, err
	}
	subject := eventlog.Subject{Org: act.Org, Service: webhook.Service, Kind: webhook.Aggregate, ID: id}
	return a.runner.Run(ctx, runner.Command{
		Org: act.Org, RequestID: act.RequestID, Digest: act.Digest, Principal: act.Principal, Manager: act.Manager,
		Guards: []eventlog.Subject{subject},
	}, func(v record.View) ([]runner.Write, error) {
		r, err := v.Resource(act.Org, webhook.Kind, act.Webhook, v.Revision())
		if err != nil {
			return nil, err
		}
		if r == nil {
			return nil, record.Unknown(v, act.Org, webhook.Kind, act.Webhook)
		}
		state := &webhook.State{}
		at, err := record.StateOf(v, r, webhook.Service, webhook.Aggregate, v.Revision(), state)
		if err != nil {
			return nil, err
		}
		if err := a.runner.Expect(ctx, subject, act.Expected, at); err != nil {
			return nil, err
		}
		now := a.runner.Now()
		event := webhook.Decide(act.Webhook, state, act.Command(now))
		if event == nil {
			return nil, nil
		}
		typ, payload, err := webhook.Acts().Encode(event)
		if err != nil {
			return nil, err
		}
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(webhook.Evolve(state, event, now))
		return []runner.Write{{
			Subject: subject, Events: []eventlog.Event{{Type: typ, Payload: payload}},
			Effective: record.Today(v, act.Org, v.Revision(), now).String(), State: b,
		}}, err
	})
}
