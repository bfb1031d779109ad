package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/kinds"
)

// visibility measures how long after its acknowledgement an observation is
// found by a query, at 500 observations a second.
func (b bench) visibility(ctx context.Context) error {
	s, err := b.stack(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	var (
		mu    sync.Mutex
		lags  []time.Duration
		all   sync.WaitGroup
		first error
	)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for n := range int(b.length.Seconds()*500) * b.rounds {
		<-tick.C
		all.Go(func() {
			o := s.observation(n % aggregates)
			res, err := s.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{o}})
			acknowledged := time.Now()
			for err == nil {
				var list *strategyv1.ListObservationsResponse
				list, err = s.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: o.GetMetric(), PageSize: 10_000})
				if err == nil && list.GetRevision() >= res.GetRevision() {
					break
				}
			}
			lag := time.Since(acknowledged)
			mu.Lock()
			defer mu.Unlock()
			lags = append(lags, lag)
			if first == nil {
				first = err
			}
		})
	}
	all.Wait()
	if first != nil {
		return first
	}
	line("acknowledged → visible in a query, p50", quantile(lags, .5).Round(10*time.Microsecond).String(), "")
	line("acknowledged → visible in a query, p99", quantile(lags, .99).Round(10*time.Microsecond).String(), "at most 50ms")
	return nil
}

// start measures the binary in a process of its own: from the start on an
// empty folder to the first answer, and its memory at rest.
func (b bench) start(ctx context.Context) error {
	binary, err := filepath.Abs("../../bin/setpoint")
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w: run make build first", err)
	}
	var waits, memory []float64
	for range b.rounds {
		wait, kib, err := b.startOnce(ctx, binary)
		if err != nil {
			return err
		}
		waits, memory = append(waits, wait.Seconds()), append(memory, kib/1024)
	}
	line("dev on an empty folder answers after", fmt.Sprintf("%.2f s", median(waits)), "at most 1 s")
	line("resident memory at rest", fmt.Sprintf("%.0f MiB", median(memory)), "at most 120 MB")
	return nil
}

func (b bench) startOnce(ctx context.Context, binary string) (time.Duration, float64, error) {
	dir, remove, err := b.folder()
	if err != nil {
		return 0, 0, err
	}
	defer remove()
	begin := time.Now()
	cmd := exec.CommandContext(ctx, binary, "dev", "--data", dir, "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	line := make([]byte, 4096)
	n, err := out.Read(line) // it says where it answers when it does
	if err != nil || !strings.Contains(string(line[:n]), "answers at") {
		return 0, 0, fmt.Errorf("setpoint dev said %q: %w", line[:n], err)
	}
	wait := time.Since(begin)
	time.Sleep(2 * time.Second) // at rest
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "status"))
	if err != nil {
		return 0, 0, err
	}
	for _, l := range strings.Split(string(status), "\n") {
		if v, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(v, "kB")), 64)
			return wait, kib, err
		}
	}
	return 0, 0, fmt.Errorf("no VmRSS in /proc")
}

// asOf compares reads of the past with reads of the present on SQLite.
func (b bench) asOf(ctx context.Context) error {
	dir, remove, err := b.folder()
	if err != nil {
		return err
	}
	defer remove()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "record.db"), kinds.Registry())
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return b.past(ctx, store, 500, 200, 10*b.rounds)
}

// past compares reads of the past with reads of the present, of resources that
// have 200 versions each.
func (b bench) past(ctx context.Context, store record.Store, resources, versions, repeats int) error {
	at := record.Checkpoint{}
	for v := range versions {
		var changes []record.Change
		to := record.Checkpoint{LogID: "bench", Revision: uint64(v + 1)}
		for r := range resources {
			name := metric(r)
			changes = append(changes, record.PutResource{Resource: record.Resource{
				Org: rpc.DefaultOrg, Kind: "Metric", Name: name, ID: name, From: to.Revision, Recorded: time.Now(),
				Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.MetricSpec{Title: fmt.Sprint(v), Cadence: "yearly"},
			}})
		}
		changes = append(changes, record.PutCommit{Org: rpc.DefaultOrg, Revision: to.Revision, Recorded: time.Now()})
		if err := store.Write(ctx, at, to, changes); err != nil {
			return err
		}
		at = to
	}
	read := func(revision uint64) (time.Duration, error) {
		begin := time.Now()
		err := store.View(ctx, func(v record.View) error {
			list, err := v.Resources(rpc.DefaultOrg, "Metric", revision, "", 0)
			if err == nil && len(list) != resources {
				err = fmt.Errorf("%d resources", len(list))
			}
			return err
		})
		return time.Since(begin), err
	}
	for _, past := range []uint64{1, uint64(versions) / 2, uint64(versions) - 1} {
		var ratios []float64
		var nows []time.Duration
		for range repeats {
			now, err := read(uint64(versions))
			if err != nil {
				return err
			}
			then, err := read(past)
			if err != nil {
				return err
			}
			ratios, nows = append(ratios, float64(then)/float64(now)), append(nows, now)
		}
		line(fmt.Sprintf("read as of version %d / current, %d versions", past, versions), fmt.Sprintf("%.2f", median(ratios)), "at most 1.70")
		if past == uint64(versions)-1 {
			line(fmt.Sprintf("the current %d resources, p50", resources), quantile(nows, .5).Round(10*time.Microsecond).String(), "")
		}
	}
	return nil
}
