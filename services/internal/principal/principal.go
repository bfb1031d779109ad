// Package principal says who acts, and for which organization. Every request
// has both; the organization comes from here and never from a request field.
package principal

import (
	"context"
	"regexp"

	"setpoint.dev/services/internal/fault"
)

// Principal is who acts.
type Principal struct {
	Org  string // the tenant, an RFC 1123 label
	ID   string // opaque, never a name
	Role Role   // what it may do
}

type contextKey struct{}

// With returns a context that carries p.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns who acts, or an Unauthenticated fault.
func From(ctx context.Context) (Principal, error) {
	p, ok := ctx.Value(contextKey{}).(Principal)
	if !ok || p.Org == "" || p.ID == "" {
		return Principal{}, fault.New(fault.Unauthenticated, "principal.missing", "the request has no principal")
	}
	return p, nil
}

var (
	orgPattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	idPattern  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// New checks both parts. The principal has no role yet.
func New(org, id string) (Principal, error) {
	if !orgPattern.MatchString(org) {
		return Principal{}, fault.New(fault.Invalid, "principal.organization",
			"organization %.80q: must be a lower-case label of letters, digits and '-', at most 63 long", org)
	}
	if !idPattern.MatchString(id) {
		return Principal{}, fault.New(fault.Invalid, "principal.actor",
			"actor %.80q: must be an opaque id of letters, digits, '_' and '-', at most 64 long", id)
	}
	return Principal{Org: org, ID: id}, nil
}
