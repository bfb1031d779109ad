// Package forecast says what a series of equal steps is likely to do next: a
// point for each step, how sure that is, and paths for what rests on several
// steps at once.
//
// It is pure and deterministic: the same values give the same forecast, and draws
// depend on the identity that the caller gives, never on the values, so that a
// probability moves only because the forecast does.
//
// The method is one for all series, however short and of whatever cadence: a mean
// of a few well-tried forecasts (point.go), and intervals whose widths are
// multiples of how much the series moves from step to step (interval.go). The
// multiples were fitted to thousands of real series of each length, since the
// textbook formulas promise far too much for a handful of values (table.go, made
// by the yardstick program beside this package, which also measures the whole
// against published results).
//
// Read forecast.go first.
package forecast
