package initiative

import (
	"cmp"
	"strings"

	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// ActionState is a corrective action; nil before it is opened.
type ActionState = initiativev1.ActionState

// The ends of a corrective action, and the time before.
const (
	Open    = "open"
	Done    = "done"
	Dropped = "dropped"
)

// ActionCommand is an act on a corrective action.
type ActionCommand interface {
	decideAction(s *ActionState) (proto.Message, error)
}

// DecideAction is Decide for corrective actions.
func DecideAction(s *ActionState, c ActionCommand) (proto.Message, error) { return c.decideAction(s) }

// OpenAction begins a corrective action. That the target and the initiative
// exist is the caller's to check.
type OpenAction struct {
	Title, Target, Initiative, Owner, Due, Policy, Note string
	At                                                  string // the day it was opened; empty: today
	Today                                               calendar.Date
}

// MoveAction gives it another owner or due date; empty keeps what is.
type MoveAction struct {
	Owner, Due, Reason string
	Today              calendar.Date
}

// CloseAction ends it as done or dropped.
type CloseAction struct {
	Outcome, At, Evidence string
	Today                 calendar.Date
}

// ReopenAction takes the end back.
type ReopenAction struct{ Reason string }

func (c OpenAction) decideAction(s *ActionState) (proto.Message, error) {
	if s != nil {
		return nil, fault.New(fault.Exists, "initiative.action_exists", "action: there is one of that id")
	}
	if err := required("title", c.Title, "title", "an action needs a title"); err != nil {
		return nil, err
	}
	if c.Target == "" && c.Initiative == "" {
		return nil, fault.New(fault.Invalid, "initiative.action_without_cause", "target: the action answers nothing").
			WithHint("name the target whose gap it closes, or an initiative")
	}
	if err := owner(c.Owner); err != nil {
		return nil, err
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, err
	}
	if _, err := dueDate(c.Due, at); err != nil {
		return nil, err
	}
	return &initiativev1.ActionOpened{
		Title: strings.TrimSpace(c.Title), Target: c.Target, Initiative: c.Initiative, Owner: c.Owner, Due: c.Due, At: at.String(),
		Policy: c.Policy, Note: strings.TrimSpace(c.Note),
	}, nil
}

func (c MoveAction) decideAction(s *ActionState) (proto.Message, error) {
	if err := openNow(s); err != nil {
		return nil, err
	}
	e := &initiativev1.ActionMoved{Owner: s.GetOwner(), Due: s.GetDue(), Reason: strings.TrimSpace(c.Reason)}
	if c.Owner != "" {
		if err := owner(c.Owner); err != nil {
			return nil, err
		}
		e.Owner = c.Owner
	}
	if c.Due != "" {
		if _, err := dueDate(c.Due, c.Today); err != nil {
			return nil, err
		}
		e.Due = c.Due
	}
	if e.GetOwner() == s.GetOwner() && e.GetDue() == s.GetDue() {
		return nil, nil
	}
	if e.GetDue() > s.GetDue() {
		if err := required("reason", c.Reason, "reason", "moving the due date from "+s.GetDue()+" to "+e.GetDue()+" needs a reason"); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (c CloseAction) decideAction(s *ActionState) (proto.Message, error) {
	if s.GetStatus() == c.Outcome {
		return nil, nil
	}
	if err := openNow(s); err != nil {
		return nil, err
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, err
	}
	if at.String() < s.GetOpened() {
		return nil, fault.New(fault.Invalid, "initiative.closed_before_opened", "at: %s is before %s, when it was opened", at, s.GetOpened())
	}
	why := "say what shows that it is done"
	if c.Outcome == Dropped {
		why = "say why it is dropped"
	}
	if err := required("evidence", c.Evidence, "evidence", why); err != nil {
		return nil, err
	}
	return &initiativev1.ActionClosed{Outcome: c.Outcome, At: at.String(), Evidence: strings.TrimSpace(c.Evidence)}, nil
}

func (c ReopenAction) decideAction(s *ActionState) (proto.Message, error) {
	if s.GetStatus() == Open {
		return nil, nil
	}
	if err := required("reason", c.Reason, "reason", "reopening an action needs a reason"); err != nil {
		return nil, err
	}
	return &initiativev1.ActionReopened{Reason: strings.TrimSpace(c.Reason)}, nil
}

// EvolveAction returns the state after an event that was recorded on a day; it
// does not change s.
func EvolveAction(s *ActionState, event proto.Message, recorded calendar.Date) *ActionState {
	if e, ok := event.(*initiativev1.ActionOpened); ok {
		return &ActionState{
			Title: e.GetTitle(), Target: e.GetTarget(), Initiative: e.GetInitiative(), Owner: e.GetOwner(), Due: e.GetDue(),
			Policy: e.GetPolicy(), Opened: cmp.Or(e.GetAt(), recorded.String()), Status: Open,
		}
	}
	out := proto.Clone(s).(*ActionState)
	switch e := event.(type) {
	case *initiativev1.ActionMoved:
		out.Owner, out.Due = e.GetOwner(), e.GetDue()
	case *initiativev1.ActionClosed:
		out.Status, out.Closed = e.GetOutcome(), e.GetAt()
	case *initiativev1.ActionReopened:
		out.Status, out.Closed = Open, ""
		out.Reopened++
	}
	return out
}

// Overdue tells whether an action should have been done by the end of a day.
func Overdue(s *ActionState, asOf calendar.Date) bool {
	return s.GetStatus() == Open && s.GetDue() < asOf.String()
}

func openNow(s *ActionState) error {
	if s.GetStatus() == Open {
		return nil
	}
	return fault.New(fault.Rule, "initiative.action_closed", "action: it is %s since %s", s.GetStatus(), s.GetClosed()).
		WithHint("reopen it first")
}

func owner(s string) error {
	kind, id, ok := strings.Cut(s, "/")
	if ok && id != "" && (kind == "unit" || kind == "person") {
		return nil
	}
	return fault.New(fault.Invalid, "initiative.owner", "owner: %q names no owner", s).WithHint("write unit/NAME or person/ID")
}

// dueDate reads the day by which something is promised on another day.
func dueDate(s string, promised calendar.Date) (calendar.Date, error) {
	d, err := calendar.ParseDate(s)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "initiative.date", "due: not a date").WithHint("YYYY-MM-DD")
	}
	if d.Before(promised) {
		return d, fault.New(fault.Invalid, "initiative.due_past", "due: %s is before %s, the day on which it is promised", d, promised)
	}
	return d, nil
}
