// Package resource is the registry of declared kinds and the one pure state
// machine that all merely declared kinds share.
//
// A Kind ties together, once: the name people write, the spec message, the
// literal wire names of its events, its references and its rules. Manifests,
// plan and apply, get and describe, history, JSON Schema, completion and the
// record all work from it, so adding a kind touches its slice and one line of
// services/kinds.
//
// Invariants: Decide and Evolve are pure; no event means "already so"; wire
// names are literals that never change; Evolve knows only present versions,
// older ones pass through an Upcaster first.
package resource
