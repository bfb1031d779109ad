// Package guess proposes how a KPI table is to be read: which row is its
// header, what each column is for, how numbers, dates and periods are written.
//
// It looks at headers and values alone, never at a file's name or at tables it
// has met before; every word it knows is in a table of this package or of
// package cell, in several languages. Each guess has a confidence from 0 to 1
// and a reason in words, and what cannot be told is a question.
//
// It is pure, and a proposal: nothing is imported by a guess that nobody has
// looked at.
//
// Start with Table (table.go); role.go is about headers, profile.go about
// values.
package guess
