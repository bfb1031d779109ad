//go:build race

package report

// The race detector makes everything several times slower.
const raceFactor = 10
