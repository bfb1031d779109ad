// Package report turns a comparison into documents: one typed Document, then
// Markdown, self-contained HTML, JSON or CSV of it.
//
// Build normalises a portfolio and the result of its evaluation into a
// Document; everything a reader is shown is in it, numbers as numbers beside
// their format. Markdown, HTML, JSON and CSV render it and add
// nothing but words.
//
// Invariants:
//   - The same inputs give the same bytes: no clock, no map order, no random
//     identifiers, and the order of the inputs does not matter.
//   - Unknown is never green: what could not be judged has a word, a symbol and
//     a hatched mark of its own, and every roll-up is shown with its known share.
//   - A number that is not known, or not finite, is absent; never 0.
//   - A difference is positive where the organization is behind; renderers say
//     "behind" and "ahead" instead of a bare sign wherever there is room.
//   - Names, titles and notes are foreign text: each renderer escapes them.
//
// Start at document.go (what a report holds), then build.go; chart.go draws.
package report
