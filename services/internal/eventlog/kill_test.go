package eventlog_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
)

// The environment of a child process that writes until it is killed.
const (
	writerDir   = "SETPOINT_TEST_WRITER_DIR"
	writerCycle = "SETPOINT_TEST_WRITER_CYCLE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir, os.Getenv(writerCycle)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever commits batches and single messages, and prints each commit
// that was acknowledged: its request id and revision.
func writeForever(dir, cycle string) error {
	server, err := embeddednats.Start(embeddednats.Options{Dir: dir})
	if err != nil {
		return err
	}
	nc, err := server.Connect()
	if err != nil {
		return err
	}
	l, err := eventlog.Open(context.Background(), nc, eventlog.Options{})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		id := fmt.Sprintf("c%s-%d", cycle, n)
		count := 1
		if n%4 != 0 {
			count = 2 + rand.IntN(800)
		}
		drafts := make([]eventlog.Draft, count)
		for i := range drafts {
			drafts[i] = eventlog.Draft{
				Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: fmt.Sprintf("%s-%d", id, i)},
				Events:  []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: make([]byte, 200)}},
			}
		}
		done, err := l.AppendBatch(context.Background(), eventlog.Command{RequestID: id, Recorded: time.Now()}, drafts)
		if err != nil {
			return err
		}
		fmt.Println(id, done.Revision)
	}
}

// killedWriter runs a writer and kills it after a few commits, at a random
// moment of the next two, as long as they take here; what it saw acknowledged
// is added to acknowledged.
func killedWriter(t *testing.T, dir string, cycle int, acknowledged map[string]uint64) {
	t.Helper()
	ctx, kill := context.WithTimeout(t.Context(), 3*time.Minute)
	defer kill()
	child := exec.CommandContext(ctx, os.Args[0]) // cancelled: SIGKILL
	child.Env = append(os.Environ(), writerDir+"="+dir, fmt.Sprintf("%s=%d", writerCycle, cycle))
	var complaints strings.Builder
	child.Stderr = &complaints
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	commits, last := 0, time.Now()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var id string
		var revision uint64
		if _, err := fmt.Sscan(lines.Text(), &id, &revision); err != nil {
			break // a line that the kill cut off
		}
		if commits++; commits == 2+cycle%4 {
			timer := time.AfterFunc(time.Duration(rand.Int64N(2*int64(time.Since(last)))), kill)
			defer timer.Stop()
		}
		last = time.Now()
		acknowledged[id] = revision
	}
	_ = child.Wait()
	if commits == 0 {
		t.Fatalf("the writer of cycle %d committed nothing: %s", cycle, complaints.String())
	}
}

func TestCommitsSurviveKillWholeOrNotAtAll(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	const cycles = 15
	dir := t.TempDir()
	acknowledged := map[string]uint64{}
	var verified uint64
	var id string
	for cycle := range cycles {
		killedWriter(t, dir, cycle, acknowledged)

		server, err := embeddednats.Start(embeddednats.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		var nc *nats.Conn
		if nc, err = server.Connect(); err != nil {
			t.Fatal(err)
		}
		l, err := eventlog.Open(t.Context(), nc, eventlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if id == "" {
			id = l.ID()
		}
		if l.ID() != id {
			t.Fatalf("the log's identity changed from %s to %s", id, l.ID())
		}
		info, err := l.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		revision, err := l.LastRevision(t.Context())
		if err != nil || revision != info.Last || info.Messages != info.Last {
			t.Fatalf("cycle %d: revision %d of %+v, %v: part of a commit is stored", cycle, revision, info, err)
		}
		after := verified
		if cycle == cycles-1 {
			after = 0
		}
		found := map[string]uint64{}
		err = l.Read(t.Context(), after, revision, func(batch []*eventlog.Record) error {
			for _, r := range batch {
				found[r.Envelope.RequestId] = r.Revision
			}
			return nil
		})
		if err != nil {
			t.Fatalf("cycle %d: %v", cycle, err)
		}
		for request, at := range acknowledged {
			if at > after && found[request] != at {
				t.Fatalf("cycle %d: %s was acknowledged at %d and is stored at %d", cycle, request, at, found[request])
			}
		}
		verified = revision
		nc.Close()
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 2*cycles {
		t.Errorf("only %d commits in %d cycles: nothing was shown", len(acknowledged), cycles)
	}
	t.Logf("%d commits acknowledged, %d messages stored, %d kills", len(acknowledged), verified, cycles)
}
