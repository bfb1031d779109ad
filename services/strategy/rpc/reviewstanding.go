package rpc

import (
	"strings"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/strategy"
)

// ReviewStanding is how a review stands on a day, for those who watch over it.
type ReviewStanding struct {
	ID, Name, Title, Owner, Cadence, Strategy string
	Unit                                      string // that answers for it: the owner, or the owner's
	strategy.Debt
}

// Standing reads how every review of an organization stands at the end of a day, as
// was known at a revision.
func Standing(v record.View, org string, at uint64, day calendar.Date) ([]ReviewStanding, error) {
	list, err := reviewsAt(v, org, at, day, "")
	if err != nil || len(list) == 0 {
		return nil, err
	}
	l := ledger{v: v, org: org, at: at, asOf: day}
	if err := l.owners(); err != nil {
		return nil, err
	}
	var out []ReviewStanding
	for _, x := range list {
		owner := x.spec.GetOwner()
		unit, is := strings.CutPrefix(owner, "unit/")
		if !is {
			unit = strings.TrimPrefix(l.out.Above[owner], "unit/")
		}
		out = append(out, ReviewStanding{
			ID: x.ID, Name: x.Name, Title: x.spec.GetTitle(), Owner: owner, Cadence: x.spec.GetCadence(), Strategy: x.spec.GetScope().GetStrategy(), Unit: unit,
			Debt: x.rhythm.DebtOn(func(period string) bool { return strategy.Over(x.states[period]) }, day),
		})
	}
	return out, nil
}
