package main

import (
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what the process has used so far. Unlike a rate it says the same
// when other programs want the processors, too.
type usage struct {
	cpu   time.Duration // user and system
	bytes uint64        // allocated
	disk  uint64        // bytes sent towards a disk, where the kernel tells (Linux)
}

func used() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // of this process it does not fail
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(allocated)
	return usage{
		cpu:   time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		bytes: allocated[0].Value.Uint64(),
		disk:  written(),
	}
}

// written is what the kernel says this process had written: each page of the
// cache that it made dirty.
func written() uint64 {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			bytes, _ := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
			return bytes
		}
	}
	return 0
}

func (u usage) since() usage {
	now := used()
	return usage{cpu: now.cpu - u.cpu, bytes: now.bytes - u.bytes, disk: now.disk - u.disk}
}

// cost is what a part of a run took.
type cost struct {
	wall time.Duration
	used usage
}

func (c *cost) add(wall time.Duration, u usage) {
	c.wall += wall
	c.used.cpu += u.cpu
	c.used.bytes += u.bytes
}

// each is the processor time for each of so many, in microseconds.
func (c cost) each(n uint64) float64 { return float64(c.used.cpu.Microseconds()) / float64(n) }

func (c cost) String() string {
	return fmt.Sprintf("%.2f s (%.2f s of processor, %d MiB allocated)", c.wall.Seconds(), c.used.cpu.Seconds(), c.used.bytes>>20)
}
