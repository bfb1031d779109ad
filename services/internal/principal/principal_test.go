package principal

import (
	"strings"
	"testing"

	"setpoint.dev/services/internal/fault"
)

func TestNewChecksBothParts(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tt := range []struct{ org, id, reason string }{
		{"acme", "u-42", ""},
		{long, long + "a", ""},
		{"a", "A_z-9", ""},
		{"", "u", "principal.organization"},
		{"Acme", "u", "principal.organization"},
		{"-acme", "u", "principal.organization"},
		{"acme-", "u", "principal.organization"},
		{"a.b", "u", "principal.organization"},
		{"a*", "u", "principal.organization"},
		{"acme\n", "u", "principal.organization"},
		{long + "a", "u", "principal.organization"},
		{"acme", "", "principal.actor"},
		{"acme", "ann@example.org", "principal.actor"},
		{"acme", "Ann Lee", "principal.actor"},
		{"acme", "u\n", "principal.actor"},
		{"acme", long + "ab", "principal.actor"},
	} {
		p, err := New(tt.org, tt.id)
		if fault.ReasonOf(err) != tt.reason {
			t.Errorf("%q %q: %v, want %q", tt.org, tt.id, err, tt.reason)
		}
		if err == nil && p != (Principal{Org: tt.org, ID: tt.id}) {
			t.Errorf("%q %q: %+v", tt.org, tt.id, p)
		}
	}
}

func TestARequestHasAPrincipalOrIsRefused(t *testing.T) {
	if _, err := From(t.Context()); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("no principal: %v", err)
	}
	if _, err := From(With(t.Context(), Principal{Org: "acme"})); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("half a principal: %v", err)
	}
	want := Principal{Org: "acme", ID: "u", Role: Viewer}
	if got, err := From(With(t.Context(), want)); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRolesIncludeTheOnesBelow(t *testing.T) {
	roles := []Role{Viewer, Contributor, Editor, Admin}
	for i, r := range roles {
		for j, needs := range roles {
			if got := r.Allows(needs); got != (i >= j) {
				t.Errorf("%v allows %v: %v", r, needs, got)
			}
		}
		if back, err := ParseRole(r.String()); err != nil || back != r {
			t.Errorf("%v: %v, %v", r, back, err)
		}
		if r.Allows(Nobody) || Nobody.Allows(r) {
			t.Errorf("%v: the zero role opens or is opened", r)
		}
	}
	if (Admin + 1).Allows(Viewer) || (Admin+1).String() != "nobody" || Role(-1).Allows(Viewer) {
		t.Error("a role that does not exist may do something")
	}
	for _, name := range []string{"", "nobody", "Admin", "owner"} {
		if _, err := ParseRole(name); fault.ReasonOf(err) != "principal.role" {
			t.Errorf("%q: %v", name, err)
		}
	}
}
