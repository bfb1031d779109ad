package token

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func grant(role principal.Role) Grant {
	return Grant{Org: "acme", Principal: "u-42", Role: role, Expires: noon.Add(DefaultLife)}
}

func create(t *testing.T, path string, g Grant) (Token, string) {
	t.Helper()
	made, whole, err := Create(path, g, noon)
	if err != nil {
		t.Fatal(err)
	}
	return made, whole
}

func TestOnlyTheHashIsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	made, whole := create(t, path, grant(principal.Editor))
	if !strings.HasPrefix(whole, "sp_"+made.ID+"_") || len(whole) != len("sp_")+idLength+1+secretSize {
		t.Errorf("token %q", whole)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(strings.TrimPrefix(whole, "sp_"), "_")
	if bytes.Contains(content, []byte(secret)) || !bytes.Contains(content, []byte(hex.EncodeToString(made.hash[:]))) {
		t.Errorf("the file:\n%s", content)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files left: %v %v", left, err)
	}
}

func TestTokensDiffer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	seen := map[string]bool{}
	for range 50 {
		made, whole := create(t, path, grant(principal.Viewer))
		if seen[made.ID] || seen[whole] {
			t.Fatalf("%s came twice", made.ID)
		}
		seen[made.ID], seen[whole] = true, true
	}
	if list, err := List(path); err != nil || len(list) != 50 {
		t.Errorf("%d tokens, %v", len(list), err)
	}
}

func TestGrantsAreChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	for name, tt := range map[string]struct {
		change func(*Grant)
		reason string
	}{
		"organization": {func(g *Grant) { g.Org = "Acme" }, "principal.organization"},
		"principal":    {func(g *Grant) { g.Principal = "ann@example.org" }, "principal.actor"},
		"no role":      {func(g *Grant) { g.Role = principal.Nobody }, "token.role"},
		"over":         {func(g *Grant) { g.Expires = noon }, "token.expires"},
		"no end":       {func(g *Grant) { g.Expires = noon.Add(MaxLife + time.Second) }, "token.expires"},
		"two lines":    {func(g *Grant) { g.Note = "a\nb" }, "token.note"},
		"long note":    {func(g *Grant) { g.Note = strings.Repeat("ä", maxNote+1) }, "token.note"},
	} {
		g := grant(principal.Viewer)
		tt.change(&g)
		if _, _, err := Create(path, g, noon); fault.ReasonOf(err) != tt.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused grant left a file")
	}
	g := grant(principal.Viewer)
	g.Principal = ""
	if made, _ := create(t, path, g); made.Principal != "token-"+made.ID {
		t.Errorf("principal %q", made.Principal)
	}
}

func TestParseExpiry(t *testing.T) {
	for s, want := range map[string]time.Time{
		"":           noon.Add(90 * 24 * time.Hour),
		"1d":         noon.AddDate(0, 0, 1),
		"90d":        noon.AddDate(0, 0, 90),
		"2026-05-17": time.Date(2026, 5, 18, 0, 0, 0, 0, time.UTC),
		"2028-02-29": time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := ParseExpiry(s, noon); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"d", "90", "-1d", "1.5d", "99999999999999999999d", "never", "2027-02-29", "2026-5-1"} {
		if got, err := ParseExpiry(s, noon); fault.ReasonOf(err) != "token.expires" {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func keeper(t *testing.T, path string, now func() time.Time, log *bytes.Buffer) *Keeper {
	t.Helper()
	k, err := Open(path, now, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAuthenticate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	_, good := create(t, path, grant(principal.Contributor))
	_, other := create(t, path, Grant{Org: "umbrella", Principal: "bot", Role: principal.Admin, Expires: noon.Add(time.Hour)})
	gone, revoked := create(t, path, grant(principal.Admin))
	if _, err := Revoke(path, gone.ID, noon); err != nil {
		t.Fatal(err)
	}
	now := noon
	k := keeper(t, path, func() time.Time { return now }, new(bytes.Buffer))

	if p, err := k.Authenticate(good); err != nil || p != (principal.Principal{Org: "acme", ID: "u-42", Role: principal.Contributor}) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := k.Authenticate(other); err != nil || p != (principal.Principal{Org: "umbrella", ID: "bot", Role: principal.Admin}) {
		t.Errorf("%+v, %v", p, err)
	}
	last := good[len(good)-1]
	wrong := good[:len(good)-1] + map[bool]string{true: "b", false: "a"}[last == 'a']
	crossed := good[:len("sp_")+idLength] + other[len("sp_")+idLength:]
	unknown := "sp_" + strings.Repeat("a", idLength) + good[len("sp_")+idLength:]
	var told string
	for name, whole := range map[string]string{
		"revoked": revoked, "wrong secret": wrong, "another's secret": crossed, "unknown id": unknown,
		"empty": "", "no form": "secret", "upper case": strings.ToUpper(good), "longer": good + "a", "spaced": " " + good,
		"only the id": good[:len("sp_")+idLength+1],
	} {
		p, err := k.Authenticate(whole)
		f, ok := err.(*fault.Error)
		if !ok || f.Kind != fault.Unauthenticated || p != (principal.Principal{}) {
			t.Errorf("%s: %+v, %v", name, p, err)
			continue
		}
		if f.Cause == nil || strings.Contains(f.Cause.Error(), whole) && whole != "" {
			t.Errorf("%s: cause %v", name, f.Cause)
		}
		if told == "" {
			told = f.Reason + f.Message + f.Hint
		}
		if told != f.Reason+f.Message+f.Hint {
			t.Errorf("%s: a stranger can tell: %v", name, f)
		}
	}
	now = noon.Add(time.Hour)
	if _, err := k.Authenticate(other); fault.ReasonOf(err) != "token.rejected" {
		t.Errorf("expired: %v", err)
	}
	if _, err := k.Authenticate(good); err != nil {
		t.Errorf("not expired: %v", err)
	}
}

func TestRevokingWorksWithoutARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	made, whole := create(t, path, grant(principal.Admin))
	now, log := noon, new(bytes.Buffer)
	k := keeper(t, path, func() time.Time { return now }, log)
	if _, err := k.Authenticate(whole); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		got, err := Revoke(path, whole, noon.Add(time.Minute))
		if err != nil || got.ID != made.ID || got.State(noon) != "revoked" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if _, err := k.Authenticate(whole); err != nil {
		t.Errorf("within the second: %v", err)
	}
	now = now.Add(lookEvery)
	if _, err := k.Authenticate(whole); fault.ReasonOf(err) != "token.rejected" {
		t.Errorf("after a second: %v", err)
	}
	_, fresh := create(t, path, grant(principal.Viewer))
	now = now.Add(lookEvery)
	if _, err := k.Authenticate(fresh); err != nil {
		t.Errorf("a new token: %v", err)
	}
	if _, err := Revoke(path, "nobodyhas2", noon); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown: %v", err)
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
}

func TestABadFileKeepsTheLastGoodTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	_, whole := create(t, path, grant(principal.Admin))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now, log := noon, new(bytes.Buffer)
	k := keeper(t, path, func() time.Time { return now }, log)
	for name, spoil := range map[string]func() error{
		"malformed": func() error { return os.WriteFile(path, []byte("{}\n"), 0o600) },
		"missing":   func() error { return os.Remove(path) },
		"open":      func() error { return os.Chmod(path, 0o644) },
	} {
		log.Reset()
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			now = now.Add(lookEvery)
			if _, err := k.Authenticate(whole); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if k.Problem() == nil || strings.Count(log.String(), "level=ERROR") != 1 {
			t.Errorf("%s: problem %v, log:\n%s", name, k.Problem(), log)
		}
		now = now.Add(lookEvery)
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
		now = now.Add(lookEvery)
		if err := k.Problem(); err != nil || !strings.Contains(log.String(), "can be read again") {
			t.Errorf("%s: repaired: %v, log:\n%s", name, err, log)
		}
	}
}

func TestAFileThatOthersReachIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	create(t, path, grant(principal.Admin))
	for mode, ok := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o640: true, 0o440: true,
		0o644: false, 0o604: false, 0o660: false, 0o666: false, 0o602: false, 0o601: false, 0o610: false, 0o777: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, time.Now, slog.New(slog.DiscardHandler))
		if ok != (err == nil) || !ok && fault.ReasonOf(err) != "token.file_mode" {
			t.Errorf("%04o: %v", mode, err)
		}
		if _, _, err := Create(path, grant(principal.Viewer), noon); ok != (err == nil) {
			t.Errorf("create at %04o: %v", mode, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%04o became %v", mode, info.Mode())
		}
	}
	dir := t.TempDir()
	if _, err := Open(dir, time.Now, nil); fault.ReasonOf(err) != "token.file_unusable" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none"), time.Now, nil); fault.ReasonOf(err) != "token.file_missing" {
		t.Errorf("no file: %v", err)
	}
	if _, err := Revoke(filepath.Join(dir, "none"), "x", noon); fault.ReasonOf(err) != "token.file_missing" {
		t.Errorf("revoke without a file: %v", err)
	}
}

func TestALinkStaysALink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	create(t, real, grant(principal.Admin))
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	create(t, link, grant(principal.Viewer))
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v %v", info, err)
	}
	if list, err := List(real); err != nil || len(list) != 2 {
		t.Errorf("%v %v", list, err)
	}
}

// Two operators at once lose nothing, and a server that reads meanwhile never
// meets half a file.
func TestConcurrentChangesLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	_, whole := create(t, path, grant(principal.Admin))
	const writers, each = 8, 5
	var running sync.WaitGroup
	start, stop := make(chan struct{}), make(chan struct{})
	for range writers {
		running.Go(func() {
			<-start
			for range each {
				if _, _, err := Create(path, grant(principal.Viewer), noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		<-start
		for {
			select {
			case <-stop:
				return
			default:
			}
			k, err := Open(path, func() time.Time { return noon }, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := k.Authenticate(whole); err != nil {
				t.Error(err)
			}
		}
	})
	close(start)
	running.Wait()
	close(stop)
	reading.Wait()
	if list, err := List(path); err != nil || len(list) != 1+writers*each {
		t.Errorf("%d tokens, %v", len(list), err)
	}
}
