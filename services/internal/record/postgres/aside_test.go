package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/testpostgres"
)

// dated makes a large write that corrects values of the one before it, too.
func dated(rev uint64) []record.Change {
	at := time.Unix(int64(rev), 0)
	out := []record.Change{record.PutCommit{Org: "acme", Revision: rev, Recorded: at},
		record.PutRequest{Request: record.Request{Org: "acme", ID: fmt.Sprint("r", rev), Revision: rev}}}
	for i := range 3000 {
		id := fmt.Sprint("m", i)
		out = append(out,
			record.PutObservation{Observation: record.Observation{Org: "acme", MetricID: id,
				ObservationKey: record.ObservationKey{At: fmt.Sprintf("2026-01-%02d", 1+int(rev)/(1+i%2))}, Value: float64(rev), From: rev, Recorded: at}},
			record.PutAggregate{Org: "acme", Service: "strategy", Kind: "metric", ID: id, Aggregate: record.Aggregate{Sequence: rev, Revision: rev}})
	}
	return out
}

// written writes the revisions after a checkpoint up to another one, each a
// write.
func written(t *testing.T, s record.Store, at record.Checkpoint, to uint64) error {
	t.Helper()
	for at.Revision < to {
		next := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
		if err := s.Write(t.Context(), at, next, dated(next.Revision)); err != nil {
			return err
		}
		at = next
	}
	return nil
}

func rowsOf(t *testing.T, s record.Store) (rows []record.Row) {
	t.Helper()
	if _, err := s.Rows(t.Context(), func(r record.Row) error { rows = append(rows, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return rows
}

// What is written by two sessions comes to what one writes; and of a write that
// fails between the two nothing is left where the generation is gone on with.
func TestWhatIsWrittenAside(t *testing.T) {
	t.Parallel()
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	defer func() { _ = d.Close() }()
	alone := live(t, d)
	if err := written(t, alone, record.Checkpoint{}, 4); err != nil {
		t.Fatal(err)
	}
	s, g, err := d.Begin(t.Context())
	if err == nil {
		err = written(t, s, g.At, 2)
	}
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	execute(t, conn, fmt.Sprintf(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON setpoint_g%d.aggregate EXECUTE FUNCTION refuse()`, g.Number))
	if err := written(t, s, record.Checkpoint{LogID: "log", Revision: 2}, 3); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Fatalf("the write went on: %v", err)
	}
	var leftovers int
	count := fmt.Sprintf(`SELECT (SELECT count(*) FROM setpoint_g%d.observation WHERE rev_from > 2) + (SELECT count(*) FROM setpoint_g%[1]d.commit_time WHERE revision > 2)`, g.Number)
	if err := conn.QueryRow(t.Context(), count).Scan(&leftovers); err != nil || leftovers == 0 {
		t.Fatalf("nothing was written aside, so that this test shows nothing: %d, %v", leftovers, err)
	}
	execute(t, conn, `DROP FUNCTION refuse CASCADE`)
	s, again, err := d.Begin(t.Context())
	if err != nil || again.Number != g.Number || again.At.Revision != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	if err := conn.QueryRow(t.Context(), count).Scan(&leftovers); err != nil || leftovers != 0 {
		t.Errorf("%d rows are newer than the checkpoint, %v", leftovers, err)
	}
	if err := written(t, s, again.At, 4); err != nil {
		t.Fatal(err)
	}
	if one, two := rowsOf(t, alone), rowsOf(t, s); !slices.Equal(one, two) {
		t.Errorf("%d rows written by one session and %d by two are not the same", len(one), len(two))
	}
}

const builder = "SETPOINT_TEST_BUILDER"

// TestBuilder is a process of TestAStoppedBuilderIsSucceeded, not a test: it
// builds until it is stopped.
func TestBuilder(t *testing.T) {
	url := os.Getenv(builder)
	if url == "" {
		return // nobody asked for it
	}
	d := open(t, postgres.Options{URL: url})
	s, g, err := d.Begin(t.Context())
	at := g.At
	for err == nil {
		to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
		err = s.Write(t.Context(), at, to, large(to.Revision))
		at = to
		fmt.Println("wrote")
	}
	fmt.Println("builder ended:", fault.ReasonOf(err), err)
}

// A process that is stopped while it builds, wherever in a write, keeps nobody
// from going on with the generation for long, and adds nothing to it later.
func TestAStoppedBuilderIsSucceeded(t *testing.T) {
	t.Parallel() // it waits, mostly
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	defer func() { _ = d.Close() }()
	_ = live(t, d)
	var number int
	for round := range 4 {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBuilder$", "-test.v")
		c.Env = append(os.Environ(), builder+"="+url)
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for writes := 0; writes < 4 && lines.Scan(); {
			if lines.Text() == "wrote" {
				writes++
			}
		}
		<-time.After(time.Duration(round) * 9 * time.Millisecond) // another place in the write
		if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for {
			s, g, err := d.Begin(context.WithoutCancel(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			number = g.Number
			err = s.Write(t.Context(), g.At, record.Checkpoint{LogID: "log", Revision: g.At.Revision + 1}, large(g.At.Revision+1))
			if err == nil {
				break
			}
			// What the other sent before it stopped may still have been committed.
			if fault.ReasonOf(err) != "record.checkpoint_moved" {
				t.Fatal(err)
			}
		}
		t.Logf("succeeded after %s", time.Since(begin))
		if err := c.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		var last string
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "builder ended:") {
				last = lines.Text()
			}
		}
		if err := c.Wait(); err != nil {
			t.Errorf("the builder: %v", err)
		}
		if !strings.Contains(last, "record.checkpoint_moved") && !strings.Contains(last, "record.database_unreachable") {
			t.Errorf("the builder went on: %s", last)
		}
	}
	var revision, values, commits int
	if err := connect(t, url).QueryRow(t.Context(), fmt.Sprintf(`SELECT revision, (SELECT count(*) FROM setpoint_g%d.observation),
		(SELECT count(*) FROM setpoint_g%[1]d.commit_time) FROM setpoint.generation WHERE number = %[1]d`, number)).Scan(&revision, &values, &commits); err != nil {
		t.Fatal(err)
	}
	if values != 2000*revision || commits != revision {
		t.Errorf("at revision %d there are %d values and %d commits", revision, values, commits)
	}
}
