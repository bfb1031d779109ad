package change

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/resource"
)

// Service is the slice's name in subjects, wire names and reasons.
const Service = "change"

// CourseToken is the token, in subjects, of what is done in a program: what is
// declared has one of its own, so that acts never hold a declaration up.
const CourseToken = "course"

// Kinds returns this slice's entries of the registry.
func Kinds() []resource.Kind {
	return []resource.Kind{
		{
			Name: "Audience", Plural: "audiences", Service: Service, Token: "audience",
			DeclaredType: "change.audience_declared.v1",
			RetiredType:  "change.audience_retired.v1",
			NewSpec:      func() proto.Message { return &changev1.AudienceSpec{} },
			NewDeclared:  func() proto.Message { return &changev1.AudienceDeclared{} },
			References:   resource.ReferencesOf(audienceReferences),
		},
		{
			Name: "ChangeFramework", Plural: "changeframeworks", Aliases: []string{"framework", "frameworks"},
			Service: Service, Token: "framework",
			DeclaredType: "change.framework_declared.v1",
			RetiredType:  "change.framework_retired.v1",
			NewSpec:      func() proto.Message { return &changev1.ChangeFrameworkSpec{} },
			NewDeclared:  func() proto.Message { return &changev1.ChangeFrameworkDeclared{} },
			Check:        nameable(resource.CheckOf(Service, checkFramework)),
		},
		{
			Name: "ChangeProgram", Plural: "changeprograms", Aliases: []string{"program", "programs"},
			Service: Service, Token: "program",
			DeclaredType: "change.program_declared.v1",
			RetiredType:  "change.program_retired.v1",
			NewSpec:      func() proto.Message { return &changev1.ChangeProgramSpec{} },
			NewDeclared:  func() proto.Message { return &changev1.ChangeProgramDeclared{} },
			References:   resource.ReferencesOf(programReferences),
			Check:        resource.CheckOf(Service, checkProgram, checkLoad),
			Life:         &resource.Life{Token: CourseToken, Acts: Acts(), Words: InWords},
		},
	}
}

// nameable refuses frameworks that take the name of a built-in one.
func nameable(check func(string, proto.Message, resource.Set) []resource.Finding) func(string, proto.Message, resource.Set) []resource.Finding {
	return func(name string, spec proto.Message, set resource.Set) []resource.Finding {
		out := check(name, spec, set)
		if BuiltIn(name) != nil {
			out = append(out, resource.Finding{
				Field: "metadata.name", Reason: Service + ".framework_built_in",
				Message: fmt.Sprintf("%q is a built-in framework", name), Hint: "give yours another name",
			})
		}
		return out
	}
}

func audienceReferences(s *changev1.AudienceSpec) []resource.Reference {
	var out []resource.Reference
	if s.GetUnit() != "" {
		out = append(out, resource.Reference{Field: "spec.unit", Kind: "Unit", Name: s.GetUnit()})
	}
	if s.GetParent() != "" {
		out = append(out, resource.Reference{Field: "spec.parent", Kind: "Audience", Name: s.GetParent(), Acyclic: true})
	}
	return out
}

func programReferences(s *changev1.ChangeProgramSpec) []resource.Reference {
	var out []resource.Reference
	if s.GetInitiative() != "" {
		out = append(out, resource.Reference{Field: "spec.initiative", Kind: "Initiative", Name: s.GetInitiative()})
	}
	if BuiltIn(s.GetFramework()) == nil {
		out = append(out, resource.Reference{Field: "spec.framework", Kind: "ChangeFramework", Name: s.GetFramework(), BuiltIn: []string{Kotter, ADKAR, Lewin}})
	}
	for i, a := range s.GetAudiences() {
		out = append(out, resource.Reference{Field: fmt.Sprintf("spec.audiences[%d].audience", i), Kind: "Audience", Name: a.GetAudience()})
	}
	return append(out, resource.OwnerReference("spec.owner", s.GetOwner())...)
}

func checkProgram(s *changev1.ChangeProgramSpec, _ resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	start, okStart := f.Date("spec.start", s.GetStart())
	end, okEnd := f.Date("spec.end", s.GetEnd())
	if okStart && okEnd && end.Before(start) {
		f.Add("spec.end", "end_before_start", fmt.Sprintf("%s is before the start %s", end, start), "a program ends on the day it starts or later")
	}
	if s.GetGoLive() != "" {
		if d, ok := f.Date("spec.goLive", s.GetGoLive()); ok && okStart && d.Before(start) {
			f.Add("spec.goLive", "go_live_before_start", fmt.Sprintf("%s is before the start %s", d, start), "people begin to work in the new way after the program has begun")
		}
	}
	seen := map[string]bool{}
	for i, a := range s.GetAudiences() {
		if seen[a.GetAudience()] {
			f.Add(fmt.Sprintf("spec.audiences[%d].audience", i), "audience_twice", fmt.Sprintf("%q is named twice", a.GetAudience()), "name each once")
		}
		seen[a.GetAudience()] = true
	}
	if s.GetInitiative() == "" {
		f.Warn("spec.initiative", "without_initiative", "the program belongs to no initiative", "its readiness then changes no forecast")
	}
	if s.GetOwner() == "" {
		f.Warn("spec.owner", "without_owner", "nobody owns the program", "owner: unit/NAME or person/ID")
	}
}
