package recordtest

import (
	"slices"
	"testing"

	"setpoint.dev/services/internal/record"
)

// Organizations are found by what they ever declared, deleted or not.
func organizations(t *testing.T, open Open) {
	b := newBook(t, open)
	list := func(kind string) (out []string) {
		b.view(func(v record.View) {
			var err error
			if out, err = v.Organizations(kind); err != nil {
				t.Fatal(err)
			}
		})
		return out
	}
	if got := list("Unit"); len(got) != 0 {
		t.Errorf("an empty store has %q", got)
	}
	b.commit(unit("b-other", "u-1", "one", "One"), unit("acme", "u-1", "one", "One"), unit("acme", "u-2", "two", "Two"))
	b.commit(unit("a-third", "u-1", "one", "One"))
	b.commit(ended("b-other", "u-1"))
	if got := list("Unit"); !slices.Equal(got, []string{"a-third", "acme", "b-other"}) {
		t.Errorf("organizations %q", got)
	}
	if got := list("Target"); len(got) != 0 {
		t.Errorf("organizations with targets: %q", got)
	}
}
