// Package change is the slice for the human side of initiatives: programs after
// Kotter, ADKAR, Lewin or a declared framework, the audiences they ask something
// of, and what surveys of those audiences found.
//
// # Glossary
//
//   - Framework: ordered stages, assessed elements, or both. kotter, adkar and
//     lewin are built in; a ChangeFramework declares another one as data.
//   - Stage: a step of a framework: not started, in progress, in place, regressed.
//   - Force field: driving and restraining forces, each with a strength and an
//     influenceability from 1 to 5.
//   - Element: what is asked of each respondent, from 1 to 5.
//   - Wave: one round of a survey. Its results exist only once it is closed.
//   - Barrier point: the first element, in order, at 3 or lower; it belongs to a
//     person, so it is counted and never averaged.
//   - Readiness: 0 to 1, a heuristic with its formula and inputs beside it.
//   - Adoption: 0.15 + 0.78 × readiness, a heuristic.
//   - Load: hours asked of a person in a month, by all programs, against capacity.
//
// # Invariants
//
//   - Everything here is pure.
//   - Kotter's steps are concurrent: advancing past gaps warns, never refuses.
//     Moving on against the force field needs a reason. Going back is an event.
//   - Answers are personal. They leave this package only as results of a closed
//     wave, and what is published of an element is such that no combination of
//     published numbers, of any waves, is about fewer than 5 people (10 for
//     distributions and barrier counts): see publish.go.
//   - Results are computed once, when a wave closes, and are never computed again.
//   - An unmeasured audience is unknown, not ready.
//
// # Reading order
//
// kinds.go, framework.go, act.go (Decide and Evolve), stage.go, force.go,
// resistance.go; survey.go (waves and answers), result.go, publish.go;
// readiness.go, load.go; rpc/ is the door.
package change
