package strategy

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Acts are the events of this slice that travel with the state they lead to, by
// wire name.
func Acts() resource.Acts {
	return resource.Acts{
		{Type: "strategy.check_in_requested.v1", New: func() proto.Message { return &strategyv1.CheckInRequested{} }},
		{Type: "strategy.check_in_acknowledged.v1", New: func() proto.Message { return &strategyv1.CheckInAcknowledged{} }},
		{Type: "strategy.review_opened.v1", New: func() proto.Message { return &strategyv1.ReviewOpened{} }},
		{Type: "strategy.review_locked.v1", New: func() proto.Message { return &strategyv1.ReviewLocked{} }},
		{Type: "strategy.decision_recorded.v1", New: func() proto.Message { return &strategyv1.DecisionRecorded{} }},
		{Type: "strategy.decision_settled.v1", New: func() proto.Message { return &strategyv1.DecisionSettled{} }},
		{Type: "strategy.review_closed.v1", New: func() proto.Message { return &strategyv1.ReviewClosed{} }},
		{Type: "strategy.review_skipped.v1", New: func() proto.Message { return &strategyv1.ReviewSkipped{} }},
	}
}

// keptRequests bounds how many requests of one target its state remembers.
const keptRequests = 50

// RequestCheckIn is the wish that the owner of a target checks in.
type RequestCheckIn struct {
	Reason, Due, Policy string
	Principal           string // opaque id of who asks
	Today               calendar.Date
	After               uint64 // the revision that the decision knows
}

// Told places a check-in: the day it is about and the revision that recorded it.
type Told struct {
	At       string
	Revision uint64
}

// Answered tells whether one of the check-ins answers a request: it came after
// it, and is about that day or a later one.
func Answered(r *strategyv1.CheckInRequested, told []Told) bool {
	return slices.ContainsFunc(told, func(c Told) bool {
		return c.Revision > uint64(r.GetAfter()) && c.At >= r.GetAt()
	})
}

// DecideRequest returns what is recorded, nil if it is asked for already, or an
// Invalid fault. A policy asks once until it is answered; people ask once for the
// same day. It is pure.
func DecideRequest(s *strategyv1.CheckInRequests, told []Told, c RequestCheckIn) (*strategyv1.CheckInRequested, error) {
	due, err := calendar.ParseDate(c.Due)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "strategy.request_due", "due: not a date").WithHint("YYYY-MM-DD, the last day on which the check-in is in time")
	}
	if due.Before(c.Today) {
		return nil, fault.New(fault.Invalid, "strategy.request_due", "due: %s is past, today is %s", due, c.Today).
			WithHint("give whoever owns the target a day to come, or today")
	}
	reason := strings.TrimSpace(c.Reason)
	if reason == "" {
		return nil, fault.New(fault.Invalid, "strategy.request_reason", "reason: a request needs one").
			WithHint("say what is to be told; it is shown in lists of what is due, so name no person")
	}
	for _, r := range s.GetRequests() {
		same := r.GetPolicy() == c.Policy && (c.Policy != "" || r.GetDue() == due.String())
		if same && !Answered(r, told) {
			return nil, nil
		}
	}
	return &strategyv1.CheckInRequested{
		Reason: reason, Due: due.String(), At: c.Today.String(), Policy: c.Policy, Principal: c.Principal, After: int64(c.After),
	}, nil
}

// EvolveRequests returns the requests after one more; it does not change s.
func EvolveRequests(s *strategyv1.CheckInRequests, e *strategyv1.CheckInRequested) *strategyv1.CheckInRequests {
	all := append(slices.Clone(s.GetRequests()), e)
	return &strategyv1.CheckInRequests{Requests: all[max(0, len(all)-keptRequests):]}
}
