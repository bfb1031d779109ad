package token

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"setpoint.dev/services/internal/fault"
)

const (
	goodHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	goodLine = `{"id":"abcdefghij","hash":"` + goodHash + `","org":"acme","role":"viewer","principal":"u-42",` +
		`"created":"2026-05-17T12:00:00Z","expires":"2026-08-15T12:00:00Z"}`
)

func TestParseNamesEveryBadLine(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(goodLine, old, new, 1) }
	for name, tt := range map[string]struct{ line, message string }{
		"not JSON":         {"sp_abc", "not an entry"},
		"no object":        {`["a"]`, "not an entry"},
		"half":             {goodLine[:40], "not an entry"},
		"newer field":      {with(`"org"`, `"scope":"x","org"`), `unknown field "scope"`},
		"two on a line":    {goodLine + goodLine, "more on the line"},
		"no id":            {with(`abcdefghij`, ``), "id:"},
		"id not an id":     {with(`abcdefghij`, `ABCDEFGHIJ`), "id:"},
		"short hash":       {with(goodHash, goodHash[:62]), "hash:"},
		"long hash":        {with(goodHash, goodHash+"00"), "hash:"},
		"hash not hex":     {with(goodHash, "zz"+goodHash[2:]), "hash:"},
		"no organization":  {with(`"acme"`, `""`), "organization"},
		"bad principal":    {with(`u-42`, `a b`), "actor"},
		"unknown role":     {with(`viewer`, `owner`), `no role "owner"`},
		"no expiry":        {with(`2026-08-15T12:00:00Z`, ``), "expires:"},
		"created a date":   {with(`2026-05-17T12:00:00Z`, `2026-05-17`), "created:"},
		"revoked when":     {with(`"created"`, `"revoked":"yes","created"`), "revoked:"},
		"note of two rows": {with(`"created"`, `"note":"a\nb","created"`), "note:"},
		"same id":          {goodLine, "also on line 3"},
	} {
		content := header + "\n" + goodLine + "\n\n" + tt.line + "\n"
		_, err := Parse([]byte(content))
		var f *fault.Error
		if !errors.As(err, &f) || f.Reason != "token.file_malformed" || len(f.Places) != 1 || f.Places[0].Line != 5 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(f.Places[0].Message, tt.message) {
			t.Errorf("%s: %q does not say %q", name, f.Places[0].Message, tt.message)
		}
	}
	_, err := Parse([]byte(strings.Repeat("x\n", 100)))
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Places) != maxPlaces || f.Places[19].Line != 20 {
		t.Errorf("a hundred bad lines: %v", err)
	}
}

func TestAMalformedFileIsRefusedWithItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(header+goodLine+"\n{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := List(path)
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Places) != 1 || f.Places[0].File != path || f.Places[0].Line != 3 || !strings.Contains(f.Message, path) {
		t.Errorf("%+v", err)
	}
	if _, err := Revoke(path, "abcdefghij", noon); fault.ReasonOf(err) != "token.file_malformed" {
		t.Errorf("revoke: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || !bytes.HasSuffix(content, []byte("\n{\n")) {
		t.Errorf("a file that cannot be read was replaced: %v", err)
	}
}

func TestATokenFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, bytes.Repeat([]byte("#\n"), maxFile/2+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := List(path); fault.ReasonOf(err) != "token.file_unusable" {
		t.Errorf("%v", err)
	}
}

// Whatever is accepted is written back as the same tokens; whatever is not
// names a line.
func FuzzParse(f *testing.F) {
	f.Add([]byte(header + goodLine + "\n"))
	f.Add([]byte(strings.Replace(goodLine, `"created"`, `"revoked":"2026-06-01T00:00:00+02:00","note":"CI \u00e4","created"`, 1)))
	f.Add([]byte(goodLine + "\r\n" + goodLine))
	f.Add([]byte("{\n"))
	f.Add([]byte{0xef, 0xbb, 0xbf, '{', '}'})
	f.Fuzz(func(t *testing.T, content []byte) {
		tokens, err := Parse(content)
		if err != nil {
			var bad *fault.Error
			if !errors.As(err, &bad) || len(bad.Places) == 0 || bad.Places[0].Line < 1 || bad.Places[0].Message == "" {
				t.Fatalf("a refusal without a line: %v", err)
			}
			return
		}
		again, err := Parse(encode(tokens))
		if err != nil {
			t.Fatalf("what was accepted is refused when written back: %v\n%s", err, encode(tokens))
		}
		if len(tokens) > 0 && !reflect.DeepEqual(tokens, again) {
			t.Fatalf("written back it differs:\n%s\n%s", fmt.Sprint(tokens), fmt.Sprint(again))
		}
	})
}
