package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/linearizable"
	"setpoint.dev/services/natsfault"
)

// What `make chaos` sets; without them the run is short, and the same each
// time.
const (
	seedEnv   = "SETPOINT_CHAOS_SEED"
	roundsEnv = "SETPOINT_CHAOS_ROUNDS"
)

func chaos(t *testing.T, short int) (seed uint64, rounds int, long bool) {
	t.Helper()
	if os.Getenv(roundsEnv) == "" {
		return 1, short, false
	}
	seed, err := strconv.ParseUint(os.Getenv(seedEnv), 10, 64)
	rounds, rerr := strconv.Atoi(os.Getenv(roundsEnv))
	if err != nil || rerr != nil {
		t.Fatalf("%s and %s are not numbers: %v %v", seedEnv, roundsEnv, err, rerr)
	}
	return seed, rounds, true
}

// misfortune is a fault of a server of the log, or of a process of the service.
type misfortune struct {
	process bool
	stop    bool // SIGSTOP instead of SIGKILL
	replica int
	lasts   time.Duration
	nats    natsfault.Fault
}

func (m misfortune) String() string {
	switch {
	case !m.process:
		return "NATS: " + m.nats.String()
	case m.stop:
		return fmt.Sprintf("service: stop replica %d for %s", m.replica+1, m.lasts)
	}
	return fmt.Sprintf("service: kill -9 replica %d, again after %s", m.replica+1, m.lasts)
}

// misfortunes is the schedule that a seed stands for. Without a cluster only
// the process is hit.
func misfortunes(seed uint64, rounds, replicas int, cluster, long bool) []misfortune {
	rng := rand.New(rand.NewPCG(seed, 4))
	nats := natsfault.Schedule(seed, rounds)
	var out []misfortune
	for i := range rounds {
		if cluster && i%3 != 2 {
			f := nats[i]
			if !long {
				f.Lasts = min(f.Lasts, 7*time.Second)
			}
			out = append(out, misfortune{nats: f})
			continue
		}
		m := misfortune{process: true, replica: rng.IntN(replicas), stop: rng.IntN(3) == 0,
			lasts: time.Duration(50+rng.IntN(1500)) * time.Millisecond}
		if m.stop {
			m.lasts = time.Duration(5_000+rng.IntN(25_000)) * time.Millisecond
			if !long {
				m.lasts = time.Duration(500+rng.IntN(2000)) * time.Millisecond
			}
		}
		out = append(out, m)
	}
	return out
}

// inflict lets it happen, and returns when all is well again.
func (m misfortune) inflict(t *testing.T, replicas []*replica, cluster *natsfault.Cluster) {
	t.Helper()
	if !m.process {
		cluster.Inflict(t, m.nats, "SETPOINT_0")
		return
	}
	r := replicas[m.replica]
	if m.stop {
		r.signal(syscall.SIGSTOP)
		time.Sleep(m.lasts)
		r.signal(syscall.SIGCONT)
		return
	}
	r.kill()
	time.Sleep(m.lasts)
	if err := r.start(); err != nil {
		t.Fatalf("replica %d does not start again: %v", m.replica+1, err)
	}
}

// The process is killed and stopped under load. There is an order of all
// commands that explains every answer, what was acknowledged is in the log,
// and the record is what the log says.
func TestChaosInOneProcess(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	seed, rounds, long := chaos(t, 4)
	data := t.TempDir()
	r := newReplica(t, "r1", "dev", "--data", data, "--nats", "127.0.0.1:0")
	underFaults(t, ground{
		name: "one process", seed: seed, replicas: []*replica{r},
		faults: misfortunes(seed, rounds, 1, false, long),
		log: func() []message {
			if err := r.start(); err != nil {
				t.Fatal(err)
			}
			log := readLog(t, embeddedURL(t, data))
			timesDoNotDecrease(t, log)
			return log
		},
		rebuilt: func() *replica {
			r.shutdown()
			dropRecord(t, data)
			return newReplica(t, "rebuilt", "dev", "--data", data)
		},
	})
}

// Three servers of NATS and two processes, each with a record of its own: all
// of them are killed and stopped, and the servers cut off from each other.
func TestChaosOnACluster(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	seed, rounds, long := chaos(t, 3)
	cluster := natsfault.Start(t, 3)
	process := func(name string) *replica {
		return newReplica(t, name, "serve", "--target=all", "--nats-url", cluster.URL(), "--data", t.TempDir())
	}
	underFaults(t, ground{
		name: "cluster", seed: seed, replicas: []*replica{process("r1"), process("r2")}, cluster: cluster,
		faults:  misfortunes(seed, rounds, 2, true, long),
		log:     func() []message { return readLog(t, cluster.URL()) },
		rebuilt: func() *replica { return process("rebuilt") },
	})
}

// ground is where a load runs, and what befalls it.
type ground struct {
	name     string
	seed     uint64
	replicas []*replica
	cluster  *natsfault.Cluster
	faults   []misfortune
	log      func() []message // reads the log after the replicas ended
	rebuilt  func() *replica  // has a record made anew from the log
}

func underFaults(t *testing.T, on ground) {
	t.Helper()
	// between two faults some commands are acknowledged.
	const users, between = 12, 20
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat this with: make chaos SEED=%d ROUNDS=%d", on.seed, len(on.faults))
		}
	})
	l := &workload{replicas: on.replicas, history: linearizable.New(), progress: make(chan struct{})}
	l.prepare(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	for id := range users {
		work.Go(func() { l.user(t, on.seed, id).run(ctx) })
	}
	t.Logf("%s, seed %d:", on.name, on.seed)
	for i, m := range on.faults {
		t.Logf("%3d  %s", i+1, m)
		l.goesOn(t, between)
		m.inflict(t, on.replicas, on.cluster)
	}
	l.goesOn(t, between)
	stop()
	work.Wait()

	// Everybody has folded everything: then the records are alike.
	var pictures []string
	for _, r := range on.replicas {
		pictures = append(pictures, l.picture(t, r))
	}
	for i, p := range pictures[1:] {
		if p != pictures[0] {
			t.Errorf("the record of replica %d differs from that of replica 1", i+2)
		}
	}
	// What a process or a connection still held back is sent or gone.
	for _, r := range on.replicas {
		r.shutdown()
	}
	log := on.log()
	v := l.history.Check(l.entries(log), true)
	for _, wrong := range v.Wrong {
		t.Error(wrong)
	}
	if again := l.picture(t, on.rebuilt()); again != pictures[0] {
		t.Error("the record differs from one rebuilt from the log")
	}
	if v.Acknowledged < 10*len(on.faults) {
		t.Errorf("only %d commands were acknowledged: nothing was shown", v.Acknowledged)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "faults\tcommands\tacknowledged\trefused\tunknown\tfound in log\tlost\tpartial\treads\tstale\toutdated\tmessages\t")
	_, _ = fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", len(on.faults),
		v.Commands, v.Acknowledged, v.Refused, v.Unknown, v.Found, v.Lost, v.Partial, v.Reads, v.Stale, v.Outdated, len(log))
	_ = w.Flush()
	t.Logf("%s, seed %d\n%s", on.name, on.seed, b.String())
}

// picture is all that a replica has on record, at the newest revision that
// anybody was told.
func (l *workload) picture(t *testing.T, r *replica) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := connectTo(t, r.url(), "default")
	var b strings.Builder
	for i := range loadMetrics {
		res, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: loadMetric(i), MinRevision: l.newest.Load()})
		for err != nil && ctx.Err() == nil && outcome(err) == linearizable.Unknown {
			res, err = c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: loadMetric(i), MinRevision: l.newest.Load()})
		}
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		for _, o := range res.GetObservations() {
			fmt.Fprintln(&b, o.GetMetric(), number(o.GetValue()), o.GetRevision(), o.GetCorrections())
		}
	}
	b.WriteString(everything(c))
	return b.String()
}
