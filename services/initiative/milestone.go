package initiative

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// ForecastMilestone says when a milestone is now expected; an empty Date
// withdraws the forecast.
type ForecastMilestone struct {
	Milestone, Date, Reason string
	Today                   calendar.Date
}

// ReachMilestone says that a milestone is done.
type ReachMilestone struct {
	Milestone, At, Evidence string
	Today                   calendar.Date
}

// ReopenMilestone takes that back.
type ReopenMilestone struct{ Milestone, Reason string }

func (c ForecastMilestone) decide(spec *Spec, s *State) (proto.Message, error) {
	planned, err := plannedMilestone(spec, c.Milestone)
	if err != nil {
		return nil, err
	}
	have := findMilestone(s, c.Milestone)
	if have.GetReached() != "" {
		return nil, fault.New(fault.Rule, "initiative.milestone_reached", "milestone: %q was reached on %s", c.Milestone, have.GetReached()).
			WithHint("what is done needs no forecast; reopen it if it is not")
	}
	if c.Date == have.GetForecast() {
		return nil, nil
	}
	from := have.GetForecast()
	if from == "" {
		from = planned
	}
	if c.Date != "" {
		d, err := calendar.ParseDate(c.Date)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "initiative.date", "date: not a date").WithHint("YYYY-MM-DD")
		}
		if d.Before(c.Today) {
			return nil, fault.New(fault.Invalid, "initiative.forecast_past", "date: %s is past, today is %s", d, c.Today).
				WithHint("a forecast is of a day to come; what is done is reached")
		}
		if d.String() > from {
			if err := required("reason", c.Reason, "reason", "pushing a milestone from "+from+" to "+d.String()+" needs a reason"); err != nil {
				return nil, err
			}
		}
	}
	return &initiativev1.MilestoneForecast{Milestone: c.Milestone, From: from, To: c.Date, Reason: strings.TrimSpace(c.Reason)}, nil
}

func (c ReachMilestone) decide(spec *Spec, s *State) (proto.Message, error) {
	if _, err := plannedMilestone(spec, c.Milestone); err != nil {
		return nil, err
	}
	if err := began(s, "a milestone"); err != nil {
		return nil, err
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, err
	}
	switch reached := findMilestone(s, c.Milestone).GetReached(); reached {
	case "":
	case at.String():
		return nil, nil
	default:
		return nil, fault.New(fault.Rule, "initiative.milestone_reached", "milestone: %q was reached on %s, not %s", c.Milestone, reached, at).
			WithHint("reopen it first if that is wrong")
	}
	return &initiativev1.MilestoneReached{Milestone: c.Milestone, At: at.String(), Evidence: strings.TrimSpace(c.Evidence)}, nil
}

func (c ReopenMilestone) decide(spec *Spec, s *State) (proto.Message, error) {
	if _, err := plannedMilestone(spec, c.Milestone); err != nil {
		return nil, err
	}
	if findMilestone(s, c.Milestone).GetReached() == "" {
		return nil, nil
	}
	if err := required("reason", c.Reason, "reason", "reopening a milestone needs a reason"); err != nil {
		return nil, err
	}
	return &initiativev1.MilestoneReopened{Milestone: c.Milestone, Reason: strings.TrimSpace(c.Reason)}, nil
}

// plannedMilestone is the planned date of a milestone of the plan.
func plannedMilestone(spec *Spec, name string) (string, error) {
	var names []string
	for _, m := range spec.GetMilestones() {
		if m.GetName() == name {
			return m.GetPlanned(), nil
		}
		names = append(names, m.GetName())
	}
	return "", fault.New(fault.NotFound, "initiative.milestone_unknown", "milestone: the initiative has no milestone %q", name).
		WithHint("%s", list(names))
}

// findMilestone returns nil if no act has touched the milestone.
func findMilestone(s *State, name string) *initiativev1.MilestoneState {
	for _, m := range s.GetMilestones() {
		if m.GetName() == name {
			return m
		}
	}
	return nil
}

// milestone returns the milestone's state, and makes it if there is none.
func milestone(s *State, name string) *initiativev1.MilestoneState {
	at, found := slices.BinarySearchFunc(s.GetMilestones(), name, func(m *initiativev1.MilestoneState, n string) int {
		return strings.Compare(m.GetName(), n)
	})
	if !found {
		s.Milestones = slices.Insert(s.Milestones, at, &initiativev1.MilestoneState{Name: name})
	}
	return s.Milestones[at]
}

// unreached lists the milestones of the plan that are not done.
func unreached(spec *Spec, s *State) []string {
	var out []string
	for _, m := range spec.GetMilestones() {
		if findMilestone(s, m.GetName()).GetReached() == "" {
			out = append(out, m.GetName())
		}
	}
	return out
}
