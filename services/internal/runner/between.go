package runner

import (
	"context"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// How much of what came between is told: the newest commits, and of each the
// first changes.
const (
	mostIntervening = 50
	mostChanges     = 20
)

// Between is what was written to an aggregate after a revision that a client
// expected it to stand at, oldest first: who, when, and the changes that an
// envelope holds, in words. It is for an error that is on its way: where the
// log cannot be read it is nothing.
func (r *Runner) Between(ctx context.Context, s eventlog.Subject, expected uint64, changes func(*eventlog.Record) []string) []fault.Intervening {
	commits, err := r.Commits(ctx, s, expected)
	if err != nil {
		return nil
	}
	var out []fault.Intervening
	for _, m := range commits[max(0, len(commits)-mostIntervening):] {
		all := changes(m)
		out = append(out, fault.Intervening{
			Revision: m.Revision, Recorded: m.Recorded(),
			Principal: m.Envelope.GetPrincipal(), Manager: m.Envelope.GetManager(),
			Changes: all[:min(len(all), mostChanges)], Count: len(all),
		})
	}
	return out
}
