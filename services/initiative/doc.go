// Package initiative is the slice that acts: work meant to close gaps, and
// corrective actions against a gap.
//
// # Glossary
//
//   - Initiative: work with a plan (declared: dates, milestones, dependencies,
//     budget, contributions) and a life (acts: stage, forecasts, spend, benefits).
//   - Stage: proposed, approved, active, paused, completed, cancelled.
//   - Milestone: a step with a planned date, of a forecast and an actual one.
//   - Contribution: what the initiative is expected to add to a target's metric,
//     as 10th, 50th and 90th percentile, from the start to the end of its ramp.
//   - Commitment integrity: what became of the milestones that stood at the begin
//     of a period: kept, reached, pushed out, pulled in, dropped; and what was
//     added since.
//   - Corrective action: somebody's promise to do something about a gap by a day.
//
// # Invariants
//
// Everything here is pure. An act is decided on the plan that is declared and
// on the state that the earlier acts made; no event means "already so". The
// state travels with the events and holds nothing personal. Money is decimal
// and has one currency for each initiative. A stage is left only along the
// lifecycle; coming back from an end is recorded as a reopening.
//
// # Reading order
//
// kinds.go (the registry entry and the rules of a plan), act.go (Decide and
// Evolve), stage.go (the lifecycle), milestone.go, money.go, benefit.go,
// action.go; schedule.go (where milestones and ends are now expected, the
// critical path), commitment.go, portfolio.go; rpc/ is the door.
package initiative
