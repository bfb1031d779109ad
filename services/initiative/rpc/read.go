package rpc

import (
	"context"
	"time"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/initiative"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/schedule"
)

// portfolio is every initiative at a revision, with what the reads need beside.
type portfolio struct {
	plans      []initiative.Plan
	resources  map[string]*record.Resource
	objectives map[string]string // of the targets, by target
	strategies map[string]string // of the objectives, by objective
	targets    []string
	setting    setting
}

func (s *Service) load(v record.View, org string, at uint64, asOf calendar.Date) (*portfolio, error) {
	out := &portfolio{resources: map[string]*record.Resource{}, objectives: map[string]string{}, strategies: map[string]string{}}
	var err error
	if out.setting, err = s.setting(v, org); err != nil {
		return nil, err
	}
	if out.plans, err = plans(v, org, at, out.resources); err != nil {
		return nil, err
	}
	for i, plan := range out.plans {
		out.plans[i].State = schedule.On(plan.State, asOf, out.setting.periodStart)
	}
	targets, err := v.Resources(org, "Target", at, "", 0)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		out.targets = append(out.targets, t.Name)
		if spec, ok := t.Spec.(*strategyv1.TargetSpec); ok {
			out.objectives[t.Name] = spec.GetObjective()
		}
	}
	objectives, err := v.Resources(org, "Objective", at, "", 0)
	if err != nil {
		return nil, err
	}
	for _, o := range objectives {
		if spec, ok := o.Spec.(*strategyv1.ObjectiveSpec); ok {
			out.strategies[o.Name] = spec.GetStrategy()
		}
	}
	return out, nil
}

// plans reads the initiatives at a revision with their states.
func plans(v record.View, org string, at uint64, resources map[string]*record.Resource) ([]initiative.Plan, error) {
	list, err := v.Resources(org, "Initiative", at, "", 0)
	if err != nil {
		return nil, err
	}
	var out []initiative.Plan
	for _, r := range list {
		state := &initiative.State{}
		moved, err := record.StateOf(v, r, initiative.Service, lifeToken, at, state)
		if err != nil {
			return nil, err
		}
		out = append(out, initiative.Plan{Name: r.Name, Spec: r.Spec.(*initiative.Spec), State: state})
		if resources != nil {
			stood := *r
			stood.From = max(r.From, moved) // what a writer must have seen
			resources[r.Name] = &stood
		}
	}
	return out, nil
}

func (s *Service) asOf(v record.View, org string, at uint64, asked string) (calendar.Date, error) {
	if asked == "" {
		return record.Today(v, org, at, s.runner.Now()), nil
	}
	d, err := calendar.ParseDate(asked)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "initiative.date", "asOf: not a date").WithHint("YYYY-MM-DD")
	}
	return d, nil
}

func (p *portfolio) entry(plan initiative.Plan, scheduled initiative.Scheduled) *initiativev1.InitiativeEntry {
	state := plan.State
	if state.GetStage() == "" {
		state.Stage = initiative.Proposed
	}
	e := &initiativev1.InitiativeEntry{
		Name: plan.Name, Spec: plan.Spec, State: state,
		ExpectedStart: scheduled.Start.String(), ExpectedEnd: scheduled.End.String(),
		SlipDays: int32(scheduled.SlipDays), Critical: scheduled.Critical,
		Money:     initiative.Money(plan, p.setting.currency, p.setting.fiscalYearStart),
		Objective: initiative.ObjectiveOf(plan.Spec, p.objectives),
		Revision:  int64(p.resources[plan.Name].From),
	}
	for _, m := range scheduled.Milestones {
		x := &initiativev1.MilestoneEntry{
			Name: m.Name, Title: m.Title, Planned: m.Planned.String(), Expected: m.Expected.String(), Overdue: m.Overdue, Pushed: int32(m.Pushed),
		}
		if !m.Forecast.IsZero() {
			x.Forecast = m.Forecast.String()
		}
		if !m.Reached.IsZero() {
			x.Reached = m.Reached.String()
		}
		e.Milestones = append(e.Milestones, x)
	}
	return e
}

// GetInitiative implements InitiativeService.
func (s *Service) GetInitiative(ctx context.Context, req *initiativev1.GetInitiativeRequest) (*initiativev1.GetInitiativeResponse, error) {
	res := &initiativev1.GetInitiativeResponse{}
	err := s.read(ctx, req, req.GetAsOf(), func(v record.View, org string, at uint64, p *portfolio, asOf calendar.Date) (err error) {
		res.Revision, res.AsOf = int64(at), asOf.String()
		scheduled := initiative.Schedule(p.plans, asOf)
		for _, plan := range p.plans {
			if plan.Name == req.GetInitiative() {
				res.Initiative = p.entry(plan, scheduled[plan.Name])
				r := p.resources[plan.Name]
				res.Acts, err = s.story(ctx, eventlog.Subject{Org: org, Service: initiative.Service, Kind: lifeToken, ID: r.ID}, at)
				return err
			}
		}
		return record.Unknown(v, org, "Initiative", req.GetInitiative())
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// story is what happened to an aggregate, in words.
func (s *Service) story(ctx context.Context, subject eventlog.Subject, at uint64) ([]*commonv1.Act, error) {
	told, err := s.runner.Story(ctx, subject, at, initiative.Acts())
	if err != nil {
		return nil, err
	}
	var out []*commonv1.Act
	for _, t := range told {
		act := rpc.Act(t)
		act.Summary, act.Note = initiative.InWords(t.Event)
		out = append(out, act)
	}
	return out, nil
}

// ListInitiatives implements InitiativeService.
func (s *Service) ListInitiatives(ctx context.Context, req *initiativev1.ListInitiativesRequest) (*initiativev1.ListInitiativesResponse, error) {
	res := &initiativev1.ListInitiativesResponse{}
	err := s.read(ctx, req, req.GetAsOf(), func(_ record.View, _ string, at uint64, p *portfolio, asOf calendar.Date) error {
		res.Revision, res.AsOf = int64(at), asOf.String()
		scheduled := initiative.Schedule(p.plans, asOf)
		var chosen []initiative.Plan
		for _, plan := range p.plans {
			if p.serves(plan, req.GetStrategy()) && (req.GetStage() == "" || req.GetStage() == initiative.StageOf(plan.State)) {
				chosen = append(chosen, plan)
				res.Initiatives = append(res.Initiatives, p.entry(plan, scheduled[plan.Name]))
			}
		}
		var targets []string
		for _, t := range p.targets {
			if req.GetStrategy() == "" || p.strategies[p.objectives[t]] == req.GetStrategy() {
				targets = append(targets, t)
			}
		}
		res.Money = initiative.ByObjective(chosen, p.objectives, p.setting.currency)
		res.ServingNothing = initiative.ServingNothing(chosen)
		res.UnservedTargets = initiative.Unserved(p.plans, targets)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// serves tells whether an initiative is for a strategy: by its objective or by a
// target. Any is for "".
func (p *portfolio) serves(plan initiative.Plan, strategy string) bool {
	if strategy == "" || p.strategies[plan.Spec.GetObjective()] == strategy {
		return true
	}
	for _, c := range plan.Spec.GetContributions() {
		if p.strategies[p.objectives[c.GetTarget()]] == strategy {
			return true
		}
	}
	return false
}

// read loads the portfolio of a snapshot.
func (s *Service) read(ctx context.Context, req rpc.Moment, asked string,
	f func(v record.View, org string, at uint64, p *portfolio, asOf calendar.Date) error,
) error {
	p, err := principal.From(ctx)
	if err != nil {
		return err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return err
	}
	return s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		asOf, err := s.asOf(v, p.Org, at, asked)
		if err != nil {
			return err
		}
		loaded, err := s.load(v, p.Org, at, asOf)
		if err != nil {
			return err
		}
		return f(v, p.Org, at, loaded, asOf)
	})
}

// GetCommitments implements InitiativeService.
func (s *Service) GetCommitments(ctx context.Context, req *initiativev1.GetCommitmentsRequest) (*initiativev1.GetCommitmentsResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return nil, err
	}
	res := &initiativev1.GetCommitmentsResponse{}
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		since, err := s.asOf(v, p.Org, at, req.GetSince())
		if err != nil {
			return err
		}
		// What was known when that day ended where the organization is.
		end := since.AddDays(1)
		zone := record.Location(v, p.Org, at)
		known, err := v.RevisionAt(time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, zone).Add(-time.Nanosecond))
		if err != nil {
			return err
		}
		known = min(known, at)
		before, err := plans(v, p.Org, known, nil)
		if err != nil {
			return err
		}
		now, err := plans(v, p.Org, at, nil)
		if err != nil {
			return err
		}
		list, kept, total := initiative.Commitments(before, now)
		res.Commitments, res.Kept, res.Total = list, int32(kept), int32(total)
		res.SinceRevision, res.Revision = int64(known), int64(at)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}
