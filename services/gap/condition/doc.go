// Package condition is what is on record of the conditions of a target: alarms
// with memory, an aggregate beside the target's declaration.
//
// Gaps and reports show what gap.Evaluate computes. A condition says since when
// something holds, and its transitions are events, told once.
//
// # Invariants
//
//   - Everything is pure. Decide looks at where things stand (level-triggered),
//     not at what has just happened: what was missed is made up for, and what is
//     told already is not told again. No event means "already so".
//   - Events hold what they rest on: inputs, policy and its revision, version of
//     the evaluator, day, revision. Folding recomputes nothing.
//   - GapOpened and GapClosed alternate; GapWidened and GapNarrowed come only
//     between them; DataWentStale and DataBecameFresh alternate.
//   - A gap is told as soon as there is one. It closes only by a margin below the
//     share that was told last, so that what swings by less is told once.
//   - What is not known neither opens nor closes a gap.
//   - A reaction fires once for as long as it holds.
//
// # Reading order
//
// observe.go (from an evaluation to conditions), decide.go, react.go, evolve.go,
// wire.go (wire names).
package condition
