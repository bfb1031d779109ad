// Package strategy is the slice that declares and observes: organizations,
// units, strategies, objectives, metrics, targets, and measured values.
//
// # Glossary
//
//   - Metric: what is measured; it lives beside strategies, not inside one.
//   - Target: one setpoint on a metric, in one of four forms: a path to a final
//     value, periods that are each a target of their own, a band to maintain, or
//     a milestone.
//   - Observation: a measured value, identified by metric, observed_at and
//     source; a correction supersedes it and never erases it.
//
// # Invariants
//
// Everything here is pure. A rule looks at one resource within the set that
// would result, so a whole apply is judged before anything is written. The
// same value observed again is no event; another value for the same identity
// is refused unless it is said to be a correction.
//
// # Reading order
//
// kinds.go (the registry entries), target.go (the richest rules), observe.go
// (Decide for observations); rpc/ is the door.
package strategy
