package rpc

import (
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// mostForecast is of how many targets a comparison forecasts both sides: more than
// a person reads, and a plan stays quick.
const mostForecast = 500

// Suppose compares what is declared with what would be, at the end of a day; then
// is a picture made of is by record.AsIf. renamed gives the name before of what
// has another one, by KIND/NAME. The policy is the one of each side.
func Suppose(is, then record.View, org string, asOf calendar.Date, policy string, renamed map[string]string) (*gapv1.Consequences, error) {
	at := is.Revision()
	// The policy may be one that is being declared.
	rules, err := portfolio.Rules(then, org, policy, at, asOf)
	if err != nil {
		return nil, err
	}
	judge := rules
	if r, err := portfolio.Rules(is, org, policy, at, asOf); err == nil {
		judge = r
	}
	before, err := portfolio.Load(is, org, at, asOf)
	if err != nil {
		return nil, err
	}
	after, err := portfolio.LoadThen(then, org, at, asOf, before)
	if err != nil {
		return nil, err
	}
	return compared(before, after, asOf, judge.Policy, rules.Policy, gap.Options{}, renamed), nil
}

// compared evaluates both and says how they differ.
func compared(before, after gap.Portfolio, asOf calendar.Date, was, is gap.Policy, opts gap.Options, renamed map[string]string) *gapv1.Consequences {
	touched := gap.Touched(before, after, renamed)
	left := 0
	if len(touched) > mostForecast {
		left, touched = len(touched), nil
	}
	opts.Forecast, opts.ForecastOf = len(touched) > 0, touched
	now := opts
	if opts.Forecast && len(renamed) > 0 {
		// Before, they have the names they had.
		now.ForecastOf = map[string]bool{}
		for name := range touched {
			if old, ok := renamed["Target/"+name]; ok {
				name = old
			}
			now.ForecastOf[name] = true
		}
	}
	b := gap.Evaluate(before, asOf, was, now)
	a := gap.Evaluate(after, asOf, is, opts)
	b, cover := gap.Renamed(b, gap.Cover(b, before.Initiatives), renamed)
	out := consequences(gap.Compare(b, a, cover, gap.Cover(a, after.Initiatives)))
	out.AsOf, out.Policy, out.Unforecast = asOf.String(), is.Name, int32(left)
	return out
}
