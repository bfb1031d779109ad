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
//   - Check-in: a person's word on a target, about a day: confidence 0 to 10,
//     a note, and an override: a status beside the computed one, until a day.
//   - Advice: what is poor about a target that breaks no rule (SMART).
//
// # Invariants
//
// Everything here is pure. A rule looks at one resource within the set that
// would result, so a whole apply is judged before anything is written. The
// same value observed again is no event; another value for the same identity
// is refused unless it is said to be a correction. An override never replaces
// what is computed; advice never refuses.
//
// # Reading order
//
// kinds.go (the registry entries), target.go (the richest rules), observe.go
// (Decide for observations), checkin.go (the same for check-ins), smart.go (the
// advice); rpc/ is the door.
package strategy
