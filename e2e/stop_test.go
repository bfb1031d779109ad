package e2e_test

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// ask is a probe: its status and what it says.
func ask(url string) (int, string) {
	res, err := (&http.Client{Timeout: time.Minute}).Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// ends waits for the process and returns its state.
func (c child) ends(t *testing.T, within time.Duration) (code int, signal syscall.Signal) {
	t.Helper()
	ended := make(chan struct{})
	go c.ended.Do(func() {
		_ = c.cmd.Wait()
		close(ended)
	})
	select {
	case <-ended:
	case <-time.After(within):
		_ = c.cmd.Process.Kill()
		t.Fatalf("the server did not end within %s", within)
	}
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status.ExitStatus(), status.Signal()
}

// Asked to stop under load, the server ends by itself, in time and without an
// error, and nothing that it acknowledged is missing afterwards. Who watches is
// told that it stops.
func TestStoppedUnderLoad(t *testing.T) {
	dir := t.TempDir()
	a, observers := &applier{id: "a"}, []*observer{{source: "x"}, {source: "y"}, {source: "z"}}
	const cycles = 5
	for cycle := range cycles {
		s := spawn(t, dir, "SETPOINT_SHUTDOWN_TIMEOUT=60s")
		transport := &http.Transport{}
		c := connectWith(t, &http.Client{Transport: transport}, s.url)
		if cycle == 0 {
			c.apply(small)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		watch, err := c.gap.Watch(ctx, &gapv1.WatchRequest{Query: &gapv1.EvaluateRequest{}})
		if err != nil || !watch.Receive() {
			t.Fatalf("watch: %v", err)
		}
		var load sync.WaitGroup
		var acknowledged atomic.Int64
		enough := make(chan struct{})
		run := func(step func(context.Context, client) error) {
			load.Go(func() {
				for step(ctx, c) == nil {
					if acknowledged.Add(1) == int64(20+10*cycle) {
						close(enough)
					}
				}
			})
		}
		run(a.step)
		for _, o := range observers {
			run(o.step)
		}
		select {
		case <-enough:
		case <-ctx.Done():
			t.Fatal("nothing is acknowledged")
		}
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for watch.Receive() {
		}
		if err := watch.Err(); connect.CodeOf(err) != connect.CodeUnavailable || detail(err).GetReason() != "server.stopping" {
			t.Errorf("who watches is told %v", err)
		}
		if code, signal := s.ends(t, 75*time.Second); code != 0 {
			t.Errorf("it ended with %d, signal %v", code, signal)
		}
		load.Wait()
		_ = watch.Close()
		cancel()
		transport.CloseIdleConnections()
	}

	s := spawn(t, dir)
	defer s.kill()
	c := connectTo(t, s.url, "default")
	ctx := context.Background()
	if err := a.step(ctx, c); err != nil { // what was under way, once more
		t.Errorf("given again: %v %v", err, faults(err))
	}
	carriedOutOnce(t, c, "count-a", len(a.acknowledged))
	units := map[string]bool{}
	for _, name := range c.names("unit") {
		units[name] = true
	}
	for _, group := range a.acknowledged {
		if !units["g-"+group+"-u0"] {
			t.Errorf("apply %s was acknowledged and is gone", group)
		}
	}
	observed := map[string]int{}
	for _, o := range observers {
		if err := o.step(ctx, c); err != nil {
			t.Errorf("given again: %v", err)
		}
	}
	list, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list.GetObservations() {
		observed[v.GetSource()]++
	}
	for _, o := range observers {
		if observed[o.source] != o.acknowledged {
			t.Errorf("source %s: %d acknowledged, %d there", o.source, o.acknowledged, observed[o.source])
		}
	}
}

// While it drains the server says that it is not ready and goes on answering;
// a second signal ends it at once, and loses nothing.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := spawn(t, dir, "SETPOINT_DRAIN=5m")
	defer s.kill()
	c := connectTo(t, s.url, "default")
	c.apply(small)
	if code, body := ask(s.url + "/readyz"); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	code, body := ask(s.url + "/readyz")
	for ; code == 200 && time.Now().Before(deadline); code, body = ask(s.url + "/readyz") {
	}
	if code != 503 {
		t.Fatalf("after the signal: %d %s", code, body)
	}
	contains(t, "readiness", body, "shutting down")
	if code, _ := ask(s.url + "/livez"); code != 200 {
		t.Errorf("it is not alive: %d", code)
	}
	o := &observer{source: "late"}
	if err := o.step(context.Background(), c); err != nil {
		t.Errorf("a write in the drain: %v", err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, signal := s.ends(t, time.Minute); signal != syscall.SIGTERM {
		t.Errorf("it ended with %d, signal %v", code, signal)
	}
	again := spawn(t, dir)
	defer again.kill()
	list, err := connectTo(t, again.url, "default").observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue"})
	if err != nil || len(list.GetObservations()) != 1 {
		t.Errorf("what was acknowledged in the drain: %v %v", list, err)
	}
}
