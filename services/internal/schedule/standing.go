package schedule

import (
	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

// On is where an initiative stood at the end of a day, by the days that its acts
// count from: what was to come then had not happened. starts is the first day of
// a period, unset if it is none.
//
// An act that was taken back has left no day behind: which of them were known is
// a matter of the revision that the state is read at. A state without stages is
// older than they are; what it can tell of earlier days is when it began.
func On(s *initiativev1.InitiativeState, asOf calendar.Date, starts func(period string) calendar.Date) *initiativev1.InitiativeState {
	day := asOf.String()
	out := proto.Clone(s).(*initiativev1.InitiativeState)
	if s.GetSince() > day {
		out.Stage, out.Since = "", ""
		if s.GetStarted() != "" && s.GetStarted() <= day {
			out.Stage, out.Since = "active", s.GetStarted()
		}
		for _, x := range s.GetStages() {
			if x.GetSince() <= day {
				out.Stage, out.Since = x.GetStage(), x.GetSince()
			}
		}
	}
	if s.GetStarted() > day {
		out.Started = ""
	}
	for _, m := range out.GetMilestones() {
		if m.GetReached() > day {
			m.Reached = ""
		}
	}
	out.Spend = nil
	for _, x := range s.GetSpend() {
		if !starts(x.GetPeriod()).After(asOf) {
			out.Spend = append(out.Spend, x)
		}
	}
	out.Benefits = nil
	for _, b := range s.GetBenefits() {
		if b.GetAt() <= day {
			out.Benefits = append(out.Benefits, b)
		}
	}
	return out
}

// ActionOn is how a corrective action stood at the end of a day; nil before it
// was opened.
func ActionOn(s *initiativev1.ActionState, asOf calendar.Date) *initiativev1.ActionState {
	day := asOf.String()
	if s.GetOpened() > day {
		return nil
	}
	if s.GetClosed() <= day {
		return s
	}
	out := proto.Clone(s).(*initiativev1.ActionState)
	out.Status, out.Closed = "open", ""
	return out
}

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
