package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const clients = 64

// measured is what one measurement of a layer gave.
type measured struct {
	rate  float64 // per second
	times []time.Duration
	cpu   time.Duration // of the whole process, user and system, for each operation
	bytes float64       // allocated for each operation
	disk  float64       // bytes for the disk for each operation
}

// load runs op from as many clients for the length of a measurement, each
// client on aggregates of its own.
func load(ctx context.Context, length time.Duration, op func(ctx context.Context, aggregate int) error) (measured, error) {
	var (
		mu       sync.Mutex
		all      []time.Duration
		failed   error
		running  sync.WaitGroup
		deadline = time.Now().Add(length)
		begin    = time.Now()
		used     = used()
	)
	for c := range clients {
		running.Go(func() {
			var mine []time.Duration
			var err error
			for i := c; err == nil && time.Now().Before(deadline); i += clients {
				start := time.Now()
				err = op(ctx, i%(aggregates/clients*clients))
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
			if failed == nil {
				failed = err
			}
		})
	}
	running.Wait()
	took, n := time.Since(begin), max(1, len(all))
	since := used.since()
	return measured{
		rate: float64(len(all)) / took.Seconds(), times: all,
		cpu: since.cpu / time.Duration(n), bytes: float64(since.bytes) / float64(n), disk: float64(since.disk) / float64(n),
	}, failed
}

// commands compares acknowledged commands with raw guarded appends, with 64
// clients on distinct aggregates and the projection running.
func (b bench) commands(ctx context.Context) error {
	s, err := b.stack(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	type layer struct {
		name string
		op   func(context.Context, int) error
	}
	layers := []layer{{"raw", s.guarded}, {"below", s.command}, {"rpc", s.rpc}}
	rates, tails, cpu, bytes, disk := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for round := range b.rounds + 1 {
		for _, l := range layers {
			if !slices.Contains(b.layers, l.name) {
				continue
			}
			m, err := load(ctx, b.length, l.op)
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			if round == 0 {
				continue // warming up
			}
			rates[l.name] = append(rates[l.name], m.rate)
			tails[l.name] = append(tails[l.name], float64(quantile(m.times, .99)))
			cpu[l.name] = append(cpu[l.name], float64(m.cpu))
			bytes[l.name] = append(bytes[l.name], m.bytes)
			disk[l.name] = append(disk[l.name], m.disk)
		}
	}
	// Of the raw appends and the commands of one round, which ran one after the
	// other: median, and lowest and highest of all rounds.
	ratio := func(m map[string][]float64, layer string) string {
		var r []float64
		for i := range m[layer] {
			r = append(r, m[layer][i]/m["raw"][i])
		}
		return fmt.Sprintf("%.2f (%.2f-%.2f)", median(r), slices.Min(r), slices.Max(r))
	}
	fmt.Printf("%d clients, %d aggregates, envelopes and raw messages of %d bytes\n", clients, aggregates, s.size)
	for _, l := range layers {
		if len(rates[l.name]) == 0 {
			continue
		}
		line(l.name+": per second", fmt.Sprintf("%.0f", median(rates[l.name])), "")
		line(l.name+": p99", time.Duration(median(tails[l.name])).Round(10*time.Microsecond).String(), "")
		line(l.name+": processor time each", time.Duration(median(cpu[l.name])).Round(time.Microsecond).String(), "")
		line(l.name+": allocated each", fmt.Sprintf("%.1f KiB", median(bytes[l.name])/1024), "")
		line(l.name+": written each", fmt.Sprintf("%.1f KiB", median(disk[l.name])/1024), "")
	}
	if len(layers) != len(b.layers) {
		return nil // for a profile; there is nothing to compare
	}
	line("below the RPC layer / raw", ratio(rates, "below"), "at least 0.85")
	line("through Connect / raw", ratio(rates, "rpc"), "at least 0.50")
	line("processor time below the RPC layer / raw", ratio(cpu, "below"), "")
	line("p99 through Connect / raw", ratio(tails, "rpc"), "at most 3.00")
	return nil
}
