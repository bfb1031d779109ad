package delivery

import (
	"context"
	"time"

	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/internal/record"
)

// Observer is told what happens, for whoever measures it; each func may be nil.
type Observer struct {
	// Attempt is told of each attempt, tests and redeliveries included.
	Attempt func(Outcome)
	// GaveUp is told of each event that became a dead letter.
	GaveUp func()
}

// Observe has the attempts of a sender observed; it is for before the first.
func (s *Sender) Observe(o Observer) { s.observed = o }

// How a webhook fares, in the order of what decides.
const (
	Disabled   = "disabled"
	Paused     = "paused"
	Waiting    = "waiting" // for a secret
	Failing    = "failing"
	Delivering = "delivering"
)

// Statuses are all of them.
func Statuses() []string { return []string{Delivering, Failing, Waiting, Paused, Disabled} }

// StatusOf says how a webhook fares.
func StatusOf(spec *webhook.Spec, state *webhook.State, secrets stream.Secrets, stands stream.Standing) string {
	switch {
	case state.GetDisabled():
		return Disabled
	case spec.GetPaused():
		return Paused
	case secrets.Current == "":
		return Waiting
	case !stands.FailingSince.IsZero():
		return Failing
	}
	return Delivering
}

// Figures are how all webhooks of all organizations fare together.
type Figures struct {
	Statuses map[string]int // how many have which
	// Pending is how many events they have not been through, and Oldest when the
	// oldest of these was published; zero if there is none. Events of webhooks that
	// are paused or disabled do not count: nobody waits for them.
	Pending uint64
	Oldest  time.Time
	// DeadLetters is how many are kept.
	DeadLetters uint64
}

// Figures looks how all webhooks fare.
func (m *Manager) Figures(ctx context.Context) (Figures, error) {
	type one struct {
		org, id string
		spec    *webhook.Spec
		state   *webhook.State
	}
	var all []one
	err := m.record.View(ctx, func(v record.View) error {
		all = nil
		orgs, err := v.Organizations(webhook.Kind)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			list, err := v.Resources(org, webhook.Kind, v.Revision(), "", 0)
			if err != nil {
				return err
			}
			for _, r := range list {
				state := &webhook.State{}
				if _, err := record.StateOf(v, r, webhook.Service, webhook.Aggregate, v.Revision(), state); err != nil {
					return err
				}
				all = append(all, one{org, r.ID, r.Spec.(*webhook.Spec), state})
			}
		}
		return nil
	})
	if err != nil {
		return Figures{}, err
	}
	f := Figures{Statuses: map[string]int{}}
	if f.DeadLetters, err = m.events.AllLetters(ctx); err != nil {
		return f, err
	}
	for _, x := range all {
		secrets, err := m.vault.Secrets(ctx, x.org, x.id, m.now())
		if err != nil {
			return f, err
		}
		stands, err := m.vault.Standing(ctx, x.org, x.id)
		if err != nil {
			return f, err
		}
		status := StatusOf(x.spec, x.state, secrets, stands)
		f.Statuses[status]++
		if status == Disabled || status == Paused {
			continue
		}
		place, err := m.events.Place(ctx, x.org, x.id)
		if err != nil {
			return f, err
		}
		f.Pending += place.Pending
		if place.Pending == 0 {
			continue
		}
		at, err := m.events.Oldest(ctx, x.org, place)
		if err != nil {
			return f, err
		}
		if !at.IsZero() && (f.Oldest.IsZero() || at.Before(f.Oldest)) {
			f.Oldest = at
		}
	}
	return f, nil
}
