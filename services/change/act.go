package change

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/schedule"
)

// State is what the acts made of a program.
type State = changev1.ChangeProgramState

// Program is what a decision on a program looks at.
type Program struct {
	Name      string // of its framework: kotter, adkar, lewin or a declared one's
	Spec      *changev1.ChangeProgramSpec
	Framework *Framework
	State     *State
}

// Command is one act on a program. Today is the command's day in the
// organization's time zone; an empty At stands for it.
type Command interface {
	decide(p Program) (event proto.Message, warnings []string, err error)
}

// Decide returns the event that a command leads to, nil if it is already so, and
// what may surprise about it; or an Invalid or Rule fault.
func Decide(p Program, c Command) (event proto.Message, warnings []string, err error) {
	return c.decide(p)
}

// Evolve returns the state after an event; it does not change p.State.
func Evolve(p Program, event proto.Message) *State {
	p.State = evolve(p.State, event)
	if len(p.Framework.GetElements()) == 0 {
		// Readers of the record do not know the frameworks.
		p.State.Readiness = ReadinessOf(p, nil, nil).Value
		p.State.Course = course(p)
	}
	return p.State
}

// course is the readiness on each day on which an act may have changed it. It
// is made anew: an act may tell of a day before another's.
func course(p Program) []*changev1.ReadinessSince {
	var days []string
	for _, s := range p.State.GetStages() {
		for _, m := range s.GetMoves() {
			days = append(days, m.GetSince())
		}
	}
	for _, f := range p.State.GetField() {
		days = append(days, f.GetFrom())
		if f.GetUntil() != "" {
			days = append(days, f.GetUntil())
		}
	}
	slices.Sort(days)
	var out []*changev1.ReadinessSince
	for _, d := range slices.Compact(days) {
		of, err := calendar.ParseDate(d)
		if err != nil {
			continue // an event of no day
		}
		then := p
		then.State = schedule.ProgramOn(p.State, of)
		out = append(out, &changev1.ReadinessSince{From: d, Readiness: ReadinessOf(then, nil, nil).Value})
	}
	return out
}

func evolve(s *State, event proto.Message) *State {
	out := proto.Clone(s).(*State)
	switch e := event.(type) {
	case *changev1.StageMoved:
		st := stageState(out, e.GetStage())
		st.Status, st.Since = e.GetTo(), e.GetAt()
		st.Moves = append(st.Moves, &changev1.StageMove{Status: e.GetTo(), Since: e.GetAt()})
		if e.GetTo() == Regressed {
			st.Regressions++
		}
	case *changev1.ForceDeclared:
		endSpan(out, e.GetForce().GetName(), e.GetAt())
		if e.GetAt() != "" {
			out.Field = append(out.Field, &changev1.ForceSpan{Force: e.GetForce(), From: e.GetAt()})
		}
		at, found := findForce(out, e.GetForce().GetName())
		if found {
			out.Forces[at] = e.GetForce()
		} else {
			out.Forces = slices.Insert(out.Forces, at, e.GetForce())
		}
	case *changev1.ForceRemoved:
		endSpan(out, e.GetForce(), e.GetAt())
		if at, found := findForce(out, e.GetForce()); found {
			out.Forces = slices.Delete(out.Forces, at, at+1)
		}
	case *changev1.ResistanceRaised:
		out.Resistance = append(out.Resistance, &changev1.ResistanceState{
			Resistance: e.GetResistance(), Title: e.GetTitle(), Audience: e.GetAudience(), Severity: e.GetSeverity(), Raised: e.GetAt(),
		})
	case *changev1.ResistanceAnswered:
		for _, r := range out.GetResistance() {
			if r.GetResistance() != e.GetResistance() {
				continue
			}
			if e.GetResponse() != "" {
				r.Responses++
			}
			if e.GetClosed() {
				r.Closed = e.GetAt()
			}
		}
	case *changev1.ReadinessMeasured:
		out.Wave, out.WaveAt, out.Audiences = e.GetWave(), e.GetAt(), e.GetAudiences()
		out.Found = append(out.Found, &changev1.WaveFound{Wave: e.GetWave(), At: e.GetAt(), Audiences: e.GetAudiences()})
	}
	return out
}

// endSpan ends what was said of a force until a day. Several assessments of
// one day leave the last.
func endSpan(s *State, force, at string) {
	for i, f := range s.GetField() {
		if f.GetForce().GetName() != force || f.GetUntil() != "" {
			continue
		}
		if f.GetFrom() == at {
			s.Field = slices.Delete(s.Field, i, i+1)
			return
		}
		f.Until = at
	}
}

// day reads a date that tells of something that has happened: not to come.
func day(field, s string, today calendar.Date) (calendar.Date, error) {
	if s == "" {
		return today, nil
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "change.date", "%s: not a date", field).WithHint("YYYY-MM-DD")
	}
	if d.After(today) {
		return d, fault.New(fault.Invalid, "change.date_ahead", "%s: %s is still to come, today is %s", field, d, today).
			WithHint("what has happened has a date that is past")
	}
	return d, nil
}

func required(field, s, reason, why string) error {
	if strings.TrimSpace(s) != "" {
		return nil
	}
	return fault.New(fault.Invalid, "change."+reason, "%s: %s", field, why)
}
