package linearizable

import (
	"strings"
	"testing"
	"time"
)

// A checker that cannot find fault proves nothing.
func TestCheck(t *testing.T) {
	write := func(id string, expected, revision uint64, outcome Outcome, call, end int) Operation {
		return Operation{Register: "r", ID: id, Value: id, Guarded: true, Expected: expected, Revision: revision,
			Outcome: outcome, Call: time.Duration(call), Return: time.Duration(end)}
	}
	read := func(value string, revision uint64, call, end int) Operation {
		return Operation{Register: "r", Value: value, Revision: revision, Call: time.Duration(call), Return: time.Duration(end)}
	}
	entry := func(id string, revision uint64) Entry { return Entry{ID: id, Register: "r", Revision: revision} }
	for name, c := range map[string]struct {
		ops      []Operation
		log      []Entry
		strict   bool
		wrong    string
		stale    int
		outdated int
	}{
		"in turn": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), write("b", 1, 2, Done, 2, 3), read("b", 2, 4, 5)},
			log: []Entry{entry("a", 1), entry("b", 2)}, strict: true,
		},
		"acknowledged and lost": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1)}, wrong: "not in the log",
		},
		"acknowledged elsewhere": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1)}, log: []Entry{entry("a", 3)}, wrong: "not in the log",
		},
		"two winners": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), write("b", 0, 2, Done, 2, 3)},
			log: []Entry{entry("a", 1), entry("b", 2)}, wrong: "no order",
		},
		"there by half": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), {Register: "other", ID: "a", Value: "a", Outcome: Unknown, Call: 0, Return: 1}},
			log: []Entry{entry("a", 1)}, wrong: "by half",
		},
		"refused and yet there": {
			ops: []Operation{write("a", 0, 0, Refused, 0, 1)}, log: []Entry{entry("a", 1)}, wrong: "yet in the log",
		},
		"carried out twice": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1)}, log: []Entry{entry("a", 1), entry("a", 2)}, wrong: "twice",
		},
		"unknown and there": {
			ops: []Operation{write("a", 0, 0, Unknown, 0, 1), write("b", 1, 2, Done, 2, 3)},
			log: []Entry{entry("a", 1), entry("b", 2)},
		},
		"unknown and not there": {
			ops: []Operation{write("a", 0, 0, Unknown, 0, 1), write("b", 0, 1, Done, 2, 3)},
			log: []Entry{entry("b", 1)},
		},
		"unknown, before it was called": {
			ops: []Operation{write("b", 1, 2, Done, 0, 1), write("a", 0, 0, Unknown, 2, 3)},
			log: []Entry{entry("a", 1), entry("b", 2)}, wrong: "no order",
		},
		"old read, counted": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), read("", 0, 2, 3)},
			log: []Entry{entry("a", 1)}, stale: 1,
		},
		"old read, strictly": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), read("", 0, 2, 3)},
			log: []Entry{entry("a", 1)}, strict: true, stale: 1, wrong: "no order",
		},
		"already so where it was": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), {Register: "r", ID: "b", Value: "a", Outcome: Same, Call: 2, Return: 3}},
			log: []Entry{entry("a", 1)},
		},
		"already so where it never was": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), write("b", 0, 0, Same, 2, 3)},
			log: []Entry{entry("a", 1)}, outdated: 1, wrong: "had passed",
		},
		"already so where it was once": {
			ops: []Operation{write("a", 0, 1, Done, 0, 1), write("b", 1, 2, Done, 2, 3),
				{Register: "r", ID: "c", Value: "a", Outcome: Same, Call: 4, Return: 5}},
			log: []Entry{entry("a", 1), entry("b", 2)}, outdated: 1, wrong: "had passed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := New()
			h.ops = c.ops
			v := h.Check(c.log, c.strict)
			if got := strings.Join(v.Wrong, "; "); c.wrong == "" && got != "" || !strings.Contains(got, c.wrong) {
				t.Errorf("found %q, want %q", got, c.wrong)
			}
			if v.Outdated != c.outdated {
				t.Errorf("%d outdated answers, want %d", v.Outdated, c.outdated)
			}
			if v.Stale != c.stale {
				t.Errorf("%d stale reads, want %d", v.Stale, c.stale)
			}
		})
	}
}
