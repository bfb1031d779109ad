package initiative

import (
	"strings"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// Currency is what an initiative's money is in: its own currency, or the
// organization's, or USD.
func Currency(spec *Spec, organization string) string {
	switch {
	case spec.GetCurrency() != "":
		return spec.GetCurrency()
	case organization != "":
		return organization
	}
	return "USD"
}

// RecordSpend says what was spent in a period, in all; a later amount for the
// same period replaces it.
type RecordSpend struct {
	Period, Amount, Currency, Note string
	// Of the organization: its currency and the month in which fiscal years start.
	OrganizationCurrency string
	FiscalYearStart      int
}

// ForecastCompletion says what the initiative is expected to cost at its end.
type ForecastCompletion struct {
	Amount, Currency, Reason string
	OrganizationCurrency     string
}

func (c RecordSpend) decide(spec *Spec, s *State) (proto.Message, error) {
	if err := began(s, "spend"); err != nil {
		return nil, err
	}
	amount, err := money("amount", c.Amount, c.Currency, Currency(spec, c.OrganizationCurrency))
	if err != nil {
		return nil, err
	}
	p, err := parsePeriod(c.Period, c.FiscalYearStart)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "initiative.period", "period: %q is not a period", c.Period).
			WithHint("a period such as FY2025, 2025-Q1 or 2025-03")
	}
	for _, have := range s.GetSpend() {
		if have.GetPeriod() == p.Name {
			if sameAmount(have.GetAmount(), amount) {
				return nil, nil
			}
			continue
		}
		q, err := parsePeriod(have.GetPeriod(), c.FiscalYearStart)
		if err == nil && (q.Contains(p.Start) || p.Contains(q.Start)) {
			return nil, fault.New(fault.Rule, "initiative.period_overlap",
				"period: %s overlaps %s, for which %s is recorded", p.Name, have.GetPeriod(), have.GetAmount()).
				WithHint("record spend by one kind of period, so that nothing counts twice")
		}
	}
	return &initiativev1.SpendRecorded{
		Period: p.Name, Amount: amount.String(), Currency: Currency(spec, c.OrganizationCurrency), Note: strings.TrimSpace(c.Note),
	}, nil
}

func (c ForecastCompletion) decide(spec *Spec, s *State) (proto.Message, error) {
	currency := Currency(spec, c.OrganizationCurrency)
	amount, err := money("amount", c.Amount, c.Currency, currency)
	if err != nil {
		return nil, err
	}
	if spent := Spent(s); amount.LessThan(spent) {
		return nil, fault.New(fault.Rule, "initiative.completion_below_spend", "amount: %s is less than what has been spent, %s", amount, spent).
			WithHint("the cost at completion includes what has been spent")
	}
	if have := s.GetCompletion(); have != nil && sameAmount(have.GetAmount(), amount) && have.GetCurrency() == currency {
		return nil, nil
	}
	return &initiativev1.CompletionForecast{Amount: amount.String(), Currency: currency, Reason: strings.TrimSpace(c.Reason)}, nil
}

// money reads an amount in the initiative's currency.
func money(field, amount, currency, want string) (decimal.Decimal, error) {
	if currency != "" && currency != want {
		return decimal.Zero, fault.New(fault.Invalid, "initiative.currency", "currency: %s is not the initiative's, which is %s", currency, want).
			WithHint("convert it first: setpoint knows no exchange rates")
	}
	d, err := decimal.NewFromString(amount)
	if err != nil || d.IsNegative() || d.Exponent() > 0 || strings.ContainsAny(amount, "eE+") {
		return decimal.Zero, fault.New(fault.Invalid, "initiative.amount", "%s: %q is not an amount of money", field, amount).
			WithHint("a decimal number that is not negative, such as 120000.00")
	}
	return d, nil
}

func sameAmount(s string, d decimal.Decimal) bool {
	have, err := decimal.NewFromString(s)
	return err == nil && have.Equal(d)
}

// Spent is the sum of what was recorded, in the initiative's currency.
func Spent(s *State) decimal.Decimal {
	sum := decimal.Zero
	for _, x := range s.GetSpend() {
		if d, err := decimal.NewFromString(x.GetAmount()); err == nil {
			sum = sum.Add(d)
		}
	}
	return sum
}

// Budget is the sum of the plan's budget, in the initiative's currency.
func Budget(spec *Spec) decimal.Decimal {
	sum := decimal.Zero
	for _, b := range spec.GetBudget() {
		if d, err := decimal.NewFromString(b.GetAmount()); err == nil {
			sum = sum.Add(d)
		}
	}
	return sum
}

func parsePeriod(name string, fiscalYearStart int) (calendar.Period, error) {
	return calendar.ParsePeriod(name, max(fiscalYearStart, 1))
}
