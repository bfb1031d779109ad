package eventlog

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/fault"
)

// Whole fails as Internal, with the first sequence, if the stream has fewer
// messages than it gave sequences, or if a writer found an aggregate's last
// message lost. Nothing of it need lie before a reader, so no reader tells.
// leftOut says which messages somebody has decided to do without; it is asked
// only where something is missing.
//
// It costs one question to the leader. What that does not know of its files,
// such as a flipped bit that nobody has come to yet, only Audit finds.
func (l *Log) Whole(ctx context.Context, leftOut func(context.Context) (map[uint64]bool, error)) error {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return unavailable(err)
	}
	met := l.lost.Load()
	if info.State.Msgs == info.State.LastSeq && met == nil {
		return nil // dense: the first one is 1
	}
	except, err := leftOut(ctx)
	if err != nil {
		return err
	}
	if info, err = l.stream.Info(ctx, jetstream.WithDeletedDetails(true)); err != nil {
		return unavailable(err)
	}
	state := info.State
	for n := uint64(1); n < state.FirstSeq; n++ {
		if !except[n] {
			return hole(n, state.FirstSeq)
		}
	}
	for i, n := range state.Deleted {
		if except[n] {
			continue
		}
		found := n + 1
		for _, after := range state.Deleted[i+1:] {
			if after != found {
				break
			}
			found++
		}
		return hole(n, found)
	}
	if met != nil && !except[met.Sequence] {
		return met
	}
	return nil
}

// tailLost is the damage that the last message of an aggregate is lost.
func (l *Log) tailLost(d Draft) error {
	damage := &DamageError{d.Expected, fault.New(fault.Internal, "log.aggregate_tail_lost",
		"the event log is damaged: the last change of %s %s, message %d, is lost", d.Subject.Kind, d.Subject.ID, d.Expected).
		WithHint("nothing was written, and other resources can be; setpoint doctor names everything that is damaged; " +
			"restore the newest whole backup; if none has the message: setpoint projections skip, then setpoint projections rebuild")}
	l.lost.CompareAndSwap(nil, damage)
	return damage
}
