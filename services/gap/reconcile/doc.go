// Package reconcile keeps the conditions of every target true: it evaluates
// whenever something that matters is recorded and whenever a day passes, has
// condition decide what is to be told, and appends it.
//
// # Invariants
//
//   - It is level-triggered: where things stand decides, not which message came.
//     Whatever was missed while nothing ran is made up for at the start.
//   - Everything is appended under the guard of the target's conditions, decided
//     on the state that the guard says, under a request id made of what it rests
//     on. Two that run at once, or one that is killed at any moment, neither
//     repeat nor lose a transition.
//   - What policies do is no trigger, and is invisible to their expressions.
//   - A firing is on record before its effects; effects that are not on record
//     when a reconciler begins are carried out then, under the same request id.
//   - A value touches only the targets of its metric, and of ratios that use it.
//
// # Reading order
//
// reconciler.go (what triggers it), organization.go (what it keeps of a tenant,
// and how it tells), replay.go (what a policy would have done).
package reconcile
