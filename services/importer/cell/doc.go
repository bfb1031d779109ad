// Package cell reads what people type into the cells of a KPI table: numbers
// in several languages' forms, dates, periods, directions, and the words for
// "no value".
//
// It is pure: a text and a Locale in, a value or the reason why not out.
//
// Invariants:
//   - Nothing is invented. A text that has two readings under its Locale is an
//     error that names both; what stands beside a number (a unit, a note) is
//     returned, not dropped.
//   - A Locale is of a column, not of a cell: 1.234 is a thousand in a column
//     that writes 7,75 and one and a bit in one that writes 7.75. Infer looks at
//     all texts of a column.
//   - The words of every language are tables (words.go), not code.
//
// Start with ParseNumber and Infer (number.go); period.go reads periods in the
// form that package calendar names.
package cell
