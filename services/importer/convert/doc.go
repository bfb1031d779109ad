// Package convert makes manifests and observations of a table and its mapping.
//
// It is pure: rows go in, a Result comes out; no clock, no server. What is
// declared already comes in as Known, so that a later edition of a plan gives
// the changes to it.
//
// Invariants:
//   - Every cell of a mapped column that says something is either in the Result
//     or among its Troubles, with the reason. Nothing is dropped silently.
//   - Nothing is invented: no direction, unit, owner or person that the table or
//     the mapping does not name; a missing value is no 0.
//   - The same rows, mapping and Known give the same Result, byte for byte. Names
//     do not depend on the order of the rows.
//   - Two values for one measure, period and kind in one edition contradict each
//     other: neither is taken. In two editions the later one counts: a target is
//     declared anew from the edition's day, an actual is corrected.
//
// Start with Converter (converter.go): Sheet and Row take the table in, Finish
// gives the Result. read.go reads cells, measure.go holds what is known of one
// measure, declare.go writes the manifests, name.go makes names.
package convert
