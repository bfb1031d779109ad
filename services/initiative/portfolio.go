package initiative

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
)

// Money is the budget, spend and forecast of one initiative, by period. A
// budget line and a spend of the same period share a line.
func Money(p Plan, organizationCurrency string, fiscalYearStart int) *initiativev1.MoneyEntry {
	out := &initiativev1.MoneyEntry{Currency: Currency(p.Spec, organizationCurrency)}
	budget, spent := Budget(p.Spec), Spent(p.State)
	if len(p.Spec.GetBudget()) > 0 {
		out.Budget = budget.String()
	}
	if len(p.State.GetSpend()) > 0 {
		out.Spent = spent.String()
	}
	if c := p.State.GetCompletion(); c != nil {
		out.Completion = c.GetAmount()
		if d, err := decimal.NewFromString(c.GetAmount()); err == nil && out.GetBudget() != "" {
			out.Overrun = d.Sub(budget).String()
		}
	}
	lines := map[string]*initiativev1.PeriodMoney{}
	starts := map[string]calendar.Date{}
	at := func(name string) *initiativev1.PeriodMoney {
		if period, err := parsePeriod(name, fiscalYearStart); err == nil {
			name = period.Name
			starts[name] = period.Start
		}
		if lines[name] == nil {
			lines[name] = &initiativev1.PeriodMoney{Period: name}
		}
		return lines[name]
	}
	for _, b := range p.Spec.GetBudget() {
		at(b.GetPeriod()).Budget = b.GetAmount()
	}
	for _, s := range p.State.GetSpend() {
		at(s.GetPeriod()).Spent = s.GetAmount()
	}
	for _, f := range p.State.GetCompletionPeriods() {
		at(f.GetPeriod()).Forecast = f.GetAmount()
	}
	out.Periods = slices.SortedFunc(maps.Values(lines), func(a, b *initiativev1.PeriodMoney) int {
		return cmp.Or(starts[a.GetPeriod()].Compare(starts[b.GetPeriod()]), cmp.Compare(a.GetPeriod(), b.GetPeriod()))
	})
	return out
}

// ObjectiveOf is the objective that an initiative's spend counts for; objectives
// are those of the targets, by target. It is empty where there is none.
func ObjectiveOf(spec *Spec, objectives map[string]string) string {
	if spec.GetObjective() != "" {
		return spec.GetObjective()
	}
	for _, c := range spec.GetContributions() {
		if o := objectives[c.GetTarget()]; o != "" {
			return o
		}
	}
	return ""
}

// ByObjective adds up budgets and spend; cancelled initiatives count with what
// was spent, and without their budget.
func ByObjective(plans []Plan, objectives map[string]string, organizationCurrency string) []*initiativev1.ObjectiveMoney {
	type key struct{ objective, currency string }
	type sums struct {
		budget, spent decimal.Decimal
		n             int32
	}
	all := map[key]*sums{}
	for _, p := range plans {
		k := key{ObjectiveOf(p.Spec, objectives), Currency(p.Spec, organizationCurrency)}
		if all[k] == nil {
			all[k] = &sums{}
		}
		x := all[k]
		x.n++
		x.spent = x.spent.Add(Spent(p.State))
		if stage(p.State) != Cancelled {
			x.budget = x.budget.Add(Budget(p.Spec))
		}
	}
	var out []*initiativev1.ObjectiveMoney
	for k, x := range all {
		out = append(out, &initiativev1.ObjectiveMoney{
			Objective: k.objective, Currency: k.currency, Budget: x.budget.String(), Spent: x.spent.String(), Initiatives: x.n,
		})
	}
	slices.SortFunc(out, func(a, b *initiativev1.ObjectiveMoney) int {
		return cmp.Or(cmp.Compare(a.GetObjective(), b.GetObjective()), cmp.Compare(a.GetCurrency(), b.GetCurrency()))
	})
	return out
}

// ServingNothing lists the initiatives, not cancelled, that contribute to no
// target; Unserved the targets that no initiative in progress contributes to.
func ServingNothing(plans []Plan) []string {
	var out []string
	for _, p := range plans {
		if len(p.Spec.GetContributions()) == 0 && stage(p.State) != Cancelled {
			out = append(out, p.Name)
		}
	}
	slices.Sort(out)
	return out
}

// Unserved lists the targets that no initiative which is in progress or
// completed contributes to.
func Unserved(plans []Plan, targets []string) []string {
	served := map[string]bool{}
	for _, p := range plans {
		if st := stage(p.State); InProgress(st) || st == Completed {
			for _, c := range p.Spec.GetContributions() {
				served[c.GetTarget()] = true
			}
		}
	}
	var out []string
	for _, t := range targets {
		if !served[t] {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}
