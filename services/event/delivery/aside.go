package delivery

import (
	"context"
	"time"

	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/event/webhook"
)

// left is what a process that must not post to an address has seen of others that may.
type left struct {
	told bool
	// alone is since when events wait and nobody attempts anything; zero: somebody
	// does, or none waits.
	alone time.Time
}

// leave leaves a webhook to processes that may deliver to it: it takes no event, as
// each would count as an attempt. Where no process does, it says how the webhook
// fares, and disables it in the end, as whoever had tried would.
func (d *deliverer) leave(ctx context.Context, l *left, why string) {
	if d.disabled.Load() {
		return // until the manager has heard of it
	}
	if !l.told {
		l.told = true
		d.logger.Info("a webhook is left to processes that may deliver to it", "organization", d.org, "webhook", d.name, "because", why)
	}
	place, err := d.events.Place(ctx, d.org, d.id)
	if err != nil {
		return
	}
	stands, err := d.vault.Standing(ctx, d.org, d.id)
	if err != nil {
		return
	}
	now := d.now()
	ours := stands.Failure == why && stands.Attempts == 0
	switch {
	case place.Begun && place.Pending == 0:
		l.alone = time.Time{}
		if ours { // somebody has delivered what waited
			_ = d.vault.Stands(ctx, d.org, d.id, stream.Standing{LastAttempt: stands.LastAttempt, LastSuccess: stands.LastSuccess})
		}
		return
	case now.Sub(stands.LastAttempt) < 2*d.aside, now.Sub(stands.Next) < 2*d.aside:
		l.alone = time.Time{}
		return
	case l.alone.IsZero():
		l.alone = now
		return
	case now.Sub(l.alone) < d.aside:
		return
	}
	if !ours {
		if stands.FailingSince.IsZero() {
			stands.FailingSince = now
		}
		stands = stream.Standing{FailingSince: stands.FailingSince, LastAttempt: stands.LastAttempt, LastSuccess: stands.LastSuccess, Failure: why}
		if d.vault.Stands(ctx, d.org, d.id, stands) != nil {
			return
		}
	}
	if now.Sub(stands.FailingSince) >= webhook.DisableAfter(d.spec) {
		_ = d.tellDisabled(ctx, stands.FailingSince, Outcome{Failure: why})
	}
}
