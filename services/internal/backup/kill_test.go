package backup_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// The environment of a child process that restores until it is killed.
const (
	restoreFile = "SETPOINT_TEST_RESTORE_FILE"
	restoreData = "SETPOINT_TEST_RESTORE_DATA"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(restoreFile); file != "" {
		fmt.Fprintln(os.Stderr, restoreAndTell(file, os.Getenv(restoreData)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// restoreAndTell prints each step of a restore, and waits at each for a line.
func restoreAndTell(file, data string) error {
	server, err := embeddednats.Start(embeddednats.Options{Dir: natsDir(data)})
	if err != nil {
		return err
	}
	nc, err := server.Connect()
	if err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	goOn := bufio.NewScanner(os.Stdin)
	_, err = backup.Restore(context.Background(), in, func(shard int, origin eventlog.Origin) (*eventlog.Restore, error) {
		return eventlog.BeginRestore(context.Background(), nc, eventlog.Options{Shard: shard}, origin)
	}, func(step string, done, total uint64) {
		fmt.Println(step, done, total)
		goOn.Scan()
	})
	return err
}

// A restore that is killed leaves what nobody takes for a log, and what the
// next restore replaces.
func TestARestoreThatIsKilled(t *testing.T) {
	a := openLog(t, t.TempDir())
	w := newWriter(a.Log, "w", 11)
	for revision(t, a.Log) < 12_000 {
		w.commits(t, 50)
	}
	last := revision(t, a.Log)
	want := lines(t, a.Log, last)
	content := take(t, a.Log)
	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	for _, at := range []string{backup.StepWrite + " 0 ", backup.StepWrite + " 5000 ", backup.StepWrite + " 10000 ", backup.StepCompare} {
		killedRestore(t, file, data, at)

		// Left as it is: refused by whoever opens it, on the files too.
		if _, err := eventlog.OpenOffline(natsDir(data), 0); fault.ReasonOf(err) != "log.restore_unfinished" {
			t.Errorf("killed at %q, the files were opened: %v", at, err)
		}
		server, err := embeddednats.Start(embeddednats.Options{Dir: natsDir(data)})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := server.Connect()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := eventlog.Open(t.Context(), nc, eventlog.Options{}); fault.ReasonOf(err) != "log.restore_unfinished" {
			t.Errorf("killed at %q, the log was opened: %v", at, err)
		}
		nc.Close()
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := restoreInto(t.Context(), data, content); err != nil {
		t.Fatal(err)
	}
	b := openLog(t, data)
	if got := revision(t, b.Log); got != last {
		t.Fatalf("restored up to %d of %d", got, last)
	}
	same(t, "records", want, lines(t, b.Log, last))
}

// killedRestore runs a restore and kills it when it prints a line that begins
// as at does.
func killedRestore(t *testing.T, file, data, at string) {
	t.Helper()
	ctx, kill := context.WithTimeout(t.Context(), 3*time.Minute)
	defer kill()
	child := exec.CommandContext(ctx, os.Args[0]) // cancelled: SIGKILL
	child.Env = append(os.Environ(), restoreFile+"="+file, restoreData+"="+data)
	var complaints bytes.Buffer
	child.Stderr = &complaints
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	reached := false
	for said := bufio.NewScanner(out); said.Scan(); {
		if strings.HasPrefix(said.Text(), at) {
			reached = true
			break // it waits for its line, and does not get one
		}
		_, _ = fmt.Fprintln(in)
	}
	kill()
	_ = child.Wait()
	if !reached {
		t.Fatalf("it never came to %q: %s", at, complaints.String())
	}
}
