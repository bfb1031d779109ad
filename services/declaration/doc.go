// Package declaration is the slice that makes the declared state what the
// manifests say: plan, apply, delete.
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
//
// # Invariants
//
// Make is pure. References and rules are judged over the whole set that would
// result; if anything is wrong nothing is planned, and everything that is
// wrong is listed. A plan without changes writes nothing.
//
// # Reading order
//
// plan.go, rules.go (what may not be), diff.go (what a reader sees);
// manifest/ reads files, rpc/ is the door.
package declaration
