package strategy

import (
	"fmt"
	"strings"
	"unicode"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

func personReferences(s *strategyv1.PersonSpec) []resource.Reference {
	if s.GetUnit() == "" {
		return nil
	}
	return []resource.Reference{{Field: "spec.unit", Kind: "Unit", Name: s.GetUnit()}}
}

// personClaims are the principals, each of which acts for one person: of two,
// one could be erased.
func personClaims(s *strategyv1.PersonSpec) []resource.Claim {
	var out []resource.Claim
	for i, p := range s.GetPrincipals() {
		out = append(out, resource.Claim{Field: fmt.Sprintf("spec.principals[%d]", i), What: "principal", Value: p})
	}
	return out
}

// checkPerson advises against names that say who somebody is: a name is kept in
// the clear, in the log, for ever.
func checkPerson(name string, spec proto.Message, _ resource.Set) []resource.Finding {
	f := resource.Findings{Service: service}
	if word := telling(name, spec.(*strategyv1.PersonSpec)); word != "" {
		f.Warn("metadata.name", "person_name", fmt.Sprintf("%q says who the person is, and a name is kept in the clear for ever", word),
			"take an opaque name such as p-4711; what identifies the person goes into the spec, which is encrypted")
	}
	return f.List
}

// telling is a part of a resource's name that its display name or address has,
// too; "" if there is none.
func telling(name string, s *strategyv1.PersonSpec) string {
	local, _, _ := strings.Cut(s.GetEmail(), "@")
	parts := map[string]bool{}
	for _, w := range words(s.GetDisplayName() + " " + local) {
		parts[w] = true
	}
	for _, w := range words(name) {
		if len(w) > 2 && parts[w] {
			return w
		}
	}
	return ""
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
}

// adviseOwner warns about an owner who is nobody that is declared, where people
// are: person/ID was opaque before there were people to declare.
func adviseOwner(owner string, set resource.Set, f *resource.Findings) {
	name, ok := strings.CutPrefix(owner, "person/")
	if !ok || name == "" {
		return
	}
	if _, declared := set.Spec("Person", name); declared {
		return
	}
	if people := set.Names("Person"); len(people) > 0 {
		f.Warn("spec.owner", "owner_undeclared", fmt.Sprintf("there is no person %q", name), resource.Suggest(name, people))
	}
}
