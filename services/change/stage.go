package change

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// Where a program can stand with a stage.
const (
	NotStarted = "not_started"
	InProgress = "in_progress"
	InPlace    = "in_place"
	Regressed  = "regressed"
)

// MoveStage says where the program stands with a stage, of which Stage is the
// name, or the number in the framework's order.
type MoveStage struct {
	Stage, To, At, Evidence, Reason string
	Links                           []string
	Today                           calendar.Date
}

func (c MoveStage) decide(p Program) (proto.Message, []string, error) {
	place := slices.IndexFunc(p.Framework.GetStages(), func(s *changev1.Stage) bool { return s.GetName() == c.Stage })
	if n, err := strconv.Atoi(c.Stage); place < 0 && err == nil && n >= 1 && n <= len(p.Framework.GetStages()) {
		place = n - 1 // as pictures number them
		c.Stage = p.Framework.GetStages()[place].GetName()
	}
	if place < 0 {
		var names []string
		for _, s := range p.Framework.GetStages() {
			names = append(names, s.GetName())
		}
		hint := "the framework has elements, which surveys assess, and no stages"
		if len(names) > 0 {
			hint = "legal are " + strings.Join(names, ", ")
		}
		return nil, nil, fault.New(fault.NotFound, "change.stage_unknown", "stage: the framework has no stage %q", c.Stage).WithHint("%s", hint)
	}
	have := StageOf(p.State, c.Stage)
	from := have.GetStatus()
	if from == c.To {
		return nil, nil, nil
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, nil, err
	}
	if have.GetSince() > at.String() {
		return nil, nil, fault.New(fault.Invalid, "change.stage_before", "at: %s is before %s, since when the stage is %s", at, have.GetSince(), words(from))
	}
	switch {
	case c.To == Regressed && from == NotStarted:
		err = fault.New(fault.Rule, "change.regress_nothing", "to: the stage has not started, so that nothing can have gone back").
			WithHint("from not started it can become in_progress or in_place")
	case c.To == Regressed:
		err = required("reason", c.Reason, "reason", "going back needs a reason")
	case c.To == NotStarted:
		err = required("reason", c.Reason, "reason", "taking a start back needs a reason")
	case c.To == InPlace:
		err = required("evidence", c.Evidence, "evidence", "say what shows that the stage is in place")
	}
	forward := c.To == InProgress && (from == NotStarted) || c.To == InPlace
	if err == nil && p.Name == Lewin && forward && place > 0 {
		err = withTheField(p.State, c.Reason)
	}
	if err != nil {
		return nil, nil, err
	}
	var warnings []string
	if forward {
		warnings = gaps(p, place)
	}
	return &changev1.StageMoved{
		Stage: c.Stage, From: from, To: c.To, At: at.String(), Evidence: strings.TrimSpace(c.Evidence), Links: c.Links,
		Reason: strings.TrimSpace(c.Reason),
	}, warnings, nil
}

// withTheField lets a program move on only if the driving forces outweigh the
// restraining ones, or for a stated reason.
func withTheField(s *State, reason string) error {
	driving, restraining := Totals(s)
	if driving > restraining || strings.TrimSpace(reason) != "" {
		return nil
	}
	if len(s.GetForces()) == 0 {
		return fault.New(fault.Rule, "change.no_force_field", "reason: nobody has declared the forces, so that moving on needs a reason").
			WithHint("declare them: setpoint change force PROGRAM NAME --driving --strength 3 --influenceability 2")
	}
	return fault.New(fault.Rule, "change.against_the_field",
		"reason: the restraining forces (%d) are not below the driving ones (%d), so that moving on needs a reason", restraining, driving).
		WithHint("weaken what restrains, or say why it is right to move on")
}

// gaps names the stages before one that are not in place: moving past them is
// legal and worth a word.
func gaps(p Program, place int) []string {
	var out []string
	for _, s := range p.Framework.GetStages()[:place] {
		if st := StageOf(p.State, s.GetName()).GetStatus(); st != InPlace {
			out = append(out, fmt.Sprintf("%s (%s) is %s", s.GetName(), s.GetTitle(), words(st)))
		}
	}
	return out
}

// StageOf is where a program stands with a stage: not started, if nobody said.
func StageOf(s *State, name string) *changev1.StageState {
	for _, st := range s.GetStages() {
		if st.GetStage() == name {
			return st
		}
	}
	return &changev1.StageState{Stage: name, Status: NotStarted}
}

func stageState(s *State, name string) *changev1.StageState {
	for _, st := range s.GetStages() {
		if st.GetStage() == name {
			return st
		}
	}
	st := &changev1.StageState{Stage: name, Status: NotStarted}
	s.Stages = append(s.Stages, st)
	return st
}

func words(status string) string { return strings.ReplaceAll(status, "_", " ") }
