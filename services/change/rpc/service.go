// Package rpc is the change slice's door: it turns requests into commands, reads
// what a decision needs, seals answers with the keys of the respondents, and
// hands what was decided to the runner, with the state that follows from it.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	"setpoint.dev/services/change"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
)

// Tokens of the slice's aggregates in subjects.
const (
	courseToken = change.CourseToken // of a program
	waveToken   = "wave"             // PROGRAM~WAVE, with its answers
)

// Service implements ChangeService.
type Service struct {
	runner *runner.Runner
	record *record.Record
}

var _ changev1connect.ChangeServiceHandler = (*Service)(nil)

// New returns the service to mount.
func New(r *runner.Runner, rec *record.Record) rpc.Service {
	s := &Service{runner: r, record: rec}
	return rpc.Service{
		Name: changev1connect.ChangeServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return changev1connect.NewChangeServiceHandler(s, opts...)
		},
	}
}

// writing is what every write has in common.
type writing interface {
	proto.Message
	GetRequestId() string
	GetManager() string
}

// expecting is a write that may refuse a caller who has not seen the newest.
type expecting interface{ GetExpectedRevision() int64 }

func expected(req writing) uint64 {
	if e, ok := req.(expecting); ok {
		return uint64(e.GetExpectedRevision())
	}
	return 0
}

func course(org, id string) eventlog.Subject {
	return eventlog.Subject{Org: org, Service: change.Service, Kind: courseToken, ID: id}
}

func waveSubject(org, program, wave string) eventlog.Subject {
	return eventlog.Subject{Org: org, Service: change.Service, Kind: waveToken, ID: waveID(program, wave)}
}

func waveID(program, wave string) string { return program + "~" + wave }

// programAt reads a program as it is declared and as it stands at a revision.
func programAt(v record.View, org, name string, at uint64) (*record.Resource, change.Program, uint64, error) {
	r, err := v.Resource(org, "ChangeProgram", name, at)
	if err != nil {
		return nil, change.Program{}, 0, err
	}
	if r == nil {
		return nil, change.Program{}, 0, record.Unknown(v, org, "ChangeProgram", name)
	}
	p, moved, err := programOf(v, r, at)
	return r, p, moved, err
}

func programOf(v record.View, r *record.Resource, at uint64) (change.Program, uint64, error) {
	p := change.Program{Spec: r.Spec.(*changev1.ChangeProgramSpec), State: &change.State{}}
	p.Name = p.Spec.GetFramework()
	if p.Framework = change.BuiltIn(p.Name); p.Framework == nil {
		f, err := v.Resource(r.Org, "ChangeFramework", p.Name, at)
		if err != nil {
			return p, 0, err
		}
		if f == nil {
			return p, 0, record.Unknown(v, r.Org, "ChangeFramework", p.Name)
		}
		p.Framework = f.Spec.(*change.Framework)
	}
	moved, err := record.StateOf(v, r, change.Service, courseToken, at, p.State)
	return p, moved, err
}

// act carries out a command on a program.
func (s *Service) act(ctx context.Context, req writing, program string, command func(today calendar.Date) change.Command) (out runner.Outcome, warnings []string, err error) {
	p, err := principal.From(ctx)
	if err != nil {
		return out, nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return out, nil, err
	}
	id, err := s.runner.Identify(ctx, p.Org, "ChangeProgram", program)
	if err != nil {
		return out, nil, err
	}
	subject := course(p.Org, id)
	out, err = s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: []eventlog.Subject{subject},
	}, func(v record.View) ([]runner.Write, error) {
		_, of, moved, err := programAt(v, p.Org, program, v.Revision())
		if err != nil {
			return nil, err
		}
		if err := s.runner.Expect(ctx, subject, expected(req), moved); err != nil {
			return nil, err
		}
		today := record.Today(v, p.Org, v.Revision(), s.runner.Now())
		event, warned, err := change.Decide(of, command(today))
		warnings = warned
		if err != nil || event == nil {
			return nil, err
		}
		w, err := write(subject, today, change.Evolve(of, event), event)
		return []runner.Write{w}, err
	})
	return out, warnings, err
}

// write is some events with the state after them; nil leaves the state as it is.
func write(subject eventlog.Subject, today calendar.Date, state proto.Message, events ...proto.Message) (runner.Write, error) {
	w := runner.Write{Subject: subject, Effective: today.String()}
	for _, e := range events {
		typ, payload, err := change.Acts().Encode(e)
		if err != nil {
			return w, err
		}
		w.Events = append(w.Events, eventlog.Event{Type: typ, Payload: payload})
	}
	if state == nil {
		return w, nil
	}
	var err error
	w.State, err = proto.MarshalOptions{Deterministic: true}.Marshal(state)
	return w, err
}

func orAPI(manager string) string {
	if manager == "" {
		return "api"
	}
	return manager
}

// MoveStage implements ChangeService.
func (s *Service) MoveStage(ctx context.Context, req *changev1.MoveStageRequest) (*changev1.MoveStageResponse, error) {
	out, warnings, err := s.act(ctx, req, req.GetProgram(), func(today calendar.Date) change.Command {
		return change.MoveStage{
			Stage: req.GetStage(), To: req.GetTo(), At: req.GetAt(), Evidence: req.GetEvidence(), Reason: req.GetReason(),
			Links: req.GetLinks(), Today: today,
		}
	})
	return &changev1.MoveStageResponse{Revision: int64(out.Revision), Changed: out.Wrote, Warnings: warnings}, err
}

// DeclareForce implements ChangeService.
func (s *Service) DeclareForce(ctx context.Context, req *changev1.DeclareForceRequest) (*changev1.DeclareForceResponse, error) {
	out, _, err := s.act(ctx, req, req.GetProgram(), func(today calendar.Date) change.Command {
		return change.DeclareForce{
			Today: today,
			Name:  req.GetName(), Title: req.GetTitle(), Kind: req.GetKind(), Strength: req.GetStrength(), Influenceability: req.GetInfluenceability(),
		}
	})
	return &changev1.DeclareForceResponse{Revision: int64(out.Revision), Changed: out.Wrote}, err
}

// RemoveForce implements ChangeService.
func (s *Service) RemoveForce(ctx context.Context, req *changev1.RemoveForceRequest) (*changev1.RemoveForceResponse, error) {
	out, _, err := s.act(ctx, req, req.GetProgram(), func(today calendar.Date) change.Command {
		return change.RemoveForce{Name: req.GetName(), Reason: req.GetReason(), Today: today}
	})
	return &changev1.RemoveForceResponse{Revision: int64(out.Revision), Changed: out.Wrote}, err
}

// RaiseResistance implements ChangeService.
func (s *Service) RaiseResistance(ctx context.Context, req *changev1.RaiseResistanceRequest) (*changev1.RaiseResistanceResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	id := "res-" + runner.NameOf(p.Org, req.GetRequestId())
	out, _, err := s.act(ctx, req, req.GetProgram(), func(today calendar.Date) change.Command {
		return change.RaiseResistance{
			ID: id, Title: req.GetTitle(), Audience: req.GetAudience(), Severity: req.GetSeverity(), At: req.GetAt(), Note: req.GetNote(), Today: today,
		}
	})
	return &changev1.RaiseResistanceResponse{Revision: int64(out.Revision), Resistance: id}, err
}

// AnswerResistance implements ChangeService.
func (s *Service) AnswerResistance(ctx context.Context, req *changev1.AnswerResistanceRequest) (*changev1.AnswerResistanceResponse, error) {
	out, _, err := s.act(ctx, req, req.GetProgram(), func(today calendar.Date) change.Command {
		return change.AnswerResistance{ID: req.GetResistance(), Response: req.GetResponse(), Close: req.GetClose(), At: req.GetAt(), Today: today}
	})
	return &changev1.AnswerResistanceResponse{Revision: int64(out.Revision), Changed: out.Wrote}, err
}

// missing is the refusal of a name that stands for nothing.
func missing(field, what, name string) error {
	return fault.New(fault.NotFound, "change."+what+"_unknown", "%s: there is no %s %q", field, what, name)
}
