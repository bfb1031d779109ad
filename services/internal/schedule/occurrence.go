package schedule

import (
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

// OccurrenceOn is how one occurrence of a review stood at the end of a day, by the
// days that its acts count from; nil before anything was done. A pack is there from
// the day that it evaluates on.
func OccurrenceOn(s *strategyv1.OccurrenceState, asOf calendar.Date) *strategyv1.OccurrenceState {
	day := asOf.String()
	begun := s.GetOpened() != "" && s.GetOpened() <= day
	if s == nil || !begun && (s.GetEnded() == "" || s.GetEnded() > day) {
		return nil
	}
	out := proto.Clone(s).(*strategyv1.OccurrenceState)
	if out.GetPack().GetAsOf() > day {
		out.Pack = nil
	}
	if out.GetEnded() > day || out.GetEnded() == "" {
		out.Stage, out.Ended = "open", ""
		if out.Pack != nil {
			out.Stage = "locked"
		}
	}
	out.Decisions = nil
	for _, d := range s.GetDecisions() {
		if d.GetDecided() > day {
			continue
		}
		d = proto.Clone(d).(*strategyv1.ReviewDecision)
		if d.GetSettled() > day {
			d.Status, d.Settled = "open", ""
		}
		out.Decisions = append(out.Decisions, d)
	}
	return out
}
