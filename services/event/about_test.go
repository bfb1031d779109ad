package event

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestAbout(t *testing.T) {
	for _, c := range []struct {
		subject, asked string
		want           bool
	}{
		{"target/vacant", "", true},
		{"target/vacant", "target/vacant", true},
		{"target/vacant", "target/vacant-space", false},
		{"target/vacant-space", "target/vacant", false},
		{"target/vacant", "target", true},
		{"targets/vacant", "target", false},
		{"target/vacant", "unit target", true},
		{"target/vacant", "unit unit/vacant", false},
		{"unit/north~2", "unit/north~2", true},
		{"unit/north~2", "unit/north", false},
		{"review/monthly~2026-11", "review/monthly~2026-11", true},
		{"review/monthly~2026-11", "review/monthly", true},
		{"review/monthly~2026-11", "review", true},
		{"review/monthly~2026-11", "review/month", false},
		{"review/yearly~2026", "review/yearly", true},
		{"review/monthly~2", "review/monthly", false},
		{"review/monthly~2~2026-11", "review/monthly", false},
		{"review/monthly~2~2026-11", "review/monthly~2", true},
		{"wave/habits~w1", "program/habits", true},
		{"wave/habits~w1", "program", true},
		{"wave/habits~w1", "wave", true},
		{"wave/habits~2~w1", "program/habits", false},
		{"wave/habits~2~w1", "program/habits~2", true},
		{"program/habits", "wave", false},
	} {
		if got := About(c.subject, strings.Fields(c.asked)); got != c.want {
			t.Errorf("%s, asked for %q: %v", c.subject, c.asked, got)
		}
	}
}

// The kinds of subjects are those that are really published.
func TestSubjectsAreThoseOfTheExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Catalogue() {
		if !e.Public() {
			continue
		}
		var x struct{ Subject string }
		if err := json.Unmarshal(Example(e.Type()), &x); err != nil {
			t.Fatalf("%s: %v", e.Type(), err)
		}
		kind, _, _ := strings.Cut(x.Subject, "/")
		seen[kind] = true
		if !slices.Contains(Subjects(), kind) {
			t.Errorf("%s is about %s, which nobody can ask for", e.Type(), x.Subject)
		}
	}
	for _, kind := range Subjects() {
		if !seen[kind] {
			t.Errorf("no event is about any %s", kind)
		}
	}
	if !slices.IsSorted(Subjects()) {
		t.Error("they are not sorted")
	}
}
