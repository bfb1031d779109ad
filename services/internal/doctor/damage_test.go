package doctor_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// The damage that disks and people do, and what is found of it: on the files
// of the stopped server, and by a server that was started on them.
func TestDamage(t *testing.T) {
	base := filepath.Join(t.TempDir(), "nats")
	const total, size = 16_000, 500
	at := fill(t, base, total, size, 1_000)
	all := extents(t, base)
	last := all[len(all)-1]
	if len(all) != total || last.sequence != total || last.file != "3.blk" {
		t.Fatalf("%d messages up to %+v: this test is made for three blocks", len(all), last)
	}
	in := func(file string) []extent {
		return slices.DeleteFunc(slices.Clone(all), func(e extent) bool { return e.file != file })
	}
	first, middle, end := in("1.blk"), in("2.blk"), in("3.blk")
	hit, hitAtEnd := first[76], end[100] // in the middle of commits
	flip := func(offset int64) func([]byte) []byte {
		return func(b []byte) []byte { b[offset] ^= 4; return b }
	}
	truncate := func(n int64) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	hole := func(from, to uint64) string { return "log.hole " + span(from, to) }
	// Also where the server knows that it had more, and does not have it.
	ahead := "record.ahead_of_log " + span(total, total)

	for name, c := range map[string]struct {
		do              func(dir string)
		offline, online []string
	}{
		"nothing": {func(string) {}, nil, nil},
		"the index is deleted": {
			func(dir string) { remove(t, dir, "index.db") }, nil, nil,
		},
		"a bit of a body": {
			func(dir string) { alter(t, dir, "1.blk", flip(hit.from+400)) },
			[]string{hole(hit.sequence, hit.sequence)},
			[]string{hole(hit.sequence, hit.sequence)},
		},
		"a bit of a length": {
			func(dir string) { alter(t, dir, "1.blk", flip(hit.from)) },
			[]string{hole(hit.sequence, hit.sequence)}, nil,
		},
		"a bit of a subject": {
			func(dir string) { alter(t, dir, "1.blk", flip(hit.from+30)) },
			[]string{hole(hit.sequence, hit.sequence)}, nil,
		},
		"a bit, and the index is deleted": {
			// The server cuts off the rest of the block when it starts.
			func(dir string) { alter(t, dir, "1.blk", flip(hit.from+400)); remove(t, dir, "index.db") },
			[]string{hole(hit.sequence, hit.sequence)},
			[]string{hole(hit.sequence, first[len(first)-1].sequence)},
		},
		"a bit of the last block, and the index is deleted": {
			// And here all that follows, so that the log is shorter.
			func(dir string) { alter(t, dir, "3.blk", flip(hitAtEnd.from+400)); remove(t, dir, "index.db") },
			[]string{hole(hitAtEnd.sequence, hitAtEnd.sequence)},
			[]string{"log.commit_unended " + span(commitOf(hitAtEnd.sequence, size), hitAtEnd.sequence-1), ahead},
		},
		"ten thousand zeros": {
			func(dir string) {
				alter(t, dir, "2.blk", func(b []byte) []byte { clear(b[middle[50].from+9 : middle[58].from+9]); return b })
			},
			[]string{hole(middle[50].sequence, middle[58].sequence)}, nil,
		},
		"the last block is cut off inside a message": {
			func(dir string) { alter(t, dir, "3.blk", truncate(end[len(end)-3].from+100)) },
			[]string{hole(end[len(end)-3].sequence, total), ahead},
			[]string{hole(end[len(end)-3].sequence, total), ahead},
		},
		"the last block is cut off between messages": {
			func(dir string) { alter(t, dir, "3.blk", truncate(end[len(end)-3].from)) },
			[]string{hole(end[len(end)-3].sequence, total), ahead},
			[]string{hole(end[len(end)-3].sequence, total), ahead},
		},
		"the same, and the index is deleted": {
			func(dir string) {
				alter(t, dir, "3.blk", truncate(end[len(end)-3].from))
				remove(t, dir, "index.db")
			},
			[]string{"log.commit_unended " + span(commitOf(total, size), end[len(end)-3].sequence-1), ahead},
			[]string{"log.commit_unended " + span(commitOf(total, size), end[len(end)-3].sequence-1), ahead},
		},
		"the first block is cut off": {
			func(dir string) { alter(t, dir, "1.blk", truncate(first[len(first)-3].from+100)) },
			[]string{hole(first[len(first)-3].sequence, first[len(first)-1].sequence)},
			[]string{hole(first[len(first)-3].sequence, first[len(first)-1].sequence)},
		},
		"the first block is gone": {
			func(dir string) { remove(t, dir, "1.blk") },
			[]string{hole(1, first[len(first)-1].sequence)},
			[]string{hole(1, first[len(first)-1].sequence)},
		},
		"a block in the middle is gone": {
			func(dir string) { remove(t, dir, "2.blk") },
			[]string{hole(middle[0].sequence, middle[len(middle)-1].sequence)},
			[]string{hole(middle[0].sequence, middle[len(middle)-1].sequence)},
		},
		"the last block is gone": {
			func(dir string) { remove(t, dir, "3.blk") },
			[]string{hole(end[0].sequence, total), ahead},
			[]string{hole(end[0].sequence, total), ahead},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, base)
			c.do(dir)
			before := sizes(t, dir)
			if got := offline(t, dir, at).errors(); !slices.Equal(got, c.offline) {
				t.Errorf("on the files:\n got %v\nwant %v", got, c.offline)
			}
			if after := sizes(t, dir); !slices.Equal(before, after) {
				t.Errorf("the files were changed: %v, before %v", after, before)
			}
			got := online(t, dir, at).errors()
			if c.online == nil && c.offline != nil {
				// What the server makes of it is its affair; that something is
				// wrong at that place must be said.
				if len(got) == 0 {
					t.Error("by the server: nothing was found")
				}
				return
			}
			if !slices.Equal(got, c.online) {
				t.Errorf("by the server:\n got %v\nwant %v", got, c.online)
			}
		})
	}
}

func span(from, to uint64) string {
	return string(appendSpan(nil, from, to))
}

// commitOf is the first sequence of the commit that holds one.
func commitOf(sequence, size uint64) uint64 { return (sequence-1)/size*size + 1 }

func remove(t testing.TB, dir, file string) {
	t.Helper()
	if err := os.Remove(filepath.Join(msgs(dir), file)); err != nil {
		t.Fatal(err)
	}
}

// sizes are the files of a folder with their sizes and times.
func sizes(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.Walk(dir, func(path string, i os.FileInfo, err error) error {
		if err == nil && !i.IsDir() {
			out = append(out, path+i.ModTime().String()+string(appendSpan(nil, uint64(i.Size()), 0)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever bit of whatever message flips, that message is named, and no other.
func TestAnyFlippedBitIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	at := fill(t, dir, 60, 6, 60)
	all := extents(t, dir)
	rapid.Check(t, func(rt *rapid.T) {
		hit := all[rapid.IntRange(0, len(all)-1).Draw(rt, "message")]
		offset := rapid.Int64Range(hit.from, hit.to-1).Draw(rt, "offset")
		bit := byte(1) << rapid.IntRange(0, 7).Draw(rt, "bit")
		flip := func(b []byte) []byte { b[offset] ^= bit; return b }
		alter(t, dir, hit.file, flip)
		defer alter(t, dir, hit.file, flip)
		found := false
		for _, f := range offline(t, dir, at).findings {
			if f.Severity < doctor.Warning || f.Check != "log" {
				continue
			}
			if f.First > hit.sequence || f.Last < hit.sequence {
				rt.Errorf("offset %d of message %d: %+v", offset-hit.from, hit.sequence, f)
			}
			found = true
		}
		if !found {
			rt.Errorf("offset %d of message %d, bit %d: nothing was found", offset-hit.from, hit.sequence, bit)
		}
	})
}

func TestAFolderWithoutItsDescription(t *testing.T) {
	base := filepath.Join(t.TempDir(), "nats")
	fill(t, base, 10, 5, 10)
	for name, c := range map[string]struct {
		do     func(dir string) error
		reason string
	}{
		"gone": {func(dir string) error { return os.Remove(filepath.Join(msgs(dir), "..", "meta.inf")) }, "nats.stream_damaged"},
		"altered": {func(dir string) error {
			return os.WriteFile(filepath.Join(msgs(dir), "..", "meta.inf"), []byte(`{"name":"SETPOINT_0"}`), 0o600)
		}, "nats.stream_damaged"},
		"no log":  {func(dir string) error { return os.RemoveAll(filepath.Join(msgs(dir), "..")) }, "nats.stream_missing"},
		"nothing": {os.RemoveAll, "nats.data_missing"},
	} {
		dir := copyOf(t, base)
		if err := c.do(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := eventlog.OpenOffline(dir, 0); fault.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A record that went another way is found, also where its log has the same
// name and is longer.
func TestARecordOfAnotherHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	at := fill(t, dir, 20, 5, 10)
	other := at
	other.Hash = slices.Clone(at.Hash)
	other.Hash[0] ^= 1
	for name, c := range map[string]struct {
		at   record.Checkpoint
		want string
	}{
		"its own":          {at, "record.belongs"},
		"none":             {record.Checkpoint{}, "record.empty"},
		"another history":  {other, "record.other_history"},
		"another log":      {record.Checkpoint{LogID: "x", Revision: 5, Hash: at.Hash}, "record.other_log"},
		"beyond its end":   {record.Checkpoint{LogID: at.LogID, Revision: 25, Hash: at.Hash}, "record.ahead_of_log"},
		"inside of commit": {record.Checkpoint{LogID: at.LogID, Revision: 18, Hash: at.Hash}, "record.other_history"},
	} {
		if d := offline(t, dir, c.at); !d.has(c.want) {
			t.Errorf("%s, on the files: %+v", name, d.findings)
		}
		if d := online(t, dir, c.at); !d.has(c.want) {
			t.Errorf("%s, by the server: %+v", name, d.findings)
		}
	}
}
