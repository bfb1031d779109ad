package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
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
// one before it. It says what it is about to do, and which generation is live
// when Promote has returned.
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
		fmt.Println("begin")
		s, g, err := d.Begin(ctx)
		if err != nil {
			return err
		}
		for at := g.At; at.Revision <= live.At.Revision; {
			to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
			fmt.Println("write")
			if err := s.Write(ctx, at, to, commitOf(to.Revision)); err != nil {
				return err
			}
			at = to
		}
		fmt.Println("promote")
		if err := d.Promote(ctx, g.Number); err != nil {
			return err
		}
		fmt.Println("live", g.Number)
		all, err := d.Generations(ctx)
		if err != nil {
			return err
		}
		for _, old := range all {
			if !old.Live {
				fmt.Println("drop")
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

// A process that builds and swaps generations is killed as it begins a step of
// a swap, or a little later: what is live afterwards is whole, not older than
// what was said to be live, and the next process goes on. A process may start
// slowly: the kill waits for its word, not for a time.
func TestKilledInASwap(t *testing.T) {
	const cycles = 20
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	newest, began := 0, map[string]int{}
	for cycle := range cycles {
		ctx, done := context.WithTimeout(t.Context(), 3*time.Minute)
		defer done()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^$")
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
		// Every step in turn, of the first swaps of the process.
		step := []string{"begin", "write", "promote", "promote", "drop"}[cycle%5]
		left, later := 1+random.IntN(3), random.IntN(2_000)
		lines := bufio.NewScanner(out)
		killed := false
		for lines.Scan() {
			word, number, _ := strings.Cut(lines.Text(), " ")
			if word == "live" {
				if newest, err = strconv.Atoi(number); err != nil {
					t.Fatal(err)
				}
			}
			if word != step || killed {
				continue
			}
			if left--; left == 0 {
				// Somewhere within the step.
				for range later {
					runtime.Gosched()
				}
				killed = cmd.Process.Kill() == nil
				began[step]++
			}
		}
		_ = cmd.Wait()
		if failed.Len() > 0 || !killed {
			t.Fatalf("cycle %d, at %s: the process ended by itself: %s", cycle, step, failed.String())
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
	if len(began) != 4 || newest == 0 {
		t.Errorf("killed at %v, %d generations: the test shows little", began, newest)
	}
	t.Logf("killed at %v, %d generations", began, newest)
}
