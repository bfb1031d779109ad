package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
)

// swapFolder tells the test binary to be the process that is killed.
const swapFolder = "SETPOINT_TEST_SWAP_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(swapFolder); dir != "" {
		fmt.Fprintln(os.Stderr, swapForEver(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// swapForEver builds generation after generation, makes each live and drops the
// one before it, and says which one is live when Promote has returned.
func swapForEver(dir string) error {
	ctx := context.Background()
	d, err := sqlite.OpenDatabase(ctx, dir, kinds.Registry())
	if err != nil {
		return err
	}
	for {
		_, live, err := d.Live(ctx)
		if err != nil {
			return err
		}
		s, g, err := d.Begin(ctx)
		if err != nil {
			return err
		}
		for at := g.At; at.Revision <= live.At.Revision; {
			to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
			if err := s.Write(ctx, at, to, commitOf(to.Revision)); err != nil {
				return err
			}
			at = to
		}
		if err := d.Promote(ctx, g.Number); err != nil {
			return err
		}
		fmt.Println(g.Number)
		all, err := d.Generations(ctx)
		if err != nil {
			return err
		}
		for _, old := range all {
			if !old.Live {
				if err := d.Drop(ctx, old.Number); err != nil {
					return err
				}
			}
		}
	}
}

// commitOf has the revision in two rows.
func commitOf(revision uint64) []record.Change {
	unit := func(name string) record.Change {
		return record.PutResource{Resource: record.Resource{Org: "acme", Kind: "Unit", Name: name, ID: name, From: revision,
			Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.UnitSpec{Title: fmt.Sprint(revision)}}}
	}
	return []record.Change{unit("x"), unit("y"), record.PutCommit{Org: "acme", Revision: revision, Recorded: time.Unix(int64(revision), 0)}}
}

// A process that builds and swaps generations is killed at any moment: what is
// live afterwards is whole, not older than what was said to be live, and the
// next process goes on.
func TestKilledInASwap(t *testing.T) {
	dir := t.TempDir()
	newest, swapped := 0, 0
	for cycle := range 25 {
		cmd := exec.Command(os.Args[0], "-test.run", "^$")
		cmd.Env = append(os.Environ(), swapFolder+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		var failed strings.Builder
		cmd.Stderr = &failed
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The kill comes at another moment of a swap in each cycle.
		lines := bufio.NewScanner(out)
		for seen := 0; lines.Scan(); seen++ {
			if newest, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			swapped++
			if seen == 0 {
				time.AfterFunc(time.Duration(cycle)*13*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait()
		if failed.Len() > 0 {
			t.Fatalf("the process failed: %s", failed.String())
		}

		d := openDatabase(t, dir)
		_, g, err := d.Live(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if g.Number < newest {
			t.Fatalf("generation %d is live, %d was", g.Number, newest)
		}
		if err := d.View(t.Context(), func(v record.View) error {
			for _, name := range []string{"x", "y"} {
				r, err := v.Resource("acme", "Unit", name, v.Revision())
				if err != nil || r == nil || r.Spec.(*strategyv1.UnitSpec).GetTitle() != fmt.Sprint(v.Revision()) {
					t.Errorf("at revision %d %s is %+v, %v", v.Revision(), name, r, err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if got := files(t, dir); len(got) > 8 {
			t.Errorf("left are %v", got)
		}
	}
	if swapped < 25 {
		t.Errorf("only %d swaps: the test shows little", swapped)
	}
	t.Logf("%d swaps, 25 kills", swapped)
}
