package strategy

import (
	"testing"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

func TestNamesThatSayWhoSomebodyIs(t *testing.T) {
	for name, want := range map[string]bool{
		"p-4711": false, "ada-example": true, "lovelace-2": true, "of-the": false, "al": false, "x-adal": true, "person-1": false,
	} {
		found := checkPerson(name, &strategyv1.PersonSpec{DisplayName: "Al Example of Lovelace", Email: "adal.e@example.org"}, nil)
		warned := len(found) == 1 && found[0].Warning && found[0].Reason == "strategy.person_name"
		if warned != want || !want && len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// people is a set that holds nothing but people.
type people map[string]*strategyv1.PersonSpec

func (p people) Spec(kind, name string) (proto.Message, bool) {
	s, ok := p[name]
	return s, ok && kind == "Person"
}

func (p people) Names(kind string) (out []string) {
	if kind != "Person" {
		return nil
	}
	for name := range p {
		out = append(out, name)
	}
	return out
}

var _ resource.Set = people{}

func TestOwnersWhoAreNobody(t *testing.T) {
	declared := people{"p-1": {}}
	for _, tt := range []struct {
		owner string
		set   people
		warns bool
	}{
		{"person/p-1", declared, false},
		{"person/p-2", declared, true},
		{"person/p-2", people{}, false}, // nobody declares people here
		{"unit/u", declared, false},
		{"", declared, false},
		{"person/", declared, false}, // a fault of its own
	} {
		f := resource.Findings{Service: service}
		adviseOwner(tt.owner, tt.set, &f)
		if (len(f.List) == 1 && f.List[0].Warning) != tt.warns || len(f.List) > 1 {
			t.Errorf("%q: %v", tt.owner, f)
		}
	}
}
