// Package doctor examines a log, the read models made from it, and what both
// stand on, and says of each finding how bad it is and what to do.
//
// Invariants: nothing is changed, whatever is found; every damaged sequence is
// named; one finding is no reason to stop looking; memory is bounded by one
// hash for each aggregate.
//
// Start with Diagnose.
package doctor
