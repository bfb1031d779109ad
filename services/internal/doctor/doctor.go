package doctor

import (
	"context"
	"fmt"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Patient is what is examined. Of Log and Offline there is one; everything else
// may be missing and is then not looked at.
type Patient struct {
	// Version is of this binary.
	Version string
	Kinds   *resource.Registry
	Now     func() time.Time

	// Log is a log whose server runs.
	Log *eventlog.Log
	// Offline is a log whose server does not.
	Offline *eventlog.Offline
	// Sync is how the log reaches the disk: always, or an interval; anything else
	// is that it is not known.
	Sync string
	// Embedded says that the server is this process's own.
	Embedded bool
	// Data is the folder of the process.
	Data string

	// Record is where the read models are; it may also be Tuned.
	Record Record
	// Halted tells why the record's projection has halted, nil if it has not.
	Halted func() error
	// Keys are those of personal data.
	Keys Keys
	// Deep folds the log again and compares every row. It returns what differs.
	Deep func(ctx context.Context, progress func(done, total uint64)) ([]Finding, error)
}

// Record is what a doctor asks a database of the record.
type Record interface {
	Checkpoint(ctx context.Context) (record.Checkpoint, error)
}

// Tuned is a Record whose database has settings that matter, by name.
type Tuned interface {
	Settings(ctx context.Context) (map[string]string, error)
}

// Summary ends a diagnosis.
type Summary struct {
	OK, Notes, Warnings, Errors int
	eventlog.Audit
	LogID   string
	Version string
}

// Diagnose looks at everything. found is told of each finding and progress now
// and then how far a check is. An error says that the diagnosis could not be
// made, not that something is wrong.
func Diagnose(ctx context.Context, p Patient, found func(Finding), progress func(check string, done, total uint64)) (Summary, error) {
	if progress == nil {
		progress = func(string, uint64, uint64) {}
	}
	r := newReport(found)
	s := Summary{Version: p.Version}
	audit, err := p.examineLog(ctx, r, progress)
	silent := p.Log != nil && fault.KindOf(err) == fault.Unavailable && ctx.Err() == nil
	if err != nil && !silent {
		return s, err
	}
	s.Audit = audit
	switch {
	case silent:
		// All else is looked at: what works tells where to look for what does not.
		s.LogID, s.Audit = p.Log.ID(), eventlog.Audit{}
		r.add(Finding{Severity: Error, Check: "log", Reason: "log.unreachable", Where: p.stream(), Message: "the servers of the log do not answer: " + err.Error(),
			Advice: "start the NATS servers, most of them if they are several, or mend the way to them: the service goes on by itself when they answer, and nothing acknowledged is lost"})
	case p.Log != nil:
		s.LogID = p.Log.ID()
		if err := p.examineServer(ctx, r); err != nil {
			return s, err
		}
	case p.Offline != nil:
		s.LogID = p.Offline.ID()
		p.examineFiles(r)
	}
	p.examineRecord(ctx, r, s.Audit)
	p.examineKeys(ctx, r)
	if p.Deep != nil {
		differences, err := p.Deep(ctx, func(done, total uint64) { progress("record", done, total) })
		if err != nil {
			r.add(Finding{Severity: Error, Check: "record", Reason: "record.not_compared", Where: "record",
				Message: "the record could not be compared with the log: " + err.Error(), Advice: "mend what is found above, and run setpoint doctor --deep again"})
		}
		for _, d := range differences {
			r.add(d)
		}
	}
	p.examineDisk(r)
	p.examineClock(r, s.Audit)
	r.add(Finding{Severity: OK, Check: "server", Reason: "server.versions", Where: "versions", Message: versions(p)})
	r.rest()
	s.OK, s.Notes, s.Warnings, s.Errors = r.counts[OK], r.counts[Note], r.counts[Warning], r.counts[Error]
	return s, ctx.Err()
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
