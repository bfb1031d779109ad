package event

import (
	"slices"
	"strings"
)

// subjects are the kinds of things that events are about: what their subjects begin
// with.
var subjects = []string{
	"action", "audience", "changes", "framework", "initiative", "metric", "objective", "organization", "policy", "program",
	"review", "strategy", "target", "unit", "wave", "webhook",
}

// Subjects returns the kinds of things that events are about, sorted.
func Subjects() []string { return slices.Clone(subjects) }

// About tells whether what an event is about is one of those asked for: KIND/IDENTITY,
// or KIND for all of a kind. What happens at an occurrence of a review is about the
// review too, and what happens in a wave about its program. None asks for all.
func About(subject string, asked []string) bool {
	if len(asked) == 0 {
		return true
	}
	of := whole(subject)
	return slices.ContainsFunc(asked, func(a string) bool {
		if strings.Contains(a, "/") {
			return a == subject || a == of
		}
		return strings.HasPrefix(subject, a+"/") || strings.HasPrefix(of, a+"/")
	})
}

// whole is what a part belongs to: review/monthly of review/monthly~2026-11, and
// program/habits of wave/habits~w1; "" where a subject is no part. The number of a name
// that was given anew (unit/north~2) makes none: periods are longer.
func whole(subject string) string {
	kind, id, _ := strings.Cut(subject, "/")
	i := strings.LastIndexByte(id, '~')
	switch {
	case i < 0:
	case kind == "wave":
		return "program/" + id[:i]
	case kind == "review" && len(id)-i > len("2026"):
		return "review/" + id[:i]
	}
	return ""
}
