package recordtest

import (
	"fmt"
	"testing"

	"setpoint.dev/services/internal/record"
)

func erased(org, id string, holders ...string) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		return record.PutErasure{Erasure: record.Erasure{Org: org, Kind: "Person", ID: id, Name: id + "-name", Holders: holders,
			Reason: "a reason", Revision: rev, Recorded: start, Principal: "admin"}}
	}
}

// The first erasure of a resource stands, whatever follows.
func erasures(t *testing.T, open Open) {
	b := newBook(t, open)
	list := func(org string) (out string) {
		b.view(func(v record.View) {
			all, err := v.Erasures(org)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				out += fmt.Sprintf("%s/%s@%d %q; ", e.Org, e.ID, e.Revision, e.Holders)
				if e.Kind != "Person" || e.Name != e.ID+"-name" || e.Reason != "a reason" || !e.Recorded.Equal(start) || e.Principal != "admin" {
					t.Errorf("%+v", e)
				}
			}
		})
		return out
	}
	if got := list("acme"); got != "" {
		t.Errorf("an empty store: %s", got)
	}
	r1 := b.commit(erased("acme", "p-2", "person/p-2", "principal/u-42"))
	r2 := b.commit(erased("other", "p-1", "person/p-1"))
	r3 := b.commit(erased("acme", "p-1", "person/p-1"))
	b.commit(erased("acme", "p-2", "person/p-2"))
	want := fmt.Sprintf(`acme/p-2@%d ["person/p-2" "principal/u-42"]; acme/p-1@%d ["person/p-1"]; `, r1, r3)
	if got := list("acme"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	want = fmt.Sprintf(`acme/p-2@%d ["person/p-2" "principal/u-42"]; other/p-1@%d ["person/p-1"]; acme/p-1@%d ["person/p-1"]; `, r1, r2, r3)
	if got := list(""); got != want {
		t.Errorf("all: %s, want %s", got, want)
	}
}
