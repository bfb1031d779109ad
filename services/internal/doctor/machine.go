//go:build unix

package doctor

import (
	"fmt"
	"syscall"
	"time"

	"setpoint.dev/services/internal/eventlog"
)

const (
	// Below these the disk is called full, or soon to be.
	fullBytes, lowBytes   = 256 << 20, 2 << 30
	fullInodes, lowInodes = 1_000, 20_000
)

// examineDisk looks at the room that is left for the data folder.
func (p Patient) examineDisk(r *report) {
	if p.Data == "" {
		return
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(p.Data, &s); err != nil {
		r.add(Finding{Severity: Warning, Check: "disk", Reason: "disk.unknown", Where: p.Data, Message: "the room that is left cannot be asked: " + err.Error(),
			Advice: "check that the folder is there and readable"})
		return
	}
	r.add(judgeDisk(p.Data, uint64(s.Bavail)*uint64(s.Bsize), uint64(s.Blocks)*uint64(s.Bsize)))
	if s.Files > 0 { // some file systems make inodes as they need them
		r.add(judgeInodes(p.Data, uint64(s.Ffree), uint64(s.Files)))
	}
}

func judgeDisk(where string, free, total uint64) Finding {
	f := Finding{Check: "disk", Reason: "disk.space", Where: where,
		Message: fmt.Sprintf("%s of %s are free", size(free), size(total))}
	switch {
	case free < fullBytes:
		f.Severity = Error
		f.Advice = "make room now: when the disk is full every write fails, and the process must be restarted after room was made"
	case free < lowBytes || free < total/20:
		f.Severity = Warning
		f.Advice = "make room or enlarge the disk: a rebuild of the record needs as much again as the record takes"
	}
	return f
}

func judgeInodes(where string, free, total uint64) Finding {
	f := Finding{Check: "disk", Reason: "disk.inodes", Where: where, Message: fmt.Sprintf("%d of %d inodes are free", free, total)}
	switch {
	case free < fullInodes:
		f.Severity, f.Advice = Error, "remove small files from this file system: no file can be made when the inodes are gone"
	case free < lowInodes:
		f.Severity, f.Advice = Warning, "remove small files from this file system"
	}
	return f
}

func size(n uint64) string {
	const unit = 1 << 10
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, names := float64(n)/unit, "KMGTPE"
	i := 0
	for v >= unit && i < len(names)-1 {
		v /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", v, names[i])
}

// examineClock compares the newest recorded time with now.
func (p Patient) examineClock(r *report, a eventlog.Audit) {
	if p.Now == nil || a.Recorded.IsZero() {
		return
	}
	now := p.Now()
	if ahead := a.Recorded.Sub(now); ahead > time.Second {
		r.add(Finding{Severity: Warning, Check: "clock", Reason: "clock.behind_log", Where: "machine",
			Message: fmt.Sprintf("the newest commit was recorded at %s, %s from now: a clock was wrong then, or is now",
				a.Recorded.Format(time.RFC3339), ahead.Round(time.Second)),
			Advice: "set the clock right (chrony or ntpd); until that time is reached every commit is recorded at the same moment"})
		return
	}
	r.add(Finding{Severity: OK, Check: "clock", Reason: "clock.log", Where: "machine",
		Message: "the newest commit was recorded at " + a.Recorded.Format(time.RFC3339)})
}
