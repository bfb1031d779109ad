package rpc

import (
	"net/http"
	"strings"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// Headers that name the tenant and the actor on a loopback door without
// tokens. With tokens they may only repeat what the token says.
const (
	OrgHeader   = "Setpoint-Org"
	ActorHeader = "Setpoint-Actor"
)

// DefaultOrg and DefaultActor stand where a loopback client names none.
const (
	DefaultOrg   = "default"
	DefaultActor = "local"
)

// Authenticator knows whose token it is. A refusal is an Unauthenticated fault
// whose cause is for the log only.
type Authenticator interface {
	Authenticate(token string) (principal.Principal, error)
}

// identify says who calls: without tokens whoever the headers name, with every
// right; with tokens the token's principal and nobody else.
func (d *Door) identify(r *http.Request) (principal.Principal, func() error, error) {
	if d.tokens == nil {
		p, err := principal.New(
			orDefault(r.Header.Get(OrgHeader), DefaultOrg),
			orDefault(r.Header.Get(ActorHeader), DefaultActor))
		p.Role = principal.Admin
		return p, func() error { return nil }, err
	}
	token, err := bearer(r.Header)
	if err != nil {
		return principal.Principal{}, nil, err
	}
	p, err := d.tokens.Authenticate(token)
	if err != nil {
		return principal.Principal{}, nil, err
	}
	for _, h := range []struct{ header, flag, token string }{
		{OrgHeader, "--org", p.Org}, {ActorHeader, "--actor", p.ID},
	} {
		for _, v := range r.Header.Values(h.header) {
			if v != h.token {
				return principal.Principal{}, nil, fault.New(fault.Denied, "auth.header_mismatch",
					"%s: the header says %.80q, the token is for %q", h.header, v, h.token).
					WithHint("leave the header (%s) out: the token says it", h.flag)
			}
		}
	}
	renew := func() error {
		now, err := d.tokens.Authenticate(token)
		if err == nil && now != p {
			err = fault.New(fault.Unauthenticated, "token.rejected", "the token is not valid any more")
		}
		return err
	}
	return p, renew, nil
}

func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", fault.New(fault.Unauthenticated, "token.missing", "the request has no token").
			WithHint("give one with --token or SETPOINT_TOKEN; the header is Authorization: Bearer sp_…")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", fault.New(fault.Unauthenticated, "token.missing", "the Authorization header has no bearer token").
			WithHint("the header is Authorization: Bearer sp_…")
	}
	return strings.TrimSpace(token), nil
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}
