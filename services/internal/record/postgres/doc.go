// Package postgres keeps the record in PostgreSQL, 15 or newer: several
// processes read it at once, and any of them may write it, one at a time.
//
// Each generation of the record is a schema of its own, setpoint_g1,
// setpoint_g2 …; the schema setpoint holds the table of generations and the
// views over the live one that people read with other programs. Database is the
// door; write.go writes, view.go reads, readmodel.go makes the views.
//
// Invariants: a generation's checkpoint is its row in setpoint.generation, and
// moves in the transaction that writes the rows; who writes holds that row
// locked, and compares it first; a read finds the live generation in its own
// transaction and keeps it from being dropped; numbers of generations are not
// used again.
package postgres
