package token

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

const (
	// maxFile bounds the file, in bytes: some 50,000 tokens.
	maxFile = 16 << 20
	// maxPlaces bounds how many wrong lines are told.
	maxPlaces = 20

	// forbidden are the permissions that make a file unusable: others may do
	// nothing with it, and the group may only read it (as container platforms
	// mount secrets).
	forbidden fs.FileMode = 0o037
)

const header = "# Tokens of a setpoint server, one a line, secrets hashed. Written by: setpoint token\n"

// line is the form of an entry on disk.
type line struct {
	ID        string `json:"id"`
	Hash      string `json:"hash"` // SHA-256 of the token, hex
	Org       string `json:"org"`
	Role      string `json:"role"`
	Principal string `json:"principal"`
	Created   string `json:"created"` // RFC 3339
	Expires   string `json:"expires"`
	Revoked   string `json:"revoked,omitempty"`
	Note      string `json:"note,omitempty"`
}

// Parse reads the content of a token file: one JSON object a line, in any
// order; empty lines and lines that begin with # count for nothing. Everything
// that is wrong is in the fault's places, with its line.
func Parse(content []byte) ([]Token, error) {
	var out []Token
	var places []fault.Place
	lines := map[string]int{}
	number := 0
	for text := range bytes.Lines(content) {
		number++
		text = bytes.TrimSpace(text)
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		t, err := parseLine(text)
		if err == nil {
			if first, twice := lines[t.ID]; twice {
				err = fmt.Errorf("id: %s is also on line %d", t.ID, first)
			}
		}
		if err != nil {
			if len(places) < maxPlaces {
				places = append(places, fault.Place{Line: number, Reason: "token.file_malformed", Message: err.Error()})
			}
			continue
		}
		lines[t.ID] = number
		out = append(out, t)
	}
	if len(places) > 0 {
		f := fault.New(fault.Invalid, "token.file_malformed", "the token file is malformed")
		f.Places = places
		return nil, f
	}
	return out, nil
}

func parseLine(text []byte) (Token, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Token{}, fmt.Errorf("not an entry: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Token{}, errors.New("there is more on the line than one entry")
	}
	t := Token{ID: l.ID, Grant: Grant{Org: l.Org, Principal: l.Principal, Note: l.Note}}
	if n, err := hex.Decode(t.hash[:], []byte(l.Hash[:min(len(l.Hash), 2*len(t.hash))])); err != nil || n != len(t.hash) || len(l.Hash) != 2*n {
		return Token{}, errors.New("hash: not 64 hexadecimal digits")
	}
	var err error
	if t.Role, err = principal.ParseRole(l.Role); err != nil {
		return Token{}, err
	}
	for _, at := range []struct {
		field, text string
		to          *time.Time
		optional    bool
	}{
		{"created", l.Created, &t.Created, false}, {"expires", l.Expires, &t.Expires, false}, {"revoked", l.Revoked, &t.Revoked, true},
	} {
		if at.text == "" && at.optional {
			continue
		}
		parsed, err := time.Parse(time.RFC3339, at.text)
		if err != nil || parsed.Year() < 2000 || parsed.Year() > 9000 {
			return Token{}, fmt.Errorf("%s: %.40q is not an instant such as 2027-03-31T00:00:00Z", at.field, at.text)
		}
		*at.to = parsed.UTC().Truncate(time.Second)
	}
	return t, t.check()
}

// encode is what Parse reads.
func encode(tokens []Token) []byte {
	b := bytes.NewBufferString(header)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	for _, t := range tokens {
		l := line{
			ID: t.ID, Hash: hex.EncodeToString(t.hash[:]), Org: t.Org, Role: t.Role.String(), Principal: t.Principal,
			Created: t.Created.Format(time.RFC3339), Expires: t.Expires.Format(time.RFC3339), Note: t.Note,
		}
		if !t.Revoked.IsZero() {
			l.Revoked = t.Revoked.Format(time.RFC3339)
		}
		_ = e.Encode(l) // strings into memory
	}
	return b.Bytes()
}

// read reads and checks a token file. The information is of the very file that
// was read.
func read(path string) ([]Token, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, unusable(err, path)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, unusable(err, path)
	}
	if err := checkFile(path, info); err != nil {
		return nil, info, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, info, unusable(err, path)
	}
	if len(content) > maxFile {
		return nil, info, fault.New(fault.Invalid, "token.file_unusable", "the token file %s is larger than %d MiB", path, maxFile>>20)
	}
	tokens, err := Parse(content)
	var malformed *fault.Error
	if errors.As(err, &malformed) {
		malformed.Message = "the token file " + path + " is malformed"
		for i := range malformed.Places {
			malformed.Places[i].File = path
		}
	}
	return tokens, info, err
}

func checkFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fault.New(fault.Invalid, "token.file_unusable", "the token file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fault.New(fault.Denied, "token.file_mode", "the token file %s has mode %04o: others must not reach it", path, mode).
			WithHint("chmod 600 %s", path)
	}
	return nil
}

func unusable(err error, path string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "token.file_missing", "there is no token file %s", path).
			WithHint("make one with: setpoint token create --file %s --org ORG --role ROLE", path)
	}
	return fault.Wrap(err, fault.Invalid, "token.file_unusable", "the token file %s cannot be used", path)
}
