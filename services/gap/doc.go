// Package gap compares what was declared with what was observed.
//
// Evaluate is pure: a Portfolio, a day and a Policy give a Result. There is no
// clock, no I/O and no state, so that a report, the consequences of a plan and
// a counterfactual all call the same function and get the same numbers.
//
// # Glossary
//
//	v         the actual: a metric's value of the latest closed, complete period
//	a         the last day of that period; v is compared with what was expected
//	          then, not today, so that expectation never runs ahead of the data
//	b, g, s   baseline, final value, direction (+1 increase, −1 decrease)
//	R         the scale: |g − b| if s(g − b) > 0, else |g|, else declared
//	τ         the tolerance
//	gap       s(g − v), to the final state
//	drift     s(expected(a) − v), off the path
//	share     drift / R; of the gap where there is no path, as in the periods form
//	progress  (v − b)/(g − b), unclamped, only where s(g − b) > 0
//	score     clamped to [0, 1]
//	target drift  s(g first declared − g now)
//
// Positive gap, drift, share and target drift always mean behind or loosened.
//
// # Invariants
//
//   - Unknown is never green: without fresh data a green status becomes no_data.
//   - A number that is not known is nil, never 0, NaN or an infinity.
//   - Only closed and complete periods are judged; running and partial ones are
//     shown.
//   - Mirroring (negate the values, turn the direction) and scaling (another
//     unit) change no status.
//   - The order in which a portfolio lists its parts changes nothing.
//   - History is scored against the target that was in force then.
//   - What has not started counts neither as known nor as unknown in a roll-up.
//
// # Reading order
//
// portfolio.go and result.go are the types. evaluate.go is the way through;
// path.go, periods.go, band.go and milestone.go are the four forms, on
// series.go (values of periods), ratio.go and total.go (series that are
// computed from others, or added up), trajectory.go (what was expected when),
// version.go (which declaration counts), judge.go (thresholds) and status.go
// (what time does to a status). rollup.go goes from targets to objectives,
// strategies and units. policy.go says what a policy is, preset.go which there
// are, level.go and gauge.go how they score; explain.go has the words, grid.go
// the periods of a target, quality.go what is to be known about its data,
// format.go how a value is written.
package gap
