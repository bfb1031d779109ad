package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// far is from how many revisions on a record that is behind is worth a word.
const far = 10_000

// examineRecord compares where the record stands with the log.
func (p Patient) examineRecord(ctx context.Context, r *report, audit eventlog.Audit) {
	if p.Record == nil {
		return
	}
	add := func(severity Severity, reason, message, advice string, at uint64) {
		r.add(Finding{Severity: severity, Check: "record", Reason: reason, Where: "record", Message: message, Advice: advice, First: at, Last: at})
	}
	at, err := p.Record.Checkpoint(ctx)
	if fault.KindOf(err) == fault.Unavailable {
		add(Error, "record.unreachable", "the database that has the record does not answer: "+err.Error(),
			"start the database, or mend the way to it: the service goes on by itself when it answers, and nothing is lost", 0)
		return
	}
	if err != nil {
		add(Error, "record.unreadable", "the record cannot be read: "+err.Error(), "delete what is left of the record and restart the processes: it is rebuilt from the log", 0)
		return
	}
	if p.Halted != nil {
		if err := p.Halted(); err != nil {
			add(Error, "record.halted", fmt.Sprintf("the projection has halted at revision %d: %v", at.Revision, err),
				"mend what it names, then setpoint projections resume", at.Revision)
		}
	}
	switch err := p.belongs(ctx, at, audit); {
	case at.Revision == 0:
		add(Note, "record.empty", "there is no record yet", "", 0)
	case audit.Revision == 0 && fault.KindOf(err) == fault.Unavailable:
		add(Note, "record.not_compared", fmt.Sprintf("the record stands at revision %d, and there is no log to compare it with", at.Revision), "", at.Revision)
	case err != nil:
		add(Error, fault.ReasonOf(err), err.Error(), hintOf(err), at.Revision)
	case len(at.Hash) != 0 && r.endsInHole(at.Revision):
		// A service may start on it: its readers halt there, and tell.
		add(Error, "record.ahead_of_log", fmt.Sprintf("the record stands at revision %d, which the log has lost: the two cannot be compared", at.Revision),
			"keep the record: it holds what the log has lost; restore the newest whole backup", at.Revision)
	case audit.Revision > at.Revision+far:
		add(Warning, "record.behind", fmt.Sprintf("the record stands at revision %d, %d behind the log", at.Revision, audit.Revision-at.Revision),
			"setpoint projections status shows whether it moves", at.Revision)
	default:
		message := fmt.Sprintf("the record is of this log, at revision %d", at.Revision)
		if audit.Revision > at.Revision {
			message += fmt.Sprintf(", %d behind it", audit.Revision-at.Revision)
		}
		add(OK, "record.belongs", message, "", at.Revision)
	}
	if t, ok := p.Record.(Tuned); ok {
		settings, err := t.Settings(ctx)
		if err != nil {
			add(Error, "database.unreadable", "the settings of the database cannot be read: "+err.Error(), "check that the database runs, and its address", 0)
			return
		}
		for _, f := range judgeDatabase(settings) {
			r.add(f)
		}
	}
}

func (p Patient) belongs(ctx context.Context, at record.Checkpoint, audit eventlog.Audit) error {
	if p.Log != nil {
		return record.Check(ctx, p.Log, at)
	}
	return record.CheckFiles(ctx, p.Offline, audit.Revision, at)
}

func hintOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Hint
	}
	return ""
}

const (
	// oldestPostgres is the oldest major version that the record is tested with.
	oldestPostgres = 15
	// fewFree is how many connections should be left for whoever comes.
	fewFree = 20
)

// judgeDatabase judges the settings of a PostgreSQL server, by its own names;
// connections is how many there are.
func judgeDatabase(settings map[string]string) []Finding {
	var out []Finding
	add := func(severity Severity, reason, where, message, advice string) {
		out = append(out, Finding{Severity: severity, Check: "database", Reason: reason, Where: where, Message: message, Advice: advice})
	}
	if v := settings["server_version"]; v != "" {
		var major int
		if _, err := fmt.Sscanf(v, "%d", &major); err == nil && major < oldestPostgres {
			add(Error, "database.version", "server_version", "PostgreSQL "+v+" is older than the record is tested with",
				fmt.Sprintf("use PostgreSQL %d or later", oldestPostgres))
		} else {
			add(OK, "database.version", "server_version", "PostgreSQL "+v, "")
		}
	}
	if v := settings["server_encoding"]; v != "" && v != "UTF8" {
		add(Error, "database.encoding", "server_encoding", "the database holds "+v+", and names may be any Unicode",
			"make a database with ENCODING 'UTF8', and start with its URL: the record is rebuilt from the log")
	}
	if v := settings["lc_collate"]; v != "" {
		add(OK, "database.collation", "lc_collate", "the database sorts as "+v, "")
	}
	most, err := strconv.Atoi(settings["max_connections"])
	used, usedErr := strconv.Atoi(settings["connections"])
	switch {
	case err != nil || usedErr != nil:
	case most-used < fewFree:
		add(Warning, "database.connections", "max_connections", fmt.Sprintf("%d of %d connections are taken", used, most),
			"raise max_connections, or run fewer processes on this database")
	default:
		add(OK, "database.connections", "max_connections", fmt.Sprintf("%d of %d connections are taken", used, most), "")
	}
	return out
}
