package portfolio

import (
	"cmp"

	"github.com/shopspring/decimal"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/schedule"
)

// initiatives reads what is planned and where it stands, with the change
// programs that belong to it. The states are part of the record's contract: they
// travel with the events of the other slices.
func (l *loader) initiatives(p *gap.Portfolio) error {
	var err error
	if p.Programs, err = l.programs(); err != nil {
		return err
	}
	list, err := l.v.Resources(l.org, "Initiative", l.at, "", 0)
	if err != nil {
		return err
	}
	for _, r := range list {
		spec := r.Spec.(*initiativev1.InitiativeSpec)
		state := &initiativev1.InitiativeState{}
		at, err := record.StateOf(l.v, r, "initiative", "life", l.at, state)
		if err != nil {
			return err
		}
		state = schedule.On(state, l.asOf, l.periodStart)
		i := gap.Initiative{
			Name: r.Name, Title: spec.GetTitle(), Owner: spec.GetOwner(), Stage: cmp.Or(state.GetStage(), "proposed"), Objective: spec.GetObjective(),
			Start: date(spec.GetStart()), End: date(spec.GetEnd()), Started: date(state.GetStarted()), Since: date(state.GetSince()),
			Money: l.money(spec, state), Capacity: spec.Capacity, Revision: max(r.From, at),
		}
		for _, g := range p.Programs {
			if g.Initiative == r.Name {
				i.Programs = append(i.Programs, g)
			}
		}
		said := map[string]*initiativev1.MilestoneState{}
		for _, m := range state.GetMilestones() {
			said[m.GetName()] = m
		}
		for _, m := range spec.GetMilestones() {
			of := said[m.GetName()]
			i.Milestones = append(i.Milestones, gap.InitiativeMilestone{
				Name: m.GetName(), Title: m.GetTitle(), Planned: date(m.GetPlanned()),
				Forecast: date(of.GetForecast()), Reached: date(of.GetReached()), Pushed: int(of.GetPushed()),
			})
		}
		for _, d := range spec.GetDependsOn() {
			i.After = append(i.After, schedule.After{Name: d.GetInitiative(), LagDays: int(d.GetLagDays())})
		}
		for _, c := range spec.GetContributions() {
			x := gap.Contribution{
				Target: c.GetTarget(), Likely: c.GetLikely(), Low: c.Low, High: c.High, Delivery: c.Delivery, Basis: c.GetBasis(), PeopleDependent: 1,
				RampStart: date(cmp.Or(c.GetRampStart(), c.GetRampEnd(), spec.GetEnd())), RampEnd: date(cmp.Or(c.GetRampEnd(), spec.GetEnd())),
			}
			if c.PeopleDependent != nil {
				x.PeopleDependent = c.GetPeopleDependent()
			}
			if x.RampEnd.Before(x.RampStart) {
				x.RampEnd = x.RampStart
			}
			i.Contributions = append(i.Contributions, x)
		}
		p.Initiatives = append(p.Initiatives, i)
	}
	return nil
}

// actions reads what people promised to do.
func (l *loader) actions(p *gap.Portfolio) error {
	return l.v.States(l.org, "initiative", "action", l.at, func(have record.State) error {
		state := &initiativev1.ActionState{}
		if err := have.Into(state); err != nil {
			return err
		}
		if state = schedule.ActionOn(state, l.asOf); state != nil {
			p.Actions = append(p.Actions, gap.Action{
				ID: have.ID, Title: state.GetTitle(), Target: state.GetTarget(), Initiative: state.GetInitiative(), Owner: state.GetOwner(),
				Policy: state.GetPolicy(), Opened: date(state.GetOpened()), Due: date(state.GetDue()), Closed: date(state.GetClosed()),
			})
		}
		return nil
	})
}

// periodStart is the first day of a period, unset if there is none of the name.
func (l *loader) periodStart(name string) calendar.Date {
	p, err := calendar.ParsePeriod(name, l.fiscal)
	if err != nil {
		return calendar.Date{}
	}
	return p.Start
}

// money reads what an initiative may cost and has cost. An amount that is none,
// which declaring and recording refuse, counts as nothing.
func (l *loader) money(spec *initiativev1.InitiativeSpec, state *initiativev1.InitiativeState) gap.Money {
	m := gap.Money{Currency: cmp.Or(spec.GetCurrency(), l.currency)}
	add := func(sum **decimal.Decimal, amount string) {
		d, err := decimal.NewFromString(amount)
		if err != nil {
			return
		}
		if *sum != nil {
			d = d.Add(**sum)
		}
		*sum = &d
	}
	for _, b := range spec.GetBudget() {
		add(&m.Budget, b.GetAmount())
	}
	for _, x := range state.GetSpend() {
		add(&m.Spent, x.GetAmount())
	}
	if c := state.GetCompletion(); c != nil {
		add(&m.Completion, c.GetAmount())
	}
	return m
}
