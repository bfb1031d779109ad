package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
	"unicode"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

const (
	prefix     = "sp_"
	idLength   = 10 // characters: 50 bits
	secretSize = 52 // characters: 256 bits and four of padding

	// DefaultLife is how long a token lives if nobody says.
	DefaultLife = 90 * 24 * time.Hour
	// MaxLife is how long a token lives at most.
	MaxLife = 5 * 366 * 24 * time.Hour

	maxNote = 200 // characters
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Grant is what a token is made for.
type Grant struct {
	Org       string
	Principal string // "": token-<id>
	Role      principal.Role
	Expires   time.Time
	Note      string // one line, for people
}

// Token is an entry of the file: all of a token but its secret.
type Token struct {
	ID string
	Grant
	Created time.Time
	Revoked time.Time // zero: not revoked

	hash [sha256.Size]byte // of the whole token
}

// State is whether a token opens anything: active, expired or revoked.
func (t Token) State(now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return "revoked"
	case !now.Before(t.Expires):
		return "expired"
	}
	return "active"
}

// mint makes a token and its entry.
func mint(g Grant, now time.Time) (Token, string, error) {
	random := make([]byte, 7+32)
	_, _ = rand.Read(random) // never fails
	id := encoding.EncodeToString(random[:7])[:idLength]
	secret := encoding.EncodeToString(random[7:])
	if g.Principal == "" {
		g.Principal = "token-" + id
	}
	g.Expires = g.Expires.UTC().Truncate(time.Second)
	t := Token{ID: id, Grant: g, Created: now.UTC().Truncate(time.Second)}
	whole := prefix + id + "_" + secret
	t.hash = sha256.Sum256([]byte(whole))
	if err := t.check(); err != nil {
		return Token{}, "", err
	}
	if !g.Expires.After(now) {
		return Token{}, "", fault.New(fault.Invalid, "token.expires", "expires: %s has passed", g.Expires.Format(time.RFC3339))
	}
	if g.Expires.Sub(now) > MaxLife {
		return Token{}, "", fault.New(fault.Invalid, "token.expires", "expires: %s is more than five years away", g.Expires.Format(time.RFC3339)).
			WithHint("make a new token before the old one expires; both are valid meanwhile")
	}
	return t, whole, nil
}

// check holds for every entry, made here or read from a file.
func (t Token) check() error {
	if !isBase32(t.ID, idLength) {
		return fault.New(fault.Invalid, "token.id", "id: %.40q is not the id of a token", t.ID)
	}
	if _, err := principal.New(t.Org, t.Principal); err != nil {
		return err
	}
	if !t.Role.Allows(principal.Viewer) {
		return fault.New(fault.Invalid, "token.role", "role: it is missing")
	}
	if t.Created.IsZero() || t.Expires.IsZero() {
		return fault.New(fault.Invalid, "token.expires", "created and expires: both are needed")
	}
	if n := len([]rune(t.Note)); n > maxNote || strings.ContainsFunc(t.Note, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.New(fault.Invalid, "token.note", "note: only one line of at most %d printable characters is legal", maxNote)
	}
	return nil
}

// split takes a token apart; ok is false for what cannot be one.
func split(whole string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(whole, prefix)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	return id, ok && isBase32(id, idLength) && isBase32(secret, secretSize)
}

func isBase32(s string, length int) bool {
	if len(s) != length {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// ParseExpiry reads when a token expires: a number of days from now (90d), or
// the last day it is valid on (YYYY-MM-DD, UTC); "" is DefaultLife.
func ParseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return now.Add(DefaultLife), nil
	}
	bad := fault.New(fault.Invalid, "token.expires", "expires: %.40q is neither a number of days nor a date", s).
		WithHint("for example 90d, or 2027-03-31")
	if digits, ok := strings.CutSuffix(s, "d"); ok {
		days := 0
		for _, c := range digits {
			if c < '0' || c > '9' || days > 99_999 {
				return time.Time{}, bad
			}
			days = 10*days + int(c-'0')
		}
		if digits == "" {
			return time.Time{}, bad
		}
		return now.AddDate(0, 0, days), nil
	}
	day, err := calendar.ParseDate(s)
	if err != nil {
		return time.Time{}, bad
	}
	return day.AddDays(1).Time(), nil
}
