package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
)

// childEnv makes this test binary a server that waits to be killed.
const childEnv = "SETPOINT_E2E_SERVE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		s, err := devserver.Start(context.Background(), devserver.Options{Data: dir, Listen: "127.0.0.1:0"})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(s.URL())
		// Whoever started this process holds its standard input; if they die,
		// so does it.
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a server in a process of its own.
type child struct {
	cmd   *exec.Cmd
	url   string
	ended *sync.Once
}

func spawn(t *testing.T, dir string) child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "http") {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the server did not start: %q %v", line, err)
	}
	return child{cmd: cmd, url: strings.TrimSpace(line), ended: &sync.Once{}}
}

// kill ends the process as a power cut would.
func (c child) kill() {
	c.ended.Do(func() {
		_ = c.cmd.Process.Signal(syscall.SIGKILL)
		_ = c.cmd.Wait()
	})
}

// Servers are killed in the midst of applies and loads. Afterwards every
// acknowledged command is there, every apply is there whole or not at all, and
// the record equals one rebuilt from the log.
func TestKilledDuringApplies(t *testing.T) {
	const cycles, size = 12, 40
	dir := t.TempDir()
	generation := func(cycle, n int) string {
		var b strings.Builder
		for i := range size {
			fmt.Fprintf(&b, "---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: c%d-n%d-u%d}, spec: {}}\n", cycle, n, i)
		}
		return b.String()
	}
	acknowledged := map[string]bool{} // applies
	var values int                    // acknowledged observations
	for cycle := range cycles {
		s := spawn(t, dir)
		c := connectTo(t, s.url, "default")
		if cycle == 0 {
			c.apply(small)
		}
		// The kill comes at a different point of the work in each cycle: after
		// some whole applies and then at any moment of the next ones.
		var timer *time.Timer
		for n := 0; ; n++ {
			if n == cycle%4 {
				timer = time.AfterFunc(time.Duration(cycle*7)*time.Millisecond, s.kill)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			_, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(generation(cycle, n))})
			if err == nil {
				acknowledged[fmt.Sprintf("c%d-n%d", cycle, n)] = true
				day := time.Date(2000, 1, 1+values, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
				_, err = c.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
					Observations: []*strategyv1.Observation{value("revenue", day, float64(values))}})
				if err == nil {
					values++
				}
			}
			cancel()
			if err != nil {
				break
			}
		}
		timer.Stop()
		s.kill()
	}
	s := serve(t, dir)
	c := connectTo(t, s.URL(), "default")
	units := map[string]int{}
	for _, name := range c.names("unit") {
		units[name[:strings.LastIndex(name, "-u")]]++
	}
	for apply, n := range units {
		if n != size {
			t.Errorf("apply %s is there by half: %d of %d", apply, n, size)
		}
	}
	for apply := range acknowledged {
		if units[apply] == 0 {
			t.Errorf("apply %s was acknowledged and is gone", apply)
		}
	}
	list, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000})
	if err != nil || len(list.GetObservations()) < values {
		t.Errorf("%d of %d acknowledged values are there, %v", len(list.GetObservations()), values, err)
	}
	if len(acknowledged) == 0 {
		t.Error("no apply was acknowledged: the test shows nothing")
	}
	t.Logf("%d applies acknowledged, %d there; %d values acknowledged, %d there", len(acknowledged), len(units), values, len(list.GetObservations()))

	before := everything(c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "record.db*"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if after := everything(connectTo(t, serve(t, dir).URL(), "default")); after != before {
		t.Error("the record differs from one rebuilt from the log")
	}
}

// everything is the text of all that can be read.
func everything(c client) string {
	c.t.Helper()
	var out []string
	for _, kind := range []string{"Unit", "Strategy", "Objective", "Metric", "Target"} {
		token := ""
		for {
			res, err := c.declare.List(context.Background(), &declarationv1.ListRequest{Kind: kind, PageSize: 1000, PageToken: token})
			if err != nil {
				c.t.Fatal(err)
			}
			for _, r := range res.GetResources() {
				b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
				if err != nil {
					c.t.Fatal(err)
				}
				out = append(out, string(b))
			}
			if token = res.GetNextPageToken(); token == "" {
				break
			}
		}
	}
	list, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, o := range list.GetObservations() {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(o)
		if err != nil {
			c.t.Fatal(err)
		}
		out = append(out, string(b))
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}
