package initiative

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// The stages of an initiative's life.
const (
	Proposed  = "proposed"
	Approved  = "approved"
	Active    = "active"
	Paused    = "paused"
	Completed = "completed"
	Cancelled = "cancelled"
)

// lifecycle says where each stage may lead. Leaving completed or cancelled is a
// reopening.
var lifecycle = map[string][]string{
	Proposed:  {Approved, Cancelled},
	Approved:  {Active, Proposed, Cancelled},
	Active:    {Paused, Completed, Cancelled},
	Paused:    {Active, Cancelled},
	Completed: {Active},
	Cancelled: {Proposed},
}

// Next lists the stages that may follow one.
func Next(from string) []string { return lifecycle[from] }

// InProgress tells whether an initiative in a stage is expected to deliver what
// it promises: it is approved and has not been given up.
func InProgress(stage string) bool {
	return stage == Approved || stage == Active || stage == Paused
}

func stage(s *State) string {
	if s.GetStage() == "" {
		return Proposed
	}
	return s.GetStage()
}

// StageOf is where an initiative stands: proposed, if nothing has happened yet.
func StageOf(s *State) string { return stage(s) }

// ChangeStage is the wish to move along the lifecycle.
type ChangeStage struct {
	To, At, Reason string
	Today          calendar.Date
}

func (c ChangeStage) decide(spec *Spec, s *State) (proto.Message, error) {
	from := stage(s)
	if c.To == from {
		return nil, nil
	}
	if !slices.Contains(lifecycle[from], c.To) {
		return nil, fault.New(fault.Rule, "initiative.stage", "to: the initiative is %s, from where it cannot become %s", from, c.To).
			WithHint("from %s it can become %s", from, strings.Join(lifecycle[from], " or "))
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, err
	}
	if s.GetSince() != "" && at.String() < s.GetSince() {
		return nil, fault.New(fault.Invalid, "initiative.stage_before", "at: %s is before %s, since when it is %s", at, s.GetSince(), from)
	}
	switch open := unreached(spec, s); {
	case from == Completed || from == Cancelled:
		err = required("reason", c.Reason, "reason", "reopening needs a reason")
	case c.To == Paused || c.To == Cancelled:
		err = required("reason", c.Reason, "reason", "it needs a reason to be "+c.To)
	case from == Approved && c.To == Proposed:
		err = required("reason", c.Reason, "reason", "taking an approval back needs a reason")
	case c.To == Completed && len(open) > 0:
		err = required("reason", c.Reason, "reason", "completing it with open milestones ("+strings.Join(open, ", ")+") needs a reason")
	}
	if err != nil {
		return nil, err
	}
	return &initiativev1.StageChanged{From: from, To: c.To, At: at.String(), Reason: strings.TrimSpace(c.Reason)}, nil
}

func evolveStage(s *State, e *initiativev1.StageChanged) {
	if e.GetFrom() == Completed || e.GetFrom() == Cancelled {
		s.Reopened++
	}
	s.Stage, s.Since = e.GetTo(), e.GetAt()
	s.Stages = append(s.Stages, &initiativev1.StageSince{Stage: e.GetTo(), Since: e.GetAt()})
	if e.GetTo() == Active && s.GetStarted() == "" {
		s.Started = e.GetAt()
	}
}
