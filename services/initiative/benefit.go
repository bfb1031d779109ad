package initiative

import (
	"math"
	"strings"

	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// RecordBenefit says what the initiative has added to a target's metric by a
// day, in all, in the direction that is better.
type RecordBenefit struct {
	Target, At, Basis string
	Amount            float64
	Today             calendar.Date
}

func (c RecordBenefit) decide(spec *Spec, s *State) (proto.Message, error) {
	if err := began(s, "a benefit"); err != nil {
		return nil, err
	}
	var targets []string
	known := false
	for _, x := range spec.GetContributions() {
		known = known || x.GetTarget() == c.Target
		targets = append(targets, x.GetTarget())
	}
	if !known {
		return nil, fault.New(fault.NotFound, "initiative.no_contribution", "target: the initiative contributes nothing to %q", c.Target).
			WithHint("%s; declare the contribution first", list(targets))
	}
	if math.IsNaN(c.Amount) || math.IsInf(c.Amount, 0) {
		return nil, fault.New(fault.Invalid, "initiative.benefit_amount", "amount: %v is not a number", c.Amount)
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, err
	}
	if s.GetStarted() == "" || at.String() < s.GetStarted() {
		began := "it has not begun yet"
		if s.GetStarted() != "" {
			began = "it began on " + s.GetStarted()
		}
		return nil, fault.New(fault.Rule, "initiative.benefit_before_start", "at: the initiative has added nothing by %s, %s", at, began).
			WithHint("setpoint initiative start NAME --at DATE says when it began")
	}
	for _, b := range s.GetBenefits() {
		if b.GetTarget() == c.Target && b.GetAt() == at.String() && b.GetAmount() == c.Amount {
			return nil, nil
		}
	}
	return &initiativev1.BenefitRealized{Target: c.Target, At: at.String(), Amount: c.Amount, Basis: strings.TrimSpace(c.Basis)}, nil
}

// Realized is what the initiative has added to a target's metric by a day, 0 if
// nobody recorded anything.
func Realized(s *State, target, by string) float64 {
	amount := 0.0
	for _, b := range s.GetBenefits() { // by date
		if b.GetTarget() == target && b.GetAt() <= by {
			amount = b.GetAmount()
		}
	}
	return amount
}
