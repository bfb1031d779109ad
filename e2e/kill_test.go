package e2e_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// binaryEnv tells a test that runs in a process of its own where the program is.
const binaryEnv = "SETPOINT_E2E_BINARY"

// binary is the program as users run it, built once.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(binaryEnv); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "setpoint-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "setpoint")
	out, err := exec.Command("go", "build", "-o", path, "setpoint.dev/services/cmd/setpoint").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	built = dir
	return path, os.Setenv(binaryEnv, path)
})

// built is the folder of the program, if this process built it.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	if err := runJourneys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if isSplit() {
		if d, err := split(); err == nil {
			if err := d.close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// child is a server in a process of its own.
type child struct {
	cmd   *exec.Cmd
	url   string
	said  *lines // on standard error
	ended *sync.Once
}

// spawn starts `setpoint dev` and waits until it says where it answers.
func spawn(t *testing.T, dir string, env ...string) child {
	t.Helper()
	c, err := launch([]string{"dev", "--data", dir, "--listen", "127.0.0.1:0"}, env...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// launch starts the binary as a server and waits until it says where it
// answers.
func launch(args []string, env ...string) (child, error) {
	c, answers, err := begin(args, env...)
	if err != nil {
		return child{}, err
	}
	if c.url, err = answers(); err != nil {
		return child{}, err
	}
	return c, nil
}

// begin starts the binary as a server; answers waits until it says where it
// answers.
func begin(args []string, env ...string) (c child, answers func() (url string, err error), err error) {
	path, err := binary()
	if err != nil {
		return child{}, nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	// If the test dies the server must not live on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := &lines{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return child{}, nil, err
	}
	if err := cmd.Start(); err != nil {
		return child{}, nil, err
	}
	return child{cmd: cmd, said: said, ended: &sync.Once{}}, func() (string, error) {
		line, err := bufio.NewReader(out).ReadString('\n')
		_, after, ok := strings.Cut(line, "answers at ")
		if err != nil || !ok {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return "", fmt.Errorf("the server did not start: %q %v %s", line, err, said.String())
		}
		go func() { _, _ = io.Copy(io.Discard, out) }()
		url, _, _ := strings.Cut(after, " ")
		return url, nil
	}, nil
}

// kill ends the process as a power cut would, but for the page cache.
func (c child) kill() {
	c.ended.Do(func() {
		_ = c.cmd.Process.Signal(syscall.SIGKILL)
		_ = c.cmd.Wait()
	})
}

// applier writes groups of units; what was not acknowledged it gives again
// under the same request id.
type applier struct {
	id           string
	n            int
	pending      *declarationv1.ApplyRequest
	acknowledged []string // group names
}

const groupSize = 15

func (a *applier) step(ctx context.Context, c client) error {
	group := fmt.Sprintf("%s-%d", a.id, a.n)
	if a.pending == nil {
		var b strings.Builder
		for i := range groupSize {
			fmt.Fprintf(&b, "---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: g-%s-u%d}, spec: {}}\n", group, i)
		}
		// A resource that every apply of this client changes: its history
		// tells how often each request was carried out.
		fmt.Fprintf(&b, "---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: count-%s}, spec: {title: %q}}\n", a.id, group)
		a.pending = &declarationv1.ApplyRequest{RequestId: rand.Text(), Manifests: manifests(b.String())}
	}
	if _, err := c.declare.Apply(ctx, a.pending); err != nil {
		return err
	}
	a.acknowledged = append(a.acknowledged, group)
	a.pending = nil
	a.n++
	return nil
}

// observer records values, one after the other.
type observer struct {
	source       string
	n            int
	pending      *strategyv1.RecordObservationsRequest
	acknowledged int
}

func (o *observer) step(ctx context.Context, c client) error {
	if o.pending == nil {
		v := value("revenue", time.Date(2000, 1, 1+o.n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), float64(o.n))
		v.Source = o.source
		o.pending = &strategyv1.RecordObservationsRequest{RequestId: rand.Text(), Observations: []*strategyv1.Observation{v}}
	}
	res, err := c.observe.RecordObservations(ctx, o.pending)
	if err != nil {
		return err
	}
	if res.GetRecorded() != 1 {
		return fmt.Errorf("an acknowledged request answers %v", res)
	}
	o.acknowledged++
	o.pending = nil
	o.n++
	return nil
}

// The server is killed 200 times under load. Afterwards every acknowledged
// command is there, every apply is there whole or not at all, no request was
// carried out twice, and the record equals one rebuilt from the log.
func TestKilledTwoHundredTimesUnderLoad(t *testing.T) {
	const cycles = 200
	dir := t.TempDir()
	appliers := []*applier{{id: "a"}, {id: "b"}}
	observers := []*observer{{source: "x"}, {source: "y"}, {source: "z"}}
	for cycle := range cycles {
		s := spawn(t, dir)
		transport := &http.Transport{}
		c := connectWith(t, &http.Client{Transport: transport}, s.url)
		if cycle == 0 {
			c.apply(small)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		at := momentOf(cycle, s.kill)
		var load sync.WaitGroup
		run := func(step func(context.Context, client) error, acknowledged *atomic.Int64) {
			load.Go(func() {
				for began := time.Now(); step(ctx, c) == nil; began = time.Now() {
					acknowledged.Add(-1)
					at.come(time.Since(began))
				}
			})
		}
		for _, a := range appliers {
			run(a.step, &at.applies)
		}
		for _, o := range observers {
			run(o.step, &at.values)
		}
		load.Wait()
		s.kill()
		cancel()
		transport.CloseIdleConnections()
	}

	s := serve(t, dir)
	c := connectTo(t, s.URL(), "default")
	ctx := context.Background()
	// What was under way is given once more.
	for _, a := range appliers {
		if err := a.step(ctx, c); err != nil {
			t.Errorf("%s: the last request, given again: %v %v", a.id, err, faults(err))
		}
	}
	for _, o := range observers {
		if err := o.step(ctx, c); err != nil {
			t.Errorf("%s: the last request, given again: %v", o.source, err)
		}
	}
	units := map[string]int{}
	for _, name := range c.names("unit") {
		if group, ok := strings.CutPrefix(name, "g-"); ok {
			units[group[:strings.LastIndex(group, "-u")]]++
		}
	}
	for group, n := range units {
		if n != groupSize {
			t.Errorf("apply %s is there by half: %d of %d", group, n, groupSize)
		}
	}
	applied := 0
	for _, a := range appliers {
		applied += len(a.acknowledged)
		for _, group := range a.acknowledged {
			if units[group] == 0 {
				t.Errorf("apply %s was acknowledged and is gone", group)
			}
		}
		carriedOutOnce(t, c, "count-"+a.id, len(a.acknowledged))
	}
	observed := map[string]int{}
	token := ""
	for {
		list, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.GetObservations() {
			observed[v.GetSource()]++
			if v.GetCorrections() != 0 {
				t.Errorf("%s was recorded twice", v)
			}
		}
		if token = list.GetNextPageToken(); token == "" {
			break
		}
	}
	recorded := 0
	for _, o := range observers {
		recorded += o.acknowledged
		if observed[o.source] != o.acknowledged {
			t.Errorf("source %s: %d acknowledged, %d there", o.source, o.acknowledged, observed[o.source])
		}
	}
	if applied < cycles/4 || recorded < cycles/2 {
		t.Errorf("only %d applies and %d values were acknowledged: the test shows little", applied, recorded)
	}
	t.Logf("%d kills: %d applies and %d values acknowledged", cycles, applied, recorded)

	before := everything(c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	dropRecord(t, dir)
	if after := everything(connectTo(t, serve(t, dir).URL(), "default")); after != before {
		t.Error("the record differs from one rebuilt from the log")
	}
}

// moment is when the server is killed: at another moment of the work in each
// cycle, and in most of them once something of the cycle was acknowledged, however
// long that takes here.
type moment struct {
	// What has to be acknowledged before.
	applies, values atomic.Int64

	cycle int
	kill  func()
	once  sync.Once
}

func momentOf(cycle int, kill func()) *moment {
	m := &moment{cycle: cycle, kill: kill}
	switch {
	case cycle%4 == 0:
		m.applies.Store(1)
	case cycle%2 == 1:
		m.values.Store(int64(1 + cycle/2%4))
	default: // also before anything was
		m.once.Do(func() { time.AfterFunc(time.Duration(1+cycle%40)*3*time.Millisecond, kill) })
	}
	return m
}

// come has the server killed within what comes after a step that took so long.
func (m *moment) come(took time.Duration) {
	if m.applies.Load() <= 0 && m.values.Load() <= 0 {
		m.once.Do(func() { time.AfterFunc(time.Duration(m.cycle%20)*took/10, m.kill) })
	}
}

// carriedOutOnce checks the history of a resource that each request changed.
func carriedOutOnce(t *testing.T, c client, unit string, want int) {
	t.Helper()
	seen := map[string]bool{}
	n, token := 0, ""
	for {
		res, err := c.declare.History(context.Background(), &declarationv1.HistoryRequest{Kind: "Unit", Name: unit, PageSize: 1000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.GetEntries() {
			n++
			if seen[e.GetRequestId()] {
				t.Errorf("%s: request %s was carried out twice", unit, e.GetRequestId())
			}
			seen[e.GetRequestId()] = true
		}
		if token = res.GetNextPageToken(); token == "" {
			break
		}
	}
	if n != want {
		t.Errorf("%s: %d requests acknowledged, %d carried out", unit, want, n)
	}
}

// dropRecord deletes the read model.
func dropRecord(t testing.TB, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "record.db*"))
	if len(files) == 0 {
		t.Fatal("there is no record to delete")
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// everything is the text of all that can be read.
func everything(c client) string {
	c.t.Helper()
	var out []string
	add := func(m proto.Message) {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			c.t.Fatal(err)
		}
		out = append(out, string(b))
	}
	for _, kind := range []string{"Unit", "Strategy", "Objective", "Metric", "Target"} {
		for token := ""; ; {
			res, err := c.declare.List(context.Background(), &declarationv1.ListRequest{Kind: kind, PageSize: 1000, PageToken: token})
			if err != nil {
				c.t.Fatal(err)
			}
			for _, r := range res.GetResources() {
				add(r)
			}
			if token = res.GetNextPageToken(); token == "" {
				break
			}
		}
	}
	for token := ""; ; {
		list, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000, PageToken: token})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, o := range list.GetObservations() {
			add(o)
		}
		if token = list.GetNextPageToken(); token == "" {
			break
		}
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}
