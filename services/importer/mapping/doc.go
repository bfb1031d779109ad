// Package mapping says how a KPI table is to be read: which sheet, which rows
// are its header, what each column is for, how numbers and dates are written,
// which words mean that there is no value.
//
// It is pure: YAML in, a checked Mapping out, and back. A mapping is complete in
// itself: reading a table by it asks nothing else, so that the same file and
// the same mapping always give the same manifests and observations.
//
// # Shapes of tables
//
//   - Long: a row for each measure and period. A column has the role period (or
//     year with quarter or month), the values stand in columns of the roles
//     target, actual, … or in one of the role value beside one of the role kind.
//   - Wide: a row for each measure, a column for each period and kind. Each value
//     column says its Period, or has it in its header.
//   - Measures in columns: value columns name their measure with Of.
//
// These mix: a column with a Period of its own does not look at the row's.
//
// # Filling it by a guess
//
// Whoever proposes a mapping fills the types here, one Column for each column of
// the table (role ignore for those that are not read), selects it by Header (as
// joined from the header rows, or by Letter where the header is empty or not
// unique), writes each period of a wide table out in Column.Period, puts the
// reason and the confidence into Column.Comment and what cannot be told into
// Mapping.Questions. Encode writes both as YAML comments, which Parse passes over.
//
// Start with Mapping (mapping.go); column.go has the roles, parse.go reads and
// checks, encode.go writes, schema.go is the JSON Schema for editors.
package mapping
