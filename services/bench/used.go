package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
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
	wall   time.Duration
	used   usage
	server time.Duration // processor time of a database's server, if there is one
}

func (c *cost) add(wall time.Duration, u usage) {
	c.wall += wall
	c.used.cpu += u.cpu
	c.used.bytes += u.bytes
}

// each is the processor time for each of so many, in microseconds.
func (c cost) each(n uint64) float64 {
	return float64((c.used.cpu + c.server).Microseconds()) / float64(n)
}

func (c cost) String() string {
	server := ""
	if c.server > 0 {
		server = fmt.Sprintf(" and %.2f s of the server's", c.server.Seconds())
	}
	return fmt.Sprintf("%.2f s (%.2f s of processor%s, %d MiB allocated)", c.wall.Seconds(), c.used.cpu.Seconds(), server, c.used.bytes>>20)
}

// postmaster is the process id of a PostgreSQL server on this machine.
func postmaster(ctx context.Context, url string) (pid int, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`).Scan(&pid)
	return pid, err
}

// usedBy is the processor time of a process and of its children, those that
// ended included; 0 where there is no /proc.
func usedBy(pid int) (all time.Duration) {
	const tick = time.Second / 100 // USER_HZ, the same on every Linux
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		var id int
		_, _ = fmt.Sscan(string(text), &id)
		// The name, in brackets, may hold anything; what follows is numbers.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		number := func(n int) (v int) { _, _ = fmt.Sscan(string(fields[n-3]), &v); return v } // by its number in proc(5)
		switch {
		case id == pid:
			all += time.Duration(number(14)+number(15)+number(16)+number(17)) * tick
		case number(4) == pid:
			all += time.Duration(number(14)+number(15)) * tick
		}
	}
	return all
}
