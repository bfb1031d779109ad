package resource

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/calendar"
)

// Findings collects what is wrong with one resource. Service goes before the
// reasons: strategy, initiative.
type Findings struct {
	Service string
	List    []Finding
}

// Add notes a broken rule.
func (f *Findings) Add(field, reason, message, hint string) {
	f.List = append(f.List, Finding{Field: field, Reason: f.Service + "." + reason, Message: message, Hint: hint})
}

// Warn notes a piece of advice.
func (f *Findings) Warn(field, reason, message, hint string) {
	f.List = append(f.List, Finding{Field: field, Reason: f.Service + "." + reason, Message: message, Hint: hint, Warning: true})
}

// Broken reports whether a rule is, and not only advice given.
func (f *Findings) Broken() bool {
	return slices.ContainsFunc(f.List, func(x Finding) bool { return !x.Warning })
}

// Has reports whether there is a finding with that whole reason.
func (f *Findings) Has(reason string) bool {
	return slices.ContainsFunc(f.List, func(x Finding) bool { return x.Reason == reason })
}

// Date parses a calendar date, or notes that it is none.
func (f *Findings) Date(field, s string) (calendar.Date, bool) {
	d, err := calendar.ParseDate(s)
	if err != nil {
		f.Add(field, "date", err.Error(), "a calendar date, YYYY-MM-DD")
		return calendar.Date{}, false
	}
	return d, true
}

// Owner notes an owner that is neither empty nor unit/NAME or person/ID.
func (f *Findings) Owner(field, owner string) {
	kind, id, ok := strings.Cut(owner, "/")
	if owner == "" || (ok && id != "" && (kind == "unit" || kind == "person")) {
		return
	}
	f.Add(field, "owner", fmt.Sprintf("%q names no owner", owner), "write unit/NAME or person/ID")
}

// OwnerReference is the reference that an owner makes: to a unit.
func OwnerReference(field, owner string) []Reference {
	if name, ok := strings.CutPrefix(owner, "unit/"); ok {
		return []Reference{{Field: field, Kind: "Unit", Name: name}}
	}
	return nil
}

// CheckOf gives typed rules of a service the registry's general form.
func CheckOf[M proto.Message](service string, rules ...func(M, Set, *Findings)) func(string, proto.Message, Set) []Finding {
	return func(_ string, spec proto.Message, set Set) []Finding {
		f := Findings{Service: service}
		for _, rule := range rules {
			rule(spec.(M), set, &f)
		}
		return f.List
	}
}

// ReferencesOf gives a typed listing of references the registry's general form.
func ReferencesOf[M proto.Message](list func(M) []Reference) func(proto.Message) []Reference {
	return func(spec proto.Message) []Reference { return list(spec.(M)) }
}
