package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/testpostgres"
)

// Many processes find an empty database at once: each waits for the one that
// makes the schema, and all find the same generation live.
func TestManyOpenAnEmptyDatabase(t *testing.T) {
	url := testpostgres.New(t)
	gate := make(chan struct{})
	type result struct {
		number int
		err    error
	}
	results := make(chan result, 8)
	for range 8 {
		go func() {
			<-gate
			d, err := postgres.Open(context.WithoutCancel(t.Context()), postgres.Options{URL: url, Kinds: kinds.Registry(), Connections: 2})
			if err != nil {
				results <- result{err: err}
				return
			}
			_, g, err := d.Live(t.Context())
			results <- result{g.Number, errors.Join(err, d.Close())}
		}()
	}
	close(gate)
	for range 8 {
		if r := <-results; r.err != nil || r.number != 1 {
			t.Errorf("generation %d, %v", r.number, r.err)
		}
	}
	var migrations int
	if err := connect(t, url).QueryRow(t.Context(), `SELECT count(*) FROM setpoint.migration`).Scan(&migrations); err != nil || migrations == 0 {
		t.Errorf("%d migrations, %v", migrations, err)
	}
}

const holder = "SETPOINT_TEST_HOLDER"

// TestHolder is a process of TestAStoppedWriterIsSucceeded, not a test: it
// writes until it is stopped.
func TestHolder(t *testing.T) {
	url := os.Getenv(holder)
	if url == "" {
		return // nobody asked for it
	}
	d := open(t, postgres.Options{URL: url})
	s := live(t, d)
	at, err := s.Checkpoint(t.Context())
	for err == nil {
		to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
		err = s.Write(t.Context(), at, to, large(to.Revision))
		at = to
	}
	fmt.Println("holder ended:", fault.ReasonOf(err))
}

// large makes a write whose message does not fit a socket's buffer.
func large(rev uint64) []record.Change {
	out := []record.Change{record.PutCommit{Org: "acme", Revision: rev, Recorded: time.Now()}}
	for i := range 2000 {
		out = append(out, record.PutObservation{Observation: record.Observation{Org: "acme", MetricID: fmt.Sprint("m", i),
			ObservationKey: record.ObservationKey{At: "2026-01-01"}, Value: float64(rev), From: rev, Recorded: time.Now(), Note: strings.Repeat("n", 500)}})
	}
	return out
}

// slowness is added to how long something may take: that depends on the machine,
// too, and how slow that is a write shows which nobody holds up.
func slowness(t *testing.T, s record.Store) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := s.Write(t.Context(), record.Checkpoint{}, record.Checkpoint{LogID: "log", Revision: 1}, large(1)); err != nil {
		t.Fatal(err)
	}
	return 10 * time.Since(begin)
}

// A process that is stopped, wherever in a write, keeps nobody from writing for
// long; and when it goes on it finds that it is no longer the writer.
func TestAStoppedWriterIsSucceeded(t *testing.T) {
	t.Parallel() // it waits, mostly
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	defer func() { _ = d.Close() }()
	s := live(t, d)
	slow := slowness(t, s)
	for round := range 4 {
		before, err := s.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHolder$", "-test.v")
		c.Env = append(os.Environ(), holder+"="+url)
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		moved := make(chan struct{})
		var once sync.Once
		watch, stop := context.WithCancel(t.Context())
		go func() {
			_ = d.Watch(watch, func(at record.Checkpoint, _ map[string]uint64) {
				if at.Revision >= before.Revision+5 {
					once.Do(func() { close(moved) })
				}
			})
		}()
		<-moved
		stop()
		<-time.After(time.Duration(round) * 7 * time.Millisecond) // another place in the write
		if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for {
			at, err := s.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
			if err = s.Write(t.Context(), at, to, large(to.Revision)); err == nil {
				break
			}
			// What the other sent before it stopped may still have been committed, and
			// may take a while to be undone.
			if fault.ReasonOf(err) != "record.checkpoint_moved" && fault.KindOf(err) != fault.Unavailable {
				t.Fatal(err)
			}
		}
		took := time.Since(begin)
		t.Logf("succeeded after %s", took)
		if took > 4*time.Second+slow {
			t.Errorf("a stopped writer held up the next for %s", took)
		}
		if err := c.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("the holder: %v\n%s", err, &out)
		}
		if text := out.String(); !strings.Contains(text, "holder ended: record.checkpoint_moved") && !strings.Contains(text, "holder ended: record.database_unreachable") {
			t.Errorf("the holder went on:\n%s", text)
		}
	}
}

// A session that holds the checkpoint and does nothing, whose time is not
// limited, is ended by the next writer.
func TestAHangingSessionIsEnded(t *testing.T) {
	t.Parallel() // it waits, mostly
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	defer func() { _ = d.Close() }()
	s := live(t, d)
	slow := slowness(t, s)
	hanging := connect(t, url)
	execute(t, hanging, `BEGIN; SELECT 1 FROM setpoint.generation FOR UPDATE; UPDATE setpoint.generation SET log_id = 'theirs'`)
	begin := time.Now()
	if err := s.Write(t.Context(), record.Checkpoint{LogID: "log", Revision: 1}, record.Checkpoint{LogID: "log", Revision: 2}, large(2)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 6*time.Second+slow {
		t.Errorf("the write took %s", took)
	}
	if _, err := hanging.Exec(t.Context(), `COMMIT`); err == nil {
		t.Error("the hanging session is still there")
	}
	at, err := s.Checkpoint(t.Context())
	if err != nil || at.LogID != "log" || at.Revision != 2 {
		t.Errorf("%+v, %v", at, err)
	}
}
