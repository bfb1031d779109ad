// Package record is the one generic projection of the log: what was declared,
// what was observed and what was said, bitemporally, for every organization.
//
// Read store.go first: it states what a database must promise. fold.go turns
// commits of the log into Changes, the same for every database; projector.go
// follows the log, writes Changes and checkpoint in one transaction, and wakes
// those who wait for a revision. sqlite/ implements the store.
//
// Invariants: rows and checkpoint commit together; a checkpoint is always the
// end of a commit; an event that cannot be folded halts the projection where
// everybody sees it; nothing here cannot be rebuilt from the log.
package record
