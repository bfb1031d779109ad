package gap

import "setpoint.dev/services/internal/calendar"

// Sensitivity is what one policy's targets become under every way of rolling
// them up.
type Sensitivity struct {
	AsOf                          calendar.Date
	Revision                      uint64
	Policy                        string
	Objectives, Strategies, Units []Varied
}

// Varied is one objective, strategy or unit under every way.
type Varied struct {
	Name, Title, Strategy string
	Variants              []Variant
}

// Variant is the roll-up by one way.
type Variant struct {
	Method  RollUpMethod
	Missing Missing
	Policy  bool // the way of the policy itself
	Status  Status
	Score   *float64
	Known   float64
}

// Robust tells whether every way gives the same status.
func (v Varied) Robust() bool {
	for _, x := range v.Variants {
		if x.Status != v.Variants[0].Status {
			return false
		}
	}
	return true
}

var (
	methods  = []RollUpMethod{Weighted, Worst, Threshold}
	missings = []Missing{MissingUnknown, MissingExcluded, MissingFailed}
)

// Sensitive judges the targets by a policy once, and rolls them up by every
// method and every way of counting what is missing, each with the policy's
// bounds.
func Sensitive(p Portfolio, asOf calendar.Date, policy Policy, opts Options) Sensitivity {
	out := Sensitivity{AsOf: asOf, Revision: p.Revision, Policy: policy.Name}
	opts.Explain, opts.Forecast = false, false
	for _, missing := range missings {
		for _, method := range methods {
			way := policy
			way.RollUp.Method, way.RollUp.Missing = method, missing
			r := Evaluate(p, asOf, way, opts)
			mine := method == policy.RollUp.Method && missing == policy.RollUp.Missing
			vary(&out.Objectives, r.Objectives, way.RollUp, mine)
			vary(&out.Strategies, r.Strategies, way.RollUp, mine)
			vary(&out.Units, r.Units, way.RollUp, mine)
		}
	}
	return out
}

// vary adds one way; the parts are in the same order under each.
func vary(to *[]Varied, list []RollUp, rule RollUpRule, mine bool) {
	if *to == nil {
		*to = make([]Varied, len(list))
	}
	for i, r := range list {
		v := &(*to)[i]
		v.Name, v.Title, v.Strategy = r.Name, r.Title, r.Strategy
		v.Variants = append(v.Variants, Variant{
			Method: rule.Method, Missing: rule.Missing, Policy: mine, Status: r.Status, Score: r.Score, Known: r.Known,
		})
	}
}
