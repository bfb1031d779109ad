package doctor_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// fill writes commits of a size until the log has n messages: aggregates of a
// message each, and in the last commit of every ten the first ones again. It
// returns the checkpoint of a record that has folded it all.
func fill(t testing.TB, dir string, n, size, payload int) record.Checkpoint {
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
	var at record.Checkpoint
	for c := 0; c*size < n; c++ {
		drafts := make([]eventlog.Draft, size)
		for i := range drafts {
			drafts[i] = eventlog.Draft{
				Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: fmt.Sprintf("m%d-%d", c, i)},
				Events:  []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: []byte(strings.Repeat(string(rune('a'+i%26)), payload))}},
			}
		}
		done, err := l.AppendBatch(t.Context(), eventlog.Command{RequestID: fmt.Sprint("r", c), Recorded: now.Add(time.Duration(c) * time.Second)}, drafts)
		if err != nil {
			t.Fatal(err)
		}
		at = record.Checkpoint{LogID: l.ID(), Revision: done.Revision, Hash: done.Hashes[size-1]}
	}
	l.Close()
	nc.Close()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	return at
}

// copyOf is a copy of a data folder of NATS.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "nats")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func msgs(dir string) string {
	return filepath.Join(dir, "jetstream", "$G", "streams", "SETPOINT_0", "msgs")
}

// extent is where a message lies in its block.
type extent struct {
	file       string
	from, to   int64
	sequence   uint64
	subjectLen int
}

// extents are the messages of a folder, found by their lengths alone.
func extents(t testing.TB, dir string) []extent {
	t.Helper()
	var out []extent
	for n := 1; ; n++ {
		file := fmt.Sprintf("%d.blk", n)
		data, err := os.ReadFile(filepath.Join(msgs(dir), file))
		if os.IsNotExist(err) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(data); {
			length := int(binary.LittleEndian.Uint32(data[at:]) &^ (1 << 31))
			out = append(out, extent{file, int64(at), int64(at + length), binary.LittleEndian.Uint64(data[at+4:]),
				int(binary.LittleEndian.Uint16(data[at+20:]))})
			at += length
		}
	}
}

// alter changes a file of the stream.
func alter(t testing.TB, dir, file string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(msgs(dir), file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// standing is a record that stands at a checkpoint.
type standing record.Checkpoint

func (s standing) Checkpoint(context.Context) (record.Checkpoint, error) {
	return record.Checkpoint(s), nil
}

type diagnosis struct {
	findings []doctor.Finding
	doctor.Summary
}

func diagnose(t testing.TB, p doctor.Patient) diagnosis {
	t.Helper()
	var d diagnosis
	p.Now = func() time.Time { return now.Add(time.Hour) }
	sum, err := doctor.Diagnose(t.Context(), p, func(f doctor.Finding) { d.findings = append(d.findings, f) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Summary = sum
	return d
}

// offline examines the files of a folder.
func offline(t testing.TB, dir string, at record.Checkpoint) diagnosis {
	t.Helper()
	l, err := eventlog.OpenOffline(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return diagnose(t, doctor.Patient{Offline: l, Record: standing(at)})
}

// online starts a server on a folder and examines what it says.
func online(t testing.TB, dir string, at record.Checkpoint) diagnosis {
	t.Helper()
	server, err := embeddednats.Start(embeddednats.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err := eventlog.OpenExisting(t.Context(), nc, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return diagnose(t, doctor.Patient{Log: l, Record: standing(at), Sync: "always", Embedded: true})
}

// errors are the findings that are errors, as reason first-last.
func (d diagnosis) errors() []string {
	var out []string
	for _, f := range d.findings {
		if f.Severity == doctor.Error {
			out = append(out, fmt.Sprintf("%s %d-%d", f.Reason, f.First, f.Last))
			if f.Advice == "" || f.Where == "" || f.Message == "" {
				out = append(out, fmt.Sprintf("without advice: %+v", f))
			}
		}
	}
	return out
}

func (d diagnosis) has(reason string) bool {
	return slices.ContainsFunc(d.findings, func(f doctor.Finding) bool { return f.Reason == reason })
}

func appendSpan(b []byte, from, to uint64) []byte { return fmt.Appendf(b, "%d-%d", from, to) }
