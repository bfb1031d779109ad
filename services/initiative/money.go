package initiative

import (
	"fmt"
	"regexp"
	"slices"
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
	Today                          calendar.Date
	// Of the organization: its currency and the month in which fiscal years start.
	OrganizationCurrency string
	FiscalYearStart      int
}

// ForecastCompletion says what the initiative is expected to cost at its end: in
// all, or by period, what was spent in each included.
type ForecastCompletion struct {
	Amount, Currency, Reason string
	Periods                  []*initiativev1.Spend
	OrganizationCurrency     string
	FiscalYearStart          int
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
	if p.Start.After(c.Today) {
		return nil, fault.New(fault.Invalid, "initiative.period_ahead", "period: %s begins on %s, today is %s", p.Name, p.Start, c.Today).
			WithHint("what is still to be spent is a forecast: setpoint initiative completion NAME --period %s=AMOUNT", p.Name)
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
	amount, periods, err := c.total(s, currency)
	if err != nil {
		return nil, err
	}
	if spent := Spent(s); amount.LessThan(spent) {
		return nil, fault.New(fault.Rule, "initiative.completion_below_spend", "amount: %s is less than what has been spent, %s", amount, spent).
			WithHint("the cost at completion includes what has been spent")
	}
	same := slices.EqualFunc(s.GetCompletionPeriods(), periods, func(a, b *initiativev1.Spend) bool { return proto.Equal(a, b) })
	if have := s.GetCompletion(); have != nil && sameAmount(have.GetAmount(), amount) && have.GetCurrency() == currency && same {
		return nil, nil
	}
	return &initiativev1.CompletionForecast{Amount: amount.String(), Currency: currency, Reason: strings.TrimSpace(c.Reason), Periods: periods}, nil
}

// total is the forecast in all, and by period if it was said so.
func (c ForecastCompletion) total(s *State, currency string) (sum decimal.Decimal, periods []*initiativev1.Spend, err error) {
	if len(c.Periods) == 0 {
		sum, err = money("amount", c.Amount, c.Currency, currency)
		return sum, nil, err
	}
	if c.Amount != "" {
		return sum, nil, fault.New(fault.Invalid, "initiative.completion_twice", "amount: the cost at completion is said by period, and in all").
			WithHint("give one of them: in all is the sum of the periods")
	}
	var spans []calendar.Period
	for i, x := range c.Periods {
		field := fmt.Sprintf("periods[%d]", i)
		amount, err := money(field+".amount", x.GetAmount(), c.Currency, currency)
		if err != nil {
			return sum, nil, err
		}
		p, err := parsePeriod(x.GetPeriod(), c.FiscalYearStart)
		if err != nil {
			return sum, nil, fault.Wrap(err, fault.Invalid, "initiative.period", "%s.period: %q is not a period", field, x.GetPeriod()).
				WithHint("a period such as FY2025, 2025-Q1 or 2025-03")
		}
		for _, q := range spans {
			if q.Contains(p.Start) || p.Contains(q.Start) {
				return sum, nil, fault.New(fault.Invalid, "initiative.period_overlap", "%s.period: %s overlaps %s, which is given too", field, p.Name, q.Name)
			}
		}
		for _, have := range s.GetSpend() {
			if spent, err := decimal.NewFromString(have.GetAmount()); err == nil && have.GetPeriod() == p.Name && amount.LessThan(spent) {
				return sum, nil, fault.New(fault.Rule, "initiative.completion_below_spend",
					"%s.amount: %s is less than what has been spent in %s, %s", field, amount, p.Name, spent).
					WithHint("the cost of a period includes what has been spent in it")
			}
		}
		spans, sum = append(spans, p), sum.Add(amount)
		periods = append(periods, &initiativev1.Spend{Period: p.Name, Amount: amount.String()})
	}
	slices.SortFunc(periods, func(a, b *initiativev1.Spend) int { return strings.Compare(a.GetPeriod(), b.GetPeriod()) })
	return sum, periods, nil
}

var amounts = regexp.MustCompile(`^[0-9]{1,15}([.][0-9]{1,6})?$`)

// money reads an amount in the initiative's currency.
func money(field, amount, currency, want string) (decimal.Decimal, error) {
	if currency != "" && currency != want {
		return decimal.Zero, fault.New(fault.Invalid, "initiative.currency", "currency: %s is not the initiative's, which is %s", currency, want).
			WithHint("convert it first: setpoint knows no exchange rates")
	}
	d, err := decimal.NewFromString(amount)
	if err != nil || !amounts.MatchString(amount) {
		return decimal.Zero, fault.New(fault.Invalid, "initiative.amount", "%s: %q is not an amount of money", field, amount).
			WithHint("a decimal number that is not negative, without separators, such as 120000.00")
	}
	if !whole(d, want) {
		return decimal.Zero, fault.New(fault.Invalid, "initiative.amount_decimals", "%s: %s has more decimals than %s", field, amount, want).
			WithHint("%s", decimalsHint(want))
	}
	return d, nil
}

// whole tells whether an amount can be paid: it has no more decimals than its
// currency. Zeros after them change nothing.
func whole(d decimal.Decimal, currency string) bool {
	return d.Equal(d.Truncate(int32(Decimals(currency))))
}

func decimalsHint(currency string) string {
	switch n := Decimals(currency); n {
	case 0:
		return currency + " has no decimals: round it"
	default:
		return fmt.Sprintf("%s has %d decimals: round it", currency, n)
	}
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
