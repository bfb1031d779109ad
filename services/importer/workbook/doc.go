// Package workbook reads the tables of CSV and XLSX files as rows of cells, one
// row at a time.
//
// Invariants:
//   - A cell is what the file says and nothing else: its text, and what kind of
//     thing that is. A number in an XLSX file is the number, not what its format
//     shows of it; a date is a day; a percentage keeps that it is one.
//   - Rows and columns have the numbers that a spreadsheet program shows.
//   - A merged cell says in each of the cells it covers what its first says, and
//     that it is covered (Cell.Merged).
//   - A file is read in memory that does not grow with its rows: the shared texts
//     of an XLSX file are held, its rows are not. Files, rows, cells, texts and
//     what an archive unpacks to have limits (limit.go); beyond them is a refusal.
//   - Nothing is run: formulas count as the values saved with them, links and
//     macros are not looked at.
//
// Excelize reads a sheet as texts alone, or as a tree of the whole sheet; neither
// gives kinds in bounded memory, so the parts of an XLSX file are read here, with
// excelize's arithmetic of dates.
//
// Start with Open (open.go); csv.go and xlsx.go are the two formats.
package workbook
