package delivery

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/internal/record"
)

// Principal and ManagerName are who disables webhooks.
const (
	Principal   = "webhooks"
	ManagerName = "webhooks"
)

// Options say what deliveries need.
type Options struct {
	Events *stream.Stream
	Vault  *stream.Vault
	Record *record.Record
	Acts   *Acts
	Sender *Sender
	Now    func() time.Time
	Logger *slog.Logger
	// Delay is how long to wait after an attempt; nil: webhook.Delay by chance.
	Delay func(attempt int, asked time.Duration) time.Duration
	// Grace is how long a webhook must be seen to be gone before its place and its
	// secrets go; 0: a minute.
	Grace time.Duration
	// Aside is how long one that may not deliver to an address leaves it to others
	// before it looks again; 0: 5 seconds.
	Aside time.Duration
}

// Manager has every webhook delivered to that is declared and not disabled. It is
// level-triggered: what runs follows from the record, whatever happened before.
type Manager struct {
	events *stream.Stream
	vault  *stream.Vault
	record *record.Record
	acts   *Acts
	sender *Sender
	now    func() time.Time
	logger *slog.Logger

	delay func(attempt int, asked time.Duration) time.Duration

	// every is how often the record is asked whether it has moved on.
	every, grace time.Duration
	aside        time.Duration
}

// NewManager makes a manager; Run runs it.
func NewManager(o Options) *Manager {
	if o.Delay == nil {
		o.Delay = func(attempt int, asked time.Duration) time.Duration {
			return webhook.Delay(attempt, rand.Float64(), asked)
		}
	}
	if o.Grace == 0 {
		o.Grace = time.Minute
	}
	if o.Aside == 0 {
		o.Aside = 5 * time.Second
	}
	return &Manager{
		events: o.Events, vault: o.Vault, record: o.Record, acts: o.Acts, sender: o.Sender, now: o.Now, logger: o.Logger,
		delay: o.Delay, every: 250 * time.Millisecond, grace: o.Grace, aside: o.Aside,
	}
}

// Run delivers until ctx ends.
func (m *Manager) Run(ctx context.Context) {
	running := map[[2]string]*deliverer{}
	gone := map[[2]string]time.Time{}
	defer func() {
		for _, d := range running {
			d.cancel()
		}
		for _, d := range running {
			d.stop()
		}
	}()
	tick := time.NewTicker(m.every)
	defer tick.Stop()
	var seen uint64
	var declared map[[2]string]bool
	var look time.Time // again, for secrets that were not there; zero: no need
	swept := time.Now()
	for {
		if at, _ := m.record.Status(); declared == nil || at != seen || !look.IsZero() && time.Now().After(look) {
			now, hooks, err := m.wanted(ctx)
			switch {
			case err == nil:
				seen, declared, look = at, now, time.Time{}
				if m.follow(ctx, running, hooks) > 0 {
					look = time.Now().Add(secretPause)
				}
			case ctx.Err() == nil:
				m.logger.Warn("webhooks are not looked after at the moment", "error", err)
			}
		}
		if now := time.Now(); declared != nil && now.Sub(swept) >= m.grace/2 {
			m.sweep(ctx, declared, gone)
			swept = now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// wanted reads which webhooks are declared, and which are delivered to.
func (m *Manager) wanted(ctx context.Context) (declared map[[2]string]bool, hooks map[[2]string]hook, err error) {
	declared, hooks = map[[2]string]bool{}, map[[2]string]hook{}
	err = m.record.View(ctx, func(v record.View) error {
		clear(declared)
		clear(hooks)
		orgs, err := v.Organizations(webhook.Kind)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			versions, err := v.Versions(org, webhook.Kind, v.Revision())
			if err != nil {
				return err
			}
			// By id and then oldest first: the first says since when there is one, and
			// the last what it is.
			for chunk := range chunks(versions) {
				r := chunk[len(chunk)-1]
				key := [2]string{org, r.ID}
				declared[key] = true
				state := &webhook.State{}
				acted, err := record.StateOf(v, r, webhook.Service, webhook.Aggregate, v.Revision(), state)
				if err != nil {
					return err
				}
				if spec := r.Spec.(*webhook.Spec); !spec.GetPaused() && !state.GetDisabled() {
					hooks[key] = hook{org: org, id: r.ID, name: r.Name, spec: spec, created: r.Created, acted: acted, since: chunk[0].Recorded}
				}
			}
		}
		return nil
	})
	return declared, hooks, err
}

// chunks are the runs of versions of one resource.
func chunks(versions []*record.Resource) func(func([]*record.Resource) bool) {
	return func(yield func([]*record.Resource) bool) {
		for from := 0; from < len(versions); {
			to := from + 1
			for to < len(versions) && versions[to].ID == versions[from].ID {
				to++
			}
			if !yield(versions[from:to]) {
				return
			}
			from = to
		}
	}
}

// follow stops what is not wanted any more, or is wanted otherwise, and starts
// what is; waiting is how many it could not start, as they have no secret to sign
// with.
func (m *Manager) follow(ctx context.Context, running map[[2]string]*deliverer, hooks map[[2]string]hook) (waiting int) {
	var stopped []*deliverer
	for key, d := range running {
		if h, ok := hooks[key]; !ok || !d.serves(h) {
			d.cancel()
			stopped = append(stopped, d)
			delete(running, key)
		}
	}
	for _, d := range stopped {
		d.stop()
	}
	for key, h := range hooks {
		if running[key] != nil {
			continue
		}
		// Not left to the handler: each look would count as an attempt.
		if secrets, err := m.vault.Secrets(ctx, h.org, h.id, m.now()); err != nil || secrets.Current == "" {
			waiting++
			continue
		}
		running[key] = m.start(ctx, h)
	}
	return waiting
}

// sweep removes places and secrets of webhooks that have been gone for a while:
// this record may be behind another process that has just declared one.
func (m *Manager) sweep(ctx context.Context, declared map[[2]string]bool, gone map[[2]string]time.Time) {
	have, err := m.events.Webhooks(ctx)
	if err != nil {
		return // next time
	}
	slices.SortFunc(have, func(a, b [2]string) int { return strings.Compare(a[0]+"."+a[1], b[0]+"."+b[1]) })
	now := time.Now()
	for key := range gone {
		if declared[key] || !slices.Contains(have, key) {
			delete(gone, key)
		}
	}
	for _, key := range have {
		since, known := gone[key]
		switch {
		case declared[key]:
		case !known:
			gone[key] = now
		case now.Sub(since) >= m.grace:
			// The place last: by it we know what there is to forget.
			if m.vault.Forget(ctx, key[0], key[1]) == nil && m.events.Forget(ctx, key[0], key[1]) == nil {
				delete(gone, key)
			}
		}
	}
}
