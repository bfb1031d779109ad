package doctor_test

import (
	"context"
	"testing"
	"time"

	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// away is a record whose database does not answer.
type away struct{}

func (away) Checkpoint(context.Context) (record.Checkpoint, error) {
	return record.Checkpoint{}, fault.New(fault.Unavailable, "record.database_unreachable", "the record's database does not answer")
}

// What does not answer is said, with what to do about it, and all else is looked
// at. Nobody is told to delete a record whose database is only stopped.
func TestWhatDoesNotAnswer(t *testing.T) {
	dir := t.TempDir()
	at := fill(t, dir, 10, 1, 10)
	server, err := embeddednats.Start(embeddednats.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err := eventlog.OpenExisting(t.Context(), nc, eventlog.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	find := func(d diagnosis, reason string) (found doctor.Finding) {
		t.Helper()
		for _, f := range d.findings {
			if f.Reason == reason {
				found = f
			}
		}
		if found.Reason == "" {
			t.Errorf("no finding %s: %+v", reason, d.findings)
		}
		return found
	}
	d := diagnose(t, doctor.Patient{Log: l, Record: away{}, Sync: "always", Embedded: true})
	if f := find(d, "record.unreachable"); f.Severity != doctor.Error || f.Advice == "" {
		t.Errorf("%+v", f)
	}
	find(d, "log.whole")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	d = diagnose(t, doctor.Patient{Log: l, Record: standing(at), Sync: "always", Embedded: true})
	if f := find(d, "log.unreachable"); f.Severity != doctor.Error || f.Advice == "" {
		t.Errorf("%+v", f)
	}
	if f := find(d, "record.not_compared"); f.Severity != doctor.Note || f.First != at.Revision {
		t.Errorf("%+v", f)
	}
	find(d, "server.versions")
}
