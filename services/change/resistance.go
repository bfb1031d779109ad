package change

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// mostResistance bounds the log of one program.
const mostResistance = 200

// RaiseResistance notes what stands in the way. ID identifies it within the
// program and is made by the caller.
type RaiseResistance struct {
	ID, Title, Audience, Severity, At, Note string
	Today                                   calendar.Date
}

// AnswerResistance notes what is done about it, and may close it.
type AnswerResistance struct {
	ID, Response, At string
	Close            bool
	Today            calendar.Date
}

func (c RaiseResistance) decide(p Program) (proto.Message, []string, error) {
	if err := required("title", c.Title, "title", "say what the resistance is"); err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(p.Spec.GetAudiences(), func(a *changev1.ProgramAudience) bool { return a.GetAudience() == c.Audience }) {
		var names []string
		for _, a := range p.Spec.GetAudiences() {
			names = append(names, a.GetAudience())
		}
		return nil, nil, fault.New(fault.Invalid, "change.audience_elsewhere", "audience: %q is no audience of the program", c.Audience).
			WithHint("legal are %s", strings.Join(names, ", "))
	}
	if len(p.State.GetResistance()) >= mostResistance {
		return nil, nil, fault.New(fault.Exhausted, "change.too_much_resistance", "the program has %d entries, as many as it may", mostResistance)
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, nil, err
	}
	return &changev1.ResistanceRaised{
		Resistance: c.ID, Title: strings.TrimSpace(c.Title), Audience: c.Audience, Severity: c.Severity, At: at.String(),
		Note: strings.TrimSpace(c.Note),
	}, nil, nil
}

func (c AnswerResistance) decide(p Program) (proto.Message, []string, error) {
	at := slices.IndexFunc(p.State.GetResistance(), func(r *changev1.ResistanceState) bool { return r.GetResistance() == c.ID })
	if at < 0 {
		return nil, nil, fault.New(fault.NotFound, "change.resistance_unknown", "resistance: the program has no entry %q", c.ID).
			WithHint("setpoint change describe PROGRAM lists them")
	}
	r := p.State.GetResistance()[at]
	if r.GetClosed() != "" {
		if c.Close && strings.TrimSpace(c.Response) == "" {
			return nil, nil, nil
		}
		return nil, nil, fault.New(fault.Rule, "change.resistance_closed", "resistance: it was closed on %s", r.GetClosed())
	}
	if err := required("response", c.Response, "response", "say what is done about it"); err != nil {
		return nil, nil, err
	}
	d, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, nil, err
	}
	if d.String() < r.GetRaised() {
		return nil, nil, fault.New(fault.Invalid, "change.answered_before_raised", "at: %s is before %s, when it was raised", d, r.GetRaised())
	}
	return &changev1.ResistanceAnswered{Resistance: c.ID, Response: strings.TrimSpace(c.Response), Closed: c.Close, At: d.String()}, nil, nil
}
