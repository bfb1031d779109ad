package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/token"
)

func TestTokenLifecycle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	s := session{env: map[string]string{"SETPOINT_TOKEN_FILE": path}}

	created := s.run(t, "token", "create", "--org", "acme", "--role", "editor", "--note", "CI of the office").want(t, exitOK)
	whole := strings.TrimSuffix(created.stdout, "\n")
	if !strings.HasPrefix(whole, "sp_") || strings.ContainsAny(whole, " \n") {
		t.Fatalf("standard output is more than the token: %q", created.stdout)
	}
	if strings.Contains(created.stderr, whole) {
		t.Errorf("the token is also on standard error: %s", created.stderr)
	}
	id := strings.Split(whole, "_")[1]
	created.wantStderr(t, "token "+id+": editor of acme as token-"+id+", until 2026-08-15T12:00:00Z")
	s.run(t, "token", "create", "--org", "acme", "--role", "viewer", "--principal", "board", "--expires", "2026-05-31", "--file", path).want(t, exitOK)
	now := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	k, err := token.Open(path, func() time.Time { return now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := k.Authenticate(whole); err != nil || p.Org != "acme" || p.Role.String() != "editor" {
		t.Errorf("%+v, %v", p, err)
	}

	list := s.run(t, "token", "list").want(t, exitOK).wantStdout(t, "ID ", "CI of the office", "board", "active", "2026-06-01T00:00:00Z")
	if strings.Contains(list.stdout, whole) || strings.Contains(list.stdout, strings.Split(whole, "_")[2]) {
		t.Errorf("the list shows a secret:\n%s", list.stdout)
	}
	s.run(t, "token", "revoke", id).want(t, exitOK).wantStdout(t, "token "+id+" (editor of acme", "revoked since 2026-05-17T12:00:00Z")
	var got struct{ Tokens []listedToken }
	if err := json.Unmarshal([]byte(s.run(t, "token", "list", "-o", "json").want(t, exitOK).stdout), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Tokens) != 2 || got.Tokens[0].State != "revoked" || got.Tokens[1].State != "active" || got.Tokens[1].Principal != "board" {
		t.Errorf("%+v", got)
	}
	s.run(t, "token", "revoke", "nobodyhas2").want(t, exitError).wantStderr(t, "there is no token", "hint: see: setpoint token list")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s.run(t, "token", "list").want(t, exitError).wantStderr(t, "mode 0644", "hint: chmod 600 "+path)
	s.run(t, "token", "list", "--file", path+"x").want(t, exitError).wantStderr(t, "there is no token file", "hint: make one with")
}

func TestAMalformedTokenFileIsToldWithItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("# tokens\nsp_secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	session{}.run(t, "token", "list", "--file", path).want(t, exitError).wantStderr(t, path+":2: not an entry")
}

// What is only a default would contradict the token.
func TestDefaultsDoNotContradictAToken(t *testing.T) {
	f := &fake{evaluate: func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) { return &gapv1.EvaluateResponse{}, nil }}
	s := session{server: f.serve(t)}
	s.run(t, "gaps", "--token", "t").want(t, exitOK)
	s.run(t, "gaps", "--token", "t", "--org", "default", "--actor", "local").want(t, exitOK)
	s.run(t, "gaps").want(t, exitOK)
	for i, want := range []string{"", "default", "default"} {
		if got := f.headers[i].Get("Setpoint-Org"); got != want {
			t.Errorf("call %d names the organization %q, want %q", i, got, want)
		}
	}
	if a, b := f.headers[0].Get("Setpoint-Actor"), f.headers[1].Get("Setpoint-Actor"); a != "" || b != "local" {
		t.Errorf("actors %q and %q", a, b)
	}
}
