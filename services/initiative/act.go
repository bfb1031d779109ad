package initiative

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// State is what the acts made of an initiative; the zero one is proposed.
type State = initiativev1.InitiativeState

// Spec is what is declared of it.
type Spec = initiativev1.InitiativeSpec

// Command is one act that somebody wishes. Today is the command's day in the
// organization's time zone; an empty At stands for it.
type Command interface {
	decide(spec *Spec, s *State) (proto.Message, error)
}

// Decide returns the event that a command leads to, nil if it is already so, or
// an Invalid or Rule fault.
func Decide(spec *Spec, s *State, c Command) (proto.Message, error) { return c.decide(spec, s) }

// Evolve returns the state after an event; it does not change s.
func Evolve(s *State, event proto.Message) *State {
	out := proto.Clone(s).(*State)
	switch e := event.(type) {
	case *initiativev1.StageChanged:
		evolveStage(out, e)
	case *initiativev1.MilestoneForecast:
		m := milestone(out, e.GetMilestone())
		m.Forecast = e.GetTo()
		if e.GetTo() != "" && e.GetTo() > e.GetFrom() {
			m.Pushed++
		}
	case *initiativev1.MilestoneReached:
		milestone(out, e.GetMilestone()).Reached = e.GetAt()
	case *initiativev1.MilestoneReopened:
		milestone(out, e.GetMilestone()).Reached = ""
	case *initiativev1.SpendRecorded:
		at, found := slices.BinarySearchFunc(out.GetSpend(), e.GetPeriod(), func(x *initiativev1.Spend, p string) int { return strings.Compare(x.GetPeriod(), p) })
		if found {
			out.Spend[at].Amount = e.GetAmount()
		} else {
			out.Spend = slices.Insert(out.Spend, at, &initiativev1.Spend{Period: e.GetPeriod(), Amount: e.GetAmount()})
		}
	case *initiativev1.CompletionForecast:
		out.Completion = &initiativev1.Money{Amount: e.GetAmount(), Currency: e.GetCurrency()}
		out.CompletionPeriods = e.GetPeriods()
	case *initiativev1.BenefitRealized:
		key := e.GetTarget() + " " + e.GetAt()
		at, found := slices.BinarySearchFunc(out.GetBenefits(), key, func(x *initiativev1.Benefit, k string) int {
			return strings.Compare(x.GetTarget()+" "+x.GetAt(), k)
		})
		b := &initiativev1.Benefit{Target: e.GetTarget(), At: e.GetAt(), Amount: e.GetAmount()}
		if found {
			out.Benefits[at] = b
		} else {
			out.Benefits = slices.Insert(out.Benefits, at, b)
		}
	}
	return out
}

// day reads a date that tells of something that has happened: not to come.
func day(field, s string, today calendar.Date) (calendar.Date, error) {
	if s == "" {
		return today, nil
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "initiative.date", "%s: not a date", field).WithHint("YYYY-MM-DD")
	}
	if d.After(today) {
		return d, fault.New(fault.Invalid, "initiative.date_ahead", "%s: %s is still to come, today is %s", field, d, today).
			WithHint("what has happened has a date that is past")
	}
	return d, nil
}

// required refuses words that say nothing.
func required(field, s, reason, why string) error {
	if strings.TrimSpace(s) != "" {
		return nil
	}
	return fault.New(fault.Invalid, "initiative."+reason, "%s: %s", field, why)
}

// began refuses acts on an initiative that nobody has approved.
func began(s *State, what string) error {
	if stage(s) != Proposed {
		return nil
	}
	return fault.New(fault.Rule, "initiative.not_approved", "%s of an initiative that is only proposed", what).
		WithHint("approve it first: setpoint initiative approve NAME")
}

func list(names []string) string {
	if len(names) == 0 {
		return "it has none"
	}
	return fmt.Sprintf("legal are %s", strings.Join(names, ", "))
}
