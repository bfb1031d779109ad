package strategy

import (
	"slices"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// keptAcknowledgements bounds how many acknowledgements of one target's check-ins
// its state remembers; all are in the log.
const keptAcknowledgements = 200

// Acknowledge is a reviewer's wish to say that a check-in was read.
type Acknowledge struct {
	CheckIn   uint64 // the revision that recorded it
	About     string // the day it is about
	By        string // opaque id of who checked in
	Principal string // opaque id of who acknowledges
	Note      string
	Today     calendar.Date
}

// DecideAcknowledge returns what is recorded, nil if the same reviewer has
// acknowledged the same check-in, or a Rule fault: nobody reviews their own word.
// It is pure.
func DecideAcknowledge(s *strategyv1.CheckInAcknowledgements, c Acknowledge) (*strategyv1.CheckInAcknowledged, error) {
	if c.By == c.Principal {
		return nil, fault.New(fault.Rule, "strategy.acknowledge_own", "the check-in about %s is by %q: nobody acknowledges their own", c.About, c.By).
			WithHint("a reviewer does; who that is, --actor or the token says")
	}
	for _, a := range s.GetAcknowledgements() {
		if a.GetCheckIn() == int64(c.CheckIn) && a.GetPrincipal() == c.Principal {
			return nil, nil
		}
	}
	return &strategyv1.CheckInAcknowledged{
		CheckIn: int64(c.CheckIn), About: c.About, At: c.Today.String(), Principal: c.Principal, Note: strings.TrimSpace(c.Note),
	}, nil
}

// EvolveAcknowledgements returns the acknowledgements after one more; it does not
// change s.
func EvolveAcknowledgements(s *strategyv1.CheckInAcknowledgements, e *strategyv1.CheckInAcknowledged) *strategyv1.CheckInAcknowledgements {
	all := append(slices.Clone(s.GetAcknowledgements()), &strategyv1.Acknowledgement{
		CheckIn: e.GetCheckIn(), At: e.GetAt(), Principal: e.GetPrincipal(),
	})
	return &strategyv1.CheckInAcknowledgements{Acknowledgements: all[max(0, len(all)-keptAcknowledgements):]}
}
