// Command bench measures setpoint beside the raw limit: the same operation on
// the same JetStream or SQLite without us, in one run, in turn, several times.
// It prints ratios; docs/benchmarks.md says how to read them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"sort"
	"strings"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each pair is measured; the median is printed")
	seconds := flag.Duration("for", 3*time.Second, "how long each measurement takes")
	layers := flag.String("layers", "raw,below,rpc", "of the commands measurement, which layers")
	only := flag.String("only", "", "run only the measurement of this name, or those whose name contains it")
	events := flag.Int("events", 1_000_000, "how many messages the long log has")
	resources := flag.Int("resources", 10_000, "how many resources the listing of many has")
	dir := flag.String("dir", "", "where the data folders go, default a temporary folder")
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	allocations := flag.String("memprofile", "", "write a profile of all allocations to this file")
	flag.Parse()
	if *allocations != "" {
		defer func() {
			f, err := os.Create(*allocations)
			if err == nil {
				err = errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	b := bench{rounds: *rounds, length: *seconds, dir: *dir, events: *events, resources: *resources, layers: strings.Split(*layers, ",")}
	fmt.Printf("%s %s/%s, %d CPUs, median of %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.rounds)
	type measurement struct {
		name string
		run  func(context.Context) error
	}
	all := []measurement{
		{"commands", b.commands},
		{"visibility", b.visibility},
		{"start", b.start},
		{"as-of reads", b.asOf},
		{"as-of reads postgres", b.asOfPostgres},
		{"as-of reads of many postgres", b.asOfManyPostgres},
		{"as-of reads of targets", b.asOfTargets},
		{"as-of reads of targets postgres", b.asOfTargetsPostgres},
		{"eventhorizon", b.eventhorizon},
		{"rebuild", b.rebuild},
		{"rebuild postgres", b.rebuildPostgres},
		{"replay", b.replay},
		{"restart", b.restart},
		{"loop", b.loop},
	}
	exact := slices.ContainsFunc(all, func(m measurement) bool { return m.name == *only })
	for _, m := range all {
		if m.name != *only && (exact || !strings.Contains(m.name, *only)) {
			continue
		}
		fmt.Printf("== %s\n", m.name)
		if err := m.run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, m.name+":", err)
			os.Exit(1)
		}
		fmt.Println()
	}
}

type bench struct {
	rounds int
	length time.Duration
	dir    string
	events int // of the long log
	layers []string

	resources int // of the listing of many
}

func (b bench) folder() (string, func(), error) {
	dir, err := os.MkdirTemp(b.dir, "setpoint-bench-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// line prints one figure beside what it is asked to be.
func line(name, figure, asked string) { fmt.Printf("%-58s %16s   %s\n", name, figure, asked) }

func median(v []float64) float64 {
	s := append([]float64(nil), v...)
	sort.Float64s(s)
	n := len(s)
	if n == 0 {
		return 0
	}
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// quantile is the q-quantile of durations, which it sorts.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
	return d[min(len(d)-1, int(q*float64(len(d))))]
}
