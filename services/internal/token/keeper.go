package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// lookEvery is how often the file is looked at, while there are requests: a
// revoked token works no longer than this.
const lookEvery = time.Second

// Keeper knows the tokens of a server. It follows the file while the server
// runs.
type Keeper struct {
	path   string
	now    func() time.Time
	logger *slog.Logger

	mu      sync.Mutex
	tokens  map[string]Token
	looked  time.Time
	seen    fs.FileInfo // of the file last read, good or bad; nil: none
	problem error       // why the file is not what is in force
}

// Open reads a token file. It fails if the file is missing, malformed (Invalid,
// token.file_malformed, each place with its line) or open to others (Denied,
// token.file_mode). Tokens expire by the clock now.
func Open(path string, now func() time.Time, logger *slog.Logger) (*Keeper, error) {
	tokens, info, err := read(path)
	if err != nil {
		return nil, err
	}
	return &Keeper{path: path, now: now, logger: logger, tokens: byID(tokens), looked: now(), seen: info}, nil
}

func byID(tokens []Token) map[string]Token {
	m := make(map[string]Token, len(tokens))
	for _, t := range tokens {
		m[t.ID] = t
	}
	return m
}

// Authenticate says whose token this is. Every refusal is the same
// Unauthenticated fault, token.rejected; its cause, for the log and for nobody
// else, tells what was wrong.
func (k *Keeper) Authenticate(whole string) (principal.Principal, error) {
	id, ok := split(whole)
	if !ok {
		return principal.Principal{}, rejected("it does not have the form of a token")
	}
	now := k.now()
	t, known := k.lookup(id, now)
	hash := sha256.Sum256([]byte(whole))
	same := subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1
	switch {
	case !known:
		return principal.Principal{}, rejected("no token has the id " + id)
	case !same:
		return principal.Principal{}, rejected("the secret is not the one of token " + id)
	}
	if state := t.State(now); state != "active" {
		return principal.Principal{}, rejected("token " + id + " is " + state)
	}
	p, err := principal.New(t.Org, t.Principal)
	p.Role = t.Role
	return p, err
}

func rejected(why string) error {
	return fault.Wrap(errors.New(why), fault.Unauthenticated, "token.rejected", "the token is not valid").
		WithHint("ask the operator for a new one")
}

func (k *Keeper) lookup(id string, now time.Time) (Token, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if since := now.Sub(k.looked); since >= lookEvery || since < 0 {
		k.looked = now
		k.look()
	}
	t, ok := k.tokens[id]
	return t, ok
}

// look reads the file again if it is another one than the one seen.
func (k *Keeper) look() {
	info, err := os.Stat(k.path)
	if err == nil && k.seen != nil && os.SameFile(info, k.seen) && info.ModTime().Equal(k.seen.ModTime()) &&
		info.Size() == k.seen.Size() && info.Mode() == k.seen.Mode() {
		return
	}
	tokens, info, err := read(k.path)
	k.seen = info
	if err != nil {
		if k.problem == nil || k.problem.Error() != err.Error() {
			k.logger.Error("the token file cannot be read; the tokens read before stay in force", "error", err)
		}
		k.problem = err
		return
	}
	if k.problem != nil {
		k.logger.Warn("the token file can be read again", "tokens", len(tokens))
	}
	k.tokens, k.problem = byID(tokens), nil
}

// Problem is why the tokens in force are not those of the file, nil if they
// are.
func (k *Keeper) Problem() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); now.Sub(k.looked) >= lookEvery {
		k.looked = now
		k.look()
	}
	return k.problem
}
