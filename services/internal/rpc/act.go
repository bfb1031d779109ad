package rpc

import (
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/runner"
)

// Act is an event as histories show it, without its words.
func Act(t runner.Told) *commonv1.Act {
	return &commonv1.Act{
		Revision: int64(t.Commit.Revision), Recorded: Instant(t.Commit.Recorded()), Principal: t.Commit.Envelope.GetPrincipal(),
		Manager: t.Commit.Envelope.GetManager(), Type: t.Type,
	}
}
