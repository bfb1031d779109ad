package rpc

import (
	"context"
	"errors"
	"strings"

	"github.com/shopspring/decimal"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Sensitivity implements GapService.
func (s *Service) Sensitivity(ctx context.Context, req *gapv1.SensitivityRequest) (*gapv1.SensitivityResponse, error) {
	p, r, about, err := s.evaluate(ctx, query{
		strategy: req.GetStrategy(), asOf: req.GetAsOf(), policy: req.GetPolicy(), original: req.GetOriginalTargets(), snapshot: req,
	})
	if err != nil {
		return nil, err
	}
	v := gap.Sensitive(p, r.AsOf, about.rules, gap.Options{OriginalTargets: req.GetOriginalTargets(), Strategy: req.GetStrategy()})
	return &gapv1.SensitivityResponse{
		AsOf: v.AsOf.String(), Revision: int64(v.Revision), Policy: v.Policy,
		Objectives: varied(v.Objectives), Strategies: varied(v.Strategies), Units: varied(v.Units),
	}, nil
}

func varied(list []gap.Varied) []*gapv1.RollUpSensitivity {
	var out []*gapv1.RollUpSensitivity
	for _, v := range list {
		m := &gapv1.RollUpSensitivity{Name: v.Name, Title: v.Title, Strategy: v.Strategy, Robust: v.Robust()}
		for _, x := range v.Variants {
			m.Variants = append(m.Variants, &gapv1.RollUpVariant{
				Method: string(x.Method), Missing: string(x.Missing), Status: string(x.Status), Score: x.Score, Known: x.Known, Policy: x.Policy,
			})
		}
		out = append(out, m)
	}
	return out
}

// Suggest implements GapService.
func (s *Service) Suggest(ctx context.Context, req *gapv1.SuggestRequest) (*gapv1.SuggestResponse, error) {
	limits := gap.Limits{Currency: req.GetCurrency(), Capacity: req.Capacity}
	if b := req.GetBudget(); b != "" {
		d, err := decimal.NewFromString(b)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "gap.budget", "budget is not an amount").WithHint("digits, with a point before decimals: 250000 or 250000.50")
		}
		limits.Budget = &d
	}
	p, r, _, err := s.evaluate(ctx, query{strategy: req.GetStrategy(), asOf: req.GetAsOf(), snapshot: req})
	if err != nil {
		return nil, err
	}
	x, err := gap.Suggest(r, p.Initiatives, limits)
	if several := (gap.CurrencyError{}); errors.As(err, &several) {
		return nil, fault.Wrap(err, fault.Invalid, "gap.currency", "currency: the proposed initiatives have budgets in several currencies, and none is converted").
			WithHint("name the one that the budget is in: %s", strings.Join(several.Currencies, ", "))
	}
	if err != nil {
		return nil, err
	}
	out := &gapv1.SuggestResponse{
		AsOf: r.AsOf.String(), Revision: int64(r.Revision), Currency: x.Currency, Closed: x.Closed, UpperBound: x.UpperBound, Optimal: x.Optimal,
		Residual: x.Residual, Cost: x.Cost.String(), Capacity: x.Capacity, Unknown: x.Unknown,
	}
	for _, c := range x.Chosen {
		m := &gapv1.SuggestedInitiative{
			Initiative: c.Initiative, Title: c.Title, Cost: amount(c.Cost), Capacity: c.Capacity, Closed: c.Closed, Unmeasured: c.Unmeasured,
		}
		for _, t := range c.Targets {
			m.Targets = append(m.Targets, &gapv1.ClosedGap{Target: t.Target, Amount: t.Amount, Share: t.Share})
		}
		out.Chosen = append(out.Chosen, m)
	}
	for _, l := range x.LeftOut {
		out.LeftOut = append(out.LeftOut, &gapv1.LeftOutInitiative{
			Initiative: l.Initiative, Title: l.Title, Cost: amount(l.Cost), Capacity: l.Capacity, Closed: l.Closed, Reason: l.Reason, Message: l.Message,
		})
	}
	return out, nil
}

func amount(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	s := d.String()
	return &s
}

// WhatIf implements GapService.
func (s *Service) WhatIf(ctx context.Context, req *gapv1.WhatIfRequest) (*gapv1.WhatIfResponse, error) {
	p, before, about, err := s.evaluate(ctx, query{strategy: req.GetStrategy(), asOf: req.GetAsOf(), policy: req.GetPolicy(), snapshot: req})
	if err != nil {
		return nil, err
	}
	if len(req.GetWithout())+len(req.GetWith()) == 0 {
		return nil, fault.New(fault.Invalid, "gap.suppose_nothing", "without and with are empty: nothing is supposed to be otherwise").
			WithHint("without: initiative/NAME, target/NAME or objective/NAME; with: initiative/NAME")
	}
	then := p
	for _, w := range req.GetWithout() {
		kind, name, _ := strings.Cut(w, "/")
		names := namesOf(p, kind)
		if names == nil {
			return nil, fault.New(fault.Invalid, "gap.without_kind", "without: a %.32s cannot be thought away", kind).
				WithHint("legal are initiative/NAME, target/NAME and objective/NAME")
		}
		var found bool
		if then, found = gap.Without(then, kind, name); !found {
			return nil, fault.New(fault.NotFound, "gap.without_unknown", "without: there is no %s %.64q", strings.ToLower(kind), name).
				WithHint("%s", resource.Suggest(name, names))
		}
	}
	for _, w := range req.GetWith() {
		kind, name, _ := strings.Cut(w, "/")
		if !strings.EqualFold(kind, "initiative") {
			return nil, fault.New(fault.Invalid, "gap.with_kind", "with: a %.32s cannot be supposed approved", kind).WithHint("legal is initiative/NAME")
		}
		var found bool
		if then, found = gap.Approved(then, name); !found {
			return nil, fault.New(fault.NotFound, "gap.with_unknown", "with: there is no initiative %.64q", name).
				WithHint("%s", resource.Suggest(name, namesOf(then, kind)))
		}
	}
	return &gapv1.WhatIfResponse{
		AsOf: before.AsOf.String(), Revision: int64(before.Revision),
		Consequences: compared(p, then, before.AsOf, about.rules, about.rules, gap.Options{Strategy: req.GetStrategy()}, nil),
	}, nil
}

// namesOf are those of a kind that can be thought away; nil if none of it can.
func namesOf(p gap.Portfolio, kind string) []string {
	names := []string{}
	switch strings.ToLower(kind) {
	case "initiative":
		for _, i := range p.Initiatives {
			names = append(names, i.Name)
		}
	case "target":
		for _, t := range p.Targets {
			names = append(names, t.Name)
		}
	case "objective":
		for _, o := range p.Objectives {
			names = append(names, o.Name)
		}
	default:
		return nil
	}
	return names
}

func consequences(c gap.Consequences) *gapv1.Consequences {
	out := &gapv1.Consequences{Objectives: rollUpChanges(c.Objectives), Strategies: rollUpChanges(c.Strategies), Units: rollUpChanges(c.Units)}
	for _, t := range c.Targets {
		out.Targets = append(out.Targets, &gapv1.TargetConsequence{
			Target: t.Target, StatusBefore: string(t.StatusBefore), StatusAfter: string(t.StatusAfter), GapBefore: t.GapBefore, GapAfter: t.GapAfter,
			ResidualBefore: t.ResidualBefore, ResidualAfter: t.ResidualAfter,
			AttainmentBefore: t.AttainmentBefore, AttainmentAfter: t.AttainmentAfter,
			WithInitiativesBefore: t.InitiativesBefore, WithInitiativesAfter: t.InitiativesAfter,
			WithReadinessBefore: t.ReadinessBefore, WithReadinessAfter: t.ReadinessAfter,
		})
	}
	return out
}

func rollUpChanges(list []gap.RollUpChange) []*gapv1.RollUpConsequence {
	var out []*gapv1.RollUpConsequence
	for _, r := range list {
		out = append(out, &gapv1.RollUpConsequence{
			Name: r.Name, StatusBefore: string(r.StatusBefore), StatusAfter: string(r.StatusAfter), ScoreBefore: r.ScoreBefore, ScoreAfter: r.ScoreAfter,
		})
	}
	return out
}
