package doctor

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"setpoint.dev/services/internal/fault"
)

// manyConsumers is from how many readers on a stream a leak is likely; the
// server's own default is 1,000.
const manyConsumers = 200

// examineServer asks the server about the stream and itself.
func (p Patient) examineServer(ctx context.Context, r *report) error {
	s, err := p.Log.Settings(ctx)
	if err != nil {
		return err
	}
	add := func(severity Severity, reason, where, message, advice string) {
		r.add(Finding{Severity: severity, Check: "settings", Reason: reason, Where: where, Message: message, Advice: advice})
	}
	p.unsafe(r, s.Unsafe)
	p.durability(r)
	if s.Replicas == 1 {
		advice := "take backups (setpoint backup) to another disk, as often as you can bear to lose what came since"
		severity := Note
		if !p.Embedded {
			severity, advice = Warning, "give the stream three replicas on servers in separate zones: nats stream edit "+p.stream()+" --replicas 3"
		}
		add(severity, "settings.one_replica", "num_replicas", "the log is on one disk; losing it loses everything since the last backup", advice)
	} else if s.Current < s.Replicas {
		add(Warning, "settings.replica_behind", "replicas", fmt.Sprintf("%d of %d replicas of the log are there and current", s.Current, s.Replicas),
			"find the server that is down or behind (nats stream info "+p.stream()+") before another one fails")
	} else {
		add(OK, "settings.replicas", "num_replicas", fmt.Sprintf("%d replicas, all current; %s leads", s.Replicas, s.Leader), "")
	}
	switch err := p.Log.BatchLimit(ctx); {
	case err == nil:
		add(OK, "settings.batch_limit", "max_batch_size", fmt.Sprintf("one commit may have %d messages", p.Log.MaxBatch()), "")
	case fault.KindOf(err) == fault.Exhausted:
		add(Error, fault.ReasonOf(err), "max_batch_size", err.Error(),
			fmt.Sprintf("set jetstream { limits { max_batch_size: %d } } on the servers", p.Log.MaxBatch()))
	default:
		return err
	}
	if s.Consumers > manyConsumers {
		add(Warning, "settings.consumers", p.stream(), fmt.Sprintf("%d readers are registered with the stream", s.Consumers),
			"readers that end badly are forgotten after a minute; if the number stays, see what connects")
	}
	const ours = 8 << 20
	if s.MaxPayload < ours {
		add(Warning, "settings.max_payload", "max_payload", fmt.Sprintf("the server takes messages of %d bytes, and setpoint writes up to %d", s.MaxPayload, int64(ours)),
			fmt.Sprintf("set max_payload: %d on the servers", ours))
	}
	if tolerated := 2*time.Second + s.Within; s.Ahead > tolerated || s.Ahead < -tolerated {
		r.add(Finding{Severity: Warning, Check: "clock", Reason: "clock.differs", Where: "server",
			Message: fmt.Sprintf("the clock of the NATS server and ours differ by %s", s.Ahead.Abs().Round(time.Millisecond)),
			Advice:  "synchronize the machines' clocks (chrony or ntpd)"})
	} else {
		r.add(Finding{Severity: OK, Check: "clock", Reason: "clock.agrees", Where: "server", Message: "the NATS server's clock and ours agree"})
	}
	return nil
}

// unsafe judges the settings that the stream has.
func (p Patient) unsafe(r *report, wrong []string) {
	for _, w := range wrong {
		r.add(Finding{Severity: Error, Check: "settings", Reason: "log.stream_unsafe", Where: p.stream(),
			Message: "the stream can lose or hide messages: " + w, Advice: "give it back the settings of ADR 1: somebody changed them"})
	}
	if len(wrong) == 0 {
		r.add(Finding{Severity: OK, Check: "settings", Reason: "settings.stream", Where: p.stream(),
			Message: "nothing can be deleted, expires or is rewritten"})
	}
}

// durability judges how the log reaches the disk.
func (p Patient) durability(r *report) {
	f := Finding{Severity: OK, Check: "settings", Reason: "settings.sync", Where: "sync_interval", Message: "every write is synced before it is acknowledged"}
	switch p.Sync {
	case "always":
	default:
		f.Severity, f.Message = Note, "how the servers write to disk cannot be asked"
		f.Advice = "make sure that jetstream { sync_interval: always } is set on every server"
	}
	if _, err := time.ParseDuration(p.Sync); err == nil {
		f.Severity, f.Message = Warning, "the log is synced every "+p.Sync+": a power cut loses what was acknowledged since"
		f.Advice = "set jetstream { sync_interval: always }"
	}
	r.add(f)
}

// examineFiles looks at the folder of a server that does not run.
func (p Patient) examineFiles(r *report) {
	p.unsafe(r, p.Offline.Unsafe())
	for _, n := range p.Offline.Notes {
		r.add(Finding{Severity: Note, Check: "log", Reason: "log.files", Where: p.stream(), Message: n})
	}
}

// libraries are those whose versions say what a log or a record was written by.
var libraries = []string{
	"github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go", "modernc.org/sqlite", "github.com/jackc/pgx/v5",
}

func versions(p Patient) string {
	out := []string{"setpoint " + p.Version, runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains(libraries, m.Path) {
				name := strings.TrimSuffix(strings.TrimSuffix(m.Path, "/v2"), "/v5")
				out = append(out, name[strings.LastIndex(name, "/")+1:]+" "+m.Version)
			}
		}
	}
	return strings.Join(out, ", ")
}
