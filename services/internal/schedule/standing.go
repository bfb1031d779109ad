package schedule

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
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

// ProgramOn is where a change program stood at the end of a day, by the days of
// its acts: stages that moved, forces as they were assessed, waves that were
// closed and resistance that was raised by then. What was so on other days is
// left out. A state that kept no days (it is older than they are) stays as it is
// in that part.
func ProgramOn(s *changev1.ChangeProgramState, asOf calendar.Date) *changev1.ChangeProgramState {
	day := asOf.String()
	out := &changev1.ChangeProgramState{Wave: s.GetWave(), WaveAt: s.GetWaveAt(), Audiences: s.GetAudiences(), Readiness: s.Readiness}
	for _, x := range s.GetStages() {
		if st := stageOn(x, day); st != nil {
			out.Stages = append(out.Stages, st)
		}
	}
	out.Forces = forcesOn(s, day)
	for _, r := range s.GetResistance() {
		if r.GetRaised() > day {
			continue
		}
		r = proto.Clone(r).(*changev1.ResistanceState)
		if r.GetClosed() > day {
			r.Closed = ""
		}
		out.Resistance = append(out.Resistance, r)
	}
	if s.GetWaveAt() > day {
		out.Wave, out.WaveAt, out.Audiences = "", "", nil
		for _, w := range s.GetFound() {
			if w.GetAt() <= day && w.GetAt() >= out.GetWaveAt() {
				out.Wave, out.WaveAt, out.Audiences = w.GetWave(), w.GetAt(), w.GetAudiences()
			}
		}
	}
	if len(s.GetCourse()) > 0 && s.GetCourse()[0].GetFrom() > day {
		out.Readiness = nil
	}
	for _, c := range s.GetCourse() {
		if c.GetFrom() <= day {
			out.Readiness = c.Readiness
		}
	}
	return out
}

// stageOn is nil where nothing had been said of the stage.
func stageOn(s *changev1.StageState, day string) *changev1.StageState {
	if s.GetSince() <= day {
		return s
	}
	if len(s.GetMoves()) == 0 {
		return nil
	}
	out := &changev1.StageState{Stage: s.GetStage()}
	for _, m := range s.GetMoves() {
		if m.GetSince() > day {
			break
		}
		out.Status, out.Since = m.GetStatus(), m.GetSince()
		out.Moves = append(out.Moves, m)
		if m.GetStatus() == "regressed" {
			out.Regressions++
		}
	}
	if out.GetStatus() == "" {
		return nil
	}
	return out
}

// forcesOn keeps the order of names.
func forcesOn(s *changev1.ChangeProgramState, day string) []*changev1.Force {
	var out []*changev1.Force
	dated := map[string]bool{}
	for _, f := range s.GetField() {
		dated[f.GetForce().GetName()] = true
		if f.GetFrom() <= day && (f.GetUntil() == "" || f.GetUntil() > day) {
			out = append(out, f.GetForce())
		}
	}
	for _, f := range s.GetForces() {
		if !dated[f.GetName()] {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *changev1.Force) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out
}
