package doctor_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

// leaveOut appends the decision to leave messages out, as SkipEvent does.
func leaveOut(t *testing.T, dir string, sequences ...uint64) record.Checkpoint {
	t.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	draft := eventlog.Draft{Subject: record.SkipSubject()}
	for _, sequence := range sequences {
		payload, err := proto.Marshal(&adminv1.EventSkipped{Sequence: int64(sequence), Problem: "gone"})
		if err != nil {
			t.Fatal(err)
		}
		draft.Events = append(draft.Events, eventlog.Event{Type: record.EventSkipped, Payload: payload})
	}
	done, err := l.Append(t.Context(), eventlog.Command{RequestID: "skip", Principal: "op", Reason: "the disk of May", Recorded: now}, draft)
	if err != nil {
		t.Fatal(err)
	}
	at := record.Checkpoint{LogID: l.ID(), Revision: done.Revision, Hash: done.Hashes[0]}
	l.Close()
	nc.Close()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	return at
}

// What somebody has decided to leave out is told, and is no error any more;
// what lies beside it is one as before.
func TestDamageThatIsLeftOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	fill(t, dir, 20, 1, 100)
	at := leaveOut(t, dir, 5, 6)
	for _, e := range extents(t, dir) {
		if e.sequence == 5 || e.sequence == 6 {
			alter(t, dir, e.file, func(b []byte) []byte { b[e.to-20] ^= 4; return b })
		}
	}
	for name, d := range map[string]diagnosis{"offline": offline(t, copyOf(t, dir), at), "online": online(t, copyOf(t, dir), at)} {
		if got := d.errors(); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
		i := slices.IndexFunc(d.findings, func(f doctor.Finding) bool { return f.Reason == eventlog.DamageHole })
		if i < 0 || d.findings[i].Severity != doctor.Note || d.findings[i].First != 5 ||
			!strings.Contains(d.findings[i].Message, "left out of the read models by op since revision 21: the disk of May") {
			t.Errorf("%s: %+v", name, d.findings)
		}
		if !d.has("log.left_out") || d.has("log.whole") {
			t.Errorf("%s: %+v", name, d.findings)
		}
	}
	for _, e := range extents(t, dir) {
		if e.sequence == 7 || e.sequence == 9 {
			alter(t, dir, e.file, func(b []byte) []byte { b[e.to-20] ^= 4; return b })
		}
	}
	// The hole has grown beyond the decision.
	if got := offline(t, dir, at).errors(); !slices.Equal(got, []string{"log.hole 5-7", "log.hole 9-9"}) {
		t.Errorf("%v", got)
	}
}
