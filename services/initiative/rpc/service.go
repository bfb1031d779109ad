// Package rpc is the initiative slice's door: it turns requests into commands,
// reads the plan and the state that a decision needs, and hands what was decided
// to the runner, with the state that follows from it.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/initiative"
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
	lifeToken   = initiative.LifeToken
	actionToken = "action"
)

// Service implements InitiativeService.
type Service struct {
	runner *runner.Runner
	record *record.Record
}

var _ initiativev1connect.InitiativeServiceHandler = (*Service)(nil)

// New returns the service to mount.
func New(r *runner.Runner, rec *record.Record) rpc.Service {
	s := &Service{runner: r, record: rec}
	return rpc.Service{
		Name: initiativev1connect.InitiativeServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return initiativev1connect.NewInitiativeServiceHandler(s, opts...)
		},
	}
}

// Acts are the acts of this slice for callers in the same process: policies.
// The principal comes from the context, as that of a request does.
func Acts(r *runner.Runner, rec *record.Record) initiativev1connect.InitiativeServiceHandler {
	return &Service{runner: r, record: rec}
}

// writing is what every write has in common.
type writing interface {
	proto.Message
	GetRequestId() string
	GetExpectedRevision() int64
	GetManager() string
}

// context of a decision: the organization's day and defaults.
type setting struct {
	today           calendar.Date
	currency        string
	fiscalYearStart int
}

// periodStart is the first day of a period, unset if there is none of the name.
func (s setting) periodStart(name string) calendar.Date {
	p, err := calendar.ParsePeriod(name, s.fiscalYearStart)
	if err != nil {
		return calendar.Date{}
	}
	return p.Start
}

func (s *Service) setting(v record.View, org string) (setting, error) {
	at := v.Revision()
	out := setting{today: record.Today(v, org, at, s.runner.Now()), fiscalYearStart: 1}
	list, err := v.Resources(org, "Organization", at, "", 1)
	if err != nil || len(list) == 0 {
		return out, err
	}
	if spec, ok := list[0].Spec.(*strategyv1.OrganizationSpec); ok {
		out.currency = spec.GetCurrency()
		out.fiscalYearStart = max(1, int(spec.GetFiscalYearStart()))
	}
	return out, nil
}

// act carries out a command on an initiative.
func (s *Service) act(ctx context.Context, req writing, name string, command func(setting) initiative.Command) (revision int64, changed bool, err error) {
	p, err := principal.From(ctx)
	if err != nil {
		return 0, false, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return 0, false, err
	}
	id, err := s.runner.Identify(ctx, p.Org, "Initiative", name)
	if err != nil {
		return 0, false, err
	}
	subject := eventlog.Subject{Org: p.Org, Service: initiative.Service, Kind: lifeToken, ID: id}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: []eventlog.Subject{subject},
	}, func(v record.View) ([]runner.Write, error) {
		r, err := v.Resource(p.Org, "Initiative", name, v.Revision())
		if err != nil {
			return nil, err
		}
		if r == nil {
			return nil, record.Unknown(v, p.Org, "Initiative", name)
		}
		state := &initiative.State{}
		at, err := record.StateOf(v, r, initiative.Service, lifeToken, v.Revision(), state)
		if err != nil {
			return nil, err
		}
		if err := s.runner.Expect(ctx, subject, uint64(req.GetExpectedRevision()), at); err != nil {
			return nil, err
		}
		set, err := s.setting(v, p.Org)
		if err != nil {
			return nil, err
		}
		event, err := initiative.Decide(r.Spec.(*initiative.Spec), state, command(set))
		if err != nil || event == nil {
			return nil, err
		}
		w, err := write(subject, event, initiative.Evolve(state, event), set.today)
		return []runner.Write{w}, err
	})
	return int64(out.Revision), out.Wrote, err
}

// write is one event with the state after it.
func write(subject eventlog.Subject, event, state proto.Message, today calendar.Date) (runner.Write, error) {
	typ, payload, err := initiative.Acts().Encode(event)
	if err != nil {
		return runner.Write{}, err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(state)
	return runner.Write{
		Subject: subject, Events: []eventlog.Event{{Type: typ, Payload: payload}}, Effective: today.String(), State: b,
	}, err
}

func orAPI(manager string) string {
	if manager == "" {
		return "api"
	}
	return manager
}

// ChangeStage implements InitiativeService.
func (s *Service) ChangeStage(ctx context.Context, req *initiativev1.ChangeStageRequest) (*initiativev1.ChangeStageResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(x setting) initiative.Command {
		return initiative.ChangeStage{To: req.GetTo(), At: req.GetAt(), Reason: req.GetReason(), Today: x.today}
	})
	return &initiativev1.ChangeStageResponse{Revision: at, Changed: changed}, err
}

// ForecastMilestone implements InitiativeService.
func (s *Service) ForecastMilestone(ctx context.Context, req *initiativev1.ForecastMilestoneRequest) (*initiativev1.ForecastMilestoneResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(x setting) initiative.Command {
		return initiative.ForecastMilestone{Milestone: req.GetMilestone(), Date: req.GetDate(), Reason: req.GetReason(), Today: x.today}
	})
	return &initiativev1.ForecastMilestoneResponse{Revision: at, Changed: changed}, err
}

// ReachMilestone implements InitiativeService.
func (s *Service) ReachMilestone(ctx context.Context, req *initiativev1.ReachMilestoneRequest) (*initiativev1.ReachMilestoneResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(x setting) initiative.Command {
		return initiative.ReachMilestone{Milestone: req.GetMilestone(), At: req.GetAt(), Evidence: req.GetEvidence(), Today: x.today}
	})
	return &initiativev1.ReachMilestoneResponse{Revision: at, Changed: changed}, err
}

// ReopenMilestone implements InitiativeService.
func (s *Service) ReopenMilestone(ctx context.Context, req *initiativev1.ReopenMilestoneRequest) (*initiativev1.ReopenMilestoneResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(setting) initiative.Command {
		return initiative.ReopenMilestone{Milestone: req.GetMilestone(), Reason: req.GetReason()}
	})
	return &initiativev1.ReopenMilestoneResponse{Revision: at, Changed: changed}, err
}

// RecordSpend implements InitiativeService.
func (s *Service) RecordSpend(ctx context.Context, req *initiativev1.RecordSpendRequest) (*initiativev1.RecordSpendResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(x setting) initiative.Command {
		return initiative.RecordSpend{
			Period: req.GetPeriod(), Amount: req.GetAmount(), Currency: req.GetCurrency(), Note: req.GetNote(),
			OrganizationCurrency: x.currency, FiscalYearStart: x.fiscalYearStart, Today: x.today,
		}
	})
	return &initiativev1.RecordSpendResponse{Revision: at, Changed: changed}, err
}

// ForecastCompletion implements InitiativeService.
func (s *Service) ForecastCompletion(ctx context.Context, req *initiativev1.ForecastCompletionRequest) (*initiativev1.ForecastCompletionResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(x setting) initiative.Command {
		return initiative.ForecastCompletion{
			Amount: req.GetAmount(), Currency: req.GetCurrency(), Reason: req.GetReason(), Periods: req.GetPeriods(),
			OrganizationCurrency: x.currency, FiscalYearStart: x.fiscalYearStart,
		}
	})
	return &initiativev1.ForecastCompletionResponse{Revision: at, Changed: changed}, err
}

// RecordBenefit implements InitiativeService.
func (s *Service) RecordBenefit(ctx context.Context, req *initiativev1.RecordBenefitRequest) (*initiativev1.RecordBenefitResponse, error) {
	at, changed, err := s.act(ctx, req, req.GetInitiative(), func(x setting) initiative.Command {
		return initiative.RecordBenefit{Target: req.GetTarget(), At: req.GetAt(), Amount: req.GetAmount(), Basis: req.GetBasis(), Today: x.today}
	})
	return &initiativev1.RecordBenefitResponse{Revision: at, Changed: changed}, err
}

// missing is the refusal of a name that stands for nothing.
func missing(field, what, name string) error {
	return fault.New(fault.NotFound, "initiative."+what+"_unknown", "%s: there is no %s %q", field, what, name)
}
