package main

import (
	"runtime/metrics"
	"syscall"
	"time"
)

// usage is what the process has used so far. Unlike a rate it says the same
// when other programs want the processors, too.
type usage struct {
	cpu   time.Duration // user and system
	bytes uint64        // allocated
}

func used() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // of this process it does not fail
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(allocated)
	return usage{
		cpu:   time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		bytes: allocated[0].Value.Uint64(),
	}
}

func (u usage) since() usage {
	now := used()
	return usage{cpu: now.cpu - u.cpu, bytes: now.bytes - u.bytes}
}
