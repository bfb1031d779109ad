package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/cli"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/server"
)

type result struct {
	code        int
	out, errors string
}

// setpoint runs a command as a user does.
func setpoint(t testing.TB, url string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), cli.Options{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Env: func(name string) (string, bool) {
			// As where serve is configured by its environment.
			v, ok := map[string]string{"SETPOINT_SERVER": url, "SETPOINT_DATA": "/nowhere", "SETPOINT_NATS_URL": "nats://127.0.0.1:1"}[name]
			return v, ok
		},
		Maintenance: maintenance{}, Version: "v1.2.3",
	})
	return result{code, out.String(), errs.String()}
}

func (r result) want(t testing.TB, code int, parts ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.errors)
	}
	for _, p := range parts {
		if !strings.Contains(r.out+r.errors, p) {
			t.Errorf("it does not say %q:\n%s%s", p, r.out, r.errors)
		}
	}
	return r
}

// running is a service in a folder, without the loop, whose words would move revisions.
func running(t testing.TB, data string) *server.Server {
	t.Helper()
	s, err := server.Start(context.Background(), server.Options{Data: data, Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "v1.2.3", NoReactor: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// loaded is a stopped service that holds a real plan with its values.
func loaded(t testing.TB) (data string) {
	t.Helper()
	data = t.TempDir()
	s := running(t, data)
	setpoint(t, s.URL(), "apply", "-f", "../../examples/gsa/plan", "--yes").want(t, 0)
	setpoint(t, s.URL(), "observe", "-f", "../../examples/gsa/observations.csv").want(t, 0)
	setpoint(t, s.URL(), "observe", "vacant-space", "0.05", "--at", "FY2018", "--correct").want(t, 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

// rows are those of the record in a folder of a stopped service.
func rows(t testing.TB, data string) []record.Row {
	t.Helper()
	db, err := sqlite.OpenDatabase(t.Context(), data, kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	store, _, err := db.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []record.Row
	if _, err := store.Rows(t.Context(), func(r record.Row) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// A restored service is the old one, revisions and every row included.
func TestBackupAndRestore(t *testing.T) {
	data, dir := loaded(t), t.TempDir()
	a := running(t, data)
	file := filepath.Join(dir, "a.backup")
	setpoint(t, a.URL(), "backup", "-o", file).want(t, 0, file+": log ", "up to revision 99 (99 messages, 3 commits)", "checked")
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); !slices.Equal(left, []string{file}) {
		t.Errorf("it left %v", left)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	setpoint(t, a.URL(), "backup", "-o", file).want(t, 1, "is there already", "--force")
	setpoint(t, a.URL(), "backup", "-o", file, "--force").want(t, 0)
	setpoint(t, a.URL(), "backup").want(t, 64, "missing -o FILE")
	setpoint(t, a.URL(), "backup", "-o", filepath.Join(dir, "no", "where")).want(t, 1, "cannot be written")
	stream := setpoint(t, a.URL(), "backup", "-o", "-").want(t, 0)
	piped := filepath.Join(dir, "b.backup")
	if err := os.WriteFile(piped, []byte(stream.out), 0o600); err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	verified := setpoint(t, "", "backup", "verify", piped, "-o", "json").want(t, 0)
	if err := json.Unmarshal([]byte(verified.out), &said); err != nil || said["revision"] != 99.0 {
		t.Errorf("%v: %s", err, verified.out)
	}
	questions := [][]string{
		{"gaps", "--strategy", "gsa-2018-2022", "--as-of", "2018-12-31", "-o", "json"},
		{"gaps", "--strategy", "gsa-2018-2022", "--as-of", "2018-12-31", "--revision", "98", "-o", "json"},
		{"history", "target", "vacant-space", "-o", "json"},
		{"export"},
	}
	var answers []string
	for _, q := range questions {
		answers = append(answers, setpoint(t, a.URL(), q...).want(t, 0).out)
	}
	setpoint(t, "", "backup", "--data", data, "-o", piped, "--force").want(t, 1, "in use by process")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	setpoint(t, "", "backup", "--data", data, "-o", piped, "--force").want(t, 0, "99 messages")

	// Refusals leave things as they are.
	restored := t.TempDir()
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, content[:len(content)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	setpoint(t, "", "backup", "verify", broken).want(t, 1, "cut off")
	setpoint(t, "", "restore", broken, "--data", restored).want(t, 1, "cut off")
	setpoint(t, "", "restore", filepath.Join(dir, "none"), "--data", restored).want(t, 1, "there is no file")
	setpoint(t, "", "restore", file).want(t, 64, "missing --data")
	setpoint(t, "", "restore", file, "--data", data).want(t, 1, "is not empty: it holds a log and its record", "give a new folder with --data")
	if left, _ := os.ReadDir(restored); len(left) > 0 {
		t.Errorf("a refused restore left %v", left)
	}

	setpoint(t, "", "restore", file, "--data", restored).want(t, 0, "restored log ", "revision 99")
	setpoint(t, "", "restore", piped, "--data", restored).want(t, 1, "there is a log already", "revisions up to 99")
	b := running(t, restored)
	for i, q := range questions {
		if got := setpoint(t, b.URL(), q...).want(t, 0).out; got != answers[i] {
			t.Errorf("%v answers something else", q)
		}
	}
	setpoint(t, b.URL(), "doctor").want(t, 0, "0 errors", "restored from a backup")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if want, got := rows(t, data), rows(t, restored); !slices.Equal(want, got) || len(want) < 300 {
		t.Errorf("the record has %d rows, and had %d", len(got), len(want))
	}

	// The old record does not pass for the new one's.
	move(t, restored, t.TempDir())
	move(t, data, restored)
	if s, err := server.Start(t.Context(), server.Options{Data: restored, Listen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "restored from the former at its revision 99") {
		t.Errorf("started on the record of another log: %v", err)
		if s != nil {
			_ = s.Close()
		}
	}
	setpoint(t, "", "doctor", "--data", restored).want(t, 1, "record.other_log", "delete the record")
}

func TestDoctor(t *testing.T) {
	data := loaded(t)
	s := running(t, data)
	setpoint(t, s.URL(), "doctor").want(t, 0, "99 messages of 3 commits", "every write is synced", "inodes are free", "nats-server v2", "0 errors")
	var d struct {
		Findings []struct{ Severity, Check, Reason, Where, Message, Advice string }
		Summary  struct{ Errors int }
	}
	setpoint(t, s.URL(), "doctor", "--deep").want(t, 0, "rows are what the log makes of them, at revision 99")
	asJSON := setpoint(t, s.URL(), "doctor", "-o", "json").want(t, 0)
	if err := json.Unmarshal([]byte(asJSON.out), &d); err != nil || len(d.Findings) < 8 {
		t.Errorf("%v: %s", err, asJSON.out)
	}
	setpoint(t, "", "doctor", "--data", data).want(t, 1, "in use by process "+fmt.Sprint(os.Getpid()))
	setpoint(t, "", "doctor", "--data", data, "--nats-url", "nats://127.0.0.1:1").want(t, 64, "exclude each other")
	setpoint(t, "", "doctor", "--data", data, "--deep").want(t, 64, "--deep needs the running service")
	setpoint(t, "", "doctor", "--data", t.TempDir()).want(t, 1, "there is no event log")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	setpoint(t, "", "doctor", "--data", data).want(t, 0, "99 messages of 3 commits", "at revision 99")

	// A log that lost its tail and went on: longer than the record, and another.
	block := filepath.Join(data, "nats", "jetstream", "$G", "streams", "SETPOINT_0", "msgs", "1.blk")
	damage(t, block, -10)
	setpoint(t, "", "doctor", "--data", data).want(t, 1, "error", "SETPOINT_0 99", "What to do:", "copy the data folder before anything starts on it")
	index := filepath.Join(filepath.Dir(block), "index.db")
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	setpoint(t, "", "doctor", "--data", data).want(t, 1, "record.ahead_of_log")
	if _, err := server.Start(t.Context(), server.Options{Data: data, Listen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "stands at revision 99") {
		t.Errorf("started on a log that lost its tail: %v", err)
	}
	aside := t.TempDir()
	move(t, data, aside)
	s = running(t, data)
	for i := range 3 {
		setpoint(t, s.URL(), "observe", "vacant-space", fmt.Sprint(0.06+float64(i)/100), "--at", fmt.Sprintf("2019-0%d-01", i+1)).want(t, 0)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	move(t, data, t.TempDir())
	move(t, aside, data)
	if _, err := server.Start(t.Context(), server.Options{Data: data, Listen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "another content at revision 99") {
		t.Errorf("started on the record of another tail: %v", err)
	}
	setpoint(t, "", "doctor", "--data", data).want(t, 1, "record.other_history")
}

// Files that lost their end, and with it what counts the messages, look whole:
// what the record saw tells, and no backup of the rest passes for one of all.
func TestABackupOfALogThatLostItsEnd(t *testing.T) {
	data, dir := loaded(t), t.TempDir()
	file := filepath.Join(dir, "a.backup")
	msgs := filepath.Join(data, "nats", "jetstream", "$G", "streams", "SETPOINT_0", "msgs")
	damage(t, filepath.Join(msgs, "1.blk"), -10)
	if err := os.Remove(filepath.Join(msgs, "index.db")); err != nil {
		t.Fatal(err)
	}
	setpoint(t, "", "backup", "--data", data, "-o", file).want(t, 1,
		"not the whole log", "the record stands at revision 99, the log ends at 98", "move the record")
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	move(t, data, t.TempDir())
	setpoint(t, "", "backup", "--data", data, "-o", file).want(t, 0, "98 messages", "warning: there is no record in the folder")
	if err := os.WriteFile(filepath.Join(data, "record.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	setpoint(t, "", "backup", "--data", data, "-o", file, "--force").want(t, 0, "98 messages", "warning: the record in the folder cannot be read")
}

// damage alters a byte of a file, counted from its end where negative.
func damage(t testing.TB, path string, at int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[(at+len(b))%len(b)] ^= 0x40
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// move moves the record from one folder to another.
func move(t testing.TB, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, "record*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no record in %s: %v", from, err)
	}
	for _, f := range files {
		if err := os.Rename(f, filepath.Join(to, filepath.Base(f))); err != nil {
			t.Fatal(err)
		}
	}
}
