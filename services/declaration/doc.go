// Package declaration is the slice that makes the declared state what the
// manifests say, and tells what it was: plan, apply, delete; history, export,
// diff.
//
// # Glossary
//
//   - Item: one resource that somebody wants, with where it was written.
//   - Held: one resource that is declared now.
//   - Plan: the typed difference between the two; renderers and the apply work
//     from the same value.
//   - Guard: the organization's one aggregate that every declarative write also
//     appends to, so that declarations are serialized and a plan cannot rest on
//     a state that somebody else is changing.
//   - Effective date: from when a version counts. A manifest that leaves it out
//     means the day of the command if it changes the spec, and otherwise the
//     date that the resource has.
//   - Set: who owns a resource, of which pruning retires what is no longer
//     named. A manifest that names a set wins over the one that is applied.
//
// # Invariants
//
// Make is pure. References and rules are judged over the whole set that would
// result; if anything is wrong nothing is planned, and everything that is
// wrong is listed. A plan without changes writes nothing. Whatever is exported
// applies to no change.
//
// # Reading order
//
// plan.go, rules.go (what may not be), diff.go (what a reader sees), compare.go
// (two states of the past), history.go (one resource's commits); manifest/
// reads files, rpc/ is the door.
package declaration
