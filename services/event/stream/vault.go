package stream

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/ensure"
	"setpoint.dev/services/internal/fault"
)

// VaultBucket is the bucket of what is kept of webhooks beside the log.
const VaultBucket = "SETPOINT_WEBHOOKS"

// Secrets are what deliveries of a webhook are signed with.
type Secrets struct {
	Current  string    `json:"current"` // whsec_…
	Previous string    `json:"previous,omitempty"`
	Until    time.Time `json:"until,omitzero"` // up to when Previous signs too

	revision uint64
}

// Standing is how deliveries to a webhook fare.
type Standing struct {
	FailingSince time.Time `json:"failingSince,omitzero"`
	LastAttempt  time.Time `json:"lastAttempt,omitzero"`
	LastSuccess  time.Time `json:"lastSuccess,omitzero"`
	Failure      string    `json:"failure,omitempty"` // of the last attempt that failed
	Attempts     int       `json:"attempts,omitempty"`
	Next         time.Time `json:"next,omitzero"`
}

// Vault keeps the secrets of webhooks, and how they fare, in a bucket beside the
// log: neither is an event, and a secret must not be where everybody may read. One
// message an entry: the former secret is not kept longer than its overlap needs.
type Vault struct{ kv jetstream.KeyValue }

// Vault opens the bucket, or makes it.
func (s *Stream) Vault(ctx context.Context) (*Vault, error) {
	kv, err := ensure.Made(ctx,
		func(ctx context.Context) (jetstream.KeyValue, error) { return s.js.KeyValue(ctx, VaultBucket) },
		func(ctx context.Context) (jetstream.KeyValue, error) {
			return s.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: VaultBucket, Description: "Setpoint: the secrets of webhooks, and how they fare. Let nobody read it",
				History: 1, Replicas: max(1, s.public.CachedInfo().Config.Replicas),
			})
		})
	if err != nil {
		return nil, unavailable(err)
	}
	return &Vault{kv}, nil
}

func (v *Vault) get(ctx context.Context, key string, into any) (uint64, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	e, err := v.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, unavailable(err)
	}
	if err := json.Unmarshal(e.Value(), into); err != nil {
		// What is wrong with it is not said: it may hold a secret.
		return 0, fault.New(fault.Internal, "event.vault_damaged", "the entry %s of %s cannot be read", key, VaultBucket).
			WithHint("setpoint webhook rotate makes a new secret once the entry is deleted")
	}
	return e.Revision(), nil
}

// Secrets reads those of a webhook; Current is empty where there is none. A
// former one whose time is over is left out.
func (v *Vault) Secrets(ctx context.Context, org, id string, now time.Time) (Secrets, error) {
	var s Secrets
	revision, err := v.get(ctx, "secret."+key(org, id), &s)
	s.revision = revision
	if !now.Before(s.Until) {
		s.Previous, s.Until = "", time.Time{}
	}
	return s, err
}

// Keep writes the secrets over those that were read: Aborted where somebody else
// was faster.
func (v *Vault) Keep(ctx context.Context, org, id string, was, s Secrets) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	ctx, cancel := within(ctx)
	defer cancel()
	if was.revision == 0 {
		_, err = v.kv.Create(ctx, "secret."+key(org, id), b)
	} else {
		_, err = v.kv.Update(ctx, "secret."+key(org, id), b, was.revision)
	}
	var api *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == 10164) {
		return fault.New(fault.Aborted, "event.secret_changed", "somebody else is making a new secret of this webhook").
			WithHint("ask them, or make another")
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// Standing reads how a webhook fares.
func (v *Vault) Standing(ctx context.Context, org, id string) (Standing, error) {
	var s Standing
	_, err := v.get(ctx, "standing."+key(org, id), &s)
	return s, err
}

// Stands writes how a webhook fares.
func (v *Vault) Stands(ctx context.Context, org, id string, s Standing) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	ctx, cancel := within(ctx)
	defer cancel()
	if _, err := v.kv.Put(ctx, "standing."+key(org, id), b); err != nil {
		return unavailable(err)
	}
	return nil
}

// Forget removes what is kept of a webhook that is no more.
func (v *Vault) Forget(ctx context.Context, org, id string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	for _, k := range []string{"secret.", "standing."} {
		if err := v.kv.Purge(ctx, k+key(org, id)); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// key is ORG.ID, with = for ~, which a bucket does not take and no id holds.
func key(org, id string) string {
	b := []byte(org + "." + id)
	for i := range b {
		if b[i] == '~' {
			b[i] = '='
		}
	}
	return string(b)
}
