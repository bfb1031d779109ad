package record

import (
	"slices"
	"strings"
)

// What the log holds must mean the same in every database, so it is made plain
// before it is folded: PostgreSQL has no place for NUL in a text, and SQLite
// none for the sign of a zero.

// plain is a text without NUL. The doors refuse it; a log may hold it yet.
func plain(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// plains are texts without NUL.
func plains(list []string) []string {
	out := slices.Clone(list)
	for i, s := range out {
		out[i] = plain(s)
	}
	return out
}

// plainNumber is a number whose zero has no sign.
func plainNumber(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}
