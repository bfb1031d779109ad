package initiative

import (
	"strings"
	"testing"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"

	"google.golang.org/protobuf/proto"
)

// declared is a set of one organization.
type declared struct{ currency string }

func (d declared) Spec(kind, _ string) (proto.Message, bool) {
	return &strategyv1.OrganizationSpec{Currency: d.currency}, kind == "Organization"
}

func (d declared) Names(kind string) []string {
	if kind == "Organization" {
		return []string{"default"}
	}
	return nil
}

// A budget is money that can be paid: yen have no decimals, dinars have three.
func TestDecimalsOfABudget(t *testing.T) {
	for _, c := range []struct {
		own, organization, amount string
		legal                     bool
	}{
		{"", "", "10.25", true},
		{"", "", "10.255", false},
		{"", "JPY", "1000", true},
		{"", "JPY", "1000.5", false},
		{"", "JPY", "1000.00", true},
		{"EUR", "JPY", "1000.5", true},
		{"KWD", "", "1.125", true},
		{"KWD", "", "1.1255", false},
		{"RSD", "", "1.25", true},
	} {
		spec := &initiativev1.InitiativeSpec{
			Title: "T", Start: "2026-01-01", End: "2026-12-31", Currency: c.own,
			Budget: []*initiativev1.BudgetLine{{Period: "FY2027", Amount: "1"}, {Period: "2026-Q1", Amount: c.amount}},
		}
		refused := false
		for _, f := range Kinds()[0].Check("i", spec, declared{c.organization}) {
			if f.Reason == "initiative.amount_decimals" {
				refused = true
				if f.Field != "spec.budget[1].amount" || !strings.Contains(f.Message, c.amount) || !strings.Contains(f.Hint, "decimals") {
					t.Errorf("%+v", f)
				}
			}
		}
		if refused == c.legal {
			t.Errorf("%+v: refused %v", c, refused)
		}
	}
}
