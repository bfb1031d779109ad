package doctor

import (
	"context"
	"fmt"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

const (
	adviceRestore = "keep a copy of the data; restore the newest whole backup into an empty server (setpoint restore) and repeat what came after it"
	adviceCopy    = "copy the data folder before anything starts on it: a server that starts on damaged files cuts off what follows the damage. " +
		"Then restore the newest whole backup into an empty folder (setpoint restore) and repeat what came after it"
)

// judgement is how bad a damage is, and what to do about it.
type judgement struct {
	severity Severity
	advice   string
}

func (p Patient) judge(reason string) judgement {
	restore := adviceRestore
	if p.Offline != nil {
		restore = adviceCopy
	}
	switch reason {
	case eventlog.DamageTime:
		return judgement{Note, "the clocks of the machines that write differ; what was known at a time is found by the latest one so far"}
	case eventlog.DamageNewer:
		return judgement{Error, "run a release of setpoint at least as new as the one that wrote the log; nothing is lost"}
	case "record.unknown_event":
		return judgement{Error, "run a release of setpoint at least as new as the one that wrote the log; nothing is lost. If none knows the event: setpoint projections skip"}
	case eventlog.DamageEvent:
		return judgement{Error, "the envelope is whole and its event is not: report it; the read models halt there until it is skipped (setpoint projections skip)"}
	case eventlog.DamageWrite:
		return judgement{Warning, "a process that is killed leaves this, and the server cuts it off when it starts; if the disk failed instead, the last message is lost: compare with the record's revision below"}
	case eventlog.DamageUnended:
		if p.Offline != nil && p.Offline.Batches {
			return judgement{Note, "a commit was being stored when the process ended; the server finishes it or takes it back when it starts"}
		}
		return judgement{Error, "messages were lost at the end of the log; " + restore}
	}
	if p.Offline == nil {
		restore += "; if no backup has what is lost: setpoint projections skip leaves it out, the first message first, and setpoint projections rebuild makes the record what is left"
	}
	return judgement{Error, restore}
}

// examineLog reads the whole log.
func (p Patient) examineLog(ctx context.Context, r *report, progress func(string, uint64, uint64)) (eventlog.Audit, error) {
	o := eventlog.AuditOptions{Progress: func(done, total uint64) { progress("log", done, total) }}
	left := leftOut{}
	o.Decode = func(m *eventlog.Record) error {
		if m.Subject == record.SkipSubject() {
			if skips, err := record.SkipsIn(m); err == nil {
				left.add(skips)
			}
		}
		if p.Kinds == nil {
			return nil
		}
		_, err := record.Fold(p.Kinds, m)
		return err
	}
	// The decision to leave a message out stands behind it, somewhere in the log.
	var damages []eventlog.Damage
	o.Found = func(d eventlog.Damage) { damages = append(damages, d) }
	worst := OK
	tell := func(d eventlog.Damage) {
		j := p.judge(d.Reason)
		f := Finding{
			Severity: j.severity, Check: "log", Reason: d.Reason, Where: p.sequences(d.First, d.Last),
			Message: d.Message, Advice: j.advice, First: d.First, Last: d.Last,
		}
		if d.Subject != "" {
			f.Message = d.Subject + ": " + f.Message
		}
		f = left.excuse(d, f)
		worst = max(worst, f.Severity)
		r.add(f)
	}
	var a eventlog.Audit
	var err error
	if p.Offline != nil {
		a, err = p.Offline.Audit(ctx, o)
	} else {
		a, err = p.Log.Audit(ctx, o)
	}
	for _, d := range damages {
		tell(d)
	}
	if err != nil {
		return a, err
	}
	if a.Backwards > 1 {
		r.add(Finding{Severity: Note, Check: "log", Reason: eventlog.DamageTime, Where: p.stream(),
			Message: fmt.Sprintf("%d messages were recorded earlier than one before them, by up to %s", a.Backwards, a.Furthest)})
	}
	switch {
	case worst >= Warning:
	case len(left) > 0:
		r.add(Finding{Severity: Note, Check: "log", Reason: "log.left_out", Where: p.stream(),
			Message: fmt.Sprintf("%s of the log left out of the read models; everything else is whole, up to revision %d",
				plural(len(left), "message is", "messages are"), a.Revision)})
	default:
		message := fmt.Sprintf("%d messages of %d commits on %d aggregates: none missing, all readable, every hash as it must be; revision %d",
			a.Messages, a.Commits, a.Aggregates, a.Revision)
		if a.Messages == 0 {
			message = "the log is empty"
		}
		r.add(Finding{Severity: OK, Check: "log", Reason: "log.whole", Where: p.stream(), Message: message})
	}
	origin := p.origin()
	if origin.LogID != "" {
		r.add(Finding{Severity: Note, Check: "log", Reason: "log.restored", Where: p.stream(),
			Message: fmt.Sprintf("the log was restored from a backup of log %s at revision %d", origin.LogID, origin.Revision)})
	}
	return a, nil
}

func (p Patient) origin() eventlog.Origin {
	if p.Offline != nil {
		return p.Offline.Origin()
	}
	return p.Log.Origin()
}

func (p Patient) stream() string {
	shard := 0
	if p.Offline != nil {
		shard = p.Offline.Shard()
	} else {
		shard = p.Log.Shard()
	}
	return fmt.Sprintf("SETPOINT_%d", shard)
}

// sequences names messages of the log.
func (p Patient) sequences(first, last uint64) string {
	if first == last {
		return fmt.Sprintf("%s %d", p.stream(), first)
	}
	return fmt.Sprintf("%s %d-%d", p.stream(), first, last)
}
