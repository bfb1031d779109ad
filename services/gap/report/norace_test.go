//go:build !race

package report

const raceFactor = 1
